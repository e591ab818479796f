package history

import (
	"encoding/binary"
	"errors"
	"math/big"
)

// Columns are the value columns that are compared, in the order of
// [Change.From].
func Columns() [values]string {
	return [values]string{"forecast_value", "quota_value", "adjustment_value", "crm_total", "aggregation_total", "crm_closed"}
}

const values = 6

// Key is what a row is of. A missing id is empty.
type Key struct{ UserID, FieldID, TimeFrameID, TimePeriodID string }

// Row is one cell of a forecast. Its byte slices are read before the next row
// comes.
type Row struct {
	// IDs are those of user, field, time frame and period.
	IDs [4][]byte
	// UserName and FieldName are shown, not compared.
	UserName, FieldName []byte
	// Start is the first day of the time frame, in days since 1970-01-01.
	Start    int64
	HasStart bool
	Values   [values]Number
}

// Rows gives every row of a snapshot to each, in any order, and ends with the
// error of each if there is one.
type Rows func(each func(*Row) error) error

// record is a row in bytes, taken apart. Two rows are of the same key, or have
// the same values, exactly when those bytes are equal.
type record struct {
	key, payload, label []byte
}

var errDamaged = errors.New("spool file is damaged")

// appendRecord writes a row in bytes.
func appendRecord(dst []byte, scratch []byte, r *Row) (out, used []byte) {
	scratch = appendKey(scratch[:0], r)
	dst = appendBytes(dst, scratch)
	scratch = appendPayload(scratch[:0], &r.Values)
	dst = appendBytes(dst, scratch)
	scratch = appendLabel(scratch[:0], r)
	return appendBytes(dst, scratch), scratch
}

func appendKey(dst []byte, r *Row) []byte {
	for _, id := range r.IDs {
		dst = appendBytes(dst, id)
	}
	return dst
}

// appendPayload begins with which values are there and whether one counts.
func appendPayload(dst []byte, all *[values]Number) []byte {
	var there, counts byte
	for i := range all {
		if all[i].There() {
			there |= 1 << i
		}
		if all[i].Counts() {
			counts = 1
		}
	}
	dst = append(dst, there, counts)
	for i := range all {
		if all[i].There() {
			dst = appendNumber(dst, &all[i])
		}
	}
	return dst
}

func appendLabel(dst []byte, r *Row) []byte {
	has := byte(0)
	if r.HasStart {
		has = 1
	}
	dst = binary.AppendVarint(append(dst, has), r.Start)
	return appendBytes(appendBytes(dst, r.UserName), r.FieldName)
}

func appendBytes(dst, text []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// appendNumber writes a number that is there.
func appendNumber(dst []byte, n *Number) []byte {
	dst = binary.AppendUvarint(append(dst, byte(n.state)), uint64(n.scale))
	switch n.state {
	case wide:
		return appendBytes(append(dst, byte(n.large.Sign()+1)), n.large.Bytes())
	case opaque:
		return appendBytes(dst, []byte(n.text))
	}
	return binary.AppendVarint(dst, n.whole)
}

// scan reads what the functions above wrote. After an early end everything is
// empty and short is set.
type scan struct {
	rest  []byte
	short bool
}

func (s *scan) record() record {
	return record{s.bytes(), s.bytes(), s.bytes()}
}

func (s *scan) bytes() []byte {
	n, size := binary.Uvarint(s.rest)
	if size <= 0 || n > uint64(len(s.rest)-size) {
		s.fail()
		return nil
	}
	text := s.rest[size : size+int(n)]
	s.rest = s.rest[size+int(n):]
	return text
}

func (s *scan) fail() { s.rest, s.short = nil, true }

func (s *scan) byte() byte {
	if len(s.rest) == 0 {
		s.fail()
		return 0
	}
	b := s.rest[0]
	s.rest = s.rest[1:]
	return b
}

func (s *scan) uvarint() uint64 {
	n, size := binary.Uvarint(s.rest)
	if size <= 0 {
		s.fail()
		return 0
	}
	s.rest = s.rest[size:]
	return n
}

func (s *scan) varint() int64 {
	n, size := binary.Varint(s.rest)
	if size <= 0 {
		s.fail()
		return 0
	}
	s.rest = s.rest[size:]
	return n
}

func (s *scan) number() Number {
	n := Number{state: state(s.byte()), scale: int32(s.uvarint())}
	switch n.state {
	case narrow:
		n.whole = s.varint()
	case wide:
		negative := s.byte() == 0
		n.large = new(big.Int).SetBytes(s.bytes())
		if negative {
			n.large.Neg(n.large)
		}
	case opaque:
		n.text = string(s.bytes())
	default:
		s.fail()
	}
	return n
}

// user is the user's id in a key, which stands first.
func user(key []byte) []byte {
	s := scan{rest: key}
	return s.bytes()
}

func keyOf(key []byte) Key {
	s := scan{rest: key}
	return Key{string(s.bytes()), string(s.bytes()), string(s.bytes()), string(s.bytes())}
}

func valuesOf(payload []byte) (all [values]Number, ok bool) {
	s := scan{rest: payload}
	there := s.byte()
	s.byte()
	for i := range all {
		if there&(1<<i) != 0 {
			all[i] = s.number()
		}
	}
	return all, !s.short
}

// counts reports whether one of the values is a number other than zero.
func counts(payload []byte) bool { return len(payload) > 1 && payload[1] == 1 }
