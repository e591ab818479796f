package parquet

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"

	"github.com/klauspost/compress/zstd"
)

const (
	// rowsPerPage is how many rows a page has at most.
	rowsPerPage = 16 * 1024
	// bytesPerPage ends a page of plain texts.
	bytesPerPage = 1 << 20
	// dictionaryBytes is how large a dictionary of texts may grow where it saves
	// less than half; and eight times as large where it saves more. The rest of
	// the row group's column is then written plainly.
	dictionaryBytes = 1 << 20
)

// scratch is what the chunks of a group use one after the other.
type scratch struct {
	packer  *zstd.Encoder
	encoded []byte
	packed  []byte
}

// chunk is one column of a row group being made: pages that are done, and one
// that is not.
type chunk struct {
	kind Kind

	rows    int    // of the page at hand
	levels  []byte // a bit for each of its rows: there is a value
	nulls   int    // of its rows
	index   []uint32
	words   []uint64 // of fixed size, as bits
	plain   []byte   // texts outside the dictionary
	scratch *scratch

	dictionary bool // values go by the dictionary; once left it is not used again
	texts      textDictionary
	numbers    wordDictionary
	remap      []uint32 // codes of the batch, or of all, to indices from 1

	pages    []byte
	headed   int64 // what the pages are before compression, heads included
	byIndex  bool  // some page goes by the dictionary
	plainly  bool  // some page does not
	values   int64
	total    int64 // nulls of all pages
	stats    stats
	dictPage []byte
	dictSize int64 // of dictPage before compression
}

func newChunk(kind Kind, scratch *scratch) *chunk {
	c := &chunk{kind: kind, scratch: scratch}
	c.texts.seed = maphash.MakeSeed()
	c.reset()
	return c
}

func (c *chunk) reset() {
	c.rows, c.nulls = 0, 0
	c.levels, c.index, c.words, c.plain = c.levels[:0], c.index[:0], c.words[:0], c.plain[:0]
	c.dictionary = c.kind != Bool && c.kind != Document
	c.texts.reset()
	c.numbers.reset()
	c.remap = c.remap[:0]
	c.pages, c.dictPage, c.headed, c.dictSize = c.pages[:0], c.dictPage[:0], 0, 0
	c.byIndex, c.plainly, c.values, c.total, c.stats = false, false, 0, 0, stats{}
}

func (c *chunk) isText() bool { return c.kind == String || c.kind == Document }

// add adds rows, a page after the other.
func (c *chunk) add(rows int, v *Values) {
	c.codes(v)
	for from := 0; from < rows; {
		until := min(rows, from+rowsPerPage-c.rows)
		if c.isText() {
			from = c.addTexts(v, from, until)
		} else {
			c.addWords(v, from, until)
			from = until
		}
		if c.rows == rowsPerPage || len(c.plain) >= bytesPerPage {
			c.page()
		}
	}
}

// codes prepares for the codes of a batch. Those of a lasting column mean the
// same in each.
func (c *chunk) codes(v *Values) {
	if !c.isText() || v.Lasting && len(c.remap) > v.Count {
		return
	}
	if cap(c.remap) <= v.Count {
		c.remap = make([]uint32, v.Count+1)
	}
	c.remap = c.remap[:v.Count+1]
	clear(c.remap)
}

func (c *chunk) level(present bool) {
	if c.rows&7 == 0 {
		c.levels = append(c.levels, 0)
	}
	if present {
		c.levels[c.rows>>3] |= 1 << (c.rows & 7)
	} else {
		c.nulls++
	}
	c.rows++
}

// addTexts adds rows until the page is full, and says how far it came.
func (c *chunk) addTexts(v *Values, from, until int) int {
	for row := from; row < until; row++ {
		code := v.Codes[row]
		c.level(code != 0)
		switch {
		case code == 0:
		case !c.dictionary:
			text := v.Text(code)
			c.plain = append(binary.LittleEndian.AppendUint32(c.plain, uint32(len(text))), text...)
			c.stats.text(text)
			if len(c.plain) >= bytesPerPage {
				return row + 1
			}
		case c.remap[code] != 0:
			c.index = append(c.index, c.remap[code]-1)
		default:
			index := c.texts.put(v.Text(code))
			c.remap[code] = index + 1
			c.index = append(c.index, index)
			if c.overgrown() {
				c.page()
				c.dictionary = false
				return row + 1
			}
		}
	}
	return until
}

// overgrown says that the dictionary of texts is not worth its size.
func (c *chunk) overgrown() bool {
	size := len(c.texts.plain)
	if size < dictionaryBytes {
		return false
	}
	mean := size / len(c.texts.starts)
	given := int(c.values-c.total)*mean + len(c.index)*mean
	return size >= 8*dictionaryBytes || 2*size > given
}

func (c *chunk) addWords(v *Values, from, until int) {
	for row := from; row < until; row++ {
		if v.Present[row] == 0 {
			c.level(false)
			continue
		}
		c.level(true)
		c.words = append(c.words, word(c.kind, v, row))
	}
}

