package ledgertest

import (
	"time"

	"github.com/weirhq/weir"
)

func jobCases() []testCase {
	return []testCase{
		{"a job is kept as it was told", jobKept},
		{"silence unsays nothing", jobSilence},
		{"a terminal status never goes back", jobTerminal},
		{"an older answer changes no status", jobOlder},
		{"a job is first seen once, in order", jobSeq},
		{"a bound job is known at once, and bound once", jobBound},
		{"jobs are read by id", jobsByID},
		{"accounts share no jobs", jobsIsolated},
	}
}

func (f *fixture) fullJob(id string) weir.Job {
	at := f.now()
	return weir.Job{
		ID: id, Status: weir.JobRunning, RawStatus: "STARTED", UserID: "user", OrgID: "org", Title: "title <é>\x1b[2J",
		FileName: "clari_export_net_arr_2026_Q1_20261123_120000.json", FileType: "JSON", Currency: "USD",
		StartedAt: at.Add(-time.Minute), EndedAt: at.Add(-time.Second), ExpiresAt: at.Add(30 * 24 * time.Hour),
		RowsTruncated: true, CellsTruncated: true,
	}
}

func jobKept(f *fixture) {
	told := f.fullJob("job")
	f.see(false, told)
	want := told
	want.Seq, want.FirstSeen, want.LastSeen = 1, f.now(), f.now()
	f.equal(f.job("job"), want)

	f.advance(time.Second)
	told.Status, told.RawStatus, told.Title = weir.JobDone, "COMPLETED", "another title"
	told.ExportID, told.Seq, told.FirstSeen, told.ListedAt = 9, 9, f.now(), f.now() // not the server's to say
	f.see(false, told)
	want.Status, want.RawStatus, want.Title, want.LastSeen = weir.JobDone, "COMPLETED", "another title", f.now()
	f.equal(f.job("job"), want)
}

func jobSilence(f *fixture) {
	f.see(false, f.fullJob("job"))
	want := f.job("job")
	f.advance(time.Second)
	f.see(false, weir.Job{ID: "job"})
	want.LastSeen = f.now()
	f.equal(f.job("job"), want)
	f.see(true, weir.Job{Status: weir.JobDone}) // a job without an id is nothing
	all, err := f.l.Jobs(f.ctx, account)
	f.ok(err)
	f.equal(len(all), 1)
}

func jobTerminal(f *fixture) {
	for _, ended := range []weir.JobStatus{weir.JobDone, weir.JobFailed, weir.JobCancelled, weir.JobAborted} {
		id := "job " + string(ended)
		f.see(false, weir.Job{ID: id, Status: ended, RawStatus: "the end"})
		for _, later := range []weir.JobStatus{weir.JobQueued, weir.JobRunning, weir.JobUnrecognised, weir.JobDone, weir.JobFailed} {
			f.advance(time.Second)
			f.see(true, weir.Job{ID: id, Status: later, RawStatus: "later"})
			j := f.job(id)
			f.equal([]any{j.Status, j.RawStatus}, []any{ended, "the end"})
		}
	}
}

func jobOlder(f *fixture) {
	f.see(true, weir.Job{ID: "job", Status: weir.JobRunning})
	f.ok(f.l.SeeJobs(f.ctx, account, []weir.Job{{ID: "job", Status: weir.JobQueued}}, f.now().Add(-time.Second), false))
	f.equal([]any{f.job("job").Status, f.job("job").LastSeen}, []any{weir.JobRunning, f.now()})
	f.ok(f.l.SeeJobs(f.ctx, account, []weir.Job{{ID: "job", Status: weir.JobDone}}, f.now().Add(-time.Second), false))
	f.equal(f.job("job").Status, weir.JobDone)
}

