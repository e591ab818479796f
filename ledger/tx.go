package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger/internal/rule"
)

// querier is a transaction, or the database for a single statement.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// row is what one result row can be read from.
type row interface{ Scan(dest ...any) error }

// write runs do in one transaction; what names the object for the error.
func (s *Store) write(ctx context.Context, what string, do func(tx *sql.Tx) error) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return s.fail(ctx, what, err)
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing, before it nothing better can be done
	if err := do(tx); err != nil {
		return s.fail(ctx, what, err)
	}
	if err := tx.Commit(); err != nil {
		return s.fail(ctx, what, err)
	}
	return nil
}

// fail gives an error its object and its class. A context that has ended is
// the cause, whatever the driver says of the interruption.
func (s *Store) fail(ctx context.Context, what string, err error) error {
	switch {
	case ctx.Err() != nil:
		err = context.Cause(ctx)
	case errors.Is(err, sql.ErrNoRows):
		err = ErrNotFound
	default:
		err = s.dialect.classify(err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// collect reads every row and closes the result, so that no statement runs
// while another is open.
func collect[T any](rows *sql.Rows, err error, read func(row) (T, error)) ([]T, error) {
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := read(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, rows.Err()
}

func readText(r row) (text string, err error) {
	err = r.Scan(&text)
	return text, err
}

// nextID draws an id; the counter's row keeps two transactions apart.
func nextID(ctx context.Context, q querier, counter string) (id int64, err error) {
	err = q.QueryRowContext(ctx, `UPDATE counters SET value = value + 1 WHERE name = $1 RETURNING value`, counter).Scan(&id)
	return id, err
}

// fence refuses a decision whose lease another owner or generation has by now.
// The zero lease is a person's and always passes. Expiry alone invalidates
// nothing: while nobody took the lease over, nobody else decides.
func (s *Store) fence(ctx context.Context, q querier, account string, l weir.Lease) error {
	if l == (weir.Lease{}) {
		return nil
	}
	var held int
	err := q.QueryRowContext(ctx, `SELECT 1 FROM leases WHERE account = $1 AND owner = $2 AND generation = $3`+s.dialect.forShare,
		l.Account, l.Owner, l.Generation).Scan(&held)
	if errors.Is(err, sql.ErrNoRows) || err == nil && l.Account != account {
		return ErrFenced
	}
	return err
}

// changed reports ErrNotFound for a statement that met no row.
func changed(result sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

// instant scans Unix milliseconds.
type instant struct{ to *time.Time }

func into(t *time.Time) sql.Scanner { return instant{t} }

// Scan implements sql.Scanner.
func (i instant) Scan(value any) error {
	ms, ok := value.(int64)
	if !ok {
		return fmt.Errorf("read instant: %T is no integer: %w", value, ErrNotALedger)
	}
	*i.to = rule.FromMillis(ms)
	return nil
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
