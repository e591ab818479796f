package app

import (
	"context"
	"errors"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/plan"
)

// Picture is how an account stands at an instant, from the ledger alone.
type Picture struct {
	At      time.Time
	Account weir.Account
	Budget  weir.Budget
	// Holding counts weir's own exports that hold a slot, Taken every slot that
	// is taken; QuotaLeft is what is left of the quota, -1 when not known. Both
	// count what was posted since the last reading.
	Holding, Taken, QuotaLeft int
	// Rate is the learned pace in requests a second; the gate opens at
	// GateOpens, zero while it is open.
	Rate      float64
	GateOpens time.Time
	GateWhy   weir.Wait
	// Conductor is who works on the account; "" for nobody.
	Conductor string
	// Open are the open exports in the order in which they move on, Ended the
	// newest of those that are not.
	Open    []engine.Standing
	Ended   []weir.Export
	Outlook plan.Outlook
}

// watchedEnded is how many exports are looked at for those that ended lately.
const watchedEnded = 20

// Look reads how the account stands. It asks the server nothing.
func Look(ctx context.Context, store ledger.Ledger, s Settings) (Picture, error) {
	now, err := store.Now(ctx)
	if err != nil {
		return Picture{}, err
	}
	v, err := engine.LoadView(ctx, store, s.Account, s.Policy, now)
	if errors.Is(err, ledger.ErrNotFound) { // nothing was ever asked for
		return Picture{At: now, Account: weir.Account{Name: s.Account}, Rate: s.Rate}, nil
	}
	if err != nil {
		return Picture{}, err
	}
	gate, err := engine.LoadGate(ctx, store, s.Account, time.Now())
	if err != nil {
		return Picture{}, err
	}
	pacing := engine.PacePolicy(s.Policy, s.Rate)
	v.GateOpensAt, v.GateWhy = engine.GateOpens(pacing, gate, now)
	p := Picture{
		At: now, Account: v.Account, Budget: v.Budget, Rate: pacing.RateOf(gate),
		GateOpens: v.GateOpensAt, GateWhy: v.GateWhy, Outlook: plan.LookOut(v, now),
	}
	p.Open, p.Holding = openStandings(v, plan.Next(v, now))
	v.Policy.KeepQuota = 0 // what is kept for people is left, too
	p.Taken, p.QuotaLeft = v.Budget.Slots-v.FreeSlots(), v.FreeQuota()
	if held, _, err := store.Holder(ctx, s.Account); err == nil {
		p.Conductor = held.Owner
	}
	newest, err := store.ListExports(ctx, ledger.Filter{Account: s.Account, Limit: watchedEnded})
	for _, e := range newest {
		if !e.State.Open() {
			p.Ended = append(p.Ended, e)
		}
	}
	return p, err
}

// openStandings are the view's exports: those that hold a slot, those that land,
// those that wait.
func openStandings(v plan.View, p plan.Plan) (all []engine.Standing, holding int) {
	learned := plan.Learn(v.History)
	var landing, waiting []engine.Standing
	for _, e := range v.Exports {
		s := engine.Standing{Export: e, Job: v.Jobs[e.JobID], Stand: p.Stands[e.ID], Expected: learned.Of(plan.HistoryKey(e.Request)).Median()}
		switch {
		case e.State.HoldsSlot():
			all = append(all, s)
			holding++
		case e.State == weir.Ready:
			landing = append(landing, s)
		default:
			waiting = append(waiting, s)
		}
	}
	return append(append(all, landing...), waiting...), holding
}
