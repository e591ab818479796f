package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger/internal/rule"
)

// News is something that people may want to be told: an export failed, the
// quota will not last. It stands until it is cleared.
type News struct {
	// Key is news once, ever: recording it again changes nothing. An empty Key
	// is news unless the same Account, Kind and Subject stand already.
	Key     string
	Account string
	Kind    string
	// Subject is what recovers: an export's fingerprint, a schedule's name.
	Subject string
	Export  int64 // 0 where it is about none
	Text    string
	At      time.Time
}

// Addressees are who is to be told a piece of news, and how news is grouped.
type Addressees struct {
	Receivers []string
	// Gather is how long a message waits for more of its kind before it goes,
	// and Space the least time between two messages of one kind, about one
	// account, to one receiver.
	Gather, Space time.Duration
}

// Trouble is a move of an export into failed or rejected.
type Trouble struct {
	Key    string // names the move, once and for ever
	Export weir.Export
	State  weir.State
	At     time.Time
}

// Newsroom keeps what people are told. What is found out again is no news:
// every server may look, and each thing is told once.
type Newsroom interface {
	// Tell records news and adds it, in the same transaction, to the gathering
	// message of each receiver, or begins one. It reports false where it was no
	// news.
	Tell(ctx context.Context, n News, to Addressees) (bool, error)
	// Recover clears what stands of the account, kind and subject and tells news
	// of kind [Recovered] where anything did.
	Recover(ctx context.Context, n News, to Addressees) (bool, error)
	// Standing returns at most limit pieces of news that stand, oldest first.
	Standing(ctx context.Context, account, kind string, limit int) ([]News, error)
	// Mended returns at most limit pieces of news that stand although an export
	// with their subject as its fingerprint has landed since.
	Mended(ctx context.Context, limit int) ([]News, error)
	// Troubles returns at most limit moves of exports into failed or rejected at
	// or after the instant that are no news yet, oldest first.
	Troubles(ctx context.Context, since time.Time, limit int) ([]Trouble, error)
	// Overdue returns at most limit scheduled exports that are open although
	// they were due before the instant, oldest first.
	Overdue(ctx context.Context, before time.Time, limit int) ([]weir.Export, error)
	// LateRuns returns schedules whose last run started at or after since and
	// more than by after it was due.
	LateRuns(ctx context.Context, since time.Time, by time.Duration) ([]Schedule, error)
	// ForgetNews deletes at most limit messages that ended, and as many pieces
	// of news that came, before the instant; it returns how many. What still
	// stands then and is found again is news again.
	ForgetNews(ctx context.Context, before time.Time, limit int) (int, error)
}

// Recovered is the kind of news that tells that other news no longer stands.
const Recovered = "recovered"

// mostText bounds the text of a piece of news, in bytes.
const mostText = 500

// Tell records news and queues it for its receivers.
func (s *Store) Tell(ctx context.Context, n News, to Addressees) (news bool, err error) {
	n.Text = rule.Shorten(n.Text, mostText)
	err = s.write(ctx, fmt.Sprintf("tell %s of account %q", n.Kind, n.Account), func(tx *sql.Tx) error {
		if err := s.lockAccount(ctx, tx, n.Account); err != nil {
			return err
		}
		if n.Key == "" {
			standing := 0
			row := tx.QueryRowContext(ctx, `SELECT count(*) FROM news WHERE account = $1 AND kind = $2 AND subject = $3 AND cleared_at = 0`, n.Account, n.Kind, n.Subject)
			if err := row.Scan(&standing); err != nil || standing > 0 {
				return err
			}
			n.Key = rule.NewsKey(n.Account, n.Kind, n.Subject, n.At)
		}
		result, err := tx.ExecContext(ctx, `INSERT INTO news (key, account, kind, subject, export_id, text, at) VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (key) DO NOTHING`, n.Key, n.Account, n.Kind, n.Subject, n.Export, n.Text, rule.Millis(n.At))
		if err != nil {
			return err
		}
		if inserted, err := result.RowsAffected(); err != nil || inserted == 0 {
			return err
		}
		news = true
		return s.enqueue(ctx, tx, n, to)
	})
	return news, err
}

// Recover clears what stands and tells that it does not any more.
func (s *Store) Recover(ctx context.Context, n News, to Addressees) (cleared bool, err error) {
	n.Text = rule.Shorten(n.Text, mostText)
	err = s.write(ctx, fmt.Sprintf("clear %s of account %q", n.Kind, n.Account), func(tx *sql.Tx) error {
		if err := s.lockAccount(ctx, tx, n.Account); err != nil {
			return err
		}
		result, err := tx.ExecContext(ctx, `UPDATE news SET cleared_at = $4 WHERE account = $1 AND kind = $2 AND subject = $3 AND cleared_at = 0`,
			n.Account, n.Kind, n.Subject, rule.Millis(n.At))
		if err != nil {
			return err
		}
		if changed, err := result.RowsAffected(); err != nil || changed == 0 {
			return err
		}
		cleared = true
		n.Kind = Recovered
		return s.enqueue(ctx, tx, n, to)
	})
	return cleared, err
}

