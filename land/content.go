package land

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"

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
func readContent(in *intake, work *workdir, src Source) (content, error) {
	r := src.Request
	switch r.Kind {
	case weir.Activity:
		return readActivities(in, work, r)
	case weir.Audit:
		return readAudit(in, work, r)
	}
	f, err := readForecast(in, work, formOf(r), src.reading())
	if err != nil {
		return nil, err
	}
	return f, nil
}

// AllTables are the tables of every kind, in the order of `weir schema`.
func AllTables() []Table {
	return slices.Concat(ForecastTables(), ActivityTables(), AuditTables())
}

// tablesOf are the tables of one kind; nil for a kind that is not known.
func tablesOf(kind weir.Kind) []Table {
	switch kind {
	case weir.Forecast:
		return ForecastTables()
	case weir.Activity:
		return ActivityTables()
	case weir.Audit:
		return AuditTables()
	}
	return nil
}

// refusalOf gives the checks and the first that failed as a *Refusal.
func refusalOf(checks []Check) ([]Check, error) {
	for _, c := range checks {
		if c.Outcome == Failed {
			return checks, &Refusal{Check: c.Name, Detail: c.Detail}
		}
	}
	return checks, nil
}

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

// checkPeriod is [checkPeriod], or, where the current quarter was asked for
// without its name, that exactly one came.
func (f *forecast) checkPeriod(r weir.Request) Check {
	if !r.Direct || r.Period != "" {
		return checkPeriod(r.Period, f.evidence)
	}
	if len(f.evidence.periods) != 1 {
		return check(CheckPeriod, Failed, "asked for the current quarter, the result shows %d periods: %s", len(f.evidence.periods), quotedList(f.evidence.periods))
	}
	if _, err := weir.ParsePeriod(f.evidence.periods[0]); err != nil {
		return check(CheckPeriod, Failed, "asked for the current quarter, the result shows %s", quotedList(f.evidence.periods))
	}
	return checkPeriod(weir.Period(f.evidence.periods[0]), f.evidence)
}

// showing is the request with the period that its verified result shows, where
// none was named.
func showing(r weir.Request, c content) weir.Request {
	if f, ok := c.(*forecast); ok && r.Direct && r.Period == "" {
		r.Period = weir.Period(f.evidence.periods[0])
	}
	return r
}

func (f *forecast) written(missing Dangling) []Check { return []Check{checkLookups(missing)} }

func (f *forecast) spool(t Table) (path string, joined map[string]*lookup) {
	if f.lookups[t.Name] != nil {
		return "", nil
	}
	return filepath.Join(f.work.path, spoolName), f.lookups
}

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
