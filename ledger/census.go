package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger/internal/rule"
)

// Counted is one account as [Census] counts it.
type Counted struct {
	Account weir.Account
	Budget  weir.Budget
	Gate    string // the account's pace, as [Accounts].Gate returns it
	// Open counts the open exports by state.
	Open map[weir.State]int
}

// Latest is the newest landed snapshot of a tab and period.
type Latest struct {
	Account    string
	ForecastID string
	Period     weir.Period
	Export     int64
	SnapshotAt time.Time
	Rows       int64
}

// Census answers for all accounts at once, at a price that does not grow with
// what has ended; counting the ended reads one index entry for each.
type Census interface {
	// CountAccounts returns every account with what is open.
	CountAccounts(ctx context.Context) ([]Counted, error)
	// CountEnded counts ended exports by account and state.
	CountEnded(ctx context.Context) (map[string]map[weir.State]int, error)
	// LatestSnapshots returns the newest snapshot of each tab and period: of
	// each account at most limit, those of the newest periods.
	LatestSnapshots(ctx context.Context, limit int) ([]Latest, error)
}

const selectOpenCounts = `SELECT account, state, count(*) FROM exports WHERE is_open = 1 GROUP BY account, state`

const selectEndedCounts = `SELECT account, state, count(*) FROM exports WHERE is_open = 0 GROUP BY account, state`

// CountAccounts returns every account with what is open.
func (s *Store) CountAccounts(ctx context.Context) ([]Counted, error) {
	open, err := s.counts(ctx, selectOpenCounts)
	if err != nil {
		return nil, err
	}
	rows, err := s.db.QueryContext(ctx, `SELECT gate, budget, `+accountColumns+`
		FROM accounts JOIN organisations o ON o.id = organisation ORDER BY name`)
	all, err := collect(rows, err, func(r row) (c Counted, err error) {
		var budget string
		c.Account, err = readAccount(ahead{r, []any{&c.Gate, &budget}})
		c.Open = open[c.Account.Name]
		if err == nil && budget != "" {
			err = json.Unmarshal([]byte(budget), &c.Budget)
		}
		return c, err
	})
	if err != nil {
		return nil, s.fail(ctx, "count accounts", err)
	}
	return all, nil
}

// CountEnded counts ended exports.
func (s *Store) CountEnded(ctx context.Context) (map[string]map[weir.State]int, error) {
	return s.counts(ctx, selectEndedCounts)
}

func (s *Store) counts(ctx context.Context, query string) (map[string]map[weir.State]int, error) {
	type count struct {
		account string
		state   weir.State
		n       int
	}
	rows, err := s.db.QueryContext(ctx, query)
	all, err := collect(rows, err, func(r row) (c count, err error) {
		err = r.Scan(&c.account, &c.state, &c.n)
		return c, err
	})
	if err != nil {
		return nil, s.fail(ctx, "count exports", err)
	}
	counts := map[string]map[weir.State]int{}
	for _, c := range all {
		if counts[c.account] == nil {
			counts[c.account] = map[weir.State]int{}
		}
		counts[c.account][c.state] = c.n
	}
	return counts, nil
}

const selectLatest = `SELECT account, forecast_id, period, export_id, snapshot_at, row_count FROM (
		SELECT l.*, row_number() OVER (PARTITION BY account ORDER BY period DESC, forecast_id) AS place FROM latest_snapshots l) placed
	WHERE place <= $1 ORDER BY account, period DESC, forecast_id`

// LatestSnapshots returns the newest snapshot of each tab and period.
func (s *Store) LatestSnapshots(ctx context.Context, limit int) ([]Latest, error) {
	rows, err := s.db.QueryContext(ctx, selectLatest, limit)
	all, err := collect(rows, err, func(r row) (l Latest, err error) {
		err = r.Scan(&l.Account, &l.ForecastID, &l.Period, &l.Export, into(&l.SnapshotAt), &l.Rows)
		return l, err
	})
	if err != nil {
		return nil, s.fail(ctx, "read latest snapshots", err)
	}
	return all, nil
}

// keepLatest remembers a landed forecast as the newest of its tab and period.
func keepLatest(ctx context.Context, tx *sql.Tx, e weir.Export, o Outcome) error {
	if o.State != weir.DeliveryLanded || e.Request.Kind != weir.Forecast || o.SnapshotAt.IsZero() {
		return nil
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO latest_snapshots (account, forecast_id, period, export_id, snapshot_at, row_count)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (account, forecast_id, period) DO UPDATE SET
			export_id = excluded.export_id, snapshot_at = excluded.snapshot_at, row_count = excluded.row_count
		WHERE latest_snapshots.snapshot_at <= excluded.snapshot_at`,
		e.Account, e.Request.ForecastID, string(e.Request.Period), e.ID, rule.Millis(o.SnapshotAt), o.Rows)
	if err != nil {
		return fmt.Errorf("keep latest snapshot: %w", err)
	}
	return nil
}
