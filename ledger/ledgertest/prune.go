package ledgertest

import (
	"fmt"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

func pruneCases() []testCase {
	return []testCase{
		{"prune/what ended goes with its history and deliveries, what is open stays", pruneEnded},
		{"prune/the newest landed export of each request stays", pruneLanded},
		{"prune/a landed export of a span goes when it is old", pruneSpans},
		{"prune/a batch is bounded, the oldest first", pruneBatch},
		{"prune/what somebody reopened stays", pruneReopened},
		{"prune/a job stays while anything rests on it", pruneJobs},
		{"prune/a listed job stays, however old", pruneListed},
		{"prune/numbers are not given again", pruneNumbers},
		{"prune/the newest durations stay", pruneDurations},
		{"prune/a cursor outlives the export that moved it", pruneCursor},
	}
}

// long is longer than anything is kept for its own sake.
const long = 100 * 24 * time.Hour

// prune deletes what is older than an instant, in small batches.
func (f *fixture) prune(before time.Time) (all ledger.Pruned) {
	f.Helper()
	for {
		p, err := f.l.Prune(f.ctx, before, 3)
		f.ok(err)
		if !p.Any() {
			return all
		}
		all = all.Add(p)
	}
}

// exports are the ids of all that is left.
func (f *fixture) exports() []int64 {
	f.Helper()
	all, err := f.l.ListExports(f.ctx, ledger.Filter{})
	f.ok(err)
	return exportIDs(all)
}

func (f *fixture) jobIDs() []string {
	f.Helper()
	all, err := f.l.Jobs(f.ctx, account)
	f.ok(err)
	return ids(all)
}

func pruneEnded(f *fixture) {
	kept := map[int64][]any{}
	var gone []weir.Export
	var theirs []weir.Delivery
	all := func(e weir.Export) []any {
		history, err := f.l.History(f.ctx, e.ID)
		f.ok(err)
		return []any{f.export(e.ID), history, f.deliveries(e)}
	}
	for _, s := range states() {
		e := f.in(s)
		if s.Open() || s == weir.Landed {
			kept[e.ID] = all(e)
			continue
		}
		gone, theirs = append(gone, e), append(theirs, f.deliveries(e)...)
	}
	f.equal(f.prune(f.now()), ledger.Pruned{}) // nothing ended before it
	f.equal(f.prune(f.now().Add(time.Second)).Exports, int64(len(gone)))
	for _, e := range gone {
		_, err := f.l.Export(f.ctx, e.ID)
		f.is(err, ledger.ErrNotFound)
		history, err := f.l.History(f.ctx, e.ID)
		f.ok(err)
		like, err := f.l.ListExports(f.ctx, ledger.Filter{Account: account, Fingerprint: e.Fingerprint})
		f.ok(err)
		f.equal([]int{len(history), len(f.deliveries(e)), len(like)}, []int{0, 0, 0})
		f.equal(f.grant(f.wishFor(e.Request)).Joined, false)
	}
	for _, d := range theirs {
		_, err := f.l.Delivery(f.ctx, d.ID)
		f.is(err, ledger.ErrNotFound)
	}
	for id, before := range kept {
		f.equal(all(weir.Export{ID: id}), before)
	}
}

func pruneLanded(f *fixture) {
	tab, beside := f.request(), f.request()
	f.landedAs(tab)
	only := f.landedAs(beside)
	newest := f.landedAs(tab)
	f.advance(time.Second)
	f.bring(f.grant(f.wishFor(tab)).Export, weir.Failed) // newer, and no snapshot
	f.advance(long)
	f.prune(f.now())
	f.equal(f.exports(), []int64{only.ID, newest.ID})
	w := f.wishFor(tab)
	w.Fresh = 2 * long
	f.equal(f.grant(w).Export.ID, newest.ID)
}

func pruneSpans(f *fixture) {
	spans := weir.Request{Kind: weir.Audit, Since: "2026-01-01", Until: "2026-01-31"}
	old := f.landedAs(spans)
	tab := f.landedAs(f.request())
	last := f.grant(f.sinceLast("parquet"))
	f.arrives(last.Deliveries[0])
	f.equal(f.export(last.Export.ID).State, weir.Landed)
	f.advance(long)
	before := f.now()
	spans.Since, spans.Until = "2026-02-01", "2026-02-28"
	young := f.landedAs(spans)
	f.prune(before)
	f.equal(f.exports(), []int64{tab.ID, young.ID})
	_, err := f.l.Export(f.ctx, old.ID)
	f.is(err, ledger.ErrNotFound)
}

func pruneBatch(f *fixture) {
	var ended []int64
	for range 4 {
		f.advance(time.Second)
		ended = append(ended, f.in(weir.Cancelled).ID)
	}
	f.advance(time.Second)
	p, err := f.l.Prune(f.ctx, f.now(), 3)
	f.ok(err)
	f.equal(p.Exports, int64(3))
	f.equal(f.exports(), ended[3:])
}

func pruneReopened(f *fixture) {
	e := f.in(weir.Failed)
	f.advance(long)
	again := f.move(e, weir.Retry(f.cause("a person asked"), weir.Failed, 2, ""))
	f.prune(f.now().Add(time.Second))
	f.equal(f.export(e.ID), again)
	history, err := f.l.History(f.ctx, e.ID)
	f.ok(err)
	f.equal(len(history) > 1, true)
}

// pruneJobs: of jobs that no list shows, those of open exports stay, by whichever
// end they are tied, and the last that was ours.
func pruneJobs(f *fixture) {
	ended, open, bound := f.in(weir.Cancelled), f.in(weir.Submitting), f.in(weir.Running)
	f.see(false, weir.Job{ID: "foreign"})
	f.ok(f.l.BindJob(f.ctx, account, ended.ID, "ended", f.now()))
	f.ok(f.l.BindJob(f.ctx, account, ended.ID, "named", f.now()))
	f.move(open, weir.Accept(f.cause("adopted"), "named"))
	f.ok(f.l.BindJob(f.ctx, account, bound.ID, "bound", f.now()))
	f.ok(f.l.BindJob(f.ctx, account, ended.ID, "last", f.now()))
	f.advance(long)
	f.prune(f.now())
	f.equal(f.jobIDs(), []string{"bound", "last", "named"})
	f.equal(f.exports(), []int64{open.ID, bound.ID})
	f.equal(f.uses(f.now().Add(-2*long)), []time.Time{f.now().Add(-long), f.now().Add(-long), f.now().Add(-long)})
}

func pruneListed(f *fixture) {
	f.see(true, weir.Job{ID: "listed"}, weir.Job{ID: "vanished"}, weir.Job{ID: "kept", ExpiresAt: f.now().Add(2 * long)})
	f.advance(time.Minute)
	f.see(true, weir.Job{ID: "listed"})
	f.advance(time.Hour)
	f.see(false, weir.Job{ID: "late"}) // no list, an answer
	f.advance(long)
	f.equal(f.prune(f.now().Add(-long-time.Minute)).Jobs, int64(0)) // results may be there for 30 days
	f.equal(f.prune(f.now()).Jobs, int64(2))
	f.equal(f.jobIDs(), []string{"kept", "listed"}) // a complete list must hold both
	f.equal(f.listedBefore(f.now()), []string{"kept"})
}

// pruneNumbers: what comes later is told from what came before by its number
// alone.
func pruneNumbers(f *fixture) {
	ended := f.in(weir.Cancelled)
	f.see(false, weir.Job{ID: "a"}, weir.Job{ID: "b"}, weir.Job{ID: "c"})
	intent := f.in(weir.Submitting)
	f.advance(long)
	f.see(false, weir.Job{ID: "b"})
	f.prune(f.now())
	f.equal(f.jobIDs(), []string{"b"})
	f.see(false, weir.Job{ID: "c"}) // forgotten, so a new one
	f.see(false, weir.Job{ID: "d"})
	f.equal([]int64{f.job("b").Seq, f.job("c").Seq, f.job("d").Seq}, []int64{2, 4, 5})
	for seq, want := range map[int64][]string{0: {"b", "c", "d"}, 1: {"b", "c", "d"}, 2: {"c", "d"}, 3: {"c", "d"}, 4: {"d"}, 5: nil} {
		jobs, err := f.l.JobsSeenAfter(f.ctx, account, seq)
		f.ok(err)
		f.equal(ids(jobs), want)
	}
	later := f.in(weir.Submitting)
	f.equal([]int64{intent.IntentSeq, later.IntentSeq}, []int64{3, 5})
	f.equal(slices.Contains(f.exports(), ended.ID), false)
	f.equal(later.ID > ended.ID, true)
}

func pruneDurations(f *fixture) {
	for i := range 60 {
		at := f.now().Add(time.Duration(i) * time.Second)
		f.ok(f.l.SaveDuration(f.ctx, account, "often", fmt.Sprint("often", i), at, time.Duration(i)*time.Second))
	}
	f.ok(f.l.SaveDuration(f.ctx, account, "seldom", "seldom", f.now(), time.Second))
	f.equal(f.prune(f.now().Add(5*time.Second)).Durations, int64(5))
	f.equal(f.prune(f.now().Add(long)).Durations, int64(5))
	left, err := f.l.Durations(f.ctx, account, 100)
	f.ok(err)
	f.equal([]int{len(left["often"]), len(left["seldom"])}, []int{50, 1})
	f.equal(left["often"][0], 10*time.Second)
}

// pruneCursor: one place has landed its events, another gave up, so that the
// export failed. Its cursor says enough.
func pruneCursor(f *fixture) {
	both, err := f.l.Wish(f.ctx, f.now(), []ledger.Wish{f.sinceLast("parquet"), f.sinceLast("csv")})
	f.ok(err)
	f.arrives(both[0].Deliveries[0])
	f.finished(both[1].Deliveries[0], ledger.Outcome{State: weir.DeliveryFailed, Failure: &weir.Failure{Code: "x", Message: "y"}})
	f.equal(f.export(both[0].Export.ID).State, weir.Failed)
	reached := f.cursor("parquet")
	f.prune(f.now().Add(time.Second))
	f.equal(f.exports(), []int64{})
	f.equal(f.cursor("parquet"), reached)
	again := f.grant(f.sinceLast("parquet")) // there is nothing to ask for yet
	f.equal([]any{again.Joined, again.Export.ID, again.Export.State}, []any{true, int64(0), weir.Landed})
	f.advance(time.Hour)
	since, _ := f.grant(f.sinceLast("parquet")).Export.Request.Span()
	f.equal(since.Equal(reached), true)
}
