package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

// Fresh says why nothing may be done under a claim of this server's any more,
// or nil.
func (w *Crew) Fresh() error {
	w.mu.Lock()
	renewed := w.renewed
	w.mu.Unlock()
	if age := renewalAge(renewed, time.Now()); renewed.IsZero() || age > leaseTrust {
		return fmt.Errorf("use a claim, last renewed %s ago: %w", age.Round(time.Millisecond), ErrLeaseTooOld)
	}
	return nil
}

// While is a context that ends, at the latest, when the server's right lapses:
// what was claimed under it may be somebody else's by then, also when the server
// has a new right since.
func (w *Crew) While(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	w.mu.Lock()
	right := w.standing()
	w.mu.Unlock()
	stop := context.AfterFunc(right, func() { cancel(context.Cause(right)) })
	return ctx, func() { stop(); cancel(nil) }
}

// standing is the context of the present right; the mutex is held.
func (w *Crew) standing() context.Context {
	if w.right == nil {
		w.right, w.lapse = context.WithCancelCause(context.Background())
	}
	return w.right
}

// lapsed ends what was done under a right that may have run out; the mutex is
// held.
func (w *Crew) lapsed() {
	w.standing()
	w.lapse(ErrLeaseTooOld)
	w.right = nil
}

func (w *Crew) renewals(ctx context.Context) {
	tick := time.NewTicker(LeaseRenewal)
	defer tick.Stop()
	for ctx.Err() == nil {
		w.renew(ctx)
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// renew extends the server's right. The instant before it counts. A store that
// cannot be asked is no loss yet: the age check stops the requests.
func (w *Crew) renew(ctx context.Context) {
	before := time.Now()
	holds := w.holds()
	asking, cancel := context.WithTimeout(ctx, LeaseTTL)
	defer cancel()
	held, err := w.Ledger.Enlist(asking, w.Owner, LeaseTTL)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		w.Log.Warn("renew leases", "error", err)
	}
	still := make(map[weir.Lease]bool, len(held))
	for _, lease := range held {
		still[lease] = true
	}
	for _, m := range holds {
		switch {
		case err == nil && still[m.hold.lease]:
			m.hold.renewedAt(before)
		case err == nil:
			m.end(ledger.ErrFenced)
		case m.hold.check() != nil:
			m.end(ErrLeaseTooOld)
		}
	}
	w.reclaim(ctx, held)
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.renewed.IsZero() && renewalAge(w.renewed, time.Now()) > LeaseTTL {
		w.lapsed()
	}
	if err == nil {
		w.renewed = before
	}
}

// holds are the members that conducted before the leases were asked about.
func (w *Crew) holds() []member {
	w.mu.Lock()
	defer w.mu.Unlock()
	var held []member
	for _, m := range w.members {
		if m.hold != nil {
			held = append(held, *m)
		}
	}
	return held
}

func (m member) end(why error) {
	m.hold.lose(why)
	m.cancel(fmt.Errorf("renew lease of account %s: %w", m.conductor.Account, why))
}

// reclaim looks for leases that the ledger says this server has and that nobody
// in it conducts under: the ledger was away when they were to be given back.
// They are conducted again, or given back now.
func (w *Crew) reclaim(ctx context.Context, held []weir.Lease) {
	var left []weir.Lease
	w.mu.Lock()
	for _, lease := range held {
		switch m := w.members[lease.Account]; {
		case m == nil:
			left = append(left, lease)
		case m.hold == nil:
			m.mayTry()
		}
	}
	w.mu.Unlock()
	for _, lease := range left {
		if err := w.Ledger.Release(ctx, lease); err != nil {
			return // the next beat does it
		}
	}
}
