package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

// The lease's numbers (rules §3).
const (
	// LeaseTTL is how long a lease lives without renewal, by the store's clock.
	LeaseTTL = 4 * time.Second
	// LeaseRenewal is how often all leases of a process are renewed.
	LeaseRenewal = time.Second
	// leaseTrust is how old a renewal may be when a request is written: well
	// under the TTL, so that the request leaves while the lease still stands.
	leaseTrust = LeaseTTL - LeaseRenewal
)

// hold is a lease with the age of its last renewal. The age is the larger of
// the monotonic and the wall difference: the monotonic clock stands still while
// a laptop sleeps, and the wall clock may be set back.
type hold struct {
	lease weir.Lease

	mu      sync.Mutex
	renewed time.Time // carries the monotonic reading
	lost    error
}

func newHold(lease weir.Lease, at time.Time) *hold { return &hold{lease: lease, renewed: at} }

// check says why nothing may be sent under the lease any more, or nil.
func (h *hold) check() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lost != nil {
		return h.lost
	}
	if age := renewalAge(h.renewed, time.Now()); age > leaseTrust {
		return fmt.Errorf("use lease of account %s, renewed %s ago: %w", h.lease.Account, age.Round(time.Millisecond), ErrLeaseTooOld)
	}
	return nil
}

func renewalAge(renewed, now time.Time) time.Duration {
	monotonic := now.Sub(renewed)
	wall := now.Round(0).Sub(renewed.Round(0))
	return max(monotonic, wall)
}

func (h *hold) renewedAt(at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if at.After(h.renewed) {
		h.renewed = at
	}
}

func (h *hold) lose(why error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lost == nil {
		h.lost = why
	}
}

// keep renews the lease until ctx ends or it is lost, and then cancels with
// the cause. The instant before the renewal counts, not the one after.
func (h *hold) keep(ctx context.Context, leases ledger.Leases, cancel context.CancelCauseFunc) {
	tick := time.NewTicker(LeaseRenewal)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := h.renew(ctx, leases); err != nil {
			cancel(err)
			return
		}
	}
}

// renew extends the lease once. A store that cannot be asked is no loss yet:
// the age check stops the requests before the lease runs out.
func (h *hold) renew(ctx context.Context, leases ledger.Leases) error {
	before := time.Now()
	held, err := leases.Renew(ctx, h.lease.Owner, LeaseTTL)
	if err != nil {
		if errors.Is(err, context.Canceled) || h.check() == nil {
			return nil
		}
		h.lose(ErrLeaseTooOld)
		return fmt.Errorf("renew lease of account %s: %w", h.lease.Account, err)
	}
	for _, lease := range held {
		if lease == h.lease {
			h.renewedAt(before)
			return nil
		}
	}
	h.lose(ledger.ErrFenced)
	return fmt.Errorf("renew lease of account %s: %w", h.lease.Account, ledger.ErrFenced)
}
