package engine_test

import (
	"context"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/inmem"
)

// book is the ledger as one process of a simulation sees it: every call takes a
// moment, a killed process is refused, a frozen one comes late, and the auditor
// hears of what was written.
type book struct {
	ledger.Ledger // whatever is not named below goes straight to the store
	p             *proc
	store         *inmem.Ledger
	pace          time.Duration // a call takes at most this
}

// ask is one call: a moment before it, the call, and a point at which the
// process may die after its commit.
func ask[T any](b *book, ctx context.Context, method string, do func() (T, error)) (T, error) {
	var none T
	b.p.calls(method)
	if err := b.p.pointAt(method, b.pace); err != nil {
		return none, err
	}
	answer, err := do()
	b.p.w.audit.note(b.p, method, err)
	if err := b.p.point(0); err != nil {
		return none, err
	}
	return answer, err
}

func tell(b *book, ctx context.Context, method string, do func() error) error {
	_, err := ask(b, ctx, method, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

func (b *book) Now(ctx context.Context) (time.Time, error) {
	return ask(b, ctx, "Now", func() (time.Time, error) { return b.store.Now(ctx) })
}

func (b *book) Account(ctx context.Context, name string) (weir.Account, error) {
	return ask(b, ctx, "Account", func() (weir.Account, error) { return b.store.Account(ctx, name) })
}

func (b *book) HoldAccount(ctx context.Context, name string, until time.Time, why weir.Wait) error {
	return tell(b, ctx, "HoldAccount", func() error { return b.store.HoldAccount(ctx, name, until, why) })
}

// SaveGate takes no time: the gate holds a mutex meanwhile, and nothing in a
// bubble may wait for time behind one.
func (b *book) SaveGate(ctx context.Context, name, state string) error {
	err := context.Cause(b.p.dead)
	if err == nil {
		err = b.store.SaveGate(ctx, name, state)
	}
	if err == nil {
		b.p.w.audit.savedGate(b.p, state)
	}
	return err
}

func (b *book) Gate(ctx context.Context, name string) (string, error) {
	return ask(b, ctx, "Gate", func() (string, error) { return b.store.Gate(ctx, name) })
}

func (b *book) Organisation(ctx context.Context, name string) (weir.Organisation, error) {
	return ask(b, ctx, "Organisation", func() (weir.Organisation, error) { return b.store.Organisation(ctx, name) })
}

func (b *book) SetOrg(ctx context.Context, name, orgID string) error {
	return tell(b, ctx, "SetOrg", func() error { return b.store.SetOrg(ctx, name, orgID) })
}

func (b *book) BeginReading(ctx context.Context, name string) (int64, error) {
	return ask(b, ctx, "BeginReading", func() (int64, error) { return b.store.BeginReading(ctx, name) })
}

func (b *book) ChangeBudget(ctx context.Context, name string, change func(weir.Budget) weir.Budget) error {
	return tell(b, ctx, "ChangeBudget", func() error { return b.store.ChangeBudget(ctx, name, change) })
}

func (b *book) Beside(ctx context.Context, name string, inDoubt bool) ([]weir.Export, error) {
	return ask(b, ctx, "Beside", func() ([]weir.Export, error) { return b.store.Beside(ctx, name, inDoubt) })
}

func (b *book) JobsBeside(ctx context.Context, name string, ids ...string) ([]weir.Job, error) {
	return ask(b, ctx, "JobsBeside", func() ([]weir.Job, error) { return b.store.JobsBeside(ctx, name, ids...) })
}

func (b *book) BoughtSince(ctx context.Context, name string, reading int64) ([]weir.Job, error) {
	return ask(b, ctx, "BoughtSince", func() ([]weir.Job, error) { return b.store.BoughtSince(ctx, name, reading) })
}

func (b *book) Budget(ctx context.Context, name string) (weir.Budget, error) {
	return ask(b, ctx, "Budget", func() (weir.Budget, error) { return b.store.Budget(ctx, name) })
}

func (b *book) Acquire(ctx context.Context, account, owner string, ttl time.Duration, provedDead bool) (weir.Lease, bool, error) {
	taken := false
	before := time.Now()
	lease, err := ask(b, ctx, "Acquire", func() (lease weir.Lease, err error) {
		lease, taken, err = b.store.Acquire(ctx, account, owner, ttl, provedDead)
		if err == nil {
			b.p.w.audit.acquired(b.p, lease, before, provedDead)
		}
		return lease, err
	})
	return lease, taken, err
}

func (b *book) LastOwner(ctx context.Context, account string) (string, error) {
	return ask(b, ctx, "LastOwner", func() (string, error) { return b.store.LastOwner(ctx, account) })
}

func (b *book) Renew(ctx context.Context, owner string, ttl time.Duration) ([]weir.Lease, error) {
	before := time.Now()
	return ask(b, ctx, "Renew", func() ([]weir.Lease, error) {
		held, err := b.store.Renew(ctx, owner, ttl)
		if err == nil {
			b.p.w.audit.renewed(b.p, held, before)
		}
		return held, err
	})
}

func (b *book) Release(ctx context.Context, lease weir.Lease) error {
	return tell(b, ctx, "Release", func() error { return b.store.Release(ctx, lease) })
}

func (b *book) Export(ctx context.Context, id int64) (weir.Export, error) {
	return ask(b, ctx, "Export", func() (weir.Export, error) { return b.store.Export(ctx, id) })
}

func (b *book) ListExports(ctx context.Context, f ledger.Filter) ([]weir.Export, error) {
	return ask(b, ctx, "ListExports", func() ([]weir.Export, error) { return b.store.ListExports(ctx, f) })
}

func (b *book) Move(ctx context.Context, lease weir.Lease, id int64, t weir.Transition) (weir.Export, error) {
	return ask(b, ctx, "Move", func() (weir.Export, error) {
		overtaken := b.overtaken(lease)
		e, err := b.store.Move(ctx, lease, id, t)
		if err == nil {
			b.mustNotDecide(overtaken, lease, "Move")
			b.p.w.audit.moved(b.p, t, e)
		}
		return e, err
	})
}

func (b *book) Amend(ctx context.Context, lease weir.Lease, id int64, in weir.State, change func(*weir.Export)) (weir.Export, error) {
	return ask(b, ctx, "Amend", func() (weir.Export, error) {
		overtaken := b.overtaken(lease)
		e, err := b.store.Amend(ctx, lease, id, in, change)
		if err == nil {
			b.mustNotDecide(overtaken, lease, "Amend")
			b.p.w.audit.amended(b.p, e)
		}
		return e, err
	})
}

// overtaken reports whether another owner or generation holds the account now.
// A person's decision, under the zero lease, never is.
func (b *book) overtaken(lease weir.Lease) bool {
	if lease == (weir.Lease{}) {
		return false
	}
	holder, _, err := b.store.Holder(context.Background(), lease.Account)
	return err == nil && holder != lease
}

// mustNotDecide is a fault: the ledger took a decision of an owner that another
// one had replaced before.
func (b *book) mustNotDecide(overtaken bool, lease weir.Lease, what string) {
	if overtaken {
		b.p.w.audit.failed("%s decided (%s) under generation %d, which is no longer held", b.p.owner, what, lease.Generation)
	}
}

func (b *book) DeliveriesOf(ctx context.Context, id int64) ([]weir.Delivery, error) {
	return ask(b, ctx, "DeliveriesOf", func() ([]weir.Delivery, error) { return b.store.DeliveriesOf(ctx, id) })
}

func (b *book) Deliverable(ctx context.Context, account string, now time.Time) ([]weir.Delivery, error) {
	return ask(b, ctx, "Deliverable", func() ([]weir.Delivery, error) { return b.store.Deliverable(ctx, account, now) })
}

func (b *book) Claim(ctx context.Context, id int64, owner string, now time.Time) (weir.Delivery, error) {
	return ask(b, ctx, "Claim", func() (weir.Delivery, error) { return b.store.Claim(ctx, id, owner, now) })
}

func (b *book) FinishDelivery(ctx context.Context, claim weir.Delivery, o ledger.Outcome, c weir.Cause) (weir.Export, error) {
	return ask(b, ctx, "FinishDelivery", func() (weir.Export, error) {
		e, err := b.store.FinishDelivery(ctx, claim, o, c)
		if err == nil {
			b.p.w.audit.finished(b.p, claim, o)
		}
		return e, err
	})
}

func (b *book) SweepClaims(ctx context.Context, lease weir.Lease) (int, error) {
	return ask(b, ctx, "SweepClaims", func() (int, error) { return b.store.SweepClaims(ctx, lease) })
}

func (b *book) BindJob(ctx context.Context, account string, exportID int64, jobID string, at time.Time) error {
	return tell(b, ctx, "BindJob", func() error {
		err := b.store.BindJob(ctx, account, exportID, jobID, at)
		if err == nil {
			b.p.w.audit.bound(b.p, exportID, jobID)
		}
		return err
	})
}

func (b *book) SeeJobs(ctx context.Context, account string, jobs []weir.Job, at time.Time, complete bool) error {
	return tell(b, ctx, "SeeJobs", func() error { return b.store.SeeJobs(ctx, account, jobs, at, complete) })
}

func (b *book) Jobs(ctx context.Context, account string, ids ...string) ([]weir.Job, error) {
	return ask(b, ctx, "Jobs", func() ([]weir.Job, error) { return b.store.Jobs(ctx, account, ids...) })
}

func (b *book) JobsSeenAfter(ctx context.Context, account string, seq int64) ([]weir.Job, error) {
	return ask(b, ctx, "JobsSeenAfter", func() ([]weir.Job, error) { return b.store.JobsSeenAfter(ctx, account, seq) })
}

func (b *book) ListedBefore(ctx context.Context, account string, now time.Time) ([]string, error) {
	return ask(b, ctx, "ListedBefore", func() ([]string, error) { return b.store.ListedBefore(ctx, account, now) })
}

func (b *book) SaveDuration(ctx context.Context, account, key, jobID string, ended time.Time, ran time.Duration) error {
	return tell(b, ctx, "SaveDuration", func() error { return b.store.SaveDuration(ctx, account, key, jobID, ended, ran) })
}

func (b *book) Durations(ctx context.Context, account string, limit int) (map[string][]time.Duration, error) {
	return ask(b, ctx, "Durations", func() (map[string][]time.Duration, error) { return b.store.Durations(ctx, account, limit) })
}

func (b *book) QuotaUses(ctx context.Context, account string, since time.Time) ([]time.Time, error) {
	return ask(b, ctx, "QuotaUses", func() ([]time.Time, error) { return b.store.QuotaUses(ctx, account, since) })
}
