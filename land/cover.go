package land

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir"
)

// Snapshots of activities and of audit events overlap: the last seven days, asked
// for every day, hold each day seven times. Of each instant the newest snapshot
// counts whose span holds it, also for what that snapshot no longer has.

// stretch is a span of Unix milliseconds, both ends included.
type stretch struct{ first, last int64 }

// stretchOf is the span of a request; false where it is open at an end.
func stretchOf(r weir.Request) (stretch, bool) {
	first, last := r.Span()
	return stretch{first.UnixMilli(), last.UnixMilli()}, !first.IsZero() && !last.IsZero()
}

// merged joins stretches that touch.
func merged(all []stretch) []stretch {
	slices.SortFunc(all, func(a, b stretch) int { return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.last, b.last)) })
	var joined []stretch
	for _, s := range all {
		if n := len(joined); n > 0 && s.first <= joined[n-1].last+1 {
			joined[n-1].last = max(joined[n-1].last, s.last)
			continue
		}
		joined = append(joined, s)
	}
	return joined
}

// counting is a snapshot with the stretches for which a newer one counts.
type counting struct {
	manifest Manifest
	newer    []stretch
}

// countingOf leaves out the snapshots of a kind for all of whose span newer ones
// count.
func countingOf(kind weir.Kind, latest []Manifest) []counting {
	ordered := slices.DeleteFunc(slices.Clone(latest), func(m Manifest) bool { return m.Request.Kind != kind })
	slices.SortStableFunc(ordered, func(a, b Manifest) int {
		switch {
		case older(b, a):
			return -1
		case older(a, b):
			return 1
		}
		return strings.Compare(a.Path, b.Path)
	})
	var counted []counting
	before := map[string][]stretch{} // by likeness
	for _, m := range ordered {
		own, closed := stretchOf(m.Request)
		newer := merged(slices.Clone(before[m.Likeness]))
		newer = slices.DeleteFunc(newer, func(s stretch) bool { return closed && (s.last < own.first || s.first > own.last) })
		if closed && len(newer) == 1 && newer[0].first <= own.first && newer[0].last >= own.last {
			continue
		}
		counted = append(counted, counting{m, newer})
		if closed {
			before[m.Likeness] = append(before[m.Likeness], own)
		}
	}
	return counted
}

// Clock is the column that says when a row of activities or audit events was; ""
// where none does.
func (t Table) Clock() string {
	for _, name := range []string{"activity_date", "event_timestamp"} {
		if t.column(name) >= 0 {
			return name
		}
	}
	return ""
}

// viewOf is the query of a table's view; "" where there is nothing to show.
func viewOf(t Table, kind weir.Kind, latest []Manifest) string {
	if kind == weir.Forecast {
		return united(scans(t, latest, ""))
	}
	var all []Manifest // of which every row counts
	var parts []string
	clock := t.Clock()
	for _, c := range countingOf(kind, latest) {
		if len(c.newer) == 0 || clock == "" {
			all = append(all, c.manifest)
			continue
		}
		parts = append(parts, scans(t, []Manifest{c.manifest}, except(clock, c.newer))...)
	}
	query := united(append(scans(t, all, ""), parts...))
	if t.Name == actorsName && query != "" {
		return "SELECT * FROM (\n" + query + "\n) QUALIFY row_number() OVER (PARTITION BY _weir_request, actor_type, actor_id ORDER BY _weir_snapshot_at DESC) = 1"
	}
	return query
}

func united(parts []string) string { return strings.Join(parts, "\nUNION ALL BY NAME\n") }

// scans reads a table's files in the snapshots, one query for each format.
func scans(t Table, snapshots []Manifest, where string) []string {
	var parts []string
	for _, format := range Formats() {
		if paths := pathsIn(snapshots, t.Name, format); len(paths) > 0 {
			parts = append(parts, "SELECT * FROM "+scan(t, format, paths)+where)
		}
	}
	return parts
}

// except keeps the rows for whose instant no newer snapshot counts.
func except(clock string, newer []stretch) string {
	conditions := make([]string, len(newer))
	for i, s := range newer {
		conditions[i] = fmt.Sprintf("%s NOT BETWEEN %s AND %s", clock, sqlInstant(s.first), sqlInstant(s.last))
	}
	return fmt.Sprintf("\nWHERE %s IS NULL OR (%s)", clock, strings.Join(conditions, " AND "))
}

func sqlInstant(ms int64) string {
	return "TIMESTAMPTZ '" + time.UnixMilli(ms).UTC().Format("2006-01-02 15:04:05.000") + "+00'"
}
