package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
)

// ErrNotEmpty marks a ledger that holds something already.
var ErrNotEmpty = errors.New("it is not empty")

// carried are the tables in an order that references allow. Leases stay behind:
// whoever conducts the new ledger takes its own.
func carried() []string {
	return []string{"settings", "organisations", "accounts", "exports", "events", "deliveries", "jobs", "durations", "schedules", "cursors",
		"latest_snapshots", "news", "messages"}
}

// Carry copies everything that a ledger holds into an empty one, of whatever
// kind, in one transaction: accounts, exports with their history and
// deliveries, every fact, the salt, schedules. Nobody may conduct either
// meanwhile; the source is left as it is. It returns how many exports went.
func Carry(ctx context.Context, from, to *Store) (exports int64, err error) {
	err = to.write(ctx, "carry ledger", func(tx *sql.Tx) error {
		if err := to.mustBeEmpty(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM settings`); err != nil {
			return err
		}
		for _, table := range carried() {
			n, err := carryTable(ctx, from, tx, table)
			if err != nil {
				return fmt.Errorf("table %s: %w", table, err)
			}
			if table == "exports" {
				exports = n
			}
		}
		return carryCounters(ctx, from, tx)
	})
	return exports, err
}

func (s *Store) mustBeEmpty(ctx context.Context, q querier) error {
	var n int64
	if err := q.QueryRowContext(ctx, `SELECT count(*) FROM accounts`).Scan(&n); err != nil {
		return err
	}
	if n > 0 {
		return ErrNotEmpty
	}
	return nil
}

// carryTable copies a table row by row: every value is a number or text, the
// same on every database.
func carryTable(ctx context.Context, from *Store, tx *sql.Tx, table string) (int64, error) {
	rows, err := from.db.QueryContext(ctx, `SELECT * FROM `+table) //nolint:gosec // the names are ours
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return 0, err
	}
	insert, err := tx.PrepareContext(ctx, insertInto(table, columns))
	if err != nil {
		return 0, err
	}
	defer insert.Close()
	n := int64(0)
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			return n, err
		}
		if _, err := insert.ExecContext(ctx, plainValues(values)...); err != nil {
			return n, err
		}
		n++
	}
	return n, rows.Err()
}

func insertInto(table string, columns []string) string {
	marks := make([]string, len(columns))
	for i := range marks {
		marks[i] = fmt.Sprintf("$%d", i+1)
	}
	return `INSERT INTO ` + table + ` (` + strings.Join(columns, ", ") + `) VALUES (` + strings.Join(marks, ", ") + `)`
}

func plainValues(scanned []any) []any {
	values := make([]any, len(scanned))
	for i, v := range scanned {
		values[i] = *v.(*any)
		if text, ok := values[i].([]byte); ok {
			values[i] = string(text)
		}
	}
	return values
}

func carryCounters(ctx context.Context, from *Store, tx *sql.Tx) error {
	rows, err := from.db.QueryContext(ctx, `SELECT name, value FROM counters`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var value int64
		if err := rows.Scan(&name, &value); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE counters SET value = $1 WHERE name = $2`, value, name); err != nil {
			return err
		}
	}
	return rows.Err()
}
