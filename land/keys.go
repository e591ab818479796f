package land

import (
	"bufio"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"hash/maphash"
	"io"
	"math/bits"
	"os"
	"slices"
)

// keysPerRun bounds the keys held in memory: 131,072 keys of 24 bytes, twice
// because of the sorting, 6 MiB. Beyond that sorted runs go to disk, 24 bytes an
// entry, and are merged at the end with 16 KiB of memory for each run.
const keysPerRun = 1 << 17

// rowKey stands for what identifies a row: 128 bits of a hash with random
// seeds, so that two different keys never meet in practice and nobody can make
// them meet.
type rowKey struct{ hi, lo, row uint64 }

func compareKeys(a, b rowKey) int {
	return cmp.Or(cmp.Compare(a.hi, b.hi), cmp.Compare(a.lo, b.lo), cmp.Compare(a.row, b.row))
}

func (k rowKey) same(other rowKey) bool { return k.hi == other.hi && k.lo == other.lo }

// keySet finds rows that share a key, in memory that does not grow with them.
type keySet struct {
	hash   *keyHash
	run    []rowKey
	spare  []rowKey
	starts []uint32 // of the buckets, while sorting
	rows   uint64
	file   *os.File // created when the first run is full
	create func() (*os.File, error)
	runs   []int // the keys in each run on disk
}

func newKeySet(create func() (*os.File, error)) *keySet {
	return &keySet{hash: &keyHash{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}, create: create}
}

// add takes the keys of a batch, made of the given Text columns. A row marked
// loose has none; nil marks none.
func (k *keySet) add(b *batch, columns []int, loose []bool) error {
	return k.take(k.hash.of(b, columns), loose)
}

// take takes the keys of a batch, in the order of the rows.
func (k *keySet) take(keys []rowKey, loose []bool) error {
	for i, key := range keys {
		if loose == nil || !loose[i] {
			key.row = k.rows + uint64(i)
			k.run = append(k.run, key)
		}
	}
	k.rows += uint64(len(keys))
	if len(k.run) >= keysPerRun {
		return k.spill()
	}
	return nil
}

// keyHash makes keys. Those of one keySet share its seeds.
type keyHash struct {
	seeds  [2]maphash.Seed
	hashes [2][]uint64 // by code of the column at hand
	keys   []rowKey
}

// twin makes the same keys, on a goroutine of its own.
func (h *keyHash) twin() *keyHash { return &keyHash{seeds: h.seeds} }

// of gives the keys of a batch, their rows apart, until it is called again.
func (h *keyHash) of(b *batch, columns []int) []rowKey {
	h.keys = resize(h.keys, b.rows)
	for _, column := range columns {
		h.mix(h.keys, &b.cols[column])
	}
	return h.keys
}

// mix hashes each distinct text once and folds it into the rows that have it.
func (h *keyHash) mix(keys []rowKey, v *vector) {
	for i := range h.hashes {
		h.hashes[i] = append(h.hashes[i][:0], 0)
		for code := 1; code <= v.texts.count(); code++ {
			h.hashes[i] = append(h.hashes[i], maphash.Bytes(h.seeds[i], v.texts.at(uint32(code))))
		}
	}
	his, los := h.hashes[0], h.hashes[1]
	for i, code := range v.codes {
		keys[i].hi = fold(keys[i].hi, his[code], 0x9e3779b97f4a7c15)
		keys[i].lo = fold(keys[i].lo, los[code], 0xd1b54a32d192ed03)
	}
}

// fold chains one hash into another; the order of the columns counts.
func fold(state, hash, odd uint64) uint64 {
	hi, lo := bits.Mul64(state^0x2545f4914f6cdd1d, odd)
	return bits.RotateLeft64(hi^lo, 23) + hash*odd
}

func (k *keySet) spill() (err error) {
	if k.file == nil {
		if k.file, err = k.create(); err != nil {
			return err
		}
	}
	k.sort()
	out := bufio.NewWriterSize(k.file, 256<<10)
	var record [24]byte
	for _, key := range k.run {
		binary.LittleEndian.PutUint64(record[0:], key.hi)
		binary.LittleEndian.PutUint64(record[8:], key.lo)
		binary.LittleEndian.PutUint64(record[16:], key.row)
		if _, err := out.Write(record[:]); err != nil {
			return writeError("spool", k.file.Name(), err)
		}
	}
	k.runs = append(k.runs, len(k.run))
	k.run = k.run[:0]
	return writeError("spool", k.file.Name(), out.Flush())
}

