package engine_test

import (
	"context"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

// The writes of a process, each of which may be its last.

func (p *process) Acquire(ctx context.Context, account, owner string, ttl time.Duration, provedDead bool) (weir.Lease, bool, error) {
	if err := p.writes("Acquire"); err != nil {
		return weir.Lease{}, false, err
	}
	return p.Ledger.Acquire(ctx, account, owner, ttl, provedDead)
}

func (p *process) Renew(ctx context.Context, owner string, ttl time.Duration) ([]weir.Lease, error) {
	if err := p.writes("Renew"); err != nil {
		return nil, err
	}
	return p.Ledger.Renew(ctx, owner, ttl)
}

func (p *process) Release(ctx context.Context, lease weir.Lease) error {
	if err := p.writes("Release"); err != nil {
		return err
	}
	return p.Ledger.Release(ctx, lease)
}

func (p *process) Move(ctx context.Context, lease weir.Lease, id int64, t weir.Transition) (weir.Export, error) {
	if err := p.writes("Move"); err != nil {
		return weir.Export{}, err
	}
	return p.Ledger.Move(ctx, lease, id, t)
}

func (p *process) Amend(ctx context.Context, lease weir.Lease, id int64, in weir.State, change func(*weir.Export)) (weir.Export, error) {
	if err := p.writes("Amend"); err != nil {
		return weir.Export{}, err
	}
	return p.Ledger.Amend(ctx, lease, id, in, change)
}

func (p *process) BindJob(ctx context.Context, account string, export int64, jobID string, at time.Time) error {
	if err := p.writes("BindJob"); err != nil {
		return err
	}
	return p.Ledger.BindJob(ctx, account, export, jobID, at)
}

func (p *process) SeeJobs(ctx context.Context, account string, jobs []weir.Job, at time.Time, complete bool) error {
	if err := p.writes("SeeJobs"); err != nil {
		return err
	}
	return p.Ledger.SeeJobs(ctx, account, jobs, at, complete)
}

func (p *process) ChangeBudget(ctx context.Context, account string, change func(weir.Budget) weir.Budget) error {
	if err := p.writes("ChangeBudget"); err != nil {
		return err
	}
	return p.Ledger.ChangeBudget(ctx, account, change)
}

func (p *process) Claim(ctx context.Context, id int64, owner string, now time.Time) (weir.Delivery, error) {
	if err := p.writes("Claim"); err != nil {
		return weir.Delivery{}, err
	}
	return p.Ledger.Claim(ctx, id, owner, now)
}

func (p *process) FinishDelivery(ctx context.Context, claim weir.Delivery, o ledger.Outcome, c weir.Cause) (weir.Export, error) {
	if err := p.writes("FinishDelivery"); err != nil {
		return weir.Export{}, err
	}
	return p.Ledger.FinishDelivery(ctx, claim, o, c)
}

func (p *process) SweepClaims(ctx context.Context, lease weir.Lease) (int, error) {
	if err := p.writes("SweepClaims"); err != nil {
		return 0, err
	}
	return p.Ledger.SweepClaims(ctx, lease)
}
