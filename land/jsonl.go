package land

import (
	"bufio"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// jsonlEncoder writes one JSON object a line with every column, null ones as
// null; numbers stand as they came and _extra is an object.
type jsonlEncoder struct {
	out   *bufio.Writer
	names [][]byte // `{"user_id":`, `,"field_id":`, ...
	line  []byte
}

func newJSONLEncoder(w io.Writer, t Table) (*jsonlEncoder, error) {
	e := &jsonlEncoder{out: bufio.NewWriterSize(w, 256<<10)}
	for i, c := range t.Columns {
		opening := []byte{','}
		if i == 0 {
			opening = []byte{'{'}
		}
		name, err := jsontext.AppendQuote(opening, c.Name)
		if err != nil {
			return nil, err
		}
		e.names = append(e.names, append(name, ':'))
	}
	return e, nil
}

func (e *jsonlEncoder) write(b *batch) error {
	for row := range b.rows {
		e.line = e.line[:0]
		for i := range b.cols {
			var err error
			e.line = append(e.line, e.names[i]...)
			if e.line, err = appendJSON(e.line, &b.cols[i], row); err != nil {
				return err
			}
		}
		e.line = append(e.line, '}', '\n')
		if _, err := e.out.Write(e.line); err != nil {
			return err
		}
	}
	return nil
}

func appendJSON(dst []byte, v *vector, row int) ([]byte, error) {
	if v.null(row) {
		return append(dst, "null"...), nil
	}
	switch v.kind {
	case Text:
		return jsontext.AppendQuote(dst, v.texts.at(v.codes[row]))
	case JSON:
		return append(dst, v.texts.at(v.codes[row])...), nil
	case Instant, Date:
		dst = v.appendPlain(append(dst, '"'), row)
		return append(dst, '"'), nil
	}
	return v.appendPlain(dst, row), nil
}

func (e *jsonlEncoder) close() error { return e.out.Flush() }
