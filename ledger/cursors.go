package ledger

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger/internal/rule"
)

// Cursors keep up to where audit events have landed. They move on with the
// delivery that landed, in its transaction.
type Cursors interface {
	// Cursor is up to where, excluded, the audit events that are like the request
	// have landed at the destination in the format; zero when none have.
	Cursor(ctx context.Context, account, destination, format string, r weir.Request) (time.Time, error)
}

// cursor is where a place stands and which export brought it there.
type cursor struct {
	at     time.Time
	export int64
}

func readCursor(ctx context.Context, q querier, account, destination, format, likeness string) (c cursor, err error) {
	err = q.QueryRowContext(ctx, `SELECT at, export_id FROM cursors WHERE account = $1 AND destination = $2 AND format = $3 AND likeness = $4`,
		account, destination, format, likeness).Scan(into(&c.at), &c.export)
	if errors.Is(err, sql.ErrNoRows) {
		return cursor{}, nil
	}
	return c, err
}

// Cursor is up to where audit events have landed.
func (s *Store) Cursor(ctx context.Context, account, destination, format string, r weir.Request) (time.Time, error) {
	c, err := readCursor(ctx, s.db, account, destination, format, r.Likeness())
	if err != nil {
		return time.Time{}, s.fail(ctx, "read cursor of "+destination, err)
	}
	return c.at, nil
}

// advance moves the cursor of the place where a delivery of audit events landed.
func advance(ctx context.Context, tx *sql.Tx, e weir.Export, d weir.Delivery) error {
	at, audit := rule.Reaches(e.Request)
	if !audit || d.State != weir.DeliveryLanded {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO cursors (account, destination, format, likeness, at, export_id) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (account, destination, format, likeness) DO UPDATE SET at = excluded.at, export_id = excluded.export_id
		WHERE cursors.at <= excluded.at`,
		e.Account, d.Destination, d.Format, e.Request.Likeness(), rule.Millis(at), e.ID)
	return err
}

const selectAwaited = `SELECT ` + exportColumns + ` FROM exports
	WHERE account = $1 AND is_open = 1 AND id IN (
		SELECT export_id FROM deliveries WHERE destination = $2 AND format = $3 AND state IN ('open', 'landing'))
	ORDER BY id`

// grantSince serves a wish for the audit events since the last ones: by the
// export that is on its way there, by a new one from where the last one ended,
// or, when that was only just now, by the last one. The account's row is locked,
// so that two spans never overlap.
func (s *Store) grantSince(ctx context.Context, tx *sql.Tx, w Wish, now time.Time) (Granted, error) {
	if len(w.Formats) != 1 {
		return Granted{}, errOneFormat
	}
	if g, found, err := awaited(ctx, tx, w); found || err != nil {
		return g, err
	}
	c, err := readCursor(ctx, tx, w.Account, w.Destination, w.Formats[0], w.Request.Likeness())
	if err != nil {
		return Granted{}, err
	}
	r, due := rule.SinceLast(w.Request, c.at, w.AsOf)
	if !due {
		return s.grantLast(ctx, tx, w, c)
	}
	w.Request, w.SinceLast = r, false
	return s.grant(ctx, tx, w, now)
}

// errOneFormat marks a wish since the last one for several formats: each has a
// cursor of its own.
var errOneFormat = errors.New("events since the last ones are wanted in one format at a time")

func awaited(ctx context.Context, tx *sql.Tx, w Wish) (Granted, bool, error) {
	rows, err := tx.QueryContext(ctx, selectAwaited, w.Account, w.Destination, w.Formats[0])
	open, err := collect(rows, err, readExport)
	if err != nil {
		return Granted{}, false, err
	}
	for _, e := range open {
		deliveries, err := deliveriesOf(ctx, tx, e.ID)
		if err != nil {
			return Granted{}, false, err
		}
		if d, ok := rule.Awaits(e, deliveries, w.Destination, w.Formats[0], w.Request.Likeness()); ok {
			return Granted{Export: e, Deliveries: []weir.Delivery{d}, Joined: true}, true, nil
		}
	}
	return Granted{}, false, nil
}

// grantLast is how a wish is served for which nothing is to be asked yet. The
// last export may have been pruned: then it is told as one without an id.
func (s *Store) grantLast(ctx context.Context, tx *sql.Tx, w Wish, c cursor) (Granted, error) {
	e, err := s.loadExport(ctx, tx, c.export)
	if errors.Is(err, sql.ErrNoRows) {
		gone := weir.Export{Account: w.Account, Request: w.Request, State: weir.Landed}
		return Granted{Export: gone, Joined: true}, nil
	}
	if err != nil {
		return Granted{}, err
	}
	deliveries, err := deliveriesOf(ctx, tx, e.ID)
	if err != nil {
		return Granted{}, err
	}
	d, _ := rule.At(deliveries, w.Destination, w.Formats[0])
	return Granted{Export: e.Export, Deliveries: []weir.Delivery{d}, Joined: true}, nil
}
