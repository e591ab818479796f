package land

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"os"
	"slices"

	"github.com/klauspost/compress/s2"
)

// errSpool marks a spool file that does not read back as it was written.
var errSpool = errors.New("spool file is damaged")

// spoolHead precedes each batch in the spool: the length of its S2 block, that
// block's checksum, and the rows in it.
const spoolHead = 12

// spoolWriter keeps batches on disk.
type spoolWriter struct {
	file *os.File
	out  *bufio.Writer
	pack spoolPacker
}

func newSpoolWriter(file *os.File) *spoolWriter {
	return &spoolWriter{file: file, out: bufio.NewWriterSize(file, 256<<10)}
}

func (w *spoolWriter) write(b *batch) error { return w.writePacked(w.pack.pack(b)) }

// writePacked keeps a batch that was packed elsewhere.
func (w *spoolWriter) writePacked(packed []byte) error {
	_, err := w.out.Write(packed)
	return writeError("spool", w.file.Name(), err)
}

func (w *spoolWriter) close() error {
	err := w.out.Flush()
	return writeError("spool", w.file.Name(), errors.Join(err, w.file.Close()))
}

// spoolPacker makes of a batch what stands in the spool.
type spoolPacker struct {
	plain  []byte
	packed []byte
}

// pack gives the batch with its head, until it is called again.
func (p *spoolPacker) pack(b *batch) []byte {
	p.plain = appendBatch(p.plain[:0], b)
	if need := spoolHead + s2.MaxEncodedLen(len(p.plain)); cap(p.packed) < need {
		p.packed = make([]byte, need)
	}
	head := p.packed[:spoolHead]
	block := s2.Encode(p.packed[spoolHead:cap(p.packed)], p.plain)
	binary.LittleEndian.PutUint32(head, uint32(len(block)))
	binary.LittleEndian.PutUint32(head[4:], checksum(block))
	binary.LittleEndian.PutUint32(head[8:], uint32(b.rows))
	return p.packed[:spoolHead+len(block)]
}

func checksum(block []byte) uint32 {
	return crc32.Checksum(block, crc32.MakeTable(crc32.Castagnoli))
}

func appendBatch(dst []byte, b *batch) []byte {
	dst = binary.AppendUvarint(dst, uint64(b.rows))
	for i := range b.cols {
		dst = appendVector(dst, &b.cols[i])
	}
	return dst
}

// appendVector writes a column: its form, then its values. The form is 0 for one
// that is all null, else how many bytes a code or value takes.
func appendVector(dst []byte, v *vector) []byte {
	if v.empty() {
		return append(dst, 0)
	}
	if v.kind.coded() {
		dst = appendCodes(dst, v)
	} else {
		dst = appendValues(dst, v)
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

func appendCodes(dst []byte, v *vector) []byte {
	switch most := v.texts.count(); {
	case most < 1<<8:
		dst = append(dst, 1)
		for _, code := range v.codes {
			dst = append(dst, byte(code))
		}
	case most < 1<<16:
		dst = append(dst, 2)
		for _, code := range v.codes {
			dst = binary.LittleEndian.AppendUint16(dst, uint16(code))
		}
	default:
		dst = append(dst, 4)
		for _, code := range v.codes {
			dst = binary.LittleEndian.AppendUint32(dst, code)
		}
	}
	return dst
}

func appendValues(dst []byte, v *vector) []byte {
	var spread uint64
	for _, value := range v.vals {
		spread |= uint64(value)
	}
	size := byte(8)
	if spread < 1<<8 {
		size = 1
	} else if spread < 1<<32 {
		size = 4
	}
	dst = append(append(dst, size), v.tags...)
	for _, value := range v.vals {
		switch size {
		case 1:
			dst = append(dst, byte(value))
		case 4:
			dst = binary.LittleEndian.AppendUint32(dst, uint32(value))
		default:
			dst = binary.LittleEndian.AppendUint64(dst, uint64(value))
		}
	}
	return dst
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
	packed, err := r.packed(r.block[:0])
	if err != nil {
		return nil, err
	}
	r.block = packed
	return r.unpack(packed)
}

// packed appends the next batch as it stands in the spool.
func (r *spoolReader) packed(dst []byte) ([]byte, error) {
	var head [spoolHead]byte
	if _, err := io.ReadFull(r.in, head[:]); err != nil {
		if err == io.EOF {
			return nil, io.EOF
		}
		return nil, errSpool
	}
	size := int(binary.LittleEndian.Uint32(head[:]))
	start := len(dst) + spoolHead
	dst = slices.Grow(append(dst, head[:]...), size)[:start+size]
	if _, err := io.ReadFull(r.in, dst[start:]); err != nil {
		return nil, errSpool
	}
	return dst, nil
}

// packedRows is how many rows a packed batch says it has.
func packedRows(packed []byte) int { return int(binary.LittleEndian.Uint32(packed[8:])) }

// unpack gives a batch until the next one.
func (r *spoolReader) unpack(packed []byte) (*batch, error) {
	block := packed[spoolHead:]
	if checksum(block) != binary.LittleEndian.Uint32(packed[4:]) {
		return nil, errSpool
	}
	plain, err := s2.Decode(r.plain[:cap(r.plain)], block)
	if err != nil {
		return nil, errSpool
	}
	r.plain = plain
	if err := readBatch(&cursor{rest: plain}, r.batch); err != nil {
		return nil, err
	}
	if r.batch.rows != packedRows(packed) {
		return nil, errSpool
	}
	return r.batch, nil
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
	size := 0
	if form := c.take(1); len(form) == 1 {
		size = int(form[0])
	}
	if v.kind.coded() {
		v.codes = resize(v.codes, rows)
		if size > 0 {
			readCodes(c.take(rows*size), v.codes, size)
		}
	} else {
		v.tags, v.vals = resize(v.tags, rows), resize(v.vals, rows)
		if size > 0 {
			copy(v.tags, c.take(rows))
			readValues(c.take(rows*size), v.vals, size)
		}
	}
	if size > 0 && v.texts != nil {
		readTexts(c, v.texts)
	}
}

func readCodes(from []byte, codes []uint32, size int) {
	if len(from) < len(codes)*size {
		return // the cursor knows
	}
	for i := range codes {
		switch size {
		case 1:
			codes[i] = uint32(from[i])
		case 2:
			codes[i] = uint32(binary.LittleEndian.Uint16(from[2*i:]))
		default:
			codes[i] = binary.LittleEndian.Uint32(from[4*i:])
		}
	}
}

func readValues(from []byte, values []int64, size int) {
	if len(from) < len(values)*size {
		return // the cursor knows
	}
	for i := range values {
		switch size {
		case 1:
			values[i] = int64(from[i])
		case 4:
			values[i] = int64(binary.LittleEndian.Uint32(from[4*i:]))
		default:
			values[i] = int64(binary.LittleEndian.Uint64(from[8*i:]))
		}
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

func (c *cursor) uvarint() uint64 {
	n, size := binary.Uvarint(c.rest)
	c.take(max(size, 0))
	return n
}
