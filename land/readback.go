package land

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
)

// Field is one value of a row that is read back from a destination. By the
// column's [Kind] one of its members holds it.
type Field struct {
	// Present is false for null. A CSV shows ids that are empty as null too.
	Present bool
	// Text is that of Text and JSON columns, and a Number's literal where the
	// file has it. It is valid until the next row.
	Text []byte
	// Double is a Number that has no literal.
	Double float64
	// Int is any other value: Bool 1 for true, Instant in Unix milliseconds,
	// Date in days since 1970-01-01.
	Int int64
}

// errNotThere marks a snapshot whose manifest names something that is missing.
var errNotThere = errors.New("it is not as it landed: see weir verify")

// Read gives the rows of one table of a snapshot.
func (a archive) Read(ctx context.Context, m Manifest, r Reading, each func(row []Field) error) error {
	columns, err := r.ColumnsOf()
	if err != nil {
		return err
	}
	for _, t := range m.Tables {
		if t.Name != r.Table {
			continue
		}
		for _, file := range t.Files {
			b := readBack{ctx: ctx, m: m, columns: columns, dir: r.Dir, each: each}
			if err := b.read(a.store, file); err != nil {
				return explainRead(ctx, file.Path, err)
			}
		}
		return nil
	}
	return fmt.Errorf("read %s: no table %s in its manifest: %w", m.Path, r.Table, errNotThere)
}

// Reading is what is read of a snapshot.
type Reading struct {
	Table string
	// Columns are in the order in which rows have them; one that the files do
	// not have is null.
	Columns []string
	// Dir is where a file stands meanwhile that has to be read from its end
	// (Parquet in a bucket); "" is the system's place for temporary files.
	Dir string
}

// ColumnsOf finds the columns.
func (r Reading) ColumnsOf() ([]Column, error) {
	for _, t := range AllTables() {
		if t.Name != r.Table {
			continue
		}
		var found []Column
		for _, name := range r.Columns {
			at := t.column(name)
			if at < 0 {
				return nil, fmt.Errorf("read %s: no column %s", r.Table, name)
			}
			found = append(found, t.Columns[at])
		}
		return found, nil
	}
	return nil, fmt.Errorf("read %s: no such table", r.Table)
}

func explainRead(ctx context.Context, path string, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("read %s: it is gone: %w", path, errNotThere)
	}
	var own *callerError
	if errors.As(err, &own) {
		return own.error
	}
	return fmt.Errorf("read %s: %w", path, err)
}

// callerError is an error of who reads, not one of reading.
type callerError struct{ error }

// readBack reads one file.
type readBack struct {
	ctx     context.Context
	m       Manifest
	columns []Column
	dir     string
	each    func(row []Field) error
}

func (r *readBack) read(store Store, file File) error {
	from, err := store.Open(r.ctx, file.Path)
	if err != nil {
		return err
	}
	defer from.Close()
	return r.decode(from)
}

// decode reads the file from its beginning.
func (r *readBack) decode(from io.Reader) error {
	if r.m.Format == Parquet {
		return r.parquet(from)
	}
	plain, err := unpack(from, r.m.Format.Packing())
	if err != nil {
		return err
	}
	defer plain.Close()
	switch r.m.Format.Plain() {
	case CSV:
		return r.csv(plain)
	case JSONL:
		return r.lines(plain)
	}
	return fmt.Errorf("unknown format %q", string(r.m.Format))
}

// give hands a row to the caller and marks the error as its own.
func (r *readBack) give(row []Field) error {
	if err := r.each(row); err != nil {
		return &callerError{err}
	}
	return nil
}

// random makes a file readable from any place: as it is where it stands on
// disk, else through a copy that is gone when it is closed.
func random(from io.Reader, dir string) (file io.ReaderAt, size int64, end func(), err error) {
	if f, ok := from.(*os.File); ok {
		about, err := f.Stat()
		if err != nil {
			return nil, 0, nil, err
		}
		return f, about.Size(), func() {}, nil
	}
	if dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, 0, nil, err
		}
	}
	spool, err := os.CreateTemp(dir, "read-*")
	if err != nil {
		return nil, 0, nil, err
	}
	_ = os.Remove(spool.Name()) // gone when this process is; where that cannot be, at the end
	end = func() { _ = errors.Join(spool.Close(), os.Remove(spool.Name())) }
	size, err = io.Copy(spool, from)
	if err != nil {
		end()
		return nil, 0, nil, err
	}
	return spool, size, end, nil
}

// index says where the wanted columns stand among those that there are; -1 for
// one that is missing.
func (r *readBack) index(there []string) []int {
	var at []int
	for _, c := range r.columns {
		at = append(at, slices.Index(there, c.Name))
	}
	return at
}
