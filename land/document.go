package land

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// maxTopLevel bounds the members of the top level, whose names the parser
// remembers to find repetitions.
const maxTopLevel = 1000

// document walks one result: an object of arrays in any order. Each array named
// in arrays is handed to its reader element by element; any other member is
// passed over, its value checked, and its name counted.
type document struct {
	dec    *jsontext.Decoder
	arrays map[string]*array
	// unknown counts the members of the top level that are no table.
	unknown *tally
	names   []string // of all members, for a refusal

	in     *intake
	quoted []byte // the names, to begin the parser anew behind them
	inside int    // where the last of them begins in quoted
	shift  int64  // what to add to the parser's offsets
}

// array is one table's place in the document.
type array struct {
	decoder *rowDecoder
	// seen says that the member stood in the document, null or not.
	seen bool
	rows int64
	// after is called when a row is complete and may empty the batch.
	after func(*batch) error
	// ahead reads elements instead of the parser as far as it can, or is nil.
	ahead *ahead
	// begin is how many rows the parser reads before that.
	begin int64
}

func newDocument(in *intake) *document {
	d := &document{dec: jsontext.NewDecoder(in), arrays: map[string]*array{}, unknown: newTally(), in: in}
	in.parsed = d.offset
	return d
}

// offset is how far the parser has come in the input.
func (d *document) offset() int64 { return d.shift + d.dec.InputOffset() }

// walk reads the document to its end. Its errors are those of the parser, of
// the input, or a *Refusal.
func (d *document) walk() error {
	err := d.whole()
	var syntax *jsontext.SyntacticError
	if errors.As(err, &syntax) {
		syntax.ByteOffset += d.shift
	}
	return err
}

func (d *document) whole() error {
	if kind := d.dec.PeekKind(); isValue(kind) && kind != '{' {
		return refuse(CheckShape, "the top level is %s, not an object with %s", kindName(kind), d.wanted())
	}
	if _, err := d.dec.ReadToken(); err != nil {
		return err
	}
	for d.dec.PeekKind() != '}' {
		if err := d.member(); err != nil {
			return err
		}
	}
	if _, err := d.dec.ReadToken(); err != nil {
		return err
	}
	if _, err := d.dec.ReadToken(); err == nil {
		return refuse(CheckDocument, "something follows the end of the document")
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func (d *document) member() error {
	token, err := d.dec.ReadToken()
	if err != nil {
		return err
	}
	name := token.String()
	if len(d.names) >= maxTopLevel {
		return refuse(CheckShape, "more than %d members at the top level", maxTopLevel)
	}
	d.names = append(d.names, name[:min(len(name), maxName)])
	if err := d.remember(name); err != nil {
		return err
	}
	if a := d.arrays[name]; a != nil {
		return d.rows(name, a)
	}
	d.unknown.add([]byte(name))
	return d.pass()
}

func (d *document) rows(name string, a *array) error {
	a.seen = true
	kind := d.dec.PeekKind()
	if isValue(kind) && kind != '[' && kind != 'n' {
		return refuse(CheckShape, "%s is %s, not an array", name, kindName(kind))
	}
	if _, err := d.dec.ReadToken(); err != nil || kind == 'n' {
		return err
	}
	for {
		if err := d.readAhead(a); err != nil {
			return err
		}
		if d.dec.PeekKind() == ']' {
			break
		}
		if err := d.row(name, a); err != nil {
			return err
		}
	}
	a.ahead = nil // an array comes once, and this holds pieces of it
	_, err := d.dec.ReadToken()
	return err
}

// maxNames bounds the names of the top level, all of which the parser holds.
const maxNames = 1 << 20

// remember keeps the names that have come for a parser that begins anew.
func (d *document) remember(name string) error {
	if len(d.quoted) > 0 {
		d.quoted = append(d.quoted, ":null,"...)
	}
	d.inside = len(d.quoted)
	var err error
	if d.quoted, err = jsontext.AppendQuote(d.quoted, name); err != nil {
		return err
	}
	if len(d.quoted) > maxNames {
		return refuse(CheckSize, "the names at the top level are longer than %d MiB", maxNames>>20)
	}
	return nil
}

// readAhead lets the elements be read that need no parser. The parser then
// begins anew behind them, where it finds the end of the array, an element that
// it must read itself, or what is wrong.
func (d *document) readAhead(a *array) error {
	if a.ahead == nil || a.rows < a.begin {
		return nil
	}
	if err := a.ahead.flush(); err != nil {
		return err
	}
	d.in.unread(bytes.Clone(d.dec.UnreadBuffer()))
	rows, err := a.ahead.run(a.rows > 0)
	a.rows += rows
	if err != nil {
		return err
	}
	return d.anew(a.rows > 0)
}

// anew begins a parser inside the array at hand: it is led there through the
// names of the top level, so that it knows which have come.
func (d *document) anew(any bool) error {
	before := append([]byte{'{'}, d.quoted...)
	before = append(before, ":["...)
	if any {
		before = append(before, "null"...)
	}
	length := int64(len(before))
	d.shift = d.in.given - length
	d.dec.Reset(io.MultiReader(bytes.NewReader(before), d.in))
	d.in.parsed = d.offset
	for d.dec.InputOffset() < length {
		if _, err := d.dec.ReadToken(); err != nil {
			return err
		}
	}
	return nil
}

func (d *document) row(name string, a *array) error {
	if kind := d.dec.PeekKind(); isValue(kind) && kind != '{' {
		return refuse(CheckShape, "%s[%d] is %s, not an object", name, a.rows, kindName(kind))
	}
	if err := a.decoder.row(d.dec); err != nil {
		return err
	}
	a.rows++
	return a.after(a.decoder.batch)
}

// pass reads over a value of any length in bounded memory. The parser
// remembers the names of open objects, so the outermost object is bounded.
func (d *document) pass() error {
	depth := d.dec.StackDepth()
	object, start := 0, int64(0)
	for {
		token, err := d.dec.ReadToken()
		if err != nil {
			return err
		}
		at := d.dec.StackDepth()
		switch kind := token.Kind(); {
		case kind == '{' && object == 0:
			object, start = at, d.dec.InputOffset()
		case kind == '}' && at < object:
			object = 0
		}
		if object != 0 && d.dec.InputOffset()-start > maxValue {
			return refuse(CheckSize, "an unknown object is longer than %d MiB", maxValue>>20)
		}
		if at == depth {
			return nil
		}
	}
}

// wanted lists the arrays that a result of this kind has.
func (d *document) wanted() string {
	var names []string
	for name := range d.arrays {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// isValue tells the beginning of a value from an error or bytes that are no
// JSON, of which the next read says what is wrong.
func isValue(kind jsontext.Kind) bool {
	switch kind {
	case '{', '[', '"', '0', 'n', 't', 'f':
		return true
	}
	return false
}

func kindName(kind jsontext.Kind) string {
	switch kind {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case '0':
		return "a number"
	case 'n':
		return "null"
	}
	return "true or false"
}
