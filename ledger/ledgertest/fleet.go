package ledgertest

import (
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

func fleetCases() []testCase {
	return []testCase{
		{"an account is vacant until somebody holds it, and when its holder's right ran out", fleetVacant},
		{"servers are counted with what they hold while they live", fleetServers},
		{"an account that a server wants is left to it", fleetWanted},
		{"a server that resigns has no right any more", fleetResign},
		{"one right is all of an owner's", fleetOneRight},
		{"what others than the conductor change stirs", fleetStirs},
		{"due schedules of all accounts are told", fleetDue},
		{"claims of dead processes are swept, those of living ones stay", fleetSweep},
	}
}

func (f *fixture) survey(owner string) ledger.Survey {
	f.Helper()
	s, err := f.l.Survey(f.ctx, owner, f.now().Add(-10*time.Second))
	f.ok(err)
	return s
}

func (f *fixture) enlist(owner string) []weir.Lease {
	f.Helper()
	held, err := f.l.Enlist(f.ctx, owner, ttl)
	f.ok(err)
	return held
}

func fleetVacant(f *fixture) {
	f.equal(f.survey("a").Vacant, []string{account, other})
	lease := f.acquire("a", false, false)
	f.equal(f.survey("a").Vacant, []string{other})
	f.equal(f.survey("b").Vacant, []string{other})
	f.advance(ttl)
	f.equal(f.survey("b").Vacant, []string{account, other})
	f.equal(f.enlist("a"), []weir.Lease{lease})
	f.equal(f.survey("b").Vacant, []string{other})
	f.ok(f.l.Release(f.ctx, lease))
	f.equal(f.survey("b").Vacant, []string{account, other})
	f.equal(f.survey("b").Now, f.now())
}

func fleetServers(f *fixture) {
	f.acquire("a command", false, false)
	f.equal(f.survey("a").Servers, map[string]int{})
	f.enlist("a")
	f.enlist("b")
	_, _, err := f.l.Acquire(f.ctx, other, "a", ttl, false)
	f.ok(err)
	f.equal(f.survey("a").Servers, map[string]int{"a": 1, "b": 0})
	f.advance(ttl - time.Millisecond)
	f.enlist("a")
	f.advance(time.Millisecond)
	f.equal(f.survey("a").Servers, map[string]int{"a": 1})
}

func fleetWanted(f *fixture) {
	lease := f.acquire("a", false, false)
	f.ok(f.l.Want(f.ctx, "b", []string{account, "nobody's"}, 5*time.Second))
	f.ok(f.l.Want(f.ctx, "c", []string{account}, 5*time.Second)) // too late
	f.equal(f.survey("a").Wanted, []string{account})
	f.equal(len(f.survey("b").Wanted), 0)
	f.ok(f.l.Release(f.ctx, lease))
	f.equal(f.survey("a").Vacant, []string{other})
	f.equal(f.survey("b").Vacant, []string{account, other})
	f.advance(5 * time.Second)
	f.equal(f.survey("a").Vacant, []string{account, other})
	f.ok(f.l.Want(f.ctx, "b", []string{account}, 5*time.Second))
	f.acquire("b", false, false) // which has what it wanted
	f.equal(len(f.survey("b").Wanted), 0)
	f.enlist("b")
	f.equal(f.survey("a").Vacant, []string{other})
}

func fleetResign(f *fixture) {
	f.enlist("a")
	f.acquire("a", false, false)
	f.claim(f.deliveries(f.in(weir.Ready))[0].ID)
	held, err := f.l.Held(f.ctx, "a")
	f.ok(err)
	f.equal(held, []string{account})
	f.ok(f.l.Resign(f.ctx, "a"))
	f.ok(f.l.Resign(f.ctx, ""))
	f.equal(f.survey("b").Vacant, []string{account, other})
	f.equal(f.survey("b").Servers, map[string]int{})
	swept, err := f.l.SweepDead(f.ctx)
	f.ok(err)
	f.equal(swept, 1)
}

func fleetOneRight(f *fixture) {
	first := f.acquire("a", false, false)
	f.advance(3 * time.Second)
	second, _, err := f.l.Acquire(f.ctx, other, "a", ttl, false)
	f.ok(err)
	f.advance(3 * time.Second)
	_, _, err = f.l.Acquire(f.ctx, account, "b", ttl, false)
	f.is(err, ledger.ErrHeld)
	f.equal(f.enlist("a"), []weir.Lease{first, second})
	f.equal(len(f.enlist("")), 0)
}

func fleetStirs(f *fixture) {
	stirs := func(why string, do func()) {
		f.Helper()
		before := f.survey("a").Stirred[account]
		do()
		if after := f.survey("a").Stirred[account]; after == before {
			f.Errorf("%s stirs nothing", why)
		}
	}
	var e weir.Export
	stirs("a wish", func() { e = f.planned() })
	stirs("a person's amendment", func() {
		asked := f.now()
		_, err := f.l.Amend(f.ctx, weir.Lease{}, e.ID, weir.Planned, func(e *weir.Export) { e.CancelRequestedAt = asked })
		f.ok(err)
	})
	stirs("a person's move", func() { f.move(e, weir.Drop(f.cause("x"))) })
	ready := f.in(weir.Ready)
	stirs("one more delivery", func() {
		w := f.wishFor(ready.Request)
		w.Destination = "/elsewhere"
		_, err := f.l.AddDeliveries(f.ctx, ready.ID, w, f.now())
		f.ok(err)
	})
	claim := f.claim(f.deliveries(ready)[0].ID)
	stirs("a landing", func() { f.finish(claim, f.landed()) })
	stirs("a hold", func() { f.ok(f.l.HoldAccount(f.ctx, account, time.Time{}, weir.Wait{})) })
	stirs("lost files", func() { f.ok(f.l.ReopenDelivery(f.ctx, claim.ID, f.cause("lost"))) })
	f.equal(f.survey("a").Stirred[other], int64(0))

	mine, quiet := f.lease("conductor"), f.survey("a").Stirred[account]
	again := f.planned()
	before := f.survey("a").Stirred[account]
	_, err := f.l.Move(f.ctx, mine, again.ID, weir.Submit(f.cause("x"), mine.Generation))
	f.ok(err)
	f.equal([]any{f.survey("a").Stirred[account], before > quiet}, []any{before, true})
	f.advance(11 * time.Second)
	f.equal(f.survey("a").Stirred, map[string]int64{})
}

func fleetDue(f *fixture) {
	at := f.now().Add(time.Hour)
	for _, name := range []string{account, other} {
		_, err := f.l.ArmSchedule(f.ctx, ledger.Schedule{Account: name, Name: "daily", Spec: "x", NextRunAt: at})
		f.ok(err)
	}
	_, err := f.l.ArmSchedule(f.ctx, ledger.Schedule{Account: other, Name: "paused", Spec: "x", NextRunAt: at})
	f.ok(err)
	f.ok(f.l.PauseSchedule(f.ctx, other, "paused", true))
	f.equal(len(f.survey("a").Due), 0)
	f.advance(time.Hour)
	var due []string
	for _, s := range f.survey("a").Due {
		due = append(due, s.Account+" "+s.Name)
	}
	f.equal(due, []string{account + " daily", other + " daily"})
}

func fleetSweep(f *fixture) {
	lost, kept := f.in(weir.Ready), f.in(weir.Ready)
	f.claim(f.deliveries(lost)[0].ID)
	f.enlist("living")
	_, err := f.l.Claim(f.ctx, f.deliveries(kept)[0].ID, "living", f.now())
	f.ok(err)
	lease := f.lease("conductor")
	swept, err := f.l.SweepClaims(f.ctx, lease)
	f.ok(err)
	f.equal(swept, 1)
	f.equal(f.deliveries(kept)[0].State, weir.DeliveryLanding)
	swept, err = f.l.SweepDead(f.ctx)
	f.ok(err)
	f.equal(swept, 0)
	f.advance(ttl)
	swept, err = f.l.SweepDead(f.ctx)
	f.ok(err)
	f.equal([]any{swept, f.deliveries(kept)[0].State}, []any{1, weir.DeliveryOpen})
}
