package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger/internal/rule"
)

// loadDelivery reads a delivery after locking its export, in the order that
// every writer takes them.
func (s *Store) loadDelivery(ctx context.Context, tx *sql.Tx, id int64) (weir.Delivery, exportRow, error) {
	d, err := delivery(ctx, tx, id)
	if err != nil {
		return weir.Delivery{}, exportRow{}, err
	}
	e, err := s.loadExport(ctx, tx, d.ExportID)
	if err != nil {
		return weir.Delivery{}, exportRow{}, err
	}
	d, err = delivery(ctx, tx, id)
	return d, e, err
}

// Claim gives an open delivery of a ready export to owner.
func (s *Store) Claim(ctx context.Context, id int64, owner string, now time.Time) (weir.Delivery, error) {
	var claimed weir.Delivery
	err := s.write(ctx, fmt.Sprintf("claim delivery %d", id), func(tx *sql.Tx) error {
		d, e, err := s.loadDelivery(ctx, tx, id)
		if err != nil {
			return err
		}
		if d.State != weir.DeliveryOpen || e.State != weir.Ready {
			return fmt.Errorf("it is %s, its export %s: %w", d.State, e.State, ErrStale)
		}
		claimed = rule.Claim(d, owner, now)
		return saveDelivery(ctx, tx, claimed)
	})
	if err != nil {
		return weir.Delivery{}, err
	}
	return claimed, nil
}

// FinishDelivery ends a claim and, with the last open delivery, moves the export.
func (s *Store) FinishDelivery(ctx context.Context, claim weir.Delivery, o Outcome, c weir.Cause) (weir.Export, error) {
	var after exportRow
	err := s.write(ctx, fmt.Sprintf("finish delivery %d", claim.ID), func(tx *sql.Tx) error {
		d, e, err := s.loadDelivery(ctx, tx, claim.ID)
		if err != nil {
			return err
		}
		if !rule.Holds(d, claim) {
			return fmt.Errorf("it is %s: %w", d.State, ErrStale)
		}
		if d, err = rule.Finish(d, rule.Outcome(o), c.At); err != nil {
			return err
		}
		if err := saveDelivery(ctx, tx, d); err != nil {
			return err
		}
		if err := advance(ctx, tx, e.Export, d); err != nil {
			return err
		}
		if err := keepLatest(ctx, tx, e.Export, o); err != nil {
			return err
		}
		if after, err = s.settle(ctx, tx, e, c); err != nil {
			return err
		}
		return s.stir(ctx, tx, e.Account)
	})
	if err != nil {
		return weir.Export{}, err
	}
	return after.Export, nil
}

// settle moves a ready export none of whose deliveries is open any more.
func (s *Store) settle(ctx context.Context, tx *sql.Tx, e exportRow, c weir.Cause) (exportRow, error) {
	deliveries, err := deliveriesOf(ctx, tx, e.ID)
	if err != nil || e.State != weir.Ready {
		return e, err
	}
	t, ok := rule.Settle(c, deliveries)
	if !ok {
		return e, nil
	}
	return s.apply(ctx, tx, e, t)
}

// ReopenDelivery makes a landed delivery open again because its files are lost.
func (s *Store) ReopenDelivery(ctx context.Context, id int64, c weir.Cause) error {
	return s.write(ctx, fmt.Sprintf("reopen delivery %d", id), func(tx *sql.Tx) error {
		d, e, err := s.loadDelivery(ctx, tx, id)
		if err != nil {
			return err
		}
		if d.State != weir.DeliveryLanded || e.State != weir.Landed && e.State != weir.Ready {
			return fmt.Errorf("it is %s, its export %s: %w", d.State, e.State, ErrStale)
		}
		if err := saveDelivery(ctx, tx, rule.Lost(d)); err != nil {
			return err
		}
		if err := s.reopen(ctx, tx, e, c); err != nil {
			return err
		}
		return s.stir(ctx, tx, e.Account)
	})
}

// reopen makes a landed export ready; any other stays as it is.
func (s *Store) reopen(ctx context.Context, tx *sql.Tx, e exportRow, c weir.Cause) error {
	if e.State != weir.Landed {
		return nil
	}
	_, err := s.apply(ctx, tx, e, weir.Reopen(c))
	return err
}

const updateSwept = `UPDATE deliveries SET state = 'open', owner = '', claimed_at = 0
	WHERE state = 'landing' AND owner <> $2 AND export_id IN (SELECT id FROM exports WHERE account = $1 AND is_open = 1)
	AND NOT EXISTS (SELECT 1 FROM owners o WHERE o.owner = deliveries.owner AND o.until > `

// SweepClaims opens again every claim of the account whose owner has no right
// any more.
func (s *Store) SweepClaims(ctx context.Context, l weir.Lease) (swept int, err error) {
	err = s.write(ctx, fmt.Sprintf("sweep claims of account %q", l.Account), func(tx *sql.Tx) error {
		if err := s.fence(ctx, tx, l.Account, l); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, updateSwept+s.now()+`)`, l.Account, l.Owner)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		swept = int(n)
		return err
	})
	return swept, err
}
