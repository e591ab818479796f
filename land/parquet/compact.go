package parquet

import "encoding/binary"

// compact writes Thrift's compact protocol, in which all of Parquet's own
// structures stand. Only what those need is here.
type compact struct {
	out  []byte
	last []int // the last field of each open structure
}

// The types of fields and list elements.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftInt16  = 4
	thriftInt32  = 5
	thriftInt64  = 6
	thriftBinary = 8
	thriftList   = 9
	thriftStruct = 12
)

func (c *compact) begin() { c.last = append(c.last, 0) }

func (c *compact) end() {
	c.out = append(c.out, 0)
	c.last = c.last[:len(c.last)-1]
}

func (c *compact) field(id int, kind byte) {
	last := &c.last[len(c.last)-1]
	if delta := id - *last; delta < 16 {
		c.out = append(c.out, byte(delta)<<4|kind)
	} else {
		c.out = binary.AppendVarint(append(c.out, kind), int64(id))
	}
	*last = id
}

func (c *compact) int32(id int, value int) {
	c.field(id, thriftInt32)
	c.out = binary.AppendVarint(c.out, int64(value))
}

func (c *compact) int64(id int, value int64) {
	c.field(id, thriftInt64)
	c.out = binary.AppendVarint(c.out, value)
}

func (c *compact) bool(id int, yes bool) {
	if yes {
		c.field(id, thriftTrue)
		return
	}
	c.field(id, thriftFalse)
}

func (c *compact) binary(id int, value []byte) {
	c.field(id, thriftBinary)
	c.bytes(value)
}

func (c *compact) bytes(value []byte) {
	c.out = append(binary.AppendUvarint(c.out, uint64(len(value))), value...)
}

func (c *compact) list(id int, kind byte, length int) {
	c.field(id, thriftList)
	if length < 15 {
		c.out = append(c.out, byte(length)<<4|kind)
		return
	}
	c.out = binary.AppendUvarint(append(c.out, 0xf0|kind), uint64(length))
}

// structure writes a field that is a structure.
func (c *compact) structure(id int, fields func()) {
	c.field(id, thriftStruct)
	c.element(fields)
}

// element writes a structure in a list, or at the top.
func (c *compact) element(fields func()) {
	c.begin()
	fields()
	c.end()
}
