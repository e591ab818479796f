package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger/internal/rule"
)

const deliveryColumns = `d.id, d.export_id, d.destination, d.format, d.is_primary, d.csv_safe, d.state, d.generation, d.owner,
	d.claimed_at, d.attempts, d.not_before, d.manifest, d.row_count, d.snapshot_at, d.landed_at, d.failure`

func readDelivery(r row) (weir.Delivery, error) {
	var d weir.Delivery
	var failure string
	err := r.Scan(&d.ID, &d.ExportID, &d.Destination, &d.Format, &d.Primary, &d.CSVSafe, &d.State, &d.Generation, &d.Owner,
		into(&d.ClaimedAt), &d.Attempts, into(&d.NotBefore), &d.Manifest, &d.Rows, into(&d.SnapshotAt), into(&d.LandedAt), &failure)
	if err != nil {
		return weir.Delivery{}, err
	}
	d.Failure, err = decodeFailure(failure)
	return d, err
}

// saveDelivery writes all of a delivery that can change. The caller has read
// it in the same transaction, after locking its export.
func saveDelivery(ctx context.Context, tx *sql.Tx, d weir.Delivery) error {
	failure, err := encodeFailure(d.Failure)
	if err != nil {
		return err
	}
	return changed(tx.ExecContext(ctx, `UPDATE deliveries SET state = $2, generation = $3, owner = $4, claimed_at = $5,
		attempts = $6, not_before = $7, manifest = $8, row_count = $9, snapshot_at = $10, landed_at = $11, failure = $12
		WHERE id = $1`,
		d.ID, string(d.State), d.Generation, d.Owner, rule.Millis(d.ClaimedAt), d.Attempts, rule.Millis(d.NotBefore),
		d.Manifest, d.Rows, rule.Millis(d.SnapshotAt), rule.Millis(d.LandedAt), failure))
}

// addDelivery inserts an open delivery under a new id.
func addDelivery(ctx context.Context, tx *sql.Tx, d weir.Delivery) (weir.Delivery, error) {
	id, err := nextID(ctx, tx, "delivery")
	if err != nil {
		return weir.Delivery{}, err
	}
	d.ID = id
	_, err = tx.ExecContext(ctx, `INSERT INTO deliveries (id, export_id, destination, format, is_primary, csv_safe, state,
		generation, owner, claimed_at, attempts, not_before, manifest, row_count, snapshot_at, landed_at, failure)
		VALUES ($1, $2, $3, $4, $5, $6, $7, 0, '', 0, 0, 0, '', 0, 0, 0, '')`,
		d.ID, d.ExportID, d.Destination, d.Format, bit(d.Primary), bit(d.CSVSafe), string(d.State))
	return d, err
}

func deliveriesOf(ctx context.Context, q querier, exportID int64) ([]weir.Delivery, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+deliveryColumns+` FROM deliveries d WHERE d.export_id = $1 ORDER BY d.id`, exportID)
	return collect(rows, err, readDelivery)
}

func delivery(ctx context.Context, q querier, id int64) (weir.Delivery, error) {
	return readDelivery(q.QueryRowContext(ctx, `SELECT `+deliveryColumns+` FROM deliveries d WHERE d.id = $1`, id))
}

// DeliveriesOf returns the deliveries of one export by id.
func (s *Store) DeliveriesOf(ctx context.Context, exportID int64) ([]weir.Delivery, error) {
	all, err := deliveriesOf(ctx, s.db, exportID)
	if err != nil {
		return nil, s.fail(ctx, fmt.Sprintf("read deliveries of export %d", exportID), err)
	}
	return all, nil
}

// Delivery returns one delivery, or ErrNotFound.
func (s *Store) Delivery(ctx context.Context, id int64) (weir.Delivery, error) {
	d, err := delivery(ctx, s.db, id)
	if err != nil {
		return weir.Delivery{}, s.fail(ctx, fmt.Sprintf("read delivery %d", id), err)
	}
	return d, nil
}

const selectDeliverable = `SELECT ` + deliveryColumns + `
	FROM exports e
	JOIN deliveries d ON d.export_id = e.id
	LEFT JOIN jobs j ON j.account = e.account AND j.id = e.job_id
	WHERE e.account = $1 AND e.is_open = 1 AND e.state = 'ready' AND d.state = 'open' AND d.not_before <= $2
	ORDER BY CASE WHEN COALESCE(j.expires_at, 0) = 0 THEN 1 ELSE 0 END, j.expires_at, d.id`

// Deliverable returns the open deliveries of the account's ready exports that
// may start at now, those nearest to the expiry of their result first; where
// no expiry is known, last.
func (s *Store) Deliverable(ctx context.Context, account string, now time.Time) ([]weir.Delivery, error) {
	rows, err := s.db.QueryContext(ctx, selectDeliverable, account, rule.Millis(now))
	all, err := collect(rows, err, readDelivery)
	if err != nil {
		return nil, s.fail(ctx, fmt.Sprintf("read deliverable of account %q", account), err)
	}
	return all, nil
}