const newsColumns = `n.key, n.account, n.kind, n.subject, n.export_id, n.text, n.at`

func readNews(r row) (n News, err error) {
	err = r.Scan(&n.Key, &n.Account, &n.Kind, &n.Subject, &n.Export, &n.Text, into(&n.At))
	return n, err
}

const selectStanding = `SELECT ` + newsColumns + ` FROM news n
	WHERE n.account = $1 AND n.kind = $2 AND n.cleared_at = 0 ORDER BY n.at, n.key LIMIT $3`

// Standing returns news that stands.
func (s *Store) Standing(ctx context.Context, account, kind string, limit int) ([]News, error) {
	rows, err := s.db.QueryContext(ctx, selectStanding, account, kind, limit)
	all, err := collect(rows, err, readNews)
	if err != nil {
		return nil, s.fail(ctx, "read standing news", err)
	}
	return all, nil
}

const selectMended = `SELECT ` + newsColumns + ` FROM news n WHERE n.cleared_at = 0 AND EXISTS (
		SELECT 1 FROM exports e WHERE e.account = n.account AND e.fingerprint = n.subject AND e.changed_at >= n.at AND e.state = 'landed')
	ORDER BY n.at, n.key LIMIT $1`

// Mended returns news whose export has landed since.
func (s *Store) Mended(ctx context.Context, limit int) ([]News, error) {
	rows, err := s.db.QueryContext(ctx, selectMended, limit)
	all, err := collect(rows, err, readNews)
	if err != nil {
		return nil, s.fail(ctx, "read mended news", err)
	}
	return all, nil
}

const selectTroubles = `SELECT v.key, v.to_state, v.at, ` + troubleExport + ` FROM (
		SELECT 'export/' || t.export_id || '/' || t.version AS key, t.export_id, t.to_state, t.at FROM events t
		WHERE t.at >= $1 AND t.to_state IN ('failed', 'rejected')) v
	JOIN exports e ON e.id = v.export_id
	WHERE NOT EXISTS (SELECT 1 FROM news n WHERE n.key = v.key) ORDER BY v.at, v.key LIMIT $2`

const troubleExport = `e.id, e.account, e.fingerprint, e.state, e.rank, e.as_of, e.job_id, e.not_before, e.created_at, e.changed_at, e.version, e.detail`

// Troubles returns what went wrong and nobody was told of.
func (s *Store) Troubles(ctx context.Context, since time.Time, limit int) ([]Trouble, error) {
	rows, err := s.db.QueryContext(ctx, selectTroubles, rule.Millis(since), limit)
	all, err := collect(rows, err, func(r row) (t Trouble, err error) {
		e, err := readExportRow(ahead{r, []any{&t.Key, &t.State, into(&t.At)}})
		t.Export = e.Export
		return t, err
	})
	if err != nil {
		return nil, s.fail(ctx, "read troubles", err)
	}
	return all, nil
}

// ahead scans some columns before those that a reader asks for.
type ahead struct {
	row
	first []any
}

func (a ahead) Scan(dest ...any) error { return a.row.Scan(append(a.first, dest...)...) }

const selectOverdue = `SELECT ` + exportColumns + ` FROM exports WHERE is_open = 1 AND rank = 0 AND as_of < $1 ORDER BY as_of, id LIMIT $2`

// Overdue returns scheduled exports that should have landed.
func (s *Store) Overdue(ctx context.Context, before time.Time, limit int) ([]weir.Export, error) {
	rows, err := s.db.QueryContext(ctx, selectOverdue, rule.Millis(before), limit)
	all, err := collect(rows, err, readExport)
	if err != nil {
		return nil, s.fail(ctx, "read overdue exports", err)
	}
	return all, nil
}

// LateRuns returns schedules whose last run was late.
func (s *Store) LateRuns(ctx context.Context, since time.Time, by time.Duration) ([]Schedule, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+scheduleColumns+` FROM schedules
		WHERE last_run_at >= $1 AND last_run_at - last_due_at > $2 ORDER BY account, name`, rule.Millis(since), by.Milliseconds())
	all, err := collect(rows, err, readSchedule)
	if err != nil {
		return nil, s.fail(ctx, "read late runs", err)
	}
	return all, nil
}

// ForgetNews deletes what was told long ago.
func (s *Store) ForgetNews(ctx context.Context, before time.Time, limit int) (forgotten int, err error) {
	err = s.write(ctx, "forget news", func(tx *sql.Tx) error {
		for _, statement := range []string{
			`DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE ended_at > 0 AND ended_at < $1 ORDER BY ended_at LIMIT $2)`,
			`DELETE FROM news WHERE key IN (SELECT key FROM news WHERE at < $1 ORDER BY at LIMIT $2)`,
		} {
			result, err := tx.ExecContext(ctx, statement, rule.Millis(before), limit)
			if err != nil {
				return err
			}
			n, err := result.RowsAffected()
			if err != nil {
				return err
			}
			forgotten += int(n)
		}
		return nil
	})
	return forgotten, err
}
