package land

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/weirhq/weir/land/parquet"
)

// Rechecked is one snapshot looked at again.
type Rechecked struct {
	Manifest string
	Snapshot Manifest
	// Faults say what no longer is as it landed, one line each; none is good.
	Faults []string
}

// Recheck looks again, offline, at every snapshot of a place for files, or at
// those whose manifest path contains only: every file is there, has the bytes
// and hash that the manifest says, the rows it says and the columns of its
// table. each is called with one snapshot after the other; its error ends the
// walk.
func Recheck(ctx context.Context, store Store, only string, each func(Rechecked) error) error {
	for _, place := range places() {
		names, err := store.List(ctx, place+manifestsDir)
		if err != nil {
			return err
		}
		for _, name := range names {
			if !strings.Contains(name, only) {
				continue
			}
			r, err := recheck(ctx, store, name)
			if err != nil {
				return err
			}
			if err := each(r); err != nil {
				return err
			}
		}
	}
	return nil
}

func places() []string {
	all := []string{""}
	for _, f := range Formats() {
		all = append(all, string(f)+"/")
	}
	return all
}

func recheck(ctx context.Context, store Store, name string) (Rechecked, error) {
	r := Rechecked{Manifest: name}
	m, err := readManifestAt(ctx, store, name)
	if ctx.Err() != nil {
		return r, context.Cause(ctx)
	}
	if err != nil {
		r.Faults = append(r.Faults, "the manifest cannot be read: "+err.Error())
		return r, nil
	}
	r.Snapshot = m
	if m.Raw.Path != "" {
		r.note(recheckFile(ctx, store, m.Raw, Format("raw"), nil))
	}
	for _, t := range m.Tables {
		for _, file := range t.Files {
			r.note(recheckFile(ctx, store, file, m.Format, columnNames(t.Name)))
		}
	}
	return r, context.Cause(ctx)
}

func (r *Rechecked) note(fault string) {
	if fault != "" {
		r.Faults = append(r.Faults, fault)
	}
}

func columnNames(table string) []string {
	for _, t := range AllTables() {
		if t.Name == table {
			var names []string
			for _, c := range t.Columns {
				names = append(names, c.Name)
			}
			return names
		}
	}
	return nil
}

// recheckFile says what is wrong with one file, or "".
func recheckFile(ctx context.Context, store Store, want File, f Format, columns []string) string {
	file, err := store.Open(ctx, want.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return want.Path + " is gone"
	}
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	look, err := newLook(f)
	if err != nil {
		return err.Error()
	}
	defer look.close()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(sum, look), file)
	switch {
	case err != nil:
		return want.Path + " cannot be read: " + err.Error()
	case n != want.Bytes:
		return fmt.Sprintf("%s has %d bytes, it landed with %d", want.Path, n, want.Bytes)
	case hex.EncodeToString(sum.Sum(nil)) != want.SHA256:
		return want.Path + " has other content than it landed with"
	}
	rows, found, err := look.finish()
	switch {
	case err != nil:
		return want.Path + " cannot be read as " + string(f) + ": " + err.Error()
	case rows >= 0 && rows != want.Rows:
		return fmt.Sprintf("%s has %d rows, the manifest says %d", want.Path, rows, want.Rows)
	case found != nil && columns != nil && !slices.Equal(found, columns):
		return want.Path + " has other columns than this weir's table"
	}
	return ""
}

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
