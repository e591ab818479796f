package ledgertest

import (
	"fmt"
	"time"

	"github.com/weirhq/weir"
)

const day = 24 * time.Hour

func listingCases() []testCase {
	return []testCase{
		{"only a complete list lists", listComplete},
		{"a job that a list no longer holds keeps when it was listed", listGone},
		{"an older list takes nothing back", listOlder},
		{"listed jobs are expected until their result expires", listedBefore},
		{"listed jobs without an expiry are expected for 30 days", listedWithoutExpiry},
		{"a long list", listLong},
	}
}

func (f *fixture) listedBefore(at time.Time) []string {
	f.Helper()
	ids, err := f.l.ListedBefore(f.ctx, account, at)
	f.ok(err)
	return ids
}

func (f *fixture) lastListing() time.Time {
	f.Helper()
	at, err := f.l.LastListing(f.ctx, account)
	f.ok(err)
	return at
}

func listComplete(f *fixture) {
	f.see(false, weir.Job{ID: "polled"})
	f.equal(f.listedBefore(f.now()), []string(nil))
	f.equal([]time.Time{f.lastListing(), f.job("polled").ListedAt}, []time.Time{{}, {}})
	f.advance(time.Second)
	f.see(true, weir.Job{ID: "listed"})
	f.equal(f.lastListing(), f.now())
	f.equal(f.job("listed").ListedAt, f.now())
	f.equal(f.listedBefore(f.now()), []string{"listed"})
	f.advance(time.Second)
	f.see(true)
	f.equal(f.lastListing(), f.now())
}

func listGone(f *fixture) {
	f.see(true, weir.Job{ID: "stays", Status: weir.JobRunning}, weir.Job{ID: "goes", Status: weir.JobRunning})
	f.advance(time.Second)
	f.see(true, weir.Job{ID: "stays", Status: weir.JobRunning}, weir.Job{ID: "goes", Status: weir.JobRunning})
	second := f.now()
	f.advance(time.Second)
	f.see(true, weir.Job{ID: "stays", Status: weir.JobRunning})
	third := f.now()
	f.advance(time.Second)
	f.see(false, weir.Job{ID: "stays"})
	goes, stays := f.job("goes"), f.job("stays")
	f.equal([]time.Time{goes.ListedAt, goes.LastSeen}, []time.Time{second, second})
	f.equal([]time.Time{stays.ListedAt, stays.LastSeen}, []time.Time{third, f.now()})
	f.equal(f.listedBefore(f.now()), []string{"goes", "stays"})

	f.see(true, weir.Job{ID: "goes"}, weir.Job{ID: "stays"})
	f.equal(f.job("goes").ListedAt, f.now())
	f.equal(f.job("goes").Status, weir.JobRunning)
}

func listOlder(f *fixture) {
	f.see(true, weir.Job{ID: "a"})
	newest := f.now()
	f.ok(f.l.SeeJobs(f.ctx, account, []weir.Job{{ID: "b"}}, newest.Add(-time.Second), true))
	f.equal(f.lastListing(), newest)
	a, b := f.job("a"), f.job("b")
	f.equal([]time.Time{a.ListedAt, b.ListedAt}, []time.Time{newest, newest.Add(-time.Second)})
	f.ok(f.l.SeeJobs(f.ctx, account, []weir.Job{{ID: "a"}}, newest.Add(-time.Second), true))
	f.equal(f.job("a").ListedAt, newest)
	f.equal(f.listedBefore(newest), []string{"a", "b"})
}

func listedBefore(f *fixture) {
	start := f.now()
	f.see(true,
		weir.Job{ID: "soon", Status: weir.JobDone, ExpiresAt: start.Add(time.Hour)},
		weir.Job{ID: "later", Status: weir.JobDone, ExpiresAt: start.Add(2 * time.Hour)},
		weir.Job{ID: "gone", Status: weir.JobDone, ExpiresAt: start.Add(-time.Hour)},
	)
	f.equal(f.listedBefore(start), []string{"later", "soon"})
	f.equal(f.listedBefore(start.Add(time.Hour-time.Millisecond)), []string{"later", "soon"})
	f.equal(f.listedBefore(start.Add(time.Hour)), []string{"later"})
	f.see(false, weir.Job{ID: "soon", ExpiresAt: start.Add(3 * time.Hour)})
	f.equal(f.listedBefore(start.Add(2*time.Hour)), []string{"soon"})
	f.equal(f.listedBefore(start), []string{"later", "soon"})
}

func listedWithoutExpiry(f *fixture) {
	start := f.now()
	f.see(true,
		weir.Job{ID: "ended", Status: weir.JobDone, StartedAt: start.Add(-3 * day), EndedAt: start.Add(-2 * day)},
		weir.Job{ID: "long gone", Status: weir.JobDone, StartedAt: start.Add(-60 * day), EndedAt: start.Add(-60 * day)},
		weir.Job{ID: "seen", Status: weir.JobQueued},
		weir.Job{ID: "started", Status: weir.JobRunning, StartedAt: start.Add(-1 * day)},
	)
	f.equal(f.listedBefore(start), []string{"ended", "seen", "started"})
	f.equal(f.listedBefore(start.Add(28*day)), []string{"seen", "started"})
	f.equal(f.listedBefore(start.Add(29*day)), []string{"seen"})
	f.equal(f.listedBefore(start.Add(30*day)), []string(nil))
}

// listLong crosses every bound on how much one statement can name.
func listLong(f *fixture) {
	var jobs []weir.Job
	for i := range 1203 {
		jobs = append(jobs, weir.Job{ID: fmt.Sprintf("%024x", i), Status: weir.JobRunning})
	}
	f.see(true, jobs...)
	f.advance(time.Second)
	jobs[700].Status = weir.JobDone
	f.see(true, jobs...)
	got, err := f.l.Jobs(f.ctx, account, ids(jobs)...)
	f.ok(err)
	f.equal(len(got), len(jobs))
	for i, j := range got {
		if want := jobs[i].Status; j.Status != want || !j.ListedAt.Equal(f.now()) || j.Seq != int64(i+1) {
			f.Fatalf("job %d is %+v, want it %s and listed at %s", i, j, want, f.now())
		}
	}
	f.equal(len(f.listedBefore(f.now())), len(jobs))
}
