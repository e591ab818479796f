package land

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/weirhq/weir/land/parquet"
)

// look counts the rows of a file that is written to it, and finds its columns.
type look interface {
	io.Writer
	finish() (rows int64, columns []string, err error) // rows -1: not counted
	close()
}

func newLook(f Format) (look, error) {
	if packing := f.Packing(); packing != "" {
		inner, err := newLook(f.Plain())
		if err != nil {
			return nil, err
		}
		return newPackedLook(inner, packing), nil
	}
	switch f {
	case Parquet:
		file, err := os.CreateTemp("", "weir-verify-*")
		if err != nil {
			return nil, writeError("spool", "a file to verify", err)
		}
		return &parquetLook{file}, nil
	case CSV:
		return newCSVLook(), nil
	case JSONL:
		return &lineLook{}, nil
	}
	return noLook{}, nil
}

type noLook struct{}

func (noLook) Write(p []byte) (int, error)      { return len(p), nil }
func (noLook) finish() (int64, []string, error) { return -1, nil, nil }
func (noLook) close()                           {}

// parquetLook keeps the file, because a footer stands at its end.
type parquetLook struct{ *os.File }

func (l *parquetLook) finish() (int64, []string, error) {
	size, err := l.Seek(0, io.SeekEnd)
	if err != nil {
		return 0, nil, err
	}
	return parquet.Inspect(l.File, size)
}

func (l *parquetLook) close() { _ = errors.Join(l.Close(), os.Remove(l.Name())) }

// fed is what is written to it read by a function, on a goroutine of its own that
// is fed through a pipe.
type fed struct {
	*io.PipeWriter
	done chan struct{}
	err  error
}

func feed(read func(io.Reader) error) *fed {
	r, w := io.Pipe()
	f := &fed{PipeWriter: w, done: make(chan struct{})}
	go func() {
		defer close(f.done)
		f.err = read(r)
		_, _ = io.Copy(io.Discard, r) // whatever is wrong, the hash is of the whole file
	}()
	return f
}

// end waits until all is read, and gives the function's error. It may be called
// again.
func (f *fed) end() error {
	_ = f.PipeWriter.Close() // it always returns nil
	<-f.done
	return f.err
}

// csvLook reads records.
type csvLook struct {
	*fed
	rows    int64
	columns []string
}

func newCSVLook() *csvLook {
	l := &csvLook{}
	l.fed = feed(func(r io.Reader) (err error) {
		l.rows, l.columns, err = countCSV(r)
		return err
	})
	return l
}

func countCSV(r io.Reader) (rows int64, columns []string, err error) {
	records := csv.NewReader(bufio.NewReaderSize(r, 1<<16))
	records.ReuseRecord = true
	for first := true; ; first = false {
		record, err := records.Read()
		if errors.Is(err, io.EOF) {
			return rows, columns, nil
		}
		if err != nil {
			return rows, columns, err
		}
		if first {
			columns = slices.Clone(record)
			continue
		}
		rows++
	}
}

func (l *csvLook) finish() (int64, []string, error) {
	err := l.end()
	return l.rows, l.columns, err
}

func (l *csvLook) close() { _ = l.end() }

// lineLook counts lines and reads the columns from the first.
type lineLook struct {
	rows  int64
	first []byte
	whole bool
}

func (l *lineLook) Write(p []byte) (int, error) {
	if !l.whole {
		line, _, found := bytes.Cut(p, []byte("\n"))
		l.first, l.whole = append(l.first, line...), found
	}
	l.rows += int64(bytes.Count(p, []byte("\n")))
	return len(p), nil
}

func (l *lineLook) finish() (int64, []string, error) {
	if l.rows == 0 {
		return 0, nil, nil
	}
	names, err := memberNames(l.first)
	return l.rows, names, err
}

func (l *lineLook) close() {}

// memberNames are the members of a JSON object in their order.
func memberNames(object []byte) ([]string, error) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	var names []string
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		var skipped json.RawMessage
		if err := decoder.Decode(&skipped); err != nil {
			return nil, err
		}
		names = append(names, fmt.Sprint(name))
	}
	return names, nil
}

// valueLook gives the values of a file to a [Recount]. Parquet is read from its
// end, out of the file that its look keeps; nil sums take nothing.
type valueLook struct {
	io.Writer
	sums *Recount
	kept *parquetLook
	fed  *fed // nil where nothing is read on the way
}

func newValueLook(sums *Recount, by look) *valueLook {
	l := &valueLook{Writer: io.Discard, sums: sums}
	l.kept, _ = by.(*parquetLook)
	if sums != nil && l.kept == nil {
		l.fed = feed(l.read)
		l.Writer = l.fed
	}
	return l
}

func (l *valueLook) read(from io.Reader) error {
	columns, err := l.sums.Reading().ColumnsOf()
	if err != nil {
		return err
	}
	b := readBack{m: l.sums.m, columns: columns, each: l.sums.Add}
	return b.decode(from)
}

// finish says why the values could not be read.
func (l *valueLook) finish() error {
	switch {
	case l.fed != nil:
		return l.fed.end()
	case l.sums != nil:
		return l.read(l.kept.File)
	}
	return nil
}

func (l *valueLook) close() {
	if l.fed != nil {
		_ = l.fed.end()
	}
}
