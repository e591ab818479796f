package land

import (
	"bufio"
	"bytes"
	"io"
	"strconv"
	"time"
)

// csvEncoder writes RFC 4180 with LF line ends and a header. Null is an empty
// field and an empty text is "", so that they stay apart; numbers stand as they
// came.
type csvEncoder struct {
	out  *bufio.Writer
	safe bool
	line []byte
}

func newCSVEncoder(w io.Writer, t Table, safe bool) (*csvEncoder, error) {
	e := &csvEncoder{out: bufio.NewWriterSize(w, 256<<10), safe: safe}
	for i, c := range t.Columns {
		if i > 0 {
			e.line = append(e.line, ',')
		}
		e.line = append(e.line, c.Name...)
	}
	e.line = append(e.line, '\n')
	_, err := e.out.Write(e.line)
	return e, err
}

func (e *csvEncoder) write(b *batch) error {
	for row := range b.rows {
		e.line = e.line[:0]
		for i := range b.cols {
			if i > 0 {
				e.line = append(e.line, ',')
			}
			e.line = e.field(e.line, &b.cols[i], row)
		}
		e.line = append(e.line, '\n')
		if _, err := e.out.Write(e.line); err != nil {
			return err
		}
	}
	return nil
}

func (e *csvEncoder) field(dst []byte, v *vector, row int) []byte {
	if v.null(row) {
		return dst
	}
	if v.kind.coded() {
		return appendCSVText(dst, v.texts.at(v.codes[row]), e.safe)
	}
	return v.appendPlain(dst, row)
}

// formulaStarts are the characters with which a spreadsheet's formula begins.
const formulaStarts = "=+-@\t\r"

// AppendCSV writes a text that is not null as a CSV's field. safe prefixes ' where
// a spreadsheet would take it for a formula.
func AppendCSV(dst, text []byte, safe bool) []byte {
	if len(text) == 0 {
		return dst
	}
	return appendCSVText(dst, text, safe)
}

func appendCSVText(dst, text []byte, safe bool) []byte {
	formula := safe && len(text) > 0 && bytes.IndexByte([]byte(formulaStarts), text[0]) >= 0
	if len(text) > 0 && !bytes.ContainsAny(text, ",\"\r\n") {
		if formula {
			dst = append(dst, '\'')
		}
		return append(dst, text...)
	}
	dst = append(dst, '"')
	if formula {
		dst = append(dst, '\'')
	}
	for _, c := range text {
		if c == '"' {
			dst = append(dst, '"')
		}
		dst = append(dst, c)
	}
	return append(dst, '"')
}

// appendPlain writes a value that is no text and not null: numbers as they
// came, true and false, 2026-11-23T15:04:05.000Z, 2026-11-23.
func (v *vector) appendPlain(dst []byte, row int) []byte {
	switch v.kind {
	case Number:
		return v.appendLiteral(dst, row)
	case Bool:
		return strconv.AppendBool(dst, v.vals[row] == 1)
	case Instant:
		return time.UnixMilli(v.vals[row]).UTC().AppendFormat(dst, "2006-01-02T15:04:05.000Z")
	case Date:
		return time.Unix(v.vals[row]*(msPerDay/1000), 0).UTC().AppendFormat(dst, time.DateOnly)
	}
	return strconv.AppendInt(dst, v.vals[row], 10)
}

func (e *csvEncoder) close() error { return e.out.Flush() }
