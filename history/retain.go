package history

import (
	"cmp"
	"slices"
	"time"

	"github.com/weirhq/weir/land"
)

// Retention says which snapshots may go. Of every question (kind, forecast,
// period, span, likeness) in every format the latest stays, whatever it says.
type Retention struct {
	// KeepLast is how many of each stay; 0 is no rule.
	KeepLast int
	// OlderThan lets only those go that are older; zero is no rule. With both,
	// what goes is beyond the one and older than the other.
	OlderThan time.Duration
}

// And lets only those go that both rules let go. A rule that says nothing does
// not count.
func (r Retention) And(other Retention) Retention {
	return Retention{KeepLast: max(r.KeepLast, other.KeepLast), OlderThan: max(r.OlderThan, other.OlderThan)}
}

// question is what snapshots are alike in that follow one another.
type question struct {
	format                                         land.Format
	kind, forecast, period, likeness, since, until string
}

func questionOf(m land.Manifest) question {
	r := m.Request
	return question{m.Format, string(r.Kind), r.ForecastID, string(r.Period), m.Likeness, r.Since, r.Until}
}

// Doomed are the snapshots of all that may go at an instant, oldest first.
// Without a rule none may.
func (r Retention) Doomed(all []land.Manifest, now time.Time) []land.Manifest {
	if r.KeepLast <= 0 && r.OlderThan <= 0 {
		return nil
	}
	all = slices.Clone(all)
	land.SortManifests(all)
	seen := map[question]int{}
	var doomed []land.Manifest
	for _, m := range all {
		q := questionOf(m)
		seen[q]++
		old := r.OlderThan <= 0 || m.SnapshotAt.Before(now.Add(-r.OlderThan))
		if seen[q] > max(1, r.KeepLast) && old {
			doomed = append(doomed, m)
		}
	}
	slices.Reverse(doomed)
	return doomed
}

// Bytes is how much the files of a snapshot take, the raw one among them.
func Bytes(m land.Manifest) int64 {
	total := m.Raw.Bytes
	for _, t := range m.Tables {
		for _, f := range t.Files {
			total += f.Bytes
		}
	}
	return cmp.Or(total, m.Result.Bytes)
}
