package inmem

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/internal/rule"
)

// Prune deletes at most so many of each kind of what ended before an instant,
// oldest first, and nothing that a rule still needs: see [ledger.Retention].
func (l *Ledger) Prune(ctx context.Context, before time.Time, most int) (p ledger.Pruned, err error) {
	if err := l.begin(ctx, "Prune"); err != nil {
		return p, err
	}
	defer l.store.mu.Unlock()
	before = rule.Instant(before)
	p.Exports = l.store.pruneExports(before, most)
	p.Jobs = l.store.pruneJobs(before, most)
	p.Durations = l.store.pruneDurations(before, most)
	p.Owners = l.store.pruneOwners()
	return p, nil
}

func (s *store) pruneExports(before time.Time, most int) int64 {
	var old []*export
	for _, e := range s.exports {
		if e.State.Open() || !e.ChangedAt.Before(before) || e.State == weir.Landed && !e.Request.Spanned() && s.newestLanded(e) {
			continue
		}
		old = append(old, e)
	}
	slices.SortFunc(old, byChange)
	old = old[:min(len(old), most)]
	for _, e := range old {
		s.forget(e)
	}
	return int64(len(old))
}

func byChange(a, b *export) int {
	return cmp.Or(a.ChangedAt.Compare(b.ChangedAt), cmp.Compare(a.ID, b.ID))
}

// newestLanded reports whether no export like it landed later.
func (s *store) newestLanded(e *export) bool {
	return !slices.ContainsFunc(s.accounts[e.Account].like[e.Fingerprint], func(n *export) bool {
		return n.State == weir.Landed && byChange(n, e) > 0
	})
}

// forget takes an export out of every index. Its numbers are not given again.
func (s *store) forget(e *export) {
	a := s.accounts[e.Account]
	for _, d := range e.deliveries {
		delete(s.deliveries, d.ID)
	}
	delete(s.exports, e.ID)
	delete(a.open, e.ID)
	is := func(other *export) bool { return other == e }
	a.all = slices.DeleteFunc(a.all, is)
	if a.like[e.Fingerprint] = slices.DeleteFunc(a.like[e.Fingerprint], is); len(a.like[e.Fingerprint]) == 0 {
		delete(a.like, e.Fingerprint)
	}
}

func (s *store) pruneJobs(before time.Time, most int) int64 {
	type owned struct {
		a *account
		j *weir.Job
	}
	var old []owned
	for _, a := range s.accounts {
		for _, j := range a.idle(before) {
			old = append(old, owned{a, j})
		}
	}
	slices.SortFunc(old, func(x, y owned) int {
		return cmp.Or(x.j.LastSeen.Compare(y.j.LastSeen), cmp.Compare(x.a.Name, y.a.Name), cmp.Compare(x.j.Seq, y.j.Seq))
	})
	old = old[:min(len(old), most)]
	for _, o := range old {
		o.a.forget(o.j)
	}
	return int64(len(old))
}

// idle are the jobs that nothing rests on: the last list did not hold them, the
// next need not, and they are no open export's. The newest own one is kept.
func (a *account) idle(before time.Time) (idle []*weir.Job) {
	used, newest := a.used()
	for _, j := range a.seen {
		listed := !j.ListedAt.IsZero() && j.ListedAt.Equal(a.listedAt)
		old := j.LastSeen.Before(before) && rule.ListedUntil(*j).Before(before) && rule.BoughtAt(*j).Before(before)
		if _, wanted := a.open[j.ExportID]; old && !listed && !wanted && !used[j.ID] && j != newest {
			idle = append(idle, j)
		}
	}
	return idle
}

// used are the jobs of open exports, and newest is the last that was ours.
func (a *account) used() (used map[string]bool, newest *weir.Job) {
	used = map[string]bool{}
	for _, e := range a.open {
		used[e.JobID] = true
	}
	for _, j := range a.seen {
		if j.ExportID != 0 {
			newest = j
		}
	}
	return used, newest
}

// forget takes a job out of every index. Its Seq is not given again.
func (a *account) forget(j *weir.Job) {
	a.listed.remove(rule.ListedUntil(*j), j.ID)
	a.bought.remove(rule.BoughtAt(*j), j.ID)
	delete(a.jobs, j.ID)
	a.seen = slices.DeleteFunc(a.seen, func(other *weir.Job) bool { return other == j })
}

// durationsKept are the newest runs of each key, which forecasts rest on.
const durationsKept = 50

func (s *store) pruneDurations(before time.Time, most int) int64 {
	type run struct {
		a   *account
		key string
		entry
	}
	var old []run
	for _, a := range s.accounts {
		for key, runs := range a.ran {
			for _, e := range runs.entries[:max(0, len(runs.entries)-durationsKept)] {
				if e.at < rule.Millis(before) {
					old = append(old, run{a, key, e})
				}
			}
		}
	}
	slices.SortFunc(old, func(x, y run) int { return cmp.Or(byInstant(x.entry, y.entry), cmp.Compare(x.a.Name, y.a.Name)) })
	old = old[:min(len(old), most)]
	for _, r := range old {
		runs := r.a.ran[r.key]
		runs.remove(rule.FromMillis(r.at), r.id)
		r.a.ran[r.key] = runs
		delete(r.a.ranJobs, r.id)
	}
	return int64(len(old))
}

// ownersKept is how long a process that ended is remembered.
const ownersKept = time.Hour

func (s *store) pruneOwners() (n int64) {
	for name, r := range s.owners {
		if !r.until.After(s.now().Add(-ownersKept)) {
			delete(s.owners, name)
			n++
		}
	}
	return n
}
