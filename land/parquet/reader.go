package parquet

import (
	"errors"
	"fmt"
	"io"
	"slices"

	parquetgo "github.com/parquet-go/parquet-go"
)

// Cells are one column of some rows as they are read back, by the column's
// [Kind]: Texts for String and Document, Doubles, and Ints for everything else.
// They are valid until the next rows.
type Cells struct {
	Present []bool
	Texts   [][]byte
	Doubles []float64
	Ints    []int64
}

// readRows is how many rows are read at a time.
const readRows = 4096

// errShape marks a file that is not as a [Writer] writes it.
var errShape = errors.New("not a table as weir writes it")

// Read gives the columns of a file to each, some rows at a time, in the order
// of the file. A column that the file does not have is all null. Only the
// columns asked for are read.
func Read(file io.ReaderAt, size int64, columns []Column, each func(rows int, cells []Cells) error) (err error) {
	defer func() {
		if cause := recover(); cause != nil { // the library does on some damaged files
			err = fmt.Errorf("read parquet file: damaged (%v)", cause)
		}
	}()
	f, err := parquetgo.OpenFile(file, size, parquetgo.SkipPageIndex(true), parquetgo.SkipBloomFilters(true), parquetgo.ReadBufferSize(64<<10))
	if err != nil {
		return fmt.Errorf("read parquet file: %w", err)
	}
	for _, group := range f.RowGroups() {
		if err := readGroup(group, f.Root().Columns(), columns, each); err != nil {
			return err
		}
	}
	return nil
}

func readGroup(group parquetgo.RowGroup, there []*parquetgo.Column, columns []Column, each func(int, []Cells) error) (err error) {
	readers := make([]*columnReader, len(columns))
	defer func() {
		for _, r := range readers {
			if r != nil {
				err = errors.Join(err, r.close())
			}
		}
	}()
	for i, c := range columns {
		at := slices.IndexFunc(there, func(o *parquetgo.Column) bool { return o.Name() == c.Name })
		if at < 0 {
			continue
		}
		if !there[at].Leaf() || int(there[at].Type().Kind()) != physical(c.Kind) || there[at].Repeated() {
			return fmt.Errorf("read parquet column %s: %w", c.Name, errShape)
		}
		readers[i] = &columnReader{kind: c.Kind, pages: group.ColumnChunks()[there[at].Index()].Pages()}
	}
	cells := make([]Cells, len(columns))
	for left := group.NumRows(); left > 0; {
		rows := int(min(left, readRows))
		for i, r := range readers {
			if err := cells[i].fill(rows, r); err != nil {
				return fmt.Errorf("read parquet column %s: %w", columns[i].Name, err)
			}
		}
		if err := each(rows, cells); err != nil {
			return err
		}
		left -= int64(rows)
	}
	return nil
}

// fill reads the next rows of a column; without a reader they are null.
func (c *Cells) fill(rows int, r *columnReader) error {
	c.Present = append(c.Present[:0], make([]bool, rows)...)
	if r == nil {
		return nil
	}
	values, err := r.read(rows)
	if err != nil {
		return err
	}
	switch r.kind {
	case String, Document:
		c.Texts = append(c.Texts[:0], make([][]byte, rows)...)
		for i := range values {
			if c.Present[i] = !values[i].IsNull(); c.Present[i] {
				c.Texts[i] = values[i].ByteArray()
			}
		}
	case Double:
		c.Doubles = append(c.Doubles[:0], make([]float64, rows)...)
		for i := range values {
			if c.Present[i] = !values[i].IsNull(); c.Present[i] {
				c.Doubles[i] = values[i].Double()
			}
		}
	default:
		c.Ints = append(c.Ints[:0], make([]int64, rows)...)
		for i := range values {
			if c.Present[i] = !values[i].IsNull(); c.Present[i] {
				c.Ints[i] = whole(r.kind, values[i])
			}
		}
	}
	return nil
}

func whole(kind Kind, value parquetgo.Value) int64 {
	switch {
	case kind == Bool && value.Boolean():
		return 1
	case kind == Bool:
		return 0
	case kind == Millis:
		return value.Int64()
	}
	return int64(value.Int32())
}

// columnReader reads one column of a row group. Pages are kept until the rows
// that their values went into are done with.
type columnReader struct {
	kind   Kind
	pages  parquetgo.Pages
	held   []parquetgo.Page
	page   parquetgo.ValueReader
	buffer []parquetgo.Value
}

// read gives the next rows' values.
func (r *columnReader) read(rows int) ([]parquetgo.Value, error) {
	r.release(1)
	r.buffer = slices.Grow(r.buffer[:0], rows)[:rows]
	for done := 0; done < rows; {
		if r.page == nil {
			page, err := r.pages.ReadPage()
			if err != nil {
				return nil, unended(err)
			}
			r.held, r.page = append(r.held, page), page.Values()
		}
		n, err := r.page.ReadValues(r.buffer[done:])
		done += n
		if errors.Is(err, io.EOF) {
			r.page = nil
		} else if err != nil {
			return nil, err
		}
	}
	return r.buffer, nil
}

// unended makes the end of the pages an error: rows are missing.
func unended(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// release gives all pages back but the last few.
func (r *columnReader) release(keep int) {
	for len(r.held) > keep {
		parquetgo.Release(r.held[0])
		r.held = r.held[1:]
	}
}

func (r *columnReader) close() error {
	r.release(0)
	return r.pages.Close()
}
