package ledgertest

import (
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

func wishCases() []testCase {
	return []testCase{
		{"a wish makes a planned export with open deliveries", wishNew},
		{"which export serves a wish", wishTable},
		{"instants are compared as they are kept", wishMillis},
		{"like wishes in one call share an export", wishSameCall},
		{"wishes are recorded all or none", wishAllOrNone},
		{"accounts share no exports", wishIsolated},
		{"joining an unsent export takes the stricter of both", wishJoinStricter},
		{"a landed export serves within fresh", wishFresh},
		{"the job's end dates a snapshot", wishFreshByJob},
		{"one more place reopens a landed export", wishReopens},
		{"one format at each destination is primary", wishPrimary},
	}
}

func wishNew(f *fixture) {
	w := f.wishFor(weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: "2026_Q1", Types: []string{"quota", "forecast"}, Currency: "USD"})
	w.Rank, w.Fresh, w.NoAdopt, w.JobsAllowed = weir.RankScheduled, time.Hour, true, 2
	w.Formats, w.CSVSafe = []string{"parquet", "csv"}, true
	g := f.grant(w)
	now := f.now()
	f.equal(g.Joined, false)
	f.equal(g.Export, weir.Export{
		ID: g.Export.ID, Account: account, Request: w.Request, Fingerprint: w.Request.Fingerprint(), State: weir.Planned,
		Rank: weir.RankScheduled, AsOf: w.AsOf, CreatedAt: now, ChangedAt: now, JobsAllowed: 2, Fresh: time.Hour, NoAdopt: true,
	})
	f.equal(f.export(g.Export.ID), g.Export)
	f.equal(g.Deliveries, []weir.Delivery{
		{ID: g.Deliveries[0].ID, ExportID: g.Export.ID, Destination: dest, Format: "parquet", Primary: true, CSVSafe: true, State: weir.DeliveryOpen},
		{ID: g.Deliveries[1].ID, ExportID: g.Export.ID, Destination: dest, Format: "csv", CSVSafe: true, State: weir.DeliveryOpen},
	})
	f.equal(f.deliveries(g.Export), g.Deliveries)
}

// wishTable is the coalescing table: an export in some state, submitted some
// time before or after the wish's instant, and whether it serves the wish.
func wishTable(f *fixture) {
	const early, late = -time.Minute, time.Minute
	for _, test := range []struct {
		name  string
		state weir.State
		asOf  time.Duration // the wish's instant, from the submission
		serve bool
	}{
		{"not yet submitted", weir.Planned, late, true},
		{"submitted after the wish's instant", weir.Submitting, early, true},
		{"submitted at the wish's instant", weir.Submitting, 0, true},
		{"submitted before it", weir.Submitting, late, false},
		{"unknown since after it", weir.Unknown, early, true},
		{"unknown since before it", weir.Unknown, late, false},
		{"running since after it", weir.Running, early, true},
		{"running since before it", weir.Running, late, false},
		{"ready, submitted after it", weir.Ready, early, true},
		{"ready, submitted before it", weir.Ready, late, false},
		{"landed", weir.Landed, early, false},
		{"rejected", weir.Rejected, early, false},
		{"failed", weir.Failed, early, false},
		{"cancelled", weir.Cancelled, early, false},
	} {
		e := f.in(test.state)
		w := f.wishFor(e.Request)
		w.AsOf = f.now().Add(test.asOf)
		g := f.grant(w)
		if served := g.Export.ID == e.ID; served != test.serve || g.Joined != test.serve {
			f.Errorf("%s: served %t (joined %t), want %t", test.name, served, g.Joined, test.serve)
		}
	}
	e, now := f.in(weir.Running), f.now()
	_, err := f.l.Amend(f.ctx, weir.Lease{}, e.ID, weir.Running, func(e *weir.Export) { e.CancelRequestedAt = now })
	f.ok(err)
	if g := f.grant(f.wishFor(e.Request)); g.Joined {
		f.Error("an export that somebody wants cancelled served a new wish")
	}
}

func wishMillis(f *fixture) {
	e := f.in(weir.Running)
	w := f.wishFor(e.Request)
	w.AsOf = e.SubmittedAt.Add(999 * time.Microsecond)
	f.equal(f.grant(w).Export.ID, e.ID)
}

func wishSameCall(f *fixture) {
	w := f.wishFor(f.request())
	elsewhere, unlike := w, f.wishFor(f.request())
	elsewhere.Destination = "s3://bucket/clari"
	granted, err := f.l.Wish(f.ctx, f.now(), []ledger.Wish{w, unlike, elsewhere, w})
	f.ok(err)
	f.equal(len(granted), 4)
	id := granted[0].Export.ID
	f.equal([]bool{granted[1].Export.ID != id, granted[2].Export.ID == id, granted[3].Export.ID == id}, []bool{true, true, true})
	f.equal([]bool{granted[0].Joined, granted[1].Joined, granted[2].Joined, granted[3].Joined}, make([]bool, 4))
	f.equal(granted[3].Deliveries, granted[0].Deliveries)
	f.equal(granted[2].Deliveries[0].Destination, "s3://bucket/clari")
	f.equal(len(f.deliveries(granted[0].Export)), 2)
}

