package ledger

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger/internal/rule"
)

// Move applies a transition compare-and-set, with its event and its
// consequences on deliveries. A transition that is no legal move at all is
// weir.ErrIllegalMove; landing while a delivery is open is ErrStale.
func (s *Store) Move(ctx context.Context, l weir.Lease, id int64, t weir.Transition) (weir.Export, error) {
	what := fmt.Sprintf("move export %d to %s", id, t.To)
	if !weir.CanMove(t.From, t.To) {
		return weir.Export{}, fmt.Errorf("%s from %s: %w", what, t.From, weir.ErrIllegalMove)
	}
	var after exportRow
	err := s.write(ctx, what, func(tx *sql.Tx) error {
		before, err := s.decide(ctx, tx, l, id, t.From)
		if err != nil {
			return err
		}
		if after, err = s.apply(ctx, tx, before, t); err != nil {
			return err
		}
		return s.stirUnlessConducted(ctx, tx, l, before.Account)
	})
	return after.Export, err
}

// Amend changes what is no transition.
func (s *Store) Amend(ctx context.Context, l weir.Lease, id int64, in weir.State, change func(*weir.Export)) (weir.Export, error) {
	var after exportRow
	err := s.write(ctx, fmt.Sprintf("amend export %d", id), func(tx *sql.Tx) error {
		before, err := s.decide(ctx, tx, l, id, in)
		if err != nil {
			return err
		}
		amended, err := rule.Amend(before.Export, change)
		if err != nil {
			return err
		}
		if after, err = saveExport(ctx, tx, before, amended); err != nil {
			return err
		}
		return s.stirUnlessConducted(ctx, tx, l, before.Account)
	})
	return after.Export, err
}

// decide reads the export that a decision is about, under its lease and only
// while it stands where the decision saw it.
func (s *Store) decide(ctx context.Context, tx *sql.Tx, l weir.Lease, id int64, in weir.State) (exportRow, error) {
	e, err := s.loadExport(ctx, tx, id)
	if err != nil {
		return exportRow{}, err
	}
	if err := s.fence(ctx, tx, e.Account, l); err != nil {
		return exportRow{}, err
	}
	if e.State != in {
		return exportRow{}, fmt.Errorf("it is %s: %w", e.State, ErrStale)
	}
	return e, nil
}

// apply executes a transition of an export that was read in this transaction.
func (s *Store) apply(ctx context.Context, tx *sql.Tx, before exportRow, t weir.Transition) (exportRow, error) {
	m, err := marksOf(ctx, tx, before.Account)
	if err != nil {
		return exportRow{}, err
	}
	moved, err := rule.Move(t, before.Export, m.seq, m.readings)
	if err != nil {
		return exportRow{}, err
	}
	if err := takeSlot(ctx, tx, before.Account, t); err != nil {
		return exportRow{}, err
	}
	if err := s.follow(ctx, tx, t, moved); err != nil {
		return exportRow{}, err
	}
	after, err := saveExport(ctx, tx, before, moved)
	if err != nil {
		return exportRow{}, err
	}
	return after, addEvent(ctx, tx, after.version, rule.Event(t, moved))
}

// follow gives the transition its consequences on deliveries.
func (s *Store) follow(ctx context.Context, tx *sql.Tx, t weir.Transition, after weir.Export) error {
	if !rule.Follows(t) {
		return nil
	}
	deliveries, err := deliveriesOf(ctx, tx, after.ID)
	if err != nil {
		return err
	}
	if t.To == weir.Landed && rule.AnyOpen(deliveries) {
		return fmt.Errorf("a delivery is open: %w", ErrStale)
	}
	for _, d := range deliveries {
		next, ok := rule.Follow(t, after, d)
		if !ok {
			continue
		}
		if err := saveDelivery(ctx, tx, next); err != nil {
			return err
		}
	}
	return nil
}

func addEvent(ctx context.Context, tx *sql.Tx, version int64, e weir.Event) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO events (export_id, version, at, from_state, to_state, why, request, job_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		e.ExportID, version, rule.Millis(e.At), string(e.From), string(e.To), e.Why, e.Request, e.JobID)
	return err
}
