package land

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
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
// table, and the values add up to its totals. each is called with one snapshot
// after the other; its error ends the walk.
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
		r.note(recheckFile(ctx, store, m.Raw, wanted{format: "raw"}))
	}
	sums := NewRecount(m)
	for _, t := range m.Tables {
		want := wanted{format: m.Format, columns: columnNames(t.Name)}
		if t.Name == sums.Reading().Table {
			want.sums = sums
		}
		for _, file := range t.Files {
			r.note(recheckFile(ctx, store, file, want))
		}
	}
	if len(r.Faults) == 0 { // what another fault explains is not told twice
		r.Faults = sums.Faults()
	}
	return r, context.Cause(ctx)
}

// wanted is what a file is to be.
type wanted struct {
	format  Format
	columns []string
	// sums, if any, take its values.
	sums *Recount
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
func recheckFile(ctx context.Context, store Store, want File, is wanted) string {
	file, err := store.Open(ctx, want.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return want.Path + " is gone"
	}
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	look, err := newLook(is.format)
	if err != nil {
		return err.Error()
	}
	defer look.close()
	values := newValueLook(is.sums, look)
	defer values.close()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(sum, look, values), file)
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
		return want.Path + " cannot be read as " + string(is.format) + ": " + err.Error()
	case rows >= 0 && rows != want.Rows:
		return fmt.Sprintf("%s has %d rows, the manifest says %d", want.Path, rows, want.Rows)
	case found != nil && is.columns != nil && !slices.Equal(found, is.columns):
		return want.Path + " has other columns than this weir's table"
	}
	if err := values.finish(); err != nil {
		return want.Path + ": values of " + string(is.format) + " cannot be read: " + err.Error()
	}
	return ""
}
