package land

import (
	"bufio"
	"cmp"
	"encoding/binary"
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

const keySize = 24 // bytes on disk

// rowKey stands for what identifies a row: 128 bits of a hash with random
// seeds, so that two different keys never meet in practice and nobody can make
// them meet.
type rowKey struct{ hi, lo, row uint64 }

func compareKeys(a, b rowKey) int {
	return cmp.Or(cmp.Compare(a.hi, b.hi), cmp.Compare(a.lo, b.lo), cmp.Compare(a.row, b.row))
}

func (k rowKey) before(other rowKey) bool {
	return k.hi < other.hi || k.hi == other.hi && (k.lo < other.lo || k.lo == other.lo && k.row < other.row)
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
	k.sort(0)
	out := bufio.NewWriterSize(k.file, 256<<10)
	var record [keySize]byte
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
const (
	keyBits    = 15
	keyBuckets = 1 << keyBits
)

// sort orders the keys in memory, which have their highest bits in common: into
// buckets, then the few of each.
func (k *keySet) sort(common int) {
	bucketOf := func(key rowKey) uint64 { return key.hi << common >> (64 - keyBits) }
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
		bucket := bucketOf(key)
		k.spare[at[bucket]] = key
		at[bucket]++
	}
	for i := range keyBuckets {
		if bucket := k.spare[k.starts[i]:k.starts[i+1]]; len(bucket) > 1 {
			sortBucket(bucket)
		}
	}
	k.run, k.spare = k.spare, k.run
}

// sortBucket orders the keys of a bucket, few unless somebody chose them.
func sortBucket(keys []rowKey) {
	const few = 16
	if len(keys) > few {
		slices.SortFunc(keys, compareKeys)
		return
	}
	for i := 1; i < len(keys); i++ {
		key, at := keys[i], i
		for ; at > 0 && key.before(keys[at-1]); at-- {
			keys[at] = keys[at-1]
		}
		keys[at] = key
	}
}

// repeated gives the first row that shares its key with an earlier one, such an
// earlier one, and how many such rows there are.
func (k *keySet) repeated() (first, second uint64, total int64, err error) {
	var pairs keyPairs
	var last rowKey
	started := false
	err = k.sorted(&pairs, func(key rowKey) {
		if started && key.same(last) {
			pairs.add(last, key)
		}
		last, started = key, true
	})
	return pairs.first, pairs.second, pairs.total, err
}

// keyPairs are rows that share a key, of which the first is kept.
type keyPairs struct {
	first, second uint64
	total         int64
}

func (p *keyPairs) add(earlier, later rowKey) {
	if p.total == 0 || later.row < p.second {
		p.first, p.second = earlier.row, later.row
	}
	p.total++
}

// sorted visits every key in order, but of those that are equal in one run only
// the first: the others go to pairs, so that memory holds what is spread. Runs are read side by side, a part of the
// range of keys at a time, of about as many keys as one run has.
func (k *keySet) sorted(pairs *keyPairs, visit func(rowKey)) error {
	if len(k.runs) > 0 && len(k.run) > 0 {
		if err := k.spill(); err != nil {
			return err
		}
	}
	if len(k.runs) == 0 {
		k.sort(0)
		for _, key := range k.run {
			visit(key)
		}
		return nil
	}
	var runs []*keyRun
	var offset int64
	for _, keys := range k.runs {
		section := io.NewSectionReader(k.file, offset, int64(keys)*keySize)
		runs = append(runs, &keyRun{in: bufio.NewReaderSize(section, 16<<10)})
		offset += int64(keys) * keySize
	}
	common := bits.Len(uint(len(runs) - 1))
	for part := range uint64(1) << common {
		k.run = k.run[:0]
		for _, run := range runs {
			var err error
			wanted := func(key rowKey) bool { return common == 0 || key.hi>>(64-common) == part }
			if k.run, err = run.take(k.run, pairs, wanted); err != nil {
				return err
			}
		}
		k.sort(common)
		for _, key := range k.run {
			visit(key)
		}
	}
	return nil
}

// keyRun reads a sorted run.
type keyRun struct {
	in   *bufio.Reader
	head rowKey
	held bool // head has been read and not taken
}

// take appends distinct keys as long as they are wanted.
func (r *keyRun) take(keys []rowKey, pairs *keyPairs, wanted func(rowKey) bool) ([]rowKey, error) {
	before := len(keys)
	for {
		more, err := r.next()
		if !more || !wanted(r.head) {
			return keys, err
		}
		r.held = false
		if n := len(keys); n > before && keys[n-1].same(r.head) {
			pairs.add(keys[n-1], r.head)
			continue
		}
		keys = append(keys, r.head)
	}
}

// next holds the next key, if there is one.
func (r *keyRun) next() (more bool, err error) {
	if r.held {
		return true, nil
	}
	record, err := r.in.Peek(keySize)
	if len(record) < keySize {
		if len(record) == 0 && err == io.EOF {
			return false, nil
		}
		return false, errSpool
	}
	r.head = rowKey{
		hi:  binary.LittleEndian.Uint64(record[0:]),
		lo:  binary.LittleEndian.Uint64(record[8:]),
		row: binary.LittleEndian.Uint64(record[16:]),
	}
	r.held = true
	_, err = r.in.Discard(keySize)
	return true, err
}

func (k *keySet) close() error {
	if k.file == nil {
		return nil
	}
	return k.file.Close()
}
