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

// csvLook reads records on a goroutine of its own, fed through a pipe.
type csvLook struct {
	*io.PipeWriter
	done    chan struct{}
	rows    int64
	columns []string
	err     error
}

func newCSVLook() *csvLook {
	r, w := io.Pipe()
	l := &csvLook{PipeWriter: w, done: make(chan struct{})}
	go func() {
		defer close(l.done)
		l.rows, l.columns, l.err = countCSV(r)
		_, _ = io.Copy(io.Discard, r) // whatever is wrong, the hash is of the whole file
	}()
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
	l.close()
	return l.rows, l.columns, l.err
}

func (l *csvLook) close() {
	_ = l.PipeWriter.Close()
	<-l.done
}

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

// valueLook gives the values of a file to a [Recount], on a goroutine of its own
// that is fed through a pipe. Parquet is read from its end, out of the file that
// its look keeps.
type valueLook struct {
	io.Writer
	sums *Recount
	kept *parquetLook
	pipe *io.PipeWriter
	done chan struct{}
	err  error
}

func newValueLook(sums *Recount, by look) *valueLook {
	l := &valueLook{Writer: io.Discard, sums: sums, done: make(chan struct{})}
	l.kept, _ = by.(*parquetLook)
	if sums == nil || l.kept != nil {
		close(l.done)
		return l
	}
	r, w := io.Pipe()
	l.Writer, l.pipe = w, w
	go func() {
		defer close(l.done)
		l.err = l.read(r)
		_, _ = io.Copy(io.Discard, r) // whatever is wrong, the hash is of the whole file
	}()
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
	l.close()
	if l.sums == nil || l.kept == nil {
		return l.err
	}
	return l.read(l.kept.File)
}

func (l *valueLook) close() {
	if l.pipe != nil {
		_ = l.pipe.Close() // it always returns nil
	}
	<-l.done
}