// page ends the page at hand.
func (c *chunk) page() {
	if c.rows == 0 {
		return
	}
	c.scratch.encoded = c.appendLevels(c.scratch.encoded[:0])
	encoding := encodingPlain
	switch {
	case c.isText() && c.dictionary:
		encoding = encodingDictionary
		c.scratch.encoded = appendIndex(c.scratch.encoded, c.index, len(c.texts.starts))
	case c.isText():
		c.scratch.encoded = append(c.scratch.encoded, c.plain...)
	case c.numbered():
		encoding = encodingDictionary
		c.scratch.encoded = appendIndex(c.scratch.encoded, c.index, len(c.numbers.words))
	default:
		c.scratch.encoded = appendWords(c.scratch.encoded, c.kind, c.words)
	}
	for _, word := range c.words {
		c.stats.word(c.kind, word)
	}
	c.byIndex = c.byIndex || encoding == encodingDictionary
	c.plainly = c.plainly || encoding == encodingPlain
	c.values += int64(c.rows)
	c.total += int64(c.nulls)
	c.pages, c.headed = c.appendPage(c.pages, c.headed, page{values: c.rows, encoding: encoding})
	c.rows, c.nulls = 0, 0
	c.levels, c.index, c.words, c.plain = c.levels[:0], c.index[:0], c.words[:0], c.plain[:0]
}

// numbered finds the values of fixed size in the dictionary, and leaves it for
// good when they are too many.
func (c *chunk) numbered() bool {
	if !c.dictionary {
		return false
	}
	for _, word := range c.words {
		index, ok := c.numbers.put(word)
		if !ok {
			c.dictionary, c.index = false, c.index[:0]
			return false
		}
		c.index = append(c.index, index)
	}
	return true
}

// seal ends the chunk.
func (c *chunk) seal() {
	c.page()
	if !c.byIndex {
		return
	}
	c.scratch.encoded = c.scratch.encoded[:0]
	count := len(c.texts.starts)
	if c.isText() {
		c.scratch.encoded = append(c.scratch.encoded, c.texts.plain...)
		for index := range c.texts.starts {
			c.stats.text(c.texts.at(uint32(index)))
		}
	} else {
		count = len(c.numbers.words)
		c.scratch.encoded = appendWords(c.scratch.encoded, c.kind, c.numbers.words)
	}
	c.dictPage, c.dictSize = c.appendPage(c.dictPage, 0, page{dictionary: true, values: count, encoding: encodingPlain})
}

// appendPage appends what was encoded, compressed, behind its head.
func (c *chunk) appendPage(pages []byte, size int64, p page) ([]byte, int64) {
	c.scratch.packed = c.scratch.packer.EncodeAll(c.scratch.encoded, c.scratch.packed[:0])
	p.size, p.compressed = len(c.scratch.encoded), len(c.scratch.packed)
	head := p.head()
	return append(append(pages, head...), c.scratch.packed...), size + int64(len(head)+len(c.scratch.encoded))
}

// facts are for the footer, of a chunk that will begin at the offset.
func (c *chunk) facts(start int64) chunkFacts {
	f := chunkFacts{
		start: start, dictionary: int64(len(c.dictPage)), size: c.dictSize + c.headed, compressed: int64(len(c.dictPage) + len(c.pages)),
		values: c.values, nulls: c.total, encodings: []int{encodingRLE},
	}
	if c.plainly || c.byIndex {
		f.encodings = append(f.encodings, encodingPlain)
	}
	if c.byIndex {
		f.encodings = append(f.encodings, encodingDictionary)
	}
	f.least, f.most = c.stats.ends(c.kind)
	return f
}

// appendLevels appends which rows have a value, behind its length.
func (c *chunk) appendLevels(dst []byte) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	switch c.nulls {
	case 0:
		dst = appendRun(dst, 1, c.rows, 1)
	case c.rows:
		dst = appendRun(dst, 0, c.rows, 1)
	default:
		dst = binary.AppendUvarint(dst, uint64(len(c.levels))<<1|1)
		dst = append(dst, c.levels...)
	}
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

// appendIndex appends indices behind their width, which is that of the
// dictionary so far.
func appendIndex(dst []byte, index []uint32, count int) []byte {
	width := max(bits.Len(uint(max(count, 1)-1)), 1)
	return appendHybrid(append(dst, byte(width)), index, width)
}

// appendWords appends values of fixed size plainly.
func appendWords(dst []byte, kind Kind, words []uint64) []byte {
	switch kind {
	case Double, Millis:
		for _, word := range words {
			dst = binary.LittleEndian.AppendUint64(dst, word)
		}
	case Bool:
		for i, word := range words {
			if i&7 == 0 {
				dst = append(dst, 0)
			}
			dst[len(dst)-1] |= byte(word) << (i & 7)
		}
	default:
		for _, word := range words {
			dst = binary.LittleEndian.AppendUint32(dst, uint32(word))
		}
	}
	return dst
}
