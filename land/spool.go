package land

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"

	"github.com/klauspost/compress/s2"
)

// errSpool marks a spool file that does not read back as it was written.
var errSpool = errors.New("spool file is damaged")

// spoolWriter keeps batches on disk: each a length, a checksum and an S2 block.
type spoolWriter struct {
	file  *os.File
	out   *bufio.Writer
	plain []byte
	block []byte
}

func newSpoolWriter(file *os.File) *spoolWriter {
	return &spoolWriter{file: file, out: bufio.NewWriterSize(file, 256<<10)}
}

func (w *spoolWriter) write(b *batch) error {
	w.plain = appendBatch(w.plain[:0], b)
	w.block = s2.Encode(w.block[:cap(w.block)], w.plain)
	var head [8]byte
	binary.LittleEndian.PutUint32(head[:], uint32(len(w.block)))
	binary.LittleEndian.PutUint32(head[4:], crc32.Checksum(w.block, crc32.MakeTable(crc32.Castagnoli)))
	if _, err := w.out.Write(head[:]); err != nil {
		return writeError("spool", w.file.Name(), err)
	}
	_, err := w.out.Write(w.block)
	return writeError("spool", w.file.Name(), err)
}

func (w *spoolWriter) close() error {
	err := w.out.Flush()
	return writeError("spool", w.file.Name(), errors.Join(err, w.file.Close()))
}

func appendBatch(dst []byte, b *batch) []byte {
	dst = binary.AppendUvarint(dst, uint64(b.rows))
	for i := range b.cols {
		dst = appendVector(dst, &b.cols[i])
	}
	return dst
}

// appendVector writes a column; one that is all null takes a single byte.
func appendVector(dst []byte, v *vector) []byte {
	if v.empty() {
		return append(dst, 0)
	}
	dst = append(dst, 1)
	for _, code := range v.codes {
		dst = binary.LittleEndian.AppendUint32(dst, code)
	}
	dst = append(dst, v.tags...)
	for _, value := range v.vals {
		dst = binary.LittleEndian.AppendUint64(dst, uint64(value))
	}
	if v.texts == nil {
		return dst
	}
	dst = binary.AppendUvarint(dst, uint64(len(v.texts.ends)))
	for _, end := range v.texts.ends {
		dst = binary.LittleEndian.AppendUint32(dst, end)
	}
	return append(dst, v.texts.bytes...)
}

func (v *vector) empty() bool {
	for _, code := range v.codes {
		if code != 0 {
			return false
		}
	}
	for _, tag := range v.tags {
		if tag != tagNull {
			return false
		}
	}
	return true
}

// spoolReader gives the batches back in order. The batch that next returns is
// the same each time.
type spoolReader struct {
	in    *bufio.Reader
	block []byte
	plain []byte
	batch *batch
}

func newSpoolReader(r io.Reader, kinds []Kind) *spoolReader {
	return &spoolReader{in: bufio.NewReaderSize(r, 256<<10), batch: newBatch(kinds)}
}

// next is io.EOF after the last batch.
func (r *spoolReader) next() (*batch, error) {
	var head [8]byte
	if _, err := io.ReadFull(r.in, head[:]); err != nil {
		if err == io.EOF {
			return nil, io.EOF
		}
		return nil, errSpool
	}
	size := int(binary.LittleEndian.Uint32(head[:]))
	if cap(r.block) < size {
		r.block = make([]byte, size)
	}
	r.block = r.block[:size]
	if _, err := io.ReadFull(r.in, r.block); err != nil {
		return nil, errSpool
	}
	if crc32.Checksum(r.block, crc32.MakeTable(crc32.Castagnoli)) != binary.LittleEndian.Uint32(head[4:]) {
		return nil, errSpool
	}
	plain, err := s2.Decode(r.plain[:cap(r.plain)], r.block)
	if err != nil {
		return nil, errSpool
	}
	r.plain = plain
	return r.batch, readBatch(&cursor{rest: plain}, r.batch)
}

func readBatch(c *cursor, b *batch) error {
	b.reset()
	b.rows = int(c.uvarint())
	if b.rows > batchRows {
		return errSpool
	}
	for i := range b.cols {
		readVector(c, &b.cols[i], b.rows)
	}
	if c.short {
		return errSpool
	}
	return nil
}

func readVector(c *cursor, v *vector, rows int) {
	present := c.take(1)
	filled := len(present) == 1 && present[0] == 1
	switch {
	case v.kind.coded():
		v.codes = resize(v.codes, rows)
	default:
		v.tags, v.vals = resize(v.tags, rows), resize(v.vals, rows)
	}
	if !filled {
		return
	}
	for i := range v.codes {
		v.codes[i] = c.uint32()
	}
	copy(v.tags, c.take(len(v.tags)))
	for i := range v.vals {
		v.vals[i] = int64(c.uint64())
	}
	if v.texts != nil {
		readTexts(c, v.texts)
	}
}

func readTexts(c *cursor, t *texts) {
	count := int(min(c.uvarint(), uint64(len(c.rest))))
	t.ends = resize(t.ends, count)
	for i := range t.ends {
		t.ends[i] = c.uint32()
	}
	if count > 0 {
		t.bytes = append(t.bytes[:0], c.take(int(t.ends[count-1]))...)
	}
}

// resize gives a slice of n zeros.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	s = s[:n]
	clear(s)
	return s
}

// cursor reads a block; short says that it ended early, and every read after
// that gives zeros.
type cursor struct {
	rest  []byte
	short bool
}

func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.rest) {
		c.short, c.rest = true, nil
		return nil
	}
	taken := c.rest[:n]
	c.rest = c.rest[n:]
	return taken
}

func (c *cursor) uint32() uint32 {
	if b := c.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) uint64() uint64 {
	if b := c.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (c *cursor) uvarint() uint64 {
	n, size := binary.Uvarint(c.rest)
	c.take(max(size, 0))
	return n
}
