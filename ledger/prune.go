package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir/ledger/internal/rule"
)

// Pruned counts what was deleted.
type Pruned struct {
	Exports, Jobs, Durations, Owners int64
}

// Any reports whether anything was deleted.
func (p Pruned) Any() bool { return p != Pruned{} }

// Add is both together.
func (p Pruned) Add(q Pruned) Pruned {
	return Pruned{p.Exports + q.Exports, p.Jobs + q.Jobs, p.Durations + q.Durations, p.Owners + q.Owners}
}

// Retention forgets what has ended.
type Retention interface {
	// Prune deletes at most so many rows of each kind of what ended before an
	// instant, oldest first, and reports what. Call it again while it deletes
	// something. It never deletes what a rule still needs:
	//
	//   - what is open; the newest landed export of each fingerprint without a span,
	//     which serves wishes for a fresh snapshot;
	//   - a job that the server's last complete list held, that a complete list must
	//     still hold, or that an open export refers to: an id that is forgotten and
	//     then listed would look like the job of a lost POST. The newest own job of
	//     each account stays too: another key proves itself by reading it;
	//   - the newest 50 durations of each key.
	//
	// Numbers of what was deleted are not given again. before is at least 31 days
	// ago, the configuration sees to that: quota uses of 30 days count.
	Prune(ctx context.Context, before time.Time, most int) (Pruned, error)
}

const (
	// durationsKept are the newest runs of each key, which forecasts rest on.
	durationsKept = 50
	// ownersKept is how long a process that ended is remembered.
	ownersKept = time.Hour
)

// Prune deletes what ended before an instant, in one short transaction: see
// [Retention].
func (s *Store) Prune(ctx context.Context, before time.Time, most int) (p Pruned, err error) {
	err = s.write(ctx, "prune", func(tx *sql.Tx) error {
		if p.Exports, err = s.pruneExports(ctx, tx, before, most); err != nil {
			return err
		}
		for _, part := range []struct {
			count *int64
			query string
			args  []any
		}{
			{&p.Jobs, pruneJobs, []any{rule.Millis(before), most}},
			{&p.Durations, pruneDurations, []any{rule.Millis(before), most, durationsKept}},
			{&p.Owners, `DELETE FROM owners WHERE until <= ` + s.now() + ` - $1`, []any{ownersKept.Milliseconds()}},
		} {
			result, err := tx.ExecContext(ctx, part.query, part.args...)
			if err != nil {
				return err
			}
			if *part.count, err = result.RowsAffected(); err != nil {
				return err
			}
		}
		return nil
	})
	return p, err
}

const selectOld = `SELECT e.id FROM exports e WHERE e.is_open = 0 AND e.changed_at < $1
	AND (e.state <> 'landed' OR e.spanned = 1 OR EXISTS (SELECT 1 FROM exports n WHERE n.account = e.account AND n.fingerprint = e.fingerprint
		AND n.state = 'landed' AND (n.changed_at > e.changed_at OR n.changed_at = e.changed_at AND n.id > e.id)))
	ORDER BY e.changed_at, e.id LIMIT $2`

// pruneExports locks what it deletes: an export that somebody reopens meanwhile
// stays whole.
func (s *Store) pruneExports(ctx context.Context, tx *sql.Tx, before time.Time, most int) (int64, error) {
	rows, err := tx.QueryContext(ctx, selectOld+s.dialect.forUpdate, rule.Millis(before), most)
	ids, err := collect(rows, err, func(r row) (id int64, err error) {
		err = r.Scan(&id)
		return id, err
	})
	if err != nil {
		return 0, err
	}
	for part := range slices.Chunk(ids, chunk) {
		marks, args := make([]string, len(part)), make([]any, len(part))
		for i, id := range part {
			marks[i], args[i] = fmt.Sprintf("$%d", i+1), id
		}
		in := `(` + strings.Join(marks, ", ") + `)`
		for _, query := range []string{
			`DELETE FROM events WHERE export_id IN ` + in,
			`DELETE FROM deliveries WHERE export_id IN ` + in,
			`DELETE FROM exports WHERE id IN ` + in,
		} {
			if _, err := tx.ExecContext(ctx, query, args...); err != nil {
				return 0, err
			}
		}
	}
	return int64(len(ids)), nil
}

// pruneJobs looks at the row twice: a list may have shown the job meanwhile.
const pruneJobs = `DELETE FROM jobs WHERE in_list = 0 AND last_seen < $1 AND (account, id) IN (SELECT j.account, j.id FROM jobs j
	WHERE j.in_list = 0 AND j.last_seen < $1 AND j.listed_until < $1 AND j.bought_at < $1
	AND NOT EXISTS (SELECT 1 FROM exports e WHERE e.account = j.account AND e.is_open = 1 AND (e.job_id = j.id OR e.id = j.export_id))
	AND (j.export_id = 0 OR EXISTS (SELECT 1 FROM jobs n WHERE n.account = j.account AND n.export_id <> 0 AND n.seq > j.seq))
	ORDER BY j.last_seen LIMIT $2)`

const pruneDurations = `DELETE FROM durations WHERE (account, job_id) IN (SELECT d.account, d.job_id FROM durations d
	WHERE d.ended_at < $1 AND $3 <= (SELECT COUNT(*) FROM durations n WHERE n.account = d.account AND n.likeness = d.likeness
		AND (n.ended_at > d.ended_at OR n.ended_at = d.ended_at AND n.job_id > d.job_id))
	ORDER BY d.ended_at LIMIT $2)`