// keyBuckets are told apart by the highest bits of a key, which is a hash and so
// evenly spread.
const keyBuckets = 1 << 15

func bucketOf(k rowKey) uint64 { return k.hi >> (64 - 15) }

// sort orders the keys in memory: into buckets, then the few of each.
func (k *keySet) sort() {
	k.starts = resize(k.starts, keyBuckets+2)
	for _, key := range k.run {
		k.starts[bucketOf(key)+2]++
	}
	for i := 1; i < len(k.starts); i++ {
		k.starts[i] += k.starts[i-1]
	}
	k.spare = slices.Grow(k.spare[:0], len(k.run))[:len(k.run)]
	at := k.starts[1:] // becomes the starts of the next buckets
	for _, key := range k.run {
		k.spare[at[bucketOf(key)]] = key
		at[bucketOf(key)]++
	}
	for i := range keyBuckets {
		if bucket := k.spare[k.starts[i]:k.starts[i+1]]; len(bucket) > 1 {
			slices.SortFunc(bucket, compareKeys)
		}
	}
	k.run, k.spare = k.spare, k.run
}

// repeated gives the first row that shares its key with an earlier one, that
// earlier one, and how many such rows there are.
func (k *keySet) repeated() (first, second uint64, total int64, err error) {
	var last rowKey
	started := false
	err = k.sorted(func(key rowKey) {
		if started && key.same(last) {
			if total == 0 || key.row < second {
				first, second = last.row, key.row
			}
			total++
		}
		last, started = key, true
	})
	return first, second, total, err
}

// sorted visits every key in order.
func (k *keySet) sorted(visit func(rowKey)) error {
	k.sort()
	merge := keyHeap{{next: memoryRun(k.run)}}
	var offset int64
	for _, keys := range k.runs {
		size := int64(keys) * 24
		section := io.NewSectionReader(k.file, offset, size)
		merge = append(merge, &keyRun{next: fileRun(bufio.NewReaderSize(section, 16<<10))})
		offset += size
	}
	return merge.visit(visit)
}

type keyRun struct {
	head rowKey
	next func() (rowKey, error) // io.EOF at the end
}

func memoryRun(keys []rowKey) func() (rowKey, error) {
	return func() (rowKey, error) {
		if len(keys) == 0 {
			return rowKey{}, io.EOF
		}
		key := keys[0]
		keys = keys[1:]
		return key, nil
	}
}

func fileRun(in *bufio.Reader) func() (rowKey, error) {
	var record [24]byte
	return func() (rowKey, error) {
		if _, err := io.ReadFull(in, record[:]); err != nil {
			return rowKey{}, err
		}
		return rowKey{
			hi:  binary.LittleEndian.Uint64(record[0:]),
			lo:  binary.LittleEndian.Uint64(record[8:]),
			row: binary.LittleEndian.Uint64(record[16:]),
		}, nil
	}
}

type keyHeap []*keyRun

func (h keyHeap) Len() int           { return len(h) }
func (h keyHeap) Less(i, j int) bool { return compareKeys(h[i].head, h[j].head) < 0 }
func (h keyHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *keyHeap) Push(any)          {} // never grows
func (h *keyHeap) Pop() any {
	last := len(*h) - 1
	run := (*h)[last]
	*h = (*h)[:last]
	return run
}

func (h keyHeap) visit(visit func(rowKey)) error {
	var live keyHeap
	for _, run := range h {
		more, err := run.advance()
		if err != nil {
			return err
		}
		if more {
			live = append(live, run)
		}
	}
	heap.Init(&live)
	for len(live) > 0 {
		visit(live[0].head)
		more, err := live[0].advance()
		if err != nil {
			return err
		}
		if more {
			heap.Fix(&live, 0)
		} else {
			heap.Pop(&live)
		}
	}
	return nil
}

func (r *keyRun) advance() (more bool, err error) {
	r.head, err = r.next()
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, io.EOF):
		return false, nil
	}
	return false, errSpool
}

func (k *keySet) close() error {
	if k.file == nil {
		return nil
	}
	return k.file.Close()
}
