package history

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/weirhq/weir/land"
	"github.com/weirhq/weir/land/parquet"
)

// Writer writes a comparison for programs. Nothing is whole before Close.
type Writer interface {
	Write(*Change) error
	// Close ends the file with what the comparison came to.
	Close(Summary) error
}

// Formats are the forms that [NewWriter] knows.
func Formats() []string { return []string{"csv", "json", "parquet"} }

// About is what was compared.
type About struct{ From, To land.Manifest }

// NewWriter starts a file in one of the [Formats]. safe prefixes ' to texts of a
// CSV that a spreadsheet would take for a formula.
func NewWriter(w io.Writer, format string, about About, safe bool) (Writer, error) {
	switch format {
	case "csv":
		return newCSVWriter(w, about, safe)
	case "json":
		return newJSONWriter(w, about)
	case "parquet":
		return newParquetWriter(w, about), nil
	}
	return nil, fmt.Errorf("write comparison: unknown format %q", format)
}

// texts are the columns that come before the values, in CSV and Parquet.
func texts() []string {
	return []string{
		"forecast_id", "from_snapshot", "to_snapshot", "change", "person", "user_id", "user_name",
		"field_id", "field_name", "time_frame_id", "time_frame_start_date", "time_period_id",
	}
}

// textsOf are a change's values of those columns; the date is in its place as
// text.
func (a About) textsOf(c *Change) []string {
	return []string{
		a.To.Request.ForecastID, a.From.Snapshot, a.To.Snapshot, c.Kind.String(), c.Person.String(), c.UserID, c.UserName,
		c.FieldID, c.FieldName, c.TimeFrameID, c.Date(), c.TimePeriodID,
	}
}

// Date is the first day of the time frame, or "".
func (c *Change) Date() string {
	const secondsPerDay = 24 * 60 * 60
	if !c.HasStart {
		return ""
	}
	return time.Unix(c.Start*secondsPerDay, 0).UTC().Format(time.DateOnly)
}

// numbers are a change's from, to and delta of every column in turn.
func numbers(c *Change) []Number {
	var all []Number
	for i := range c.From {
		all = append(all, c.From[i], c.To[i], c.Delta(i))
	}
	return all
}

func numberColumns() []string {
	var all []string
	for _, column := range Columns() {
		all = append(all, column+"_from", column+"_to", column+"_delta")
	}
	return all
}

// csvWriter writes RFC 4180 with LF line ends; what is missing is empty.
type csvWriter struct {
	out   *bufio.Writer
	about About
	safe  bool
	line  []byte
}

func newCSVWriter(w io.Writer, about About, safe bool) (*csvWriter, error) {
	e := &csvWriter{out: bufio.NewWriterSize(w, 64<<10), about: about, safe: safe}
	for _, name := range append(texts(), numberColumns()...) {
		e.field(name, false)
	}
	return e, e.end()
}

func (e *csvWriter) field(text string, safe bool) {
	if len(e.line) > 0 {
		e.line = append(e.line, ',')
	}
	e.line = land.AppendCSV(e.line, []byte(text), safe)
}

func (e *csvWriter) end() error {
	_, err := e.out.Write(append(e.line, '\n'))
	e.line = e.line[:0]
	return err
}

// Write writes one line.
func (e *csvWriter) Write(c *Change) error {
	for _, text := range e.about.textsOf(c) {
		e.field(text, e.safe)
	}
	for _, n := range numbers(c) {
		e.field(n.String(), false)
	}
	return e.end()
}

// Close writes what is left.
func (e *csvWriter) Close(Summary) error { return e.out.Flush() }

// parquetWriter writes a table of its own; the first day is a DATE.
type parquetWriter struct {
	file    *parquet.Writer
	about   About
	columns []parquet.Column
	batch   []parquet.Values
	texts   []string // by code, from 1
	rows    int
}

const parquetBatch = 4096

func newParquetWriter(w io.Writer, about About) *parquetWriter {
	e := &parquetWriter{about: about}
	for _, name := range texts() {
		kind := parquet.String
		if name == "time_frame_start_date" {
			kind = parquet.Date
		}
		e.columns = append(e.columns, parquet.Column{Name: name, Kind: kind})
	}
	for _, name := range numberColumns() {
		e.columns = append(e.columns, parquet.Column{Name: name, Kind: parquet.Double})
	}
	e.file = parquet.NewWriter(w, "forecast_diff", e.columns)
	e.reset()
	return e
}

func (e *parquetWriter) reset() {
	e.rows, e.texts = 0, e.texts[:0]
	e.batch = make([]parquet.Values, len(e.columns))
	for i := range e.batch {
		e.batch[i].Text = func(code uint32) []byte { return []byte(e.texts[code-1]) }
	}
}

// Write adds a row.
func (e *parquetWriter) Write(c *Change) error {
	for i, text := range e.about.textsOf(c) {
		v := &e.batch[i]
		switch {
		case e.columns[i].Kind == parquet.Date:
			v.Present, v.Ints = append(v.Present, present(c.HasStart)), append(v.Ints, c.Start)
		case text == "":
			v.Codes = append(v.Codes, 0)
		default:
			e.texts = append(e.texts, text)
			v.Codes = append(v.Codes, uint32(len(e.texts)))
		}
	}
	for i, n := range numbers(c) {
		v, value := &e.batch[len(texts())+i], n.Double()
		v.Present, v.Doubles = append(v.Present, present(value == value)), append(v.Doubles, value)
	}
	if e.rows++; e.rows < parquetBatch {
		return nil
	}
	return e.flush()
}

func present(there bool) uint8 {
	if there {
		return 1
	}
	return 0
}

func (e *parquetWriter) flush() error {
	defer e.reset()
	for i := range e.batch {
		e.batch[i].Count = len(e.texts)
	}
	return e.file.Write(e.rows, e.batch)
}

// Close ends the file.
func (e *parquetWriter) Close(Summary) error {
	if err := e.flush(); err != nil {
		return err
	}
	return e.file.Close()
}

// marshal is JSON on one line, < > & as they are.
func marshal(v any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), err
}
