package land

import (
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// maxValue bounds one JSON value (a string, a number, a row, an unknown
// member) so that no document can make the reader hold more: 16 MiB.
const maxValue = 16 << 20

// rowDecoder turns the elements of one array into rows of a batch, following
// the table's description.
type rowDecoder struct {
	table   Table
	members map[string]member
	rest    int // the vector of _extra
	batch   *batch

	// present counts, by vector, the rows that had the member, null or not.
	present []int64
	// unknown counts members that no column takes and misfits values of a wrong
	// type, both by member name; both are kept in _extra.
	unknown *tally
	misfits *tally

	name  []byte // the unquoted name at hand
	outer string // "currency." while inside that member
	plain []byte // the unquoted text at hand
	extra []byte
}

// member is what a name in an element leads to: a vector, or one level down.
type member struct {
	vector int
	column Column
	inner  map[string]member
	// each reads an array of rows of another table; start is where the element
	// that holds it begins.
	each func(dec *jsontext.Decoder, start int64) error
}

// plain reports a member that is one value of one column.
func (m member) plain() bool { return m.inner == nil && m.each == nil }

// layout gives the vectors that are read from the input, in order: the columns
// with a member or made by the reader, then _extra.
func layout(t Table) []Column {
	var columns []Column
	for _, c := range t.Columns {
		if c.Member != "" || c.Made != "" || c.Rest {
			columns = append(columns, c)
		}
	}
	return columns
}

func kinds(columns []Column) []Kind {
	all := make([]Kind, len(columns))
	for i, c := range columns {
		all[i] = c.Kind
	}
	return all
}

func newRowDecoder(t Table) *rowDecoder {
	columns := layout(t)
	d := &rowDecoder{
		table: t, batch: newBatch(kinds(columns)), members: map[string]member{},
		present: make([]int64, len(columns)), unknown: newTally(), misfits: newTally(),
	}
	for i, c := range columns {
		outer, inner := c.outer()
		switch {
		case c.Rest:
			d.rest = i
		case c.Made != "":
		case inner == "":
			d.members[outer] = member{vector: i, column: c}
		default:
			if d.members[outer].inner == nil {
				d.members[outer] = member{inner: map[string]member{}}
			}
			d.members[outer].inner[inner] = member{vector: i, column: c}
		}
	}
	return d
}

// reset forgets all rows and what was counted.
func (d *rowDecoder) reset() {
	d.batch.reset()
	clear(d.present)
	d.unknown.reset()
	d.misfits.reset()
}

// row reads one element into a new row of the batch. The decoder must stand
// before an object.
func (d *rowDecoder) row(dec *jsontext.Decoder) error {
	d.batch.addRow()
	start := dec.InputOffset()
	extra, err := d.object(dec, d.members, d.extra[:0], start)
	if err != nil {
		return err
	}
	d.extra = extra
	if len(extra) > 0 {
		d.batch.cols[d.rest].setText(append(extra, '}'))
	}
	return nil
}

// object reads the members of an object, appending to extra those that no
// column takes. extra is an object without its closing brace, or empty.
func (d *rowDecoder) object(dec *jsontext.Decoder, members map[string]member, extra []byte, start int64) ([]byte, error) {
	if _, err := dec.ReadToken(); err != nil {
		return nil, err
	}
	for dec.PeekKind() != '}' {
		name, err := dec.ReadValue()
		if err != nil {
			return nil, err
		}
		if d.name, err = unquote(d.name[:0], name); err != nil {
			return nil, err
		}
		m, known := members[string(d.name)]
		if extra, err = d.value(dec, m, known, extra, start); err != nil {
			return nil, err
		}
		if dec.InputOffset()-start > maxValue {
			return nil, refuse(CheckSize, "a row of %s is longer than %d MiB", d.table.Array, maxValue>>20)
		}
	}
	_, err := dec.ReadToken()
	return extra, err
}

// value reads the value of the member whose name was just read.
func (d *rowDecoder) value(dec *jsontext.Decoder, m member, known bool, extra []byte, start int64) ([]byte, error) {
	if known && m.inner != nil && dec.PeekKind() == '{' {
		return d.nested(dec, m, extra, start)
	}
	if known && m.each != nil && dec.PeekKind() == '[' {
		return extra, m.each(dec, start)
	}
	value, err := dec.ReadValue()
	switch {
	case err != nil:
		return nil, err
	case !known:
		d.unknown.add(append([]byte(d.outer), d.name...))
		return keep(extra, d.name, value)
	case m.plain():
		d.present[m.vector]++
	}
	if value.Kind() == 'n' || m.plain() && d.takes(m, value) {
		return extra, nil
	}
	if m.column.ID { // the value itself is not told: it may hold an e-mail address
		return nil, refuse(CheckIDs, "%s of a row of %s is %s, not a string", m.column.Member, d.table.Array, kindName(value.Kind()))
	}
	d.misfits.add(append([]byte(d.outer), d.name...))
	return keep(extra, d.name, value)
}

// nested reads an object one level down; what is unknown there is kept in an
// object of the same name.
func (d *rowDecoder) nested(dec *jsontext.Decoder, m member, extra []byte, start int64) ([]byte, error) {
	outer := append([]byte(nil), d.name...)
	d.outer = string(outer) + "."
	inner, err := d.object(dec, m.inner, nil, start)
	d.outer = ""
	if err != nil || len(inner) == 0 {
		return extra, err
	}
	return keep(extra, outer, append(inner, '}'))
}

// keep appends a member to an object without its closing brace. Whitespace
// goes; every literal stays to the letter.
func keep(extra, name []byte, value jsontext.Value) ([]byte, error) {
	if len(extra) == 0 {
		extra = append(extra, '{')
	} else {
		extra = append(extra, ',')
	}
	extra, err := jsontext.AppendQuote(extra, name)
	if err != nil {
		return nil, err
	}
	if hasSpace(value) {
		value = value.Clone()
		if err := value.Compact(); err != nil {
			return nil, err
		}
	}
	return append(append(extra, ':'), value...), nil
}

// hasSpace reports whether there may be white space between tokens of a value.
func hasSpace(value []byte) bool {
	for _, c := range value {
		if c <= ' ' {
			return true
		}
	}
	return false
}

// unquote gives the text of a JSON string.
func unquote(dst []byte, value jsontext.Value) ([]byte, error) {
	inner := value[1 : len(value)-1]
	for _, c := range inner {
		if c == '\\' {
			return jsontext.AppendUnquote(dst, value)
		}
	}
	return append(dst, inner...), nil
}

// takes puts a value that is not null into its column of the last row, or says
// that it is of a wrong type for it.
func (d *rowDecoder) takes(m member, value jsontext.Value) bool {
	v := &d.batch.cols[m.vector]
	switch {
	case m.column.Bare && value.Kind() == '0':
		v.setText(value)
		return true
	case v.kind == JSON && value.Kind() == '{':
		compact := value.Clone()
		if compact.Compact() != nil {
			return false
		}
		v.setText(compact)
		return true
	}
	return d.take(v, value)
}

// take puts a value that is not null into the last row, or says that it is of a
// wrong type for the column.
func (d *rowDecoder) take(v *vector, value jsontext.Value) bool {
	switch value.Kind() {
	case '"':
		plain, err := unquote(d.plain[:0], value)
		d.plain = plain
		return err == nil && takeText(v, plain)
	case '0':
		return takeNumber(v, value)
	case 't', 'f':
		if v.kind == Bool {
			v.setValue(1, truth(value.Kind() == 't'))
			return true
		}
	}
	return false
}

func truth(yes bool) int64 {
	if yes {
		return 1
	}
	return 0
}

func takeText(v *vector, text []byte) bool {
	switch v.kind {
	case Text:
		v.setText(text)
		return true
	case Instant:
		if ms, ok := parseInstant(text); ok {
			v.setValue(1, ms)
			return true
		}
	case Date:
		if day, ok := parseDate(text); ok {
			v.setValue(1, day)
			return true
		}
	}
	return false
}

func takeNumber(v *vector, literal []byte) bool {
	switch v.kind {
	case Number:
		v.setNumber(literal)
		return true
	case Instant, Date:
		ms, ok := parseMillis(literal)
		if v.kind == Date {
			ok = ok && ms%msPerDay == 0
			ms /= msPerDay
		}
		if ok {
			v.setValue(1, ms)
		}
		return ok
	case Integer:
		n, err := strconv.ParseInt(string(literal), 10, 32)
		if err != nil || string(literal) == "-0" {
			return false
		}
		v.setValue(1, n)
		return true
	}
	return false
}

const msPerDay = 24 * 60 * 60 * 1000

// parseMillis reads whole Unix milliseconds of the years 1 to 9999.
func parseMillis(literal []byte) (int64, bool) {
	whole, tag, ok := parseNumber(literal)
	if !ok || tag != 1 {
		return 0, false
	}
	year := time.UnixMilli(whole).UTC().Year()
	return whole, year >= 1 && year <= 9999
}

// parseInstant reads Unix milliseconds or RFC 3339 with an offset, as far as it
// says no more than milliseconds.
func parseInstant(text []byte) (int64, bool) {
	if ms, ok := parseMillis(text); ok {
		return ms, true
	}
	at, err := time.Parse(time.RFC3339Nano, string(text))
	if err != nil || at.Nanosecond()%int(time.Millisecond) != 0 || at.UTC().Year() < 1 || at.UTC().Year() > 9999 {
		return 0, false
	}
	return at.UnixMilli(), true
}

// parseDate reads 2024-03-01, 03/01/2024 (the form of the server's CSV) or an
// instant that is midnight UTC, as days since 1970-01-01.
func parseDate(text []byte) (int64, bool) {
	for _, form := range []string{time.DateOnly, "01/02/2006"} {
		if at, err := time.Parse(form, string(text)); err == nil {
			return at.Unix() / (msPerDay / 1000), at.Year() >= 1
		}
	}
	ms, ok := parseInstant(text)
	return ms / msPerDay, ok && ms%msPerDay == 0
}
