package landtest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/land"
)

// ArchivePlace is a [Place] whose snapshots can be looked at and taken away.
type ArchivePlace interface {
	Place
	// Archive opens the place, as often as it is called.
	Archive(t *testing.T) land.Archive
	// ArchiveFailing opens it so that from the step numbered n (from 1) everything
	// fails that is asked of it.
	ArchiveFailing(t *testing.T, n int) (a land.Archive, fired func() bool)
}

// Archive runs the contract of a [land.Archive].
func Archive(t *testing.T, open func(t *testing.T) ArchivePlace) {
	for name, test := range map[string]func(*testing.T, ArchivePlace){
		"lists":           lists,
		"reads back":      readsBack,
		"checks":          checks,
		"prunes":          prunes,
		"empty":           emptyArchive,
		"forgets in time": forgets,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
	t.Run("prunes never half", func(t *testing.T) { prunesHalf(t, open) })
}

// Archive opens the place.
func (f Files) Archive(t *testing.T) land.Archive { return land.Archived(f.Store(t)) }

// ArchiveFailing opens it so that every call from the nth on fails.
func (f Files) ArchiveFailing(t *testing.T, n int) (land.Archive, func() bool) {
	s := &failing{Store: f.Store(t)}
	s.left.Store(int64(n))
	return land.Archived(s), func() bool { return s.left.Load() <= 0 }
}

// series receives results, a day apart.
func series(t *testing.T, days int) []*land.Receipt {
	t.Helper()
	var all []*land.Receipt
	for day := range days {
		all = append(all, Receive(t, Result(), func(s *land.Source) {
			s.Job.ID = fmt.Sprintf("6073683781a6da229df71e%02d", day)
			s.SnapshotAt = s.SnapshotAt.AddDate(0, 0, day)
		}))
	}
	return all
}

// landSeries lands three snapshots, a day apart, and one of another forecast, and
// gives the three, oldest first.
func landSeries(t *testing.T, p ArchivePlace) []land.Manifest {
	t.Helper()
	d := p.Open(t)
	all := landAll(t, d, series(t, 3))
	mustLand(t, d, Receive(t, Result(), func(s *land.Source) { s.Request.ForecastID = HostileID }), plain())
	return all
}

func landAll(t *testing.T, d land.Destination, receipts []*land.Receipt) []land.Manifest {
	t.Helper()
	var all []land.Manifest
	for _, r := range receipts {
		all = append(all, mustLand(t, d, r, plain()))
	}
	return all
}

func pathsOf(all []land.Manifest) []string {
	var paths []string
	for _, m := range all {
		paths = append(paths, m.Path)
	}
	return paths
}

func snapshots(t *testing.T, a land.Archive, s land.Selection) []string {
	t.Helper()
	all, err := a.Snapshots(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return pathsOf(all)
}

func lists(t *testing.T, p ArchivePlace) {
	all := pathsOf(landSeries(t, p))
	slices.Reverse(all)
	a := p.Archive(t)
	if got := snapshots(t, a, land.Selection{ForecastID: "net_arr", Period: "2026_Q1"}); !slices.Equal(got, all) {
		t.Errorf("of one forecast %q, want %q", got, all)
	}
	if got := snapshots(t, a, land.Selection{}); len(got) != 4 {
		t.Errorf("all are %q", got)
	}
	if got := snapshots(t, a, land.Selection{ForecastID: HostileID}); len(got) != 1 {
		t.Errorf("of the other forecast %q", got)
	}
	if got := snapshots(t, a, land.Selection{Snapshot: "20261124T"}); !slices.Equal(got, all[1:2]) {
		t.Errorf("of one day %q, want %q", got, all[1:2])
	}
}

// readsBack compares what comes back with the result that landed.
func readsBack(t *testing.T, p ArchivePlace) {
	m := landSeries(t, p)[0]
	columns := []string{"user_id", "forecast_value", "is_updated", "updated_on", "time_frame_start_date", "time_period_year", "user_email"}
	var got []string
	err := p.Archive(t).Read(t.Context(), m, land.Reading{Table: "forecast_entries", Columns: columns, Dir: t.TempDir()}, func(row []land.Field) error {
		var parts []string
		for i, f := range row {
			parts = append(parts, fieldText(f, i == 1))
		}
		got = append(got, strings.Join(parts, " "))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(got)
	want := []string{
		"gone - - - 20458 2026 -",
		"u1 - - - 20458 2026 ada@x.test",
		"u1 1234.5 1 1767625445678 20458 2026 ada@x.test",
		"u2 -0 0 - 20458 2026 -",
	}
	if !slices.Equal(got, want) {
		t.Errorf("read\n%q, want\n%q", got, want)
	}
	stop := errors.New("enough")
	err = p.Archive(t).Read(t.Context(), m, land.Reading{Table: "forecast_users", Columns: []string{"name"}}, func([]land.Field) error { return stop })
	if !errors.Is(err, stop) {
		t.Errorf("stopped: %v", err)
	}
}

// fieldText is a field as text; a number is its literal or its double.
func fieldText(f land.Field, number bool) string {
	switch {
	case !f.Present:
		return "-"
	case f.Text != nil:
		return string(f.Text)
	case number && !math.IsNaN(f.Double):
		return strconv.FormatFloat(f.Double, 'g', -1, 64)
	}
	return strconv.FormatInt(f.Int, 10)
}

func checks(t *testing.T, p ArchivePlace) {
	m := landSeries(t, p)[0]
	for only, want := range map[string]int{"": 4, m.Path: 1, "no such": 0} {
		seen := 0
		err := p.Archive(t).Recheck(t.Context(), only, func(r land.Rechecked) error {
			seen++
			if len(r.Faults) > 0 || r.Snapshot.Rows() != Rows {
				t.Errorf("%s: %q", r.Manifest, r.Faults)
			}
			return nil
		})
		if err != nil || seen != want {
			t.Errorf("only %q: %d snapshots, %v", only, seen, err)
		}
	}
}

func pruneNow() time.Time { return time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC) }

func prunes(t *testing.T, p ArchivePlace) {
	all := landSeries(t, p)
	var told []string
	err := p.Archive(t).Prune(t.Context(), pruneNow(), all[:2], func(m land.Manifest) error {
		told = append(told, m.Path)
		return nil
	})
	if err != nil || !slices.Equal(told, pathsOf(all[:2])) {
		t.Errorf("told %q, %v", told, err)
	}
	if left := p.Look(t); len(left) != 2 {
		t.Errorf("%d snapshots are left", len(left))
	}
	a := p.Archive(t)
	for i, m := range all {
		stands, err := p.Open(t).Stands(t.Context(), m.Path)
		pruned, also := a.Pruned(t.Context(), m.Path)
		if err != nil || also != nil || stands != (i == 2) || pruned != (i < 2) {
			t.Errorf("snapshot %d stands: %t, was pruned: %t (%v, %v)", i, stands, pruned, err, also)
		}
	}
	if err := a.Prune(t.Context(), pruneNow(), all[:1], func(land.Manifest) error { return nil }); err != nil {
		t.Errorf("pruned again: %v", err)
	}
}

// prunesHalf breaks a pruning at each of its steps in turn. Every snapshot that
// is there afterwards is whole, the latest among them, and pruning again does
// the rest.
func prunesHalf(t *testing.T, open func(t *testing.T) ArchivePlace) {
	const most = 500
	tell := func(land.Manifest) error { return nil }
	receipts := series(t, 2)
	steps, gone := 0, 0
	for n := 1; n <= most; n++ {
		p := open(t)
		all := landAll(t, p.Open(t), receipts)
		a, fired := p.ArchiveFailing(t, n)
		err := a.Prune(t.Context(), pruneNow(), all[:1], tell)
		if !fired() {
			break
		}
		steps = n
		left := pathsOf(p.Look(t))
		if err == nil && len(left) != 1 || !slices.Contains(left, all[1].Path) {
			t.Errorf("step %d: %v, and left are %q", n, err, left)
		}
		if len(left) == 1 {
			gone++
		}
		if err := p.Archive(t).Prune(t.Context(), pruneNow(), all[:1], tell); err != nil {
			t.Errorf("step %d: again: %v", n, err)
		}
		if left := p.Look(t); len(left) != 1 {
			t.Errorf("step %d: %d snapshots left after pruning again", n, len(left))
		}
		if strays, ok := p.(interface{ Strays(*testing.T) []string }); ok {
			if found := strays.Strays(t); len(found) > 0 {
				t.Errorf("step %d: files that belong to nothing: %q", n, found)
			}
		}
	}
	// A database takes a snapshot away in one transaction: there a step that
	// fails need not ever come after it is gone.
	_, inSteps := open(t).(interface{ Strays(*testing.T) []string })
	if steps < 4 || steps == most || inSteps && gone == 0 {
		t.Errorf("%d steps failed, after %d of them something was gone", steps, gone)
	}
}

// Strays gives the files below the place that no manifest names and that weir
// does not keep for itself.
func (f Files) Strays(t *testing.T) []string {
	t.Helper()
	named := map[string]bool{}
	for _, m := range f.Look(t) {
		named[m.Path], named[m.Raw.Path] = true, true
		for _, table := range m.Tables {
			for _, file := range table.Files {
				named[file.Path] = true
			}
		}
	}
	var found []string
	for _, name := range names(t, f.Store(t), ".") {
		notes := strings.HasPrefix(name, "_pruned/") && !strings.Contains(name, "going")
		if !named[name] && !notes && !strings.Contains(name, "_views/") && !strings.HasPrefix(name, "_tmp/") {
			found = append(found, name)
		}
	}
	return found
}

func emptyArchive(t *testing.T, p ArchivePlace) {
	a := p.Archive(t)
	if got := snapshots(t, a, land.Selection{}); len(got) != 0 {
		t.Errorf("snapshots %q", got)
	}
	if pruned, err := a.Pruned(t.Context(), "_manifests/forecast/none.json"); pruned || err != nil {
		t.Errorf("pruned: %t, %v", pruned, err)
	}
	if err := a.Prune(t.Context(), pruneNow(), nil, nil); err != nil {
		t.Error(err)
	}
}

// forgets prunes once more long after.
func forgets(t *testing.T, p ArchivePlace) {
	all := landSeries(t, p)
	a := p.Archive(t)
	tell := func(land.Manifest) error { return nil }
	if err := a.Prune(t.Context(), pruneNow(), all[:1], tell); err != nil {
		t.Fatal(err)
	}
	if err := a.Prune(t.Context(), pruneNow().Add(land.PruneMemory), all[1:2], tell); err != nil {
		t.Fatal(err)
	}
	for i, want := range []bool{false, true} {
		if pruned, err := a.Pruned(t.Context(), all[i].Path); pruned != want || err != nil {
			t.Errorf("snapshot %d is known as pruned: %t, %v", i, pruned, err)
		}
	}
}
