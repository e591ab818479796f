package land

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"github.com/weirhq/weir"
)

// content is a result of one kind as read: its rows in the spool or in memory,
// and the evidence for the checks.
type content interface {
	// tables are those of the kind; the first one's rows are the result's.
	tables() []Table
	// rows is how many rows of a table were read.
	rows(t Table) int64
	// verify runs every check on a result that was read whole. It returns all of
	// them, and the first that failed as a *Refusal.
	verify(src Source, length int64) ([]Check, error)
	// visit gives the rows of a table in batches as written, and what their ids
	// did not find.
	visit(ctx context.Context, t Table, shared constants, each func(*batch) error) (Dangling, error)
	// tell notes in a manifest what reading brought to light.
	tell(m *Manifest)
	// written gives the checks that only writing can make.
	written(missing Dangling) []Check
}

// readContent reads the result of a request from the intake. An error is the
// parser's, the intake's, a refusal, or a write error.
func readContent(in *intake, work *workdir, r weir.Request) (content, error) {
	f, err := readForecast(in, work, formOf(r))
	if err != nil {
		return nil, err
	}
	return f, nil
}

// AllTables are the tables of every kind, in the order of `weir schema`.
func AllTables() []Table { return ForecastTables() }

func (f *forecast) tables() []Table { return ForecastTables() }

func (f *forecast) rows(t Table) int64 {
	if l := f.lookups[t.Name]; l != nil {
		return int64(l.batch.rows)
	}
	return f.evidence.rows
}

func (f *forecast) tell(m *Manifest) {
	m.Inexact = f.inexact
	m.Totals, m.TotalsCut = f.totals.list(), f.totals.beyond
	note(m.Unknown, "", f.unknownTop)
	note(m.Unknown, f.entries.table.Array, f.entries.unknown)
	note(m.Misfits, f.entries.table.Array, f.entries.misfits)
	for _, l := range f.lookups {
		note(m.Unknown, l.table.Array, l.unknown)
		note(m.Misfits, l.table.Array, l.misfits)
	}
}

func (f *forecast) written(missing Dangling) []Check { return []Check{checkLookups(missing)} }

// visit gives the rows of a table in batches as written, and for the entries
// what their ids did not find.
func (f *forecast) visit(ctx context.Context, t Table, shared constants, each func(*batch) error) (Dangling, error) {
	if l := f.lookups[t.Name]; l != nil {
		return Dangling{}, visitLookup(ctx, t, l, shared, each)
	}
	path := filepath.Join(f.work.path, spoolName)
	file, err := os.Open(path)
	if err != nil {
		return Dangling{}, writeError("read back", path, err)
	}
	defer file.Close()
	spool := newSpoolReader(file, kinds(layout(t)))
	w := newWidener(t, f.lookups, shared)
	for {
		if ctx.Err() != nil {
			return Dangling{}, context.Cause(ctx)
		}
		b, err := spool.next()
		if err == io.EOF {
			return w.dangling, nil
		}
		if err != nil {
			return Dangling{}, writeError("read back", path, err)
		}
		if err := each(w.widen(b)); err != nil {
			return Dangling{}, err
		}
	}
}

func visitLookup(ctx context.Context, t Table, l *lookup, shared constants, each func(*batch) error) error {
	w := newWidener(t, nil, shared)
	for from := 0; from < l.batch.rows; from += batchRows {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		part := l.batch.window(from, min(from+batchRows, l.batch.rows))
		if err := each(w.widen(part)); err != nil {
			return err
		}
	}
	return nil
}
