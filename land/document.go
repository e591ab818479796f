package land

import (
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
}

// array is one table's place in the document.
type array struct {
	decoder *rowDecoder
	// seen says that the member stood in the document, null or not.
	seen bool
	rows int64
	// after is called when a row is complete and may empty the batch.
	after func(*batch) error
}

func newDocument(r io.Reader) *document {
	return &document{dec: jsontext.NewDecoder(r), arrays: map[string]*array{}, unknown: newTally()}
}

// walk reads the document to its end. Its errors are those of the parser, of
// the input, or a *Refusal.
func (d *document) walk() error {
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
	for d.dec.PeekKind() != ']' {
		if err := d.row(name, a); err != nil {
			return err
		}
	}
	_, err := d.dec.ReadToken()
	return err
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
