package ledgertest

import (
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

func moveCases() []testCase {
	var all []testCase
	for _, s := range states() {
		all = append(all,
			testCase{"illegal moves from " + string(s), func(f *fixture) { illegalFrom(f, s) }},
			testCase{"legal moves from " + string(s), func(f *fixture) { legalFrom(f, s) }},
		)
	}
	return append(all,
		testCase{"every legal move is tried", everyMove},
		testCase{"a move that no table holds is illegal", moveNotInTable},
		testCase{"an export that is not there", exportMissing},
		testCase{"history is in order", historyOrder},
		testCase{"landing while a delivery is open is stale", landTooEarly},
		testCase{"intent and absence remember the jobs seen by then", moveMarksSeq},
	)
}

func illegalFrom(f *fixture, s weir.State) {
	e := f.in(s)
	before, deliveries := f.export(e.ID), f.deliveries(e)
	history, err := f.l.History(f.ctx, e.ID)
	f.ok(err)
	for name, t := range f.transitions() {
		if t.From == s {
			continue
		}
		if _, err := f.l.Move(f.ctx, weir.Lease{}, e.ID, t); err == nil {
			f.Errorf("%s passed from %s", name, s)
		} else {
			f.is(err, ledger.ErrStale)
		}
	}
	f.equal(f.export(e.ID), before)
	f.equal(f.deliveries(e), deliveries)
	after, err := f.l.History(f.ctx, e.ID)
	f.ok(err)
	f.equal(after, history)
}

func legalFrom(f *fixture, s weir.State) {
	f.see(true, weir.Job{ID: "seen before"}, weir.Job{ID: "seen too"})
	for name, t := range f.transitions() {
		if t.From != s {
			continue
		}
		e := f.in(s)
		if t.To == weir.Landed { // without an open delivery: landed, then reopened by itself
			e = f.move(f.land(e), weir.Reopen(f.cause("once more")))
		}
		want, err := t.Apply(e)
		f.ok(err)
		switch {
		case t.To == weir.Submitting:
			want.IntentSeq = 2
		case t.From == weir.Unknown && t.To == weir.Planned:
			want.AbsentSeq = 2
		}
		got, err := f.l.Move(f.ctx, weir.Lease{}, e.ID, t)
		if err != nil {
			f.Fatalf("%s from %s: %v", name, s, err)
		}
		f.equal(got, want)
		f.equal(f.export(e.ID), want)
		history, err := f.l.History(f.ctx, e.ID)
		f.ok(err)
		f.equal(history[len(history)-1], t.Event(want))
	}
}

// everyMove guards the two cases above: a new legal move must be in them.
func everyMove(f *fixture) {
	tried := map[[2]weir.State]bool{}
	for _, t := range f.transitions() {
		tried[[2]weir.State{t.From, t.To}] = true
	}
	for _, m := range weir.Moves() {
		if !tried[[2]weir.State{m.From, m.To}] {
			f.Errorf("no transition moves from %s to %s", m.From, m.To)
		}
	}
}

func moveNotInTable(f *fixture) {
	e := f.in(weir.Landed)
	_, err := f.l.Move(f.ctx, weir.Lease{}, e.ID, weir.Retry(f.cause("not for landed ones"), weir.Landed, 1, ""))
	f.is(err, weir.ErrIllegalMove)
	_, err = f.l.Move(f.ctx, weir.Lease{}, e.ID, weir.Transition{})
	f.is(err, weir.ErrIllegalMove)
	f.equal(f.export(e.ID), e)
}

func exportMissing(f *fixture) {
	_, err := f.l.Export(f.ctx, 4711)
	f.is(err, ledger.ErrNotFound)
	_, err = f.l.Move(f.ctx, weir.Lease{}, 4711, weir.Drop(f.cause("x")))
	f.is(err, ledger.ErrNotFound)
	_, err = f.l.Amend(f.ctx, weir.Lease{}, 4711, weir.Planned, func(*weir.Export) {})
	f.is(err, ledger.ErrNotFound)
	_, err = f.l.AddDeliveries(f.ctx, 4711, f.wishFor(f.request()), f.now())
	f.is(err, ledger.ErrNotFound)
	f.is(f.l.BindJob(f.ctx, account, 4711, "job", f.now()), ledger.ErrNotFound)
}

func historyOrder(f *fixture) {
	e := f.planned()
	type step struct{ From, To weir.State }
	var want []step
	for _, t := range []weir.Transition{
		weir.Submit(f.cause("1"), 1), weir.PutBack(f.cause("2"), f.now(), weir.Wait{}), weir.Submit(f.cause("3"), 1),
		weir.Lose(f.cause("4"), 0), weir.Adopt(f.cause("5"), "job"), weir.Finish(f.cause("6")),
	} {
		f.move(e, t)
		want = append(want, step{t.From, t.To})
	}
	f.land(f.export(e.ID))
	want = append(want, step{weir.Ready, weir.Landed})
	history, err := f.l.History(f.ctx, e.ID)
	f.ok(err)
	var got []step
	for _, h := range history {
		got = append(got, step{h.From, h.To})
	}
	f.equal(got, want)
	none, err := f.l.History(f.ctx, f.planned().ID)
	f.ok(err)
	f.equal(len(none), 0)
}

func landTooEarly(f *fixture) {
	e := f.in(weir.Ready)
	_, err := f.l.Move(f.ctx, weir.Lease{}, e.ID, weir.Land(f.cause("too early")))
	f.is(err, ledger.ErrStale)
	f.equal(f.export(e.ID), e)
}

func moveMarksSeq(f *fixture) {
	e := f.planned()
	f.see(true, weir.Job{ID: "a"}, weir.Job{ID: "b"})
	f.ok(f.l.SeeJobs(f.ctx, other, []weir.Job{{ID: "x"}, {ID: "y"}, {ID: "z"}}, f.now(), true))
	e = f.move(e, weir.Submit(f.cause("x"), 1))
	f.equal(e.IntentSeq, int64(2))
	f.advance(time.Second)
	f.see(true, weir.Job{ID: "a"}, weir.Job{ID: "b"}, weir.Job{ID: "c"})
	f.move(e, weir.Lose(f.cause("x"), 0))
	e = f.move(e, weir.PresumeAbsent(f.cause("x")))
	f.equal([]int64{e.IntentSeq, e.AbsentSeq}, []int64{2, 3})
	f.equal(f.export(e.ID), e)
}
