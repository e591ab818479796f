package parquet

import "encoding/binary"

// Numbers of the Parquet format.
const (
	encodingPlain      = 0
	encodingRLE        = 3
	encodingDictionary = 8
	codecZSTD          = 6
	pageData           = 0
	pageDictionary     = 2
	optional           = 1
	magic              = "PAR1"
)

// physical is the type that a kind is stored in.
func physical(k Kind) int {
	switch k {
	case Bool:
		return 0
	case Date, Integer:
		return 1
	case Millis:
		return 2
	case Double:
		return 5
	}
	return 6
}

// page is what the head of a page says of it. A dictionary page has no encoding of
// its own: its values are plain.
type page struct {
	dictionary       bool
	values           int
	encoding         int
	size, compressed int
}

func (p page) head() []byte {
	c := &compact{}
	c.element(func() {
		kind, field := pageData, 5
		if p.dictionary {
			kind, field = pageDictionary, 7
		}
		c.int32(1, kind)
		c.int32(2, p.size)
		c.int32(3, p.compressed)
		c.structure(field, func() {
			c.int32(1, p.values)
			c.int32(2, p.encoding)
			if !p.dictionary {
				c.int32(3, encodingRLE)
				c.int32(4, encodingRLE)
			}
		})
	})
	return c.out
}

// footer is what stands at the end of a file.
func footer(table string, columns []Column, groups []groupFacts) []byte {
	c := &compact{}
	var rows int64
	for _, g := range groups {
		rows += g.rows
	}
	c.element(func() {
		c.int32(1, 1)
		c.list(2, thriftStruct, len(columns)+1)
		c.element(func() {
			c.binary(4, []byte(table))
			c.int32(5, len(columns))
		})
		for _, column := range columns {
			c.element(func() { c.schema(column) })
		}
		c.int64(3, rows)
		c.list(4, thriftStruct, len(groups))
		for i, g := range groups {
			c.element(func() { c.group(i, g, columns) })
		}
		c.binary(6, []byte("weir version 1"))
		c.list(7, thriftStruct, len(columns))
		for range columns {
			c.element(func() { c.structure(1, func() {}) }) // ordered as the type says
		}
	})
	return c.out
}

func (c *compact) schema(column Column) {
	c.int32(1, physical(column.Kind))
	c.int32(3, optional)
	c.binary(4, []byte(column.Name))
	none := func() {}
	switch column.Kind {
	case String, Document:
		c.int32(6, 0)
		c.structure(10, func() { c.structure(1, none) })
	case Date:
		c.int32(6, 6)
		c.structure(10, func() { c.structure(6, none) })
	case Millis:
		c.int32(6, 9)
		c.structure(10, func() {
			c.structure(8, func() {
				c.bool(1, true) // UTC
				c.structure(2, func() { c.structure(1, none) })
			})
		})
	case Integer:
		c.int32(6, 17)
		c.structure(10, func() {
			c.structure(10, func() {
				c.field(1, thriftByte)
				c.out = append(c.out, 32)
				c.bool(2, true) // signed
			})
		})
	}
}

// groupFacts and chunkFacts are what the footer says of a row group and of each
// column in it.
type groupFacts struct {
	rows   int64
	start  int64
	chunks []chunkFacts
}

type chunkFacts struct {
	start            int64
	dictionary       int64 // bytes of the dictionary page, 0 for none
	size, compressed int64
	values, nulls    int64
	encodings        []int
	least, most      []byte
}

func (c *compact) group(ordinal int, g groupFacts, columns []Column) {
	var size, compressed int64
	c.list(1, thriftStruct, len(g.chunks))
	for i, chunk := range g.chunks {
		size += chunk.size
		compressed += chunk.compressed
		c.element(func() {
			c.int64(2, chunk.start)
			c.structure(3, func() { c.chunk(chunk, columns[i]) })
		})
	}
	c.int64(2, size)
	c.int64(3, g.rows)
	c.int64(5, g.start)
	c.int64(6, compressed)
	if ordinal < 1<<15 {
		c.field(7, thriftInt16)
		c.out = binary.AppendVarint(c.out, int64(ordinal))
	}
}

func (c *compact) chunk(facts chunkFacts, column Column) {
	c.int32(1, physical(column.Kind))
	c.list(2, thriftInt32, len(facts.encodings))
	for _, encoding := range facts.encodings {
		c.out = binary.AppendVarint(c.out, int64(encoding))
	}
	c.list(3, thriftBinary, 1)
	c.bytes([]byte(column.Name))
	c.int32(4, codecZSTD)
	c.int64(5, facts.values)
	c.int64(6, facts.size)
	c.int64(7, facts.compressed)
	c.int64(9, facts.start+facts.dictionary)
	if facts.dictionary > 0 {
		c.int64(11, facts.start)
	}
	c.structure(12, func() {
		c.int64(3, facts.nulls)
		if facts.most != nil {
			c.binary(5, facts.most)
			c.binary(6, facts.least)
		}
	})
}
