package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/pace"
	"github.com/weirhq/weir/plan"
)

// contendEvery is how often a process that wants to conduct asks for the lease.
const contendEvery = 500 * time.Millisecond

// Run conducts whenever the lease can be had, until ctx ends: another process
// that holds it is waited for and followed. It returns the cause that ended
// ctx, or an error of the ledger that no waiting mends.
func (c *Conductor) Run(ctx context.Context) error {
	ctx = whole(ctx)
	if c.Crew != nil {
		return c.Crew.conduct(ctx, c)
	}
	for ctx.Err() == nil {
		err := c.term(ctx)
		switch {
		case err == nil, errors.Is(err, ledger.ErrHeld), errors.Is(err, ledger.ErrFenced), errors.Is(err, ErrLeaseTooOld):
		case ctx.Err() != nil:
		default:
			return err
		}
		pause(ctx, contendEvery)
	}
	return context.Cause(ctx)
}

// term is one stretch of conducting, from taking the lease to losing it.
func (c *Conductor) term(ctx context.Context) error {
	locked, unlock, err := c.lock()
	if err != nil {
		return err
	}
	defer unlock()
	owner, provedDead, err := c.claim(ctx, locked)
	if err != nil {
		return err
	}
	before := time.Now()
	lease, _, err := c.Ledger.Acquire(ctx, c.Account, owner, LeaseTTL, provedDead)
	if err != nil {
		return err
	}
	defer c.release(ctx, lease)
	held := newHold(lease, before)
	c.take(held)
	defer c.take(nil)
	term, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	kept := c.keep(term, held, cancel)
	err = c.conduct(term, provedDead)
	cancel(nil)
	<-kept
	return err
}

// keep renews the lease for as long as the term lasts, the crew those of its own
// name, and closes the channel when that has ended.
func (c *Conductor) keep(ctx context.Context, held *hold, cancel context.CancelCauseFunc) <-chan struct{} {
	if c.Crew != nil && held.lease.Owner == c.Owner {
		return c.Crew.keep(ctx, c, held, cancel)
	}
	kept := make(chan struct{})
	go func() { defer close(kept); held.keep(ctx, c.Ledger, cancel) }()
	return kept
}

// lock takes the file lock where there is one.
func (c *Conductor) lock() (locked bool, unlock func(), err error) {
	if c.Lock == nil {
		return false, func() {}, nil
	}
	locked, err = c.Lock.TryLock()
	if err != nil {
		return false, nil, err
	}
	if !locked {
		return false, func() {}, nil
	}
	return true, func() { _ = c.Lock.Unlock() }, nil
}

// claim says under which name the lease may be asked for. Whoever has the file
// lock has proved the earlier owner dead, if that had it too. A lock that
// somebody holds means that an owner lives, which may have stood still for too
// long (a stopped process keeps its locks): then its lease alone decides, and the
// name says so, for that lock proves nothing about its new owner.
func (c *Conductor) claim(ctx context.Context, locked bool) (owner string, provedDead bool, err error) {
	if c.Lock == nil {
		return c.Owner, false, nil
	}
	last, err := c.Ledger.LastOwner(ctx, c.Account)
	switch {
	case err != nil:
		return "", false, err
	case locked:
		return c.Owner, !strings.HasSuffix(last, ledger.WithoutLock), nil
	case last == "": // it begins or ends just now
		return "", false, ledger.ErrHeld
	}
	return c.Owner + ledger.WithoutLock, false, nil
}

func (c *Conductor) take(h *hold) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hold = h
	c.state.Conducting = h != nil
	if h == nil {
		c.latest, c.state.clock = plan.Plan{}, storeClock{}
	}
}

func (c *Conductor) release(ctx context.Context, lease weir.Lease) {
	ctx, cancel := lasting(ctx)
	defer cancel()
	if err := c.Ledger.Release(ctx, lease); err != nil {
		c.Log.Warn("release lease", "account", c.Account, "error", err)
	}
}

// conduct takes over what the earlier owner left and then steps until the term
// ends. Landings that run are waited for: they hold claims of this owner.
func (c *Conductor) conduct(ctx context.Context, provedDead bool) error {
	if err := c.takeOver(ctx, provedDead); err != nil {
		return err
	}
	defer c.Lander.Drain(ctx)
	for {
		next, err := c.step(ctx)
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		switch {
		case errors.Is(err, ledger.ErrStale):
			continue
		case err != nil:
			return err
		}
		c.rest(ctx, next)
	}
}

// step plans once and does the first thing. It returns when to look again: the
// zero time means at once.
func (c *Conductor) step(ctx context.Context) (time.Time, error) {
	if err := c.brokenBy(); err != nil {
		return time.Time{}, err
	}
	now, planned := c.clock.now(), time.Now()
	view, err := c.view(ctx, now)
	if err != nil {
		return time.Time{}, err
	}
	c.memory.restless = restless(view)
	landing, err := c.offer(ctx, now)
	if err != nil {
		return time.Time{}, err
	}
	p := plan.Next(view, now)
	c.show(p)
	if c.Planned != nil {
		c.Planned(view, p, now)
	}
	if len(p.Actions) == 0 {
		return sooner(p.LookAgain, landing), nil
	}
	return time.Time{}, c.do(plannedAt(ctx, planned), view, p.Actions[0])
}

// rest waits until the instant, a wake-up, or the next look for other
// processes' wishes.
func (c *Conductor) rest(ctx context.Context, until time.Time) {
	if until.IsZero() {
		return
	}
	timer := time.NewTimer(min(max(until.Sub(c.clock.now()), time.Millisecond), c.watch()))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	case <-c.waker():
	}
}

// restless reports what nobody stirs a conductor for: a slot that another
// account of the organisation gives back.
func restless(v plan.View) bool {
	return v.Shared && slices.ContainsFunc(v.Exports, func(e weir.Export) bool { return e.State == weir.Planned })
}

// watch is how long a conductor rests at most.
func (c *Conductor) watch() time.Duration {
	switch {
	case c.Watch != 0:
		return c.Watch
	case c.Crew == nil || c.memory.restless:
		return time.Second
	}
	return crewWatch
}

// do carries out one action.
func (c *Conductor) do(ctx context.Context, v plan.View, a plan.Action) error {
	ctx = pace.WithMaxWait(ctx, gatePatience)
	c.Log.Debug("act", "do", string(a.Do), "export", a.Export, "job", a.JobID, "why", a.Why)
	switch a.Do {
	case plan.ReadLimits:
		return c.readLimits(ctx, v)
	case plan.ListJobs:
		return c.listJobs(ctx, v)
	case plan.ReadJob:
		return c.readJob(ctx, v, a)
	case plan.Post:
		return c.submit(ctx, v, a)
	case plan.CancelJob:
		return c.cancelJob(ctx, v, a)
	}
	return c.decide(ctx, v, a)
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func exportIn(v plan.View, id int64) (weir.Export, error) {
	for _, e := range v.Exports {
		if e.ID == id {
			return e, nil
		}
	}
	return weir.Export{}, fmt.Errorf("find export %d among the open: %w", id, ledger.ErrStale)
}