func jobSeq(f *fixture) {
	e := f.planned()
	f.see(true, weir.Job{ID: "b"}, weir.Job{ID: "a"}, weir.Job{ID: "b"})
	f.ok(f.l.BindJob(f.ctx, account, e.ID, "c", f.now()))
	first := f.now()
	f.advance(time.Hour)
	f.see(true, weir.Job{ID: "d"}, weir.Job{ID: "a"}, weir.Job{ID: "c"})
	for seq, want := range map[int64][]string{-1: {"b", "a", "c", "d"}, 0: {"b", "a", "c", "d"}, 2: {"c", "d"}, 4: nil, 99: nil} {
		jobs, err := f.l.JobsSeenAfter(f.ctx, account, seq)
		f.ok(err)
		f.equal(ids(jobs), want)
	}
	all, err := f.l.JobsSeenAfter(f.ctx, account, 0)
	f.ok(err)
	for i, j := range all {
		f.equal(j.Seq, int64(i+1))
	}
	f.equal(f.job("a").FirstSeen, first)
	none, err := f.l.JobsSeenAfter(f.ctx, other, 0)
	f.ok(err)
	f.equal(len(none), 0)
}

func ids(jobs []weir.Job) []string {
	var all []string
	for _, j := range jobs {
		all = append(all, j.ID)
	}
	return all
}

func jobBound(f *fixture) {
	e, second := f.in(weir.Submitting), f.planned()
	before := f.export(e.ID)
	f.ok(f.l.BindJob(f.ctx, account, e.ID, "job", f.now()))
	f.equal(f.job("job"), weir.Job{ID: "job", Status: weir.JobQueued, ExportID: e.ID, Seq: 1, FirstSeen: f.now(), LastSeen: f.now()})
	f.equal(f.export(e.ID), before)

	f.ok(f.l.BindJob(f.ctx, account, second.ID, "job", f.now()))
	f.equal(f.job("job").ExportID, e.ID)
	f.advance(time.Second)
	f.see(true, weir.Job{ID: "job", Status: weir.JobUnrecognised, RawStatus: "PONDERING"}, weir.Job{ID: "listed", Status: weir.JobRunning})
	f.equal([]any{f.job("job").ExportID, f.job("job").Status}, []any{e.ID, weir.JobUnrecognised})

	for _, s := range states() { // a fact is kept whatever became of the export
		f.ok(f.l.BindJob(f.ctx, account, f.in(s).ID, "job in "+string(s), f.now()))
	}
	f.ok(f.l.BindJob(f.ctx, account, second.ID, "listed", f.now()))
	j := f.job("listed")
	f.equal([]any{j.ExportID, j.Status, j.ListedAt}, []any{second.ID, weir.JobRunning, f.now()})
}

func jobsByID(f *fixture) {
	f.see(true, weir.Job{ID: "c"}, weir.Job{ID: "a"}, weir.Job{ID: "b"})
	all, err := f.l.Jobs(f.ctx, account)
	f.ok(err)
	f.equal(ids(all), []string{"a", "b", "c"})
	some, err := f.l.Jobs(f.ctx, account, "c", "nowhere", "a", "c")
	f.ok(err)
	f.equal(ids(some), []string{"a", "c"})
}

func jobsIsolated(f *fixture) {
	f.see(true, weir.Job{ID: "a", Status: weir.JobRunning})
	f.ok(f.l.SeeJobs(f.ctx, other, []weir.Job{{ID: "a", Status: weir.JobDone}}, f.now(), false))
	f.equal(f.job("a").Status, weir.JobRunning)
	theirs, err := f.l.Jobs(f.ctx, other)
	f.ok(err)
	f.equal([]any{ids(theirs), theirs[0].Status, theirs[0].ListedAt}, []any{[]string{"a"}, weir.JobDone, time.Time{}})
	listed, err := f.l.ListedBefore(f.ctx, other, f.now())
	f.ok(err)
	f.equal(len(listed), 0)
	e := f.planned()
	if err := f.l.BindJob(f.ctx, other, e.ID, "b", f.now()); err == nil {
		f.Error("a job of one account was bound to an export of another")
	}
}
