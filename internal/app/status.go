package app

import (
	"context"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/plan"
)

// Status is how the newest exports of the account stand, oldest first, with
// why what waits does. limit 0 is all.
func Status(ctx context.Context, s Settings, limit int) ([]engine.Standing, error) {
	store, err := OpenLedger(ctx, s)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	exports, err := store.ListExports(ctx, ledger.Filter{Account: s.Account, Limit: limit})
	if err != nil || len(exports) == 0 {
		return nil, err
	}
	p, err := planOf(ctx, store, s)
	if err != nil {
		return nil, err
	}
	var all []engine.Standing
	for _, e := range exports {
		standing, err := engine.LoadStanding(ctx, store, e.ID)
		if err != nil {
			return nil, err
		}
		standing.Stand = p.Stands[e.ID]
		all = append(all, standing)
	}
	return all, nil
}

// StatusOf is one export with everything that happened to it.
func StatusOf(ctx context.Context, s Settings, id int64) (engine.Standing, []weir.Event, error) {
	store, err := OpenLedger(ctx, s)
	if err != nil {
		return engine.Standing{}, nil, err
	}
	defer store.Close()
	standing, err := engine.LoadStanding(ctx, store, id)
	if err != nil {
		return standing, nil, err
	}
	s.Account = standing.Export.Account
	p, err := planOf(ctx, store, s)
	if err != nil {
		return standing, nil, err
	}
	standing.Stand = p.Stands[id]
	history, err := store.History(ctx, id)
	return standing, history, err
}

// planOf is what a conductor would plan by what the ledger says.
func planOf(ctx context.Context, store ledger.Ledger, s Settings) (plan.Plan, error) {
	now, err := store.Now(ctx)
	if err != nil {
		return plan.Plan{}, err
	}
	v, err := engine.LoadView(ctx, store, s.Account, s.Policy, now)
	if err != nil {
		return plan.Plan{}, err
	}
	gate, err := engine.LoadGate(ctx, store, s.Account, time.Now())
	if err != nil {
		return plan.Plan{}, err
	}
	v.GateOpensAt, v.GateWhy = engine.GateOpens(engine.PacePolicy(s.Policy, s.Rate), gate, now)
	return plan.Next(v, now), nil
}
