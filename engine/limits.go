package engine

import (
	"context"
	"errors"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/clari"
	"github.com/weirhq/weir/plan"
)

// readLimits asks for the organisation's limits and keeps the answer. The
// reading is numbered before it is asked for: what is seen after that, it may
// not count.
func (c *Conductor) readLimits(ctx context.Context, v plan.View) error {
	number, err := c.Ledger.BeginReading(ctx, c.Account)
	if err != nil {
		return err
	}
	started := c.clock.now()
	said, err := c.API.Limits(ctx)
	now := c.clock.now()
	if keyRefused(err) { // a key may lack the right to read limits and no other: that is an answer
		c.heard(nil)
	} else {
		c.heard(err)
	}
	writing, cancel := lasting(ctx)
	defer cancel()
	switch {
	case err == nil:
		c.memory.limits = plan.ReadFailures{}
		c.sync(said.Date, now)
		return c.learn(writing, func(b weir.Budget) weir.Budget {
			return plan.ToldLimits(b, reading(said, number), held(v), started, now)
		})
	case errors.Is(err, clari.ErrNotAuthorised), errors.Is(err, clari.ErrNotFound):
		c.memory.limits = plan.ReadFailures{}
		return c.learn(writing, func(b weir.Budget) weir.Budget { return plan.LimitsForbidden(b, c.Account, started, now) })
	}
	c.failed(&c.memory.limits, err, now)
	if c.memory.limits.InARow >= plan.MaxReadTries { // work without them rather than never
		c.memory.limits = plan.ReadFailures{}
		return c.learn(writing, func(b weir.Budget) weir.Budget { return plan.LimitsForbidden(b, c.Account, started, now) })
	}
	return nil
}

// reading is the client's answer in the plan's words.
func reading(said clari.Limits, number int64) plan.LimitReading {
	r := plan.LimitReading{
		Number: number, Slots: -1, SlotsFree: -1, Quota: -1, QuotaFree: -1,
		Running: said.RunningJobIDs, Submitted: said.SubmittedJobIDs,
	}
	if said.Said.ConcurrentLimit {
		r.Slots = said.ConcurrentLimit
	}
	if said.Said.AvailableConcurrent {
		r.SlotsFree = said.AvailableConcurrent
	}
	if said.Said.MonthlyQuota {
		r.Quota = said.MonthlyQuota
	}
	if said.Said.AvailableMonthly {
		r.QuotaFree = said.AvailableMonthly
	}
	return r
}

// learn changes the organisation's budget as kept in the ledger.
func (c *Conductor) learn(ctx context.Context, change func(weir.Budget) weir.Budget) error {
	return c.Ledger.ChangeBudget(ctx, c.Account, change)
}

// sync keeps how far the server's clock is ahead of the store's. The server's
// Date has whole seconds, so less than a second is no difference.
func (c *Conductor) sync(serverDate, now time.Time) {
	if serverDate.IsZero() {
		return
	}
	ahead := serverDate.Sub(now)
	if ahead > -time.Second && ahead <= time.Second {
		ahead = 0
	}
	c.memory.serverAhead = ahead
}
