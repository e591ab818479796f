package ledgertest

import (
	"fmt"
	"time"

	"github.com/weirhq/weir"
)

func recordCases() []testCase {
	return []testCase{
		{"durations are the newest of each key, oldest first", durations},
		{"a duration is kept once per job", durationOnce},
		{"quota uses are dated by start, id or first sighting", quotaUses},
		{"a job's use moves with what is told of it", quotaUseMoves},
	}
}

func durations(f *fixture) {
	at := f.now()
	for i, minute := range []int{3, 1, 2, 4} {
		f.ok(f.l.SaveDuration(f.ctx, account, "forecast net_arr", fmt.Sprint(i), at.Add(time.Duration(minute)*time.Minute), time.Duration(minute)*time.Second))
	}
	f.ok(f.l.SaveDuration(f.ctx, account, "audit", "x", at, 1500*time.Millisecond))
	f.ok(f.l.SaveDuration(f.ctx, other, "audit", "x", at, time.Hour))
	got, err := f.l.Durations(f.ctx, account, 3)
	f.ok(err)
	f.equal(got, map[string][]time.Duration{
		"forecast net_arr": {2 * time.Second, 3 * time.Second, 4 * time.Second},
		"audit":            {1500 * time.Millisecond},
	})
	got, err = f.l.Durations(f.ctx, account, 10)
	f.ok(err)
	f.equal(len(got["forecast net_arr"]), 4)
	got, err = f.l.Durations(f.ctx, account, 0)
	f.ok(err)
	f.equal(len(got), 0)
	got, err = f.l.Durations(f.ctx, "nobody", 3)
	f.ok(err)
	f.equal(len(got), 0)
}

func durationOnce(f *fixture) {
	f.ok(f.l.SaveDuration(f.ctx, account, "key", "job", f.now(), time.Second))
	f.ok(f.l.SaveDuration(f.ctx, account, "key", "job", f.now().Add(time.Hour), time.Minute))
	f.ok(f.l.SaveDuration(f.ctx, account, "another key", "job", f.now(), time.Minute))
	got, err := f.l.Durations(f.ctx, account, 10)
	f.ok(err)
	f.equal(got, map[string][]time.Duration{"key": {time.Second}})
}

func (f *fixture) uses(since time.Time) []time.Time {
	f.Helper()
	uses, err := f.l.QuotaUses(f.ctx, account, since)
	f.ok(err)
	return uses
}

// idAt is a job id made at that instant.
func idAt(at time.Time, n int) string { return fmt.Sprintf("%08x%016x", at.Unix(), n) }

func quotaUses(f *fixture) {
	e, now := f.planned(), f.now()
	bind := func(j weir.Job) {
		f.ok(f.l.BindJob(f.ctx, account, e.ID, j.ID, now))
		f.see(false, j)
	}
	bind(weir.Job{ID: idAt(now.Add(-9*day), 1), Status: weir.JobDone, StartedAt: now.Add(-5 * day)}) // by its start
	bind(weir.Job{ID: idAt(now.Add(-4*day), 2), Status: weir.JobRunning})                            // by its id
	bind(weir.Job{ID: idAt(now.Add(-40*day), 3), Status: weir.JobRunning})                           // its id is too old to be true
	bind(weir.Job{ID: "no id that says when", Status: weir.JobFailed})
	bind(weir.Job{ID: idAt(now.Add(-3*day), 4), Status: weir.JobCancelled})
	bind(weir.Job{ID: idAt(now.Add(-2*day), 5), Status: weir.JobAborted})
	f.see(true, weir.Job{ID: idAt(now.Add(-day), 6), Status: weir.JobDone}) // not ours
	want := []time.Time{now.Add(-5 * day), now.Add(-4 * day), now.Add(-2 * day), now, now}
	for i := range want[:3] {
		want[i] = want[i].Truncate(time.Millisecond)
	}
	want[1], want[2] = want[1].Truncate(time.Second), want[2].Truncate(time.Second)
	f.equal(f.uses(now.Add(-30*day)), want)
	f.equal(f.uses(now.Add(-5*day)), want)
	f.equal(f.uses(now.Add(-5*day+time.Millisecond)), want[1:])
	f.equal(f.uses(now.Add(time.Millisecond)), []time.Time(nil))
}

func quotaUseMoves(f *fixture) {
	e, now := f.planned(), f.now()
	f.ok(f.l.BindJob(f.ctx, account, e.ID, "job", now))
	f.equal(f.uses(time.Time{}), []time.Time{now})
	f.advance(time.Minute)
	f.see(false, weir.Job{ID: "job", Status: weir.JobRunning, StartedAt: now.Add(2 * time.Second)})
	f.equal(f.uses(time.Time{}), []time.Time{now.Add(2 * time.Second)})
	f.see(false, weir.Job{ID: "job", Status: weir.JobCancelled})
	f.equal(f.uses(time.Time{}), []time.Time(nil))
}