func wishAllOrNone(f *fixture) {
	unknown, noFormat := f.wishFor(f.request()), f.wishFor(f.request())
	unknown.Account, noFormat.Formats = "nobody", nil
	_, err := f.l.Wish(f.ctx, f.now(), []ledger.Wish{f.wishFor(f.request()), unknown})
	f.is(err, ledger.ErrNotFound)
	if _, err := f.l.Wish(f.ctx, f.now(), []ledger.Wish{f.wishFor(f.request()), noFormat}); err == nil {
		f.Error("a wish for no format was granted")
	}
	all, err := f.l.ListExports(f.ctx, ledger.Filter{})
	f.ok(err)
	f.equal(len(all), 0)
	none, err := f.l.Wish(f.ctx, f.now(), nil)
	f.ok(err)
	f.equal(len(none), 0)
}

func wishIsolated(f *fixture) {
	w := f.wishFor(f.request())
	mine := f.grant(w)
	w.Account = other
	theirs := f.grant(w)
	if theirs.Joined || theirs.Export.ID == mine.Export.ID {
		f.Error("an export of another account served a wish")
	}
}

func wishJoinStricter(f *fixture) {
	w := f.wishFor(f.request())
	w.Rank, w.Fresh = weir.RankBackfill, time.Hour
	first := f.grant(w).Export
	later := w
	later.Rank, later.Fresh, later.NoAdopt, later.AsOf = weir.RankScheduled, time.Minute, true, w.AsOf.Add(time.Second)
	joined := f.grant(later).Export
	want := first
	want.Rank, want.Fresh, want.NoAdopt, want.AsOf = later.Rank, later.Fresh, true, later.AsOf
	f.equal(joined, want)
	f.equal(f.grant(w).Export, want)
	f.equal(f.export(first.ID), want)

	submitted := f.move(want, weir.Submit(f.cause("x"), 1))
	w.Rank = weir.RankScheduled
	f.equal(f.grant(w).Export, submitted)
}

func wishFresh(f *fixture) {
	e := f.in(weir.Landed)
	landed := f.deliveries(e)
	f.advance(time.Hour)
	w := f.wishFor(e.Request)
	w.Fresh = time.Hour
	g := f.grant(w)
	f.equal([]any{g.Export, g.Joined}, []any{e, true})
	f.equal(g.Deliveries, landed)
	f.advance(time.Millisecond)
	w.AsOf = f.now()
	if g := f.grant(w); g.Joined {
		f.Error("a snapshot older than fresh served a wish")
	}
}

func wishFreshByJob(f *fixture) {
	e := f.planned()
	f.bring(e, weir.Running)
	jobID := f.export(e.ID).JobID
	f.see(false, weir.Job{ID: jobID, Status: weir.JobDone, EndedAt: f.now().Add(-time.Hour)})
	f.move(e, weir.Finish(f.cause("done")))
	e = f.land(f.export(e.ID))
	w := f.wishFor(e.Request)
	w.Fresh = time.Hour - time.Millisecond
	if g := f.grant(w); g.Joined {
		f.Error("a snapshot was dated by when DONE was seen, not by the job's end")
	}

	newer := f.in(weir.Landed)
	jobs := weir.Job{ID: newer.JobID, Status: weir.JobDone, EndedAt: f.now().Add(time.Minute)}
	f.see(false, jobs) // the server's clock runs ahead
	w = f.wishFor(newer.Request)
	w.Fresh = time.Second
	f.advance(time.Minute)
	f.equal(f.grant(w).Export.ID, newer.ID)
}

func wishReopens(f *fixture) {
	e := f.in(weir.Landed)
	w := f.wishFor(e.Request)
	w.Fresh, w.Formats = time.Hour, []string{"csv", "parquet"}
	g := f.grant(w)
	f.equal([]any{g.Export.ID, g.Export.State, g.Joined}, []any{e.ID, weir.Ready, true})
	f.equal([]weir.DeliveryState{g.Deliveries[0].State, g.Deliveries[1].State}, []weir.DeliveryState{weir.DeliveryOpen, weir.DeliveryLanded})
	f.equal(f.export(e.ID), g.Export)
	history, err := f.l.History(f.ctx, e.ID)
	f.ok(err)
	last := history[len(history)-1]
	f.equal([]weir.State{last.From, last.To}, []weir.State{weir.Landed, weir.Ready})
	f.equal(f.land(g.Export).State, weir.Landed)
}

func wishPrimary(f *fixture) {
	w := f.wishFor(f.request())
	w.Formats = []string{"csv", "parquet"}
	e := f.grant(w).Export
	w.Formats = []string{"jsonl"}
	f.grant(w)
	w.Destination = "/elsewhere"
	f.grant(w)
	var primary []string
	for _, d := range f.deliveries(e) {
		if d.Primary {
			primary = append(primary, d.Destination+" "+d.Format)
		}
	}
	f.equal(primary, []string{dest + " csv", "/elsewhere jsonl"})
}
