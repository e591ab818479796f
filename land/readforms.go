package land

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/weirhq/weir/land/parquet"
)

func (r *readBack) parquet(from io.Reader) error {
	file, size, end, err := random(from, r.dir)
	if err != nil {
		return err
	}
	defer end()
	var columns []parquet.Column
	for _, c := range r.columns {
		columns = append(columns, parquet.Column{Name: c.Name, Kind: parquetKind(c.Kind)})
	}
	row := make([]Field, len(columns))
	return parquet.Read(file, size, columns, func(rows int, cells []parquet.Cells) error {
		for n := range rows {
			for i := range cells {
				row[i] = Field{Present: cells[i].Present[n]}
				if !row[i].Present {
					continue
				}
				switch k := r.columns[i].Kind; {
				case k.coded():
					row[i].Text = cells[i].Texts[n]
				case k == Number:
					row[i].Double = cells[i].Doubles[n]
				default:
					row[i].Int = cells[i].Ints[n]
				}
			}
			if err := r.give(row); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *readBack) csv(from io.Reader) error {
	records := csv.NewReader(bufio.NewReaderSize(from, 256<<10))
	records.ReuseRecord = true
	header, err := records.Read()
	if err != nil {
		return err
	}
	at := r.index(slices.Clone(header))
	row := make([]Field, len(at))
	for {
		record, err := records.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for i, from := range at {
			row[i] = Field{}
			if from < 0 || record[from] == "" {
				continue
			}
			if row[i], err = r.cell(row[i], r.columns[i], []byte(record[from])); err != nil {
				return err
			}
		}
		if err := r.give(row); err != nil {
			return err
		}
	}
}

// cell reads a value of a CSV.
func (r *readBack) cell(f Field, c Column, text []byte) (Field, error) {
	if c.Kind == Text && r.m.CSVSafe && len(text) > 1 && text[0] == '\'' && bytes.IndexByte([]byte(formulaStarts), text[1]) >= 0 {
		text = text[1:]
	}
	return plainField(c, text)
}

// plainField reads a value as appendPlain and its neighbours write it.
func plainField(c Column, text []byte) (f Field, err error) {
	f.Present = true
	switch c.Kind {
	case Text, JSON, Number:
		f.Text = text
	case Bool:
		if string(text) == "true" {
			f.Int = 1
		}
	case Instant, Date:
		layout := time.DateOnly
		if c.Kind == Instant {
			layout = time.RFC3339
		}
		var at time.Time
		if at, err = time.Parse(layout, string(text)); err != nil {
			return f, fmt.Errorf("column %s: not a %s", c.Name, c.Kind)
		}
		if f.Int = at.UnixMilli(); c.Kind == Date {
			f.Int /= msPerDay
		}
	default:
		if f.Int, err = strconv.ParseInt(string(text), 10, 64); err != nil {
			return f, fmt.Errorf("column %s: not a whole number", c.Name)
		}
	}
	return f, nil
}

var errLines = errors.New("not lines of JSON objects")

// lines reads JSONL.
func (r *readBack) lines(from io.Reader) error {
	decoder := jsontext.NewDecoder(from)
	row := make([]Field, len(r.columns))
	for {
		start, err := decoder.ReadToken()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case start.Kind() != '{':
			return errLines
		}
		clear(row)
		for decoder.PeekKind() != '}' {
			if err := r.member(decoder, row); err != nil {
				return err
			}
		}
		if _, err := decoder.ReadToken(); err != nil {
			return err
		}
		if err := r.give(row); err != nil {
			return err
		}
	}
}

// member reads one member of a line into its place.
func (r *readBack) member(decoder *jsontext.Decoder, row []Field) error {
	name, err := decoder.ReadToken()
	if err != nil {
		return err
	}
	called := name.String()
	at := slices.IndexFunc(r.columns, func(c Column) bool { return c.Name == called })
	if at < 0 {
		return decoder.SkipValue()
	}
	value, err := decoder.ReadValue()
	if err != nil || value.Kind() == 'n' {
		return err
	}
	text := bytes.Clone(value)
	if value.Kind() == '"' {
		if text, err = jsontext.AppendUnquote(nil, value); err != nil {
			return err
		}
	}
	row[at], err = plainField(r.columns[at], text)
	return err
}
