package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/weirhq/weir/ledger/internal/rule"
)

const (
	selectDurations = `SELECT ran_ms FROM durations WHERE account = $1 AND likeness = $2
		ORDER BY ended_at DESC, job_id DESC LIMIT $3`
	// selectDurationKeys walks the index from key to key, so that the cost is
	// that of the keys, not of everything that ever ran.
	selectDurationKeys = `WITH RECURSIVE walk (likeness) AS (
			SELECT MIN(likeness) FROM durations WHERE account = $1
			UNION ALL
			SELECT (SELECT MIN(d.likeness) FROM durations d WHERE d.account = $1 AND d.likeness > walk.likeness)
			FROM walk WHERE walk.likeness IS NOT NULL
		) SELECT likeness FROM walk WHERE likeness IS NOT NULL`
	// selectBought asks for one account at a time: joined with the accounts of the
	// organisation, PostgreSQL reads what everybody bought, as long as it goes by a
	// plan that it made while the table was small.
	selectBought  = `SELECT bought_at FROM jobs WHERE account = $1 AND uses_quota = 1 AND bought_at >= $2`
	selectMembers = `SELECT name FROM accounts WHERE organisation = ` + ofAccount
)

// SaveDuration keeps how long a job ran; once per job.
func (s *Store) SaveDuration(ctx context.Context, account, key, jobID string, ended time.Time, ran time.Duration) error {
	_, err := s.db.ExecContext(ctx, `INSERT INTO durations (account, job_id, likeness, ended_at, ran_ms)
		VALUES ($1, $2, $3, $4, $5) ON CONFLICT (account, job_id) DO NOTHING`,
		account, jobID, key, rule.Millis(ended), ran.Milliseconds())
	if err != nil {
		return s.fail(ctx, fmt.Sprintf("save duration of job %q", jobID), err)
	}
	return nil
}

// Durations returns the newest limit durations of each key, oldest first.
func (s *Store) Durations(ctx context.Context, account string, limit int) (map[string][]time.Duration, error) {
	keys, err := s.durationKeys(ctx, account)
	if err != nil {
		return nil, s.fail(ctx, fmt.Sprintf("read durations of account %q", account), err)
	}
	all := make(map[string][]time.Duration, len(keys))
	for _, key := range keys {
		rows, err := s.db.QueryContext(ctx, selectDurations, account, key, max(limit, 0))
		ran, err := collect(rows, err, readDuration)
		if err != nil {
			return nil, s.fail(ctx, fmt.Sprintf("read durations of account %q", account), err)
		}
		if slices.Reverse(ran); len(ran) > 0 {
			all[key] = ran
		}
	}
	return all, nil
}

func (s *Store) durationKeys(ctx context.Context, account string) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, selectDurationKeys, account)
	return collect(rows, err, readText)
}

func readDuration(r row) (time.Duration, error) {
	var ms int64
	err := r.Scan(&ms)
	return time.Duration(ms) * time.Millisecond, err
}

// QuotaUses returns the instants at which jobs of the account were bought since
// the instant, oldest first; cancelled ones excluded.
func (s *Store) QuotaUses(ctx context.Context, account string, since time.Time) ([]time.Time, error) {
	uses, err := s.quotaUses(ctx, account, since)
	if err != nil {
		return nil, s.fail(ctx, fmt.Sprintf("read quota uses of account %q", account), err)
	}
	slices.SortFunc(uses, time.Time.Compare)
	return uses, nil
}

func (s *Store) quotaUses(ctx context.Context, account string, since time.Time) (uses []time.Time, err error) {
	rows, err := s.db.QueryContext(ctx, selectMembers, account)
	members, err := collect(rows, err, readText)
	if err != nil {
		return nil, err
	}
	for _, member := range members {
		rows, err := s.db.QueryContext(ctx, selectBought, member, rule.Millis(since))
		some, err := collect(rows, err, readInstant)
		if err != nil {
			return nil, err
		}
		uses = append(uses, some...)
	}
	return uses, nil
}

func readInstant(r row) (at time.Time, err error) {
	err = r.Scan(into(&at))
	return at, err
}
