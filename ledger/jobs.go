package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger/internal/rule"
)

// selectJobs wants a condition on jobs j.
const selectJobs = `SELECT j.id, j.status, j.raw_status, j.user_id, j.org_id, j.title, j.file_name, j.file_type, j.currency,
	j.started_at, j.ended_at, j.expires_at, j.rows_truncated, j.cells_truncated, j.export_id, j.seq, j.seen_in, j.first_seen, j.last_seen, j.listed_at,
	j.in_list, a.listed_at
	FROM jobs j JOIN accounts a ON a.name = j.account WHERE `

// jobRow is a job as an answer would see it, with whether the last complete
// list held it: such a job's ListedAt and LastSeen are the list's.
type jobRow struct {
	weir.Job
	inList bool
}

func readJobRow(r row) (jobRow, error) {
	var j jobRow
	var listed time.Time
	err := r.Scan(&j.ID, &j.Status, &j.RawStatus, &j.UserID, &j.OrgID, &j.Title, &j.FileName, &j.FileType, &j.Currency,
		into(&j.StartedAt), into(&j.EndedAt), into(&j.ExpiresAt), &j.RowsTruncated, &j.CellsTruncated, &j.ExportID, &j.Seq, &j.SeenIn,
		into(&j.FirstSeen), into(&j.LastSeen), into(&j.ListedAt), &j.inList, into(&listed))
	if j.inList {
		j.ListedAt, j.LastSeen = listed, rule.Later(j.LastSeen, listed)
	}
	return j, err
}

func readJob(r row) (weir.Job, error) {
	j, err := readJobRow(r)
	return j.Job, err
}

