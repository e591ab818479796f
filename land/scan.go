package land

import (
	"bytes"

	"github.com/go-json-experiment/json/jsontext"
)

// scanner reads elements of one array from memory, with the same result as the
// parser and [rowDecoder.row] and in a fraction of the time. It knows no errors:
// an element that it does not take for certain, because it is wrong, unusual or
// not whole, it leaves to the parser. FuzzAhead holds it to that.
type scanner struct {
	rows *rowDecoder
	top  *members
	text []byte
	at   int // how far the text has been read

	// order is the members as they came in earlier rows; they mostly come the
	// same way again.
	order []expected
	next  int
	seen  uint64      // the known members of the row, by number
	odd   []*expected // those of the row that no column takes

	guess textGuess
	plain []byte
	extra []byte
}

// members are those of a row, or of one of its members that is an object.
type members struct {
	outer  string // "currency." for those inside of it
	byName map[string]known
}

// known is a member that the table has a place for.
type known struct {
	member
	number uint64 // one bit
	nested *members
}

// expected is a name as it stands in the text, from its quote to the colon.
type expected struct {
	raw    []byte
	name   []byte
	path   []byte // the name behind that of the member around it
	inside *members
	to     known
	known  bool
}

const (
	// maxScanned bounds the rows that one scan gives.
	maxScanned = 4096
	// maxOdd and maxScanDepth bound what the scanner does not leave to the
	// parser: names of a row that no column takes, and the depth of a value.
	maxOdd       = 64
	maxScanDepth = 100
	// maxExpected bounds the names that are remembered.
	maxExpected = 128
)

// newScanner gives a scanner into the decoder's batch, or nil when the table
// has more members than it can tell apart, or some of a kind that it cannot read.
func newScanner(rows *rowDecoder) *scanner {
	for _, m := range rows.members {
		if m.each != nil || m.column.Bare || m.column.Kind == JSON {
			return nil
		}
	}
	var number uint64 = 1
	top := numbered(rows.members, "", &number)
	if number == 0 {
		return nil
	}
	return &scanner{rows: rows, top: top, guess: newTextGuess(len(rows.batch.cols))}
}

// numbered gives every member a bit; none is left when next becomes 0.
func numbered(of map[string]member, outer string, next *uint64) *members {
	all := &members{outer: outer, byName: map[string]known{}}
	for name, m := range of {
		k := known{member: m, number: *next}
		*next <<= 1
		if m.inner != nil {
			k.nested = numbered(m.inner, name+".", next)
		}
		all.byName[name] = k
	}
	return all
}

// scanned says how far a scan came.
type scanned struct {
	end    int  // after the last whole element, or at the closing bracket
	closed bool // the array ends there
	torn   bool // a part of one more element has left traces
}

// scan reads elements until the text, the array or the scanner's certainty
// ends. first says that no element stands before the text.
func (s *scanner) scan(text []byte, first bool) scanned {
	got := s.pass(text, first)
	if got.torn {
		got = s.pass(text[:got.end], first)
	}
	return got
}

func (s *scanner) pass(text []byte, first bool) scanned {
	s.rows.reset()
	s.guess.reset()
	s.text, s.at = text, 0
	for s.rows.batch.rows < maxScanned {
		end := s.at
		switch s.separator(first) {
		case 0: // nothing but white space
			return scanned{end: s.at}
		case ']':
			return scanned{end: s.at, closed: true}
		case '{':
			if !s.row() {
				return scanned{end: end, torn: true}
			}
		default:
			return scanned{end: end}
		}
		first = false
	}
	return scanned{end: s.at}
}

// separator reads to the beginning of the next element, or to the bracket that
// closes the array, and says what stands there: 0 at the end of the text.
func (s *scanner) separator(first bool) byte {
	c := s.space()
	if first || c == ']' || c == 0 {
		return c
	}
	if c != ',' {
		return '?'
	}
	s.at++
	if c = s.space(); c != '{' {
		return '?'
	}
	return c
}

// space passes over white space and says what follows, 0 at the end.
func (s *scanner) space() byte {
	for s.at < len(s.text) {
		c := s.text[s.at]
		if c > ' ' || c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			return c
		}
		s.at++
	}
	return 0
}

