package ledgertest

import (
	"sync"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

func cursorCases() []testCase {
	return []testCase{
		{"direct/an export without a job begins ready", directBegins},
		{"since last/spans touch, and none overlaps", sinceTouches},
		{"since last/what is on its way is joined", sinceJoins},
		{"since last/what did not land is asked for again", sinceAgain},
		{"since last/each place has a cursor of its own", sincePlaces},
		{"since last/of many that ask one makes a span", sinceRace},
		{"since last/one format at a time", sinceFormats},
	}
}

func (f *fixture) sinceLast(format string) ledger.Wish {
	w := f.wishFor(weir.Request{Kind: weir.Audit, Direct: true})
	w.Formats, w.SinceLast = []string{format}, true
	return w
}

// arrives lands a delivery.
func (f *fixture) arrives(d weir.Delivery) {
	f.Helper()
	f.finished(d, ledger.Outcome{State: weir.DeliveryLanded, Manifest: "m", Rows: 1, SnapshotAt: f.now()})
}

func (f *fixture) finished(d weir.Delivery, o ledger.Outcome) {
	f.Helper()
	claim, err := f.l.Claim(f.ctx, d.ID, "me", f.now())
	f.ok(err)
	_, err = f.l.FinishDelivery(f.ctx, claim, o, f.cause("a test"))
	f.ok(err)
}

func (f *fixture) cursor(format string) time.Time {
	f.Helper()
	at, err := f.l.Cursor(f.ctx, account, dest, format, weir.Request{Kind: weir.Audit})
	f.ok(err)
	return at
}

func directBegins(f *fixture) {
	w := f.wishFor(weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Direct: true})
	w.Secondary = true
	g := f.grant(w)
	f.equal(g.Export.State, weir.Ready)
	f.equal(g.Deliveries[0].Primary, false)
	w.Destination = "/elsewhere"
	f.equal(f.grant(w).Export.ID, g.Export.ID) // the same command, one more place
	w.AsOf = w.AsOf.Add(time.Second)
	f.equal(f.grant(w).Export.ID == g.Export.ID, false) // what was asked for earlier may be older
	deliverable, err := f.l.Deliverable(f.ctx, account, f.now())
	f.ok(err)
	f.equal(len(deliverable), 3)
}

func sinceTouches(f *fixture) {
	first := f.grant(f.sinceLast("parquet"))
	since, last := first.Export.Request.Span()
	f.equal(first.Export.State, weir.Ready)
	f.equal(f.now().Sub(since) >= 30*24*time.Hour && f.now().Sub(since) < 31*24*time.Hour, true)
	f.equal(f.now().Sub(last) > time.Minute, true)
	f.equal(f.cursor("parquet").IsZero(), true)
	f.arrives(first.Deliveries[0])
	f.equal(f.cursor("parquet").Equal(last.Add(time.Millisecond)), true)

	again := f.grant(f.sinceLast("parquet")) // at once: there is nothing to ask for yet
	f.equal(again.Export.ID, first.Export.ID)
	f.equal(again.Joined, true)
	f.equal(again.Deliveries[0].State, weir.DeliveryLanded)

	f.advance(time.Hour)
	second := f.grant(f.sinceLast("parquet"))
	from, until := second.Export.Request.Span()
	f.equal(from.Equal(last.Add(time.Millisecond)), true)
	f.equal(until.Sub(last), time.Hour)
}

func sinceJoins(f *fixture) {
	first := f.grant(f.sinceLast("parquet"))
	f.advance(time.Hour)
	joined := f.grant(f.sinceLast("parquet"))
	f.equal(joined.Export.ID, first.Export.ID)
	f.equal(joined.Joined, true)
	f.equal(joined.Deliveries, first.Deliveries)
}

// sinceAgain: an export that was given up or refused moved no cursor, and files
// that are fetched again move it nowhere.
func sinceAgain(f *fixture) {
	first := f.grant(f.sinceLast("parquet"))
	f.finished(first.Deliveries[0], ledger.Outcome{State: weir.DeliveryFailed, Failure: &weir.Failure{Code: "x", Message: "y"}})
	f.equal(f.cursor("parquet").IsZero(), true)
	f.advance(time.Hour)
	second := f.grant(f.sinceLast("parquet"))
	f.arrives(second.Deliveries[0])
	reached := f.cursor("parquet")
	f.advance(time.Hour)
	third := f.grant(f.sinceLast("parquet"))
	f.arrives(third.Deliveries[0])
	f.ok(f.l.ReopenDelivery(f.ctx, second.Deliveries[0].ID, f.cause("its files are gone")))
	f.arrives(second.Deliveries[0])
	f.equal(f.cursor("parquet").Sub(reached), time.Hour)
}

func sincePlaces(f *fixture) {
	both, err := f.l.Wish(f.ctx, f.now(), []ledger.Wish{f.sinceLast("parquet"), f.sinceLast("csv")})
	f.ok(err)
	f.equal(both[0].Export.ID, both[1].Export.ID) // one span, read once
	f.arrives(both[0].Deliveries[0])
	f.equal(f.cursor("parquet").IsZero(), false)
	f.equal(f.cursor("csv").IsZero(), true)
	f.advance(time.Hour)
	next := f.grant(f.sinceLast("parquet"))
	f.equal(next.Export.ID == both[0].Export.ID, false)
	f.equal(f.grant(f.sinceLast("csv")).Export.ID, both[1].Export.ID)
	elsewhere := f.sinceLast("parquet")
	elsewhere.Destination = "/elsewhere"
	since, _ := f.grant(elsewhere).Export.Request.Span()
	from, _ := next.Export.Request.Span()
	f.equal(since.Before(from), true)
}

func sinceRace(f *fixture) {
	w := f.sinceLast("parquet")
	var ids sync.Map
	var servers sync.WaitGroup
	for i := range 8 {
		asked := w
		asked.AsOf = w.AsOf.Add(time.Duration(i) * time.Minute)
		servers.Go(func() {
			if granted, err := f.l.Wish(f.ctx, asked.AsOf, []ledger.Wish{asked}); err == nil {
				ids.Store(granted[0].Export.ID, true)
			}
		})
	}
	servers.Wait()
	exports, err := f.l.ListExports(f.ctx, ledger.Filter{Account: account})
	f.ok(err)
	_, only := ids.Load(exports[0].ID)
	f.equal(len(exports), 1)
	f.equal(only, true)
}

func sinceFormats(f *fixture) {
	w := f.sinceLast("parquet")
	w.Formats = []string{"parquet", "csv"}
	if _, err := f.l.Wish(f.ctx, f.now(), []ledger.Wish{w}); err == nil {
		f.Error("two formats shared a cursor")
	}
}