// saveJob inserts a job or writes all of one that can change.
func saveJob(ctx context.Context, tx *sql.Tx, account string, j jobRow) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO jobs (account, id, status, raw_status, user_id, org_id, title, file_name, file_type,
			currency, started_at, ended_at, expires_at, rows_truncated, cells_truncated, export_id, seq, first_seen, last_seen,
			listed_at, in_list, was_listed, listed_until, bought_at, uses_quota, seen_in)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)
		ON CONFLICT (account, id) DO UPDATE SET status = excluded.status, raw_status = excluded.raw_status,
			user_id = excluded.user_id, org_id = excluded.org_id, title = excluded.title, file_name = excluded.file_name,
			file_type = excluded.file_type, currency = excluded.currency, started_at = excluded.started_at,
			ended_at = excluded.ended_at, expires_at = excluded.expires_at, rows_truncated = excluded.rows_truncated,
			cells_truncated = excluded.cells_truncated, export_id = excluded.export_id, last_seen = excluded.last_seen,
			listed_at = excluded.listed_at, in_list = excluded.in_list, was_listed = excluded.was_listed,
			listed_until = excluded.listed_until, bought_at = excluded.bought_at, uses_quota = excluded.uses_quota`,
		account, j.ID, string(j.Status), j.RawStatus, j.UserID, j.OrgID, j.Title, j.FileName, j.FileType, j.Currency,
		rule.Millis(j.StartedAt), rule.Millis(j.EndedAt), rule.Millis(j.ExpiresAt), bit(j.RowsTruncated), bit(j.CellsTruncated),
		j.ExportID, j.Seq, rule.Millis(j.FirstSeen), rule.Millis(j.LastSeen), rule.Millis(j.ListedAt), bit(j.inList),
		bit(!j.ListedAt.IsZero()), rule.Millis(rule.ListedUntil(j.Job)), rule.Millis(rule.BoughtAt(j.Job)), bit(rule.UsesQuota(j.Job)), j.SeenIn)
	return err
}

// chunk bounds how many ids one statement names.
const chunk = 500

// jobRows reads the named jobs that are known, by id.
func jobRows(ctx context.Context, q querier, account string, ids []string) ([]jobRow, error) {
	var all []jobRow
	for part := range slices.Chunk(ids, chunk) {
		marks, args := make([]string, len(part)), []any{account}
		for i, id := range part {
			marks[i] = fmt.Sprintf("$%d", i+2)
			args = append(args, id)
		}
		rows, err := q.QueryContext(ctx, selectJobs+
			`j.account = $1 AND j.id IN (`+strings.Join(marks, ", ")+`) ORDER BY j.id`, args...)
		some, err := collect(rows, err, readJobRow)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// BindJob records that the server named jobID for the export. A job keeps the
// first export it was bound to.
func (s *Store) BindJob(ctx context.Context, account string, exportID int64, jobID string, at time.Time) error {
	return s.write(ctx, fmt.Sprintf("bind job %q to export %d", jobID, exportID), func(tx *sql.Tx) error {
		if err := s.lockAccount(ctx, tx, account); err != nil {
			return err
		}
		if _, err := readText(tx.QueryRowContext(ctx, `SELECT account FROM exports WHERE id = $1 AND account = $2`, exportID, account)); err != nil {
			return err
		}
		known, err := jobRows(ctx, tx, account, []string{jobID})
		if err != nil {
			return err
		}
		if len(known) > 0 {
			known[0].Job = rule.Bind(known[0].Job, exportID, at)
			return saveJob(ctx, tx, account, known[0])
		}
		return s.bindNew(ctx, tx, account, rule.Bind(rule.NewJob(jobID, at), exportID, at))
	})
}

func (s *Store) bindNew(ctx context.Context, tx *sql.Tx, account string, j weir.Job) error {
	m, err := marksOf(ctx, tx, account)
	if err != nil {
		return err
	}
	j.Seq, j.SeenIn = m.seq+1, m.readings
	if _, err := tx.ExecContext(ctx, `UPDATE accounts SET job_seq = $2 WHERE name = $1`, account, j.Seq); err != nil {
		return err
	}
	return saveJob(ctx, tx, account, jobRow{Job: j})
}

// marks say what came before a moment, without a clock: the highest Seq of the
// account's jobs, 0 when it has none, and how many readings of its limits had
// begun.
type marks struct{ seq, readings int64 }

func marksOf(ctx context.Context, q querier, account string) (m marks, err error) {
	err = q.QueryRowContext(ctx, `SELECT a.job_seq, o.readings FROM accounts a JOIN organisations o ON o.id = a.organisation
		WHERE a.name = $1`, account).Scan(&m.seq, &m.readings)
	return m, err
}

// Jobs returns the account's jobs by id: all, or those named.
func (s *Store) Jobs(ctx context.Context, account string, ids ...string) ([]weir.Job, error) {
	if len(ids) == 0 {
		return s.jobsWhere(ctx, `j.account = $1 ORDER BY j.id`, account)
	}
	unique := slices.Compact(slices.Sorted(slices.Values(ids)))
	rows, err := jobRows(ctx, s.db, account, unique)
	if err != nil {
		return nil, s.fail(ctx, fmt.Sprintf("read jobs of account %q", account), err)
	}
	var jobs []weir.Job
	for _, j := range rows {
		jobs = append(jobs, j.Job)
	}
	return jobs, nil
}

const whereSeenAfter = `j.account = $1 AND j.seq > $2 ORDER BY j.seq`

// JobsSeenAfter returns the jobs whose Seq is above seq, by Seq.
func (s *Store) JobsSeenAfter(ctx context.Context, account string, seq int64) ([]weir.Job, error) {
	return s.jobsWhere(ctx, whereSeenAfter, account, seq)
}

func (s *Store) jobsWhere(ctx context.Context, where string, args ...any) ([]weir.Job, error) {
	rows, err := s.db.QueryContext(ctx, selectJobs+where, args...)
	jobs, err := collect(rows, err, readJob)
	if err != nil {
		return nil, s.fail(ctx, fmt.Sprintf("read jobs of account %q", args[0]), err)
	}
	return jobs, nil
}

const selectListed = `SELECT id FROM jobs WHERE account = $1 AND was_listed = 1 AND listed_until > $2`

// ListedBefore returns, by id, the unexpired jobs that a complete list has held.
func (s *Store) ListedBefore(ctx context.Context, account string, now time.Time) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, selectListed, account, rule.Millis(now))
	ids, err := collect(rows, err, readText)
	if err != nil {
		return nil, s.fail(ctx, fmt.Sprintf("read listed jobs of account %q", account), err)
	}
	slices.Sort(ids)
	return ids, nil
}

// LastListing is when the last complete list was read; zero when never.
func (s *Store) LastListing(ctx context.Context, account string) (time.Time, error) {
	at, err := lastListing(ctx, s.db, account)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, s.fail(ctx, fmt.Sprintf("read last listing of account %q", account), err)
	}
	return at, nil
}

func lastListing(ctx context.Context, q querier, account string) (at time.Time, err error) {
	err = q.QueryRowContext(ctx, `SELECT listed_at FROM accounts WHERE name = $1`, account).Scan(into(&at))
	return at, err
}
