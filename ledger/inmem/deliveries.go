package inmem

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/internal/rule"
)

// delivery finds a delivery in its export.
func (s *store) delivery(id int64) (*export, *weir.Delivery, error) {
	e, ok := s.deliveries[id]
	if !ok {
		return nil, nil, fmt.Errorf("read delivery %d: %w", id, ledger.ErrNotFound)
	}
	i := slices.IndexFunc(e.deliveries, func(d weir.Delivery) bool { return d.ID == id })
	return e, &e.deliveries[i], nil
}

// DeliveriesOf returns the deliveries of one export by id.
func (l *Ledger) DeliveriesOf(ctx context.Context, exportID int64) ([]weir.Delivery, error) {
	if err := l.begin(ctx, "DeliveriesOf"); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	e, ok := l.store.exports[exportID]
	if !ok {
		return nil, nil
	}
	return copies(e.deliveries), nil
}

func copies(deliveries []weir.Delivery) []weir.Delivery {
	var all []weir.Delivery
	for _, d := range deliveries {
		all = append(all, rule.Delivery(d))
	}
	return all
}

// Delivery returns one delivery, or ErrNotFound.
func (l *Ledger) Delivery(ctx context.Context, id int64) (weir.Delivery, error) {
	if err := l.begin(ctx, "Delivery"); err != nil {
		return weir.Delivery{}, err
	}
	defer l.store.mu.Unlock()
	_, d, err := l.store.delivery(id)
	if err != nil {
		return weir.Delivery{}, err
	}
	return rule.Delivery(*d), nil
}

// Deliverable returns the open deliveries of the account's ready exports that
// may start at now, those nearest to the expiry of their result first; where
// no expiry is known, last.
func (l *Ledger) Deliverable(ctx context.Context, name string, now time.Time) ([]weir.Delivery, error) {
	if err := l.begin(ctx, "Deliverable"); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	a, ok := l.store.accounts[name]
	if !ok {
		return nil, nil
	}
	now = rule.Instant(now)
	var found []weir.Delivery
	expiry := map[int64]time.Time{}
	for id, e := range a.open {
		if e.State != weir.Ready {
			continue
		}
		if j := a.jobs[e.JobID]; j != nil {
			expiry[id] = j.ExpiresAt
		}
		for _, d := range e.deliveries {
			if d.State == weir.DeliveryOpen && !now.Before(d.NotBefore) {
				found = append(found, d)
			}
		}
	}
	slices.SortFunc(found, func(a, b weir.Delivery) int {
		return cmp.Or(expiresFirst(expiry[a.ExportID], expiry[b.ExportID]), cmp.Compare(a.ID, b.ID))
	})
	return copies(found), nil
}

// expiresFirst orders by expiry; an unknown one is last.
func expiresFirst(a, b time.Time) int {
	if a.IsZero() != b.IsZero() {
		if a.IsZero() {
			return 1
		}
		return -1
	}
	return a.Compare(b)
}

// Claim gives an open delivery of a ready export to owner.
func (l *Ledger) Claim(ctx context.Context, id int64, owner string, now time.Time) (weir.Delivery, error) {
	if err := l.begin(ctx, "Claim"); err != nil {
		return weir.Delivery{}, err
	}
	defer l.store.mu.Unlock()
	e, d, err := l.store.delivery(id)
	if err != nil {
		return weir.Delivery{}, err
	}
	if d.State != weir.DeliveryOpen || e.State != weir.Ready {
		return weir.Delivery{}, fmt.Errorf("claim delivery %d: it is %s, its export %s: %w", id, d.State, e.State, ledger.ErrStale)
	}
	*d = rule.Claim(*d, owner, now)
	return rule.Delivery(*d), nil
}

// FinishDelivery ends a claim and, with the last open delivery, moves the export.
func (l *Ledger) FinishDelivery(ctx context.Context, claim weir.Delivery, o ledger.Outcome, c weir.Cause) (weir.Export, error) {
	if err := l.begin(ctx, "FinishDelivery"); err != nil {
		return weir.Export{}, err
	}
	defer l.store.mu.Unlock()
	e, d, err := l.store.delivery(claim.ID)
	if err != nil {
		return weir.Export{}, err
	}
	if !rule.Holds(*d, claim) {
		return weir.Export{}, fmt.Errorf("finish delivery %d: it is %s: %w", claim.ID, d.State, ledger.ErrStale)
	}
	finished, err := rule.Finish(*d, rule.Outcome(o), c.At)
	if err != nil {
		return weir.Export{}, fmt.Errorf("finish delivery %d: %w", claim.ID, err)
	}
	*d = finished
	l.store.advance(e, finished)
	l.store.keepLatest(e.Export, o)
	if t, ok := rule.Settle(c, e.deliveries); ok && e.State == weir.Ready {
		if err := l.store.apply(e, t); err != nil {
			return weir.Export{}, fmt.Errorf("finish delivery %d: %w", claim.ID, err)
		}
	}
	l.store.stir(e.Account)
	return rule.Export(e.Export), nil
}

// ReopenDelivery makes a landed delivery open again because its files are lost.
func (l *Ledger) ReopenDelivery(ctx context.Context, id int64, c weir.Cause) error {
	if err := l.begin(ctx, "ReopenDelivery"); err != nil {
		return err
	}
	defer l.store.mu.Unlock()
	e, d, err := l.store.delivery(id)
	if err != nil {
		return err
	}
	if d.State != weir.DeliveryLanded || e.State != weir.Landed && e.State != weir.Ready {
		return fmt.Errorf("reopen delivery %d: it is %s, its export %s: %w", id, d.State, e.State, ledger.ErrStale)
	}
	*d = rule.Lost(*d)
	l.store.stir(e.Account)
	if e.State != weir.Landed {
		return nil
	}
	return l.store.apply(e, weir.Reopen(c))
}

// SweepClaims opens again every claim of the account whose owner has no right
// any more.
func (l *Ledger) SweepClaims(ctx context.Context, lease weir.Lease) (swept int, err error) {
	err = l.with(ctx, "SweepClaims", lease.Account, func(a *account) error {
		if err := l.store.fence(lease.Account, lease); err != nil {
			return fmt.Errorf("sweep claims of account %q: %w", lease.Account, err)
		}
		swept = l.store.unclaimDead(a, lease.Owner)
		return nil
	})
	return swept, err
}
