package ledgertest

import (
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

func pastCases() []testCase {
	return []testCase{
		{"what moved since an instant, the last first", recentExports},
		{"exports are leafed through by page and state", pages},
		{"of each request what landed last", latestLanded},
		{"histories and deliveries of several exports", ofSeveral},
	}
}

func exportIDs(exports []weir.Export) []int64 {
	all := []int64{}
	for _, e := range exports {
		all = append(all, e.ID)
	}
	return all
}

// landed is an export of a request that has landed, a second later than
// whatever was before.
func (f *fixture) landedAs(r weir.Request) weir.Export {
	f.Helper()
	f.advance(time.Second)
	e := f.bring(f.grant(f.wishFor(r)).Export, weir.Ready)
	return f.finish(f.claim(f.deliveries(e)[0].ID), f.landed())
}

func recentExports(f *fixture) {
	recent := func(since time.Time, limit int, want ...int64) {
		f.Helper()
		got, err := f.l.RecentExports(f.ctx, account, since, limit)
		f.ok(err)
		f.equal(exportIDs(got), append([]int64{}, want...))
	}
	first := f.planned()
	f.planned() // never moves
	third := f.planned()
	begin := f.now()
	recent(begin, 9)
	f.advance(time.Second)
	f.bring(third, weir.Running)
	f.advance(time.Second)
	f.move(first, weir.Drop(f.cause("no longer wanted")))
	recent(begin, 9, first.ID, third.ID)
	recent(begin, 1, first.ID)
	recent(f.now(), 9, first.ID)
	recent(f.now().Add(time.Second), 9)
	got, err := f.l.RecentExports(f.ctx, "another", begin, 9)
	f.ok(err)
	f.equal(len(got), 0)
}

func pages(f *fixture) {
	page := func(p ledger.Page, want ...int64) {
		f.Helper()
		got, err := f.l.ListPage(f.ctx, p)
		f.ok(err)
		f.equal(exportIDs(got), append([]int64{}, want...))
	}
	a, b, c := f.planned(), f.planned(), f.planned()
	f.move(b, weir.Drop(f.cause("no longer wanted")))
	page(ledger.Page{Limit: 2}, c.ID, b.ID)
	page(ledger.Page{Account: account, Limit: 2, Before: b.ID}, a.ID)
	page(ledger.Page{Account: account, Limit: 9, State: weir.Cancelled}, b.ID)
	page(ledger.Page{Account: account, Limit: 9, State: weir.Planned, Before: c.ID}, a.ID)
	page(ledger.Page{Account: "another", Limit: 9})
}

func latestLanded(f *fixture) {
	tab, other := f.request(), f.request()
	old := f.landedAs(tab)
	beside := f.landedAs(other)
	fresh := f.landedAs(tab)
	f.planned()
	f.advance(time.Second)
	f.grant(f.wishFor(tab)) // wanted anew, and not landed yet
	latest := func(limit int, want ...int64) {
		f.Helper()
		got, err := f.l.LatestLanded(f.ctx, account, limit)
		f.ok(err)
		f.equal(exportIDs(got), append([]int64{}, want...))
	}
	latest(9, fresh.ID, beside.ID)
	latest(1, fresh.ID)
	like, err := f.l.LandedLike(f.ctx, account, fresh.Fingerprint, 9)
	f.ok(err)
	f.equal(exportIDs(like), []int64{fresh.ID, old.ID})
	like, err = f.l.LandedLike(f.ctx, account, fresh.Fingerprint, 1)
	f.ok(err)
	f.equal(exportIDs(like), []int64{fresh.ID})
	f.equal(like[0], f.export(fresh.ID))
}

func ofSeveral(f *fixture) {
	a, b := f.planned(), f.ready("parquet", "csv")
	histories, err := f.l.HistoryOf(f.ctx, b.ID, a.ID, b.ID+100)
	f.ok(err)
	one, err := f.l.History(f.ctx, b.ID)
	f.ok(err)
	f.equal(histories, map[int64][]weir.Event{b.ID: one})
	deliveries, err := f.l.DeliveriesOfEach(f.ctx, a.ID, b.ID, b.ID+100)
	f.ok(err)
	f.equal(deliveries, map[int64][]weir.Delivery{a.ID: f.deliveries(a), b.ID: f.deliveries(b)})
	none, err := f.l.DeliveriesOfEach(f.ctx)
	f.ok(err)
	f.equal(len(none), 0)
}