func (s *scanner) row() bool {
	s.rows.batch.addRow()
	s.seen, s.next, s.odd = 0, 0, s.odd[:0]
	extra, ok := s.object(s.top, s.extra[:0])
	if !ok {
		return false
	}
	if len(extra) > 0 {
		extra = append(extra, '}')
		s.rows.batch.cols[s.rows.rest].setText(extra)
	}
	s.extra = extra
	return s.rows.unknown.others == 0 && s.rows.misfits.others == 0
}

// object reads an object, appending to extra what no column takes.
func (s *scanner) object(inside *members, extra []byte) ([]byte, bool) {
	s.at++
	if s.space() == '}' {
		s.at++
		return extra, true
	}
	for {
		e := s.member(inside)
		if e == nil {
			return extra, false
		}
		var ok bool
		if extra, ok = s.value(e, extra); !ok {
			return extra, false
		}
		switch s.space() {
		case ',':
			s.at++
			s.space()
		case '}':
			s.at++
			return extra, true
		default:
			return extra, false
		}
	}
}

// member reads a name and its colon, up to the value. It is nil for a name that
// stands twice.
func (s *scanner) member(inside *members) *expected {
	e := s.expect(inside)
	if e == nil {
		return nil
	}
	s.space()
	if e.known {
		if s.seen&e.to.number != 0 {
			return nil
		}
		s.seen |= e.to.number
		return e
	}
	for _, o := range s.odd {
		if o.inside == inside && bytes.Equal(o.name, e.name) {
			return nil
		}
	}
	if len(s.odd) >= maxOdd {
		return nil
	}
	s.odd = append(s.odd, e)
	return e
}

// expect reads a name and its colon, at best the one that came here before.
func (s *scanner) expect(inside *members) *expected {
	if s.next < len(s.order) && s.is(&s.order[s.next], inside) {
		s.next++
		return &s.order[s.next-1]
	}
	for i := range s.order {
		if s.is(&s.order[i], inside) {
			s.next = i + 1
			return &s.order[i]
		}
	}
	return s.learn(inside)
}

func (s *scanner) is(e *expected, inside *members) bool {
	end := s.at + len(e.raw)
	if e.inside != inside || end > len(s.text) || string(s.text[s.at:end]) != string(e.raw) {
		return false
	}
	s.at = end
	return true
}

func (s *scanner) learn(inside *members) *expected {
	if s.at >= len(s.text) || s.text[s.at] != '"' {
		return nil
	}
	start := s.at
	name, _, ok := s.string()
	if !ok || s.space() != ':' {
		return nil
	}
	s.at++
	e := expected{raw: append([]byte(nil), s.text[start:s.at]...), name: append([]byte(nil), name...), inside: inside}
	e.path = append([]byte(inside.outer), name...)
	e.to, e.known = inside.byName[string(name)]
	if len(s.order) < maxExpected {
		s.order = append(s.order, e)
		return &s.order[len(s.order)-1]
	}
	return &e
}

// value reads the value of a member as [rowDecoder.value] does.
func (s *scanner) value(e *expected, extra []byte) ([]byte, bool) {
	if s.at >= len(s.text) {
		return extra, false
	}
	if e.known && e.to.nested != nil && s.text[s.at] == '{' {
		return s.nested(e, extra)
	}
	start := s.at
	leaf := e.known && e.to.inner == nil
	taken, ok := s.leaf(e, leaf)
	if !ok {
		return extra, false
	}
	value := jsontext.Value(s.text[start:s.at])
	switch {
	case !e.known:
		s.rows.unknown.add(e.path)
	case leaf:
		s.rows.present[e.to.vector]++
	}
	if taken || e.known && value[0] == 'n' {
		return extra, true
	}
	if e.known {
		if e.to.column.ID {
			return extra, false
		}
		s.rows.misfits.add(e.path)
	}
	extra, err := keep(extra, e.name, value)
	return extra, err == nil
}

func (s *scanner) nested(e *expected, extra []byte) ([]byte, bool) {
	inner, ok := s.object(e.to.nested, nil)
	if !ok || len(inner) == 0 {
		return extra, ok
	}
	extra, err := keep(extra, e.name, append(inner, '}'))
	return extra, err == nil
}
