package parquet

import (
	"fmt"
	"io"

	parquetgo "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// Kind is the type of a column.
type Kind uint8

// The types of columns.
const (
	String   Kind = iota // UTF-8, dictionary-encoded
	Document             // UTF-8 that seldom repeats
	Double
	Bool
	Millis  // TIMESTAMP(MILLIS, UTC)
	Date    // days since 1970-01-01
	Integer // INT32
)

// Column is one column of a file.
type Column struct {
	Name string
	Kind Kind
}

// Values are one column of a batch.
type Values struct {
	// Codes number the texts of a String or Document column from 1; 0 is null.
	Codes []uint32
	// Text gives the text of a code, valid until the next batch.
	Text func(code uint32) []byte
	// Present says for every other kind which rows are not null (0 is null).
	Present []uint8
	// Ints hold Bool (1 is true), Millis, Date and Integer.
	Ints []int64
	// Doubles hold Double.
	Doubles []float64
}

const (
	// rowsPerGroup is how many rows a row group has at least, unless it is the
	// last or its texts are large.
	rowsPerGroup = 16 * 8192
	// bytesPerGroup ends a row group early, by its texts before encoding.
	bytesPerGroup = 64 << 20
	// dictionaryBytes is how large a dictionary may grow before the rest of a
	// column's row group is written plainly.
	dictionaryBytes = 1 << 20
)

// Writer writes one file. It is not safe for concurrent use.
type Writer struct {
	columns []Column
	file    *parquetgo.GenericWriter[any]
	group   *parquetgo.ConcurrentRowGroupWriter
	rows    int
	bytes   int
	values  []parquetgo.Value
}

// NewWriter starts a file with the columns in the order given.
func NewWriter(w io.Writer, table string, columns []Column) *Writer {
	file := parquetgo.NewGenericWriter[any](w,
		schemaOf(table, columns),
		parquetgo.Compression(&zstd.Codec{Level: zstd.SpeedFastest}),
		parquetgo.CreatedBy("weir", "1", ""),
		parquetgo.DictionaryMaxBytes(dictionaryBytes),
	)
	return &Writer{columns: columns, file: file}
}

// Write adds a batch of rows, one Values for each column. Nothing of it is kept.
func (w *Writer) Write(rows int, batch []Values) error {
	if len(batch) != len(w.columns) {
		return fmt.Errorf("write parquet batch: %d columns, want %d", len(batch), len(w.columns))
	}
	if w.group == nil {
		w.group = w.file.BeginRowGroup()
	}
	writers := w.group.ColumnWriters()
	for i := range batch {
		w.fill(i, rows, &batch[i])
		if _, err := writers[i].WriteRowValues(w.values); err != nil {
			return fmt.Errorf("write parquet column %s: %w", w.columns[i].Name, err)
		}
	}
	w.rows += rows
	if w.rows >= rowsPerGroup || w.bytes >= bytesPerGroup {
		return w.commit()
	}
	return nil
}

// Close ends the file. The file is not readable before.
func (w *Writer) Close() error {
	if w.group != nil && w.rows > 0 {
		if err := w.commit(); err != nil {
			return err
		}
	}
	if err := w.file.Close(); err != nil {
		return fmt.Errorf("close parquet file: %w", err)
	}
	return nil
}

func (w *Writer) commit() error {
	if err := w.group.Flush(); err != nil {
		return fmt.Errorf("flush parquet row group: %w", err)
	}
	if _, err := w.group.Commit(); err != nil {
		return fmt.Errorf("commit parquet row group: %w", err)
	}
	w.rows, w.bytes, w.group = 0, 0, nil
	return nil
}

// fill turns a column of the batch into the library's values.
func (w *Writer) fill(column, rows int, v *Values) {
	w.values = w.values[:0]
	kind := w.columns[column].Kind
	null := parquetgo.NullValue().Level(0, 0, column)
	for row := range rows {
		value := null
		switch {
		case kind == String || kind == Document:
			if code := v.Codes[row]; code != 0 {
				text := v.Text(code)
				w.bytes += len(text)
				value = parquetgo.ByteArrayValue(text).Level(0, 1, column)
			}
		case v.Present[row] != 0:
			value = fixed(kind, v, row).Level(0, 1, column)
		}
		w.values = append(w.values, value)
	}
}

func fixed(kind Kind, v *Values, row int) parquetgo.Value {
	switch kind {
	case Double:
		return parquetgo.DoubleValue(v.Doubles[row])
	case Bool:
		return parquetgo.BooleanValue(v.Ints[row] == 1)
	case Millis:
		return parquetgo.Int64Value(v.Ints[row])
	}
	return parquetgo.Int32Value(int32(v.Ints[row]))
}
