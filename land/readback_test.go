package land_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"testing"

	"github.com/weirhq/weir/land"
)

// oneFile is a place in which every path is the same file.
type oneFile struct {
	land.Store
	content []byte
}

func (s oneFile) Open(context.Context, string) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(s.content)), nil
}

// everything reads all columns of the entries.
func everything(t testing.TB) land.Reading {
	r := land.Reading{Table: "forecast_entries", Dir: t.TempDir()}
	for _, c := range land.ForecastTables()[0].Columns {
		r.Columns = append(r.Columns, c.Name)
	}
	return r
}

// readAllOf reads a file as one of a snapshot in the format, and looks at every
// value.
func readAllOf(t testing.TB, content []byte, f land.Format, r land.Reading) (rows, bytes int, err error) {
	m := land.Manifest{Format: f, CSVSafe: f == land.CSV, Tables: []land.ManifestTable{{Name: r.Table, Files: []land.File{{Path: "part-0"}}}}}
	err = land.Archived(oneFile{content: content}).Read(context.Background(), m, r, func(row []land.Field) error {
		if len(row) != len(r.Columns) {
			t.Fatalf("a row of %d values, want %d", len(row), len(r.Columns))
		}
		rows++
		for _, f := range row {
			if !f.Present && f.Text != nil {
				t.Fatalf("null with the text %q", f.Text)
			}
			bytes += len(f.Text)
		}
		return nil
	})
	return rows, bytes, err
}

// Whatever stands in a snapshot's file, reading it back ends, with rows or with
// an error that names the file, and makes no text of nothing. Summing its values
// again ends too.
func FuzzReadBack(f *testing.F) {
	text := document(entry(`,"forecastValue":1.50,"isUpdated":true,"updatedOn":1767625445678,"mood":"=1+1"`), entry(`,"forecastValue":9007199254740993`)[:8]+`2`+entry("")[8:])
	for i, format := range land.Formats() {
		dest, path := directory(f)
		m := publish(f, receive(f, text), dest, land.Target{Format: format, Primary: true, CSVSafe: true})
		content := []byte(read(f, filepath.Join(path, m.Tables[0].Files[0].Path)))
		if rows, _, err := readAllOf(f, content, format, everything(f)); rows != 2 || err != nil {
			f.Fatalf("%s: %d rows of 2 read back: %v", format, rows, err)
		}
		f.Add(uint8(i), content)
		f.Add(uint8(i), content[:len(content)/2])
	}
	f.Add(uint8(1), []byte("user_id,user_id\n\"\"\"\",1\n"))
	f.Add(uint8(2), []byte(`{"user_id":{},"forecast_value":[1],"year":"x"}`+"\n"))
	f.Fuzz(func(t *testing.T, which uint8, content []byte) {
		format := land.Formats()[int(which)%len(land.Formats())]
		if format.Packing() != "" && len(content) > 1<<10 {
			return // what a little unpacks to has no bound of its own
		}
		rows, _, err := readAllOf(t, content, format, everything(t))
		if err != nil && errors.Unwrap(err) == nil {
			t.Fatalf("%s: %v wraps no cause", format, err)
		}
		if format.Packing() == "" && format != land.Parquet && rows > len(content) {
			t.Fatalf("%s: %d rows of %d bytes", format, rows, len(content))
		}
		sums := land.NewRecount(land.Manifest{Format: format, Tables: []land.ManifestTable{{Name: "forecast_entries"}}})
		m := land.Manifest{Format: format, Tables: []land.ManifestTable{{Name: "forecast_entries", Files: []land.File{{Path: "part-0"}}}}}
		_ = land.Archived(oneFile{content: content}).Read(context.Background(), m, sums.Reading(), sums.Add)
		sums.Faults()
	})
}
