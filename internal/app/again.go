package app

import (
	"context"
	"errors"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

// freshLanding lets a delivery that waits for its destination try again at
// once: a person who asks to go on may have mended it.
func (s *Session) freshLanding(ctx context.Context, d weir.Delivery) error {
	if !d.Open() || d.Failure == nil || d.Failure.Code != weir.CodeDestination {
		return nil
	}
	now, err := s.Ledger.Now(ctx)
	if err != nil {
		return err
	}
	claim, err := s.Ledger.Claim(ctx, d.ID, s.Conductor.Owner, now)
	if err == nil {
		again := ledger.Outcome{State: weir.DeliveryOpen, Free: true}
		_, err = s.Ledger.FinishDelivery(ctx, claim, again, weir.Cause{At: now, Why: "a person asked to go on"})
	}
	if errors.Is(err, ledger.ErrStale) { // somebody lands it right now
		return nil
	}
	return err
}

// freshBudget makes the limits be asked for before it is taken for true that the
// quota is used up: somebody may have got more since, and asking costs one
// request.
func (s *Session) freshBudget(ctx context.Context) error {
	const old = time.Hour // as long as such a reading is believed
	return s.Ledger.ChangeBudget(ctx, s.Account.Name, func(b weir.Budget) weir.Budget {
		if !b.Known() || b.QuotaFree < 0 || b.QuotaFree > s.Settings.Policy.KeepQuota {
			return b
		}
		b.ReadAt = b.ReadAt.Add(-old)
		if b.HoldWhy.Code == weir.WaitQuota {
			b.HoldUntil, b.HoldWhy = time.Time{}, weir.Wait{}
		}
		return b
	})
}
