package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger/internal/rule"
)

// SeeJobs records what an answer told of jobs. A complete list of known,
// unchanged jobs costs one row, however long it is.
func (s *Store) SeeJobs(ctx context.Context, account string, jobs []weir.Job, at time.Time, complete bool) error {
	return s.write(ctx, fmt.Sprintf("record %d jobs of account %q", len(jobs), account), func(tx *sql.Tx) error {
		if err := s.lockAccount(ctx, tx, account); err != nil {
			return err
		}
		jobs := rule.Named(jobs)
		last, err := lastListing(ctx, tx, account)
		if err != nil {
			return err
		}
		a := &answer{account: account, at: rule.Instant(at), complete: complete, last: last}
		if a.marks, err = marksOf(ctx, tx, account); err != nil {
			return err
		}
		// A list older than the last one only adds: it cannot say what is missing now.
		a.newest = complete && !a.at.Before(last)
		if err := a.see(ctx, tx, jobs); err != nil {
			return err
		}
		if a.newest {
			if err := a.unlist(ctx, tx, jobs); err != nil {
				return err
			}
			last = a.at
		}
		_, err = tx.ExecContext(ctx, `UPDATE accounts SET listed_at = $2, job_seq = $3 WHERE name = $1`, account, rule.Millis(last), a.seq)
		return err
	})
}

// answer is one answer of the server about jobs.
type answer struct {
	account          string
	at, last         time.Time
	complete, newest bool
	marks            // seq is the last one drawn
}

// see writes the jobs that are new or that the answer changes.
func (a *answer) see(ctx context.Context, tx *sql.Tx, told []weir.Job) error {
	ids := make([]string, 0, len(told))
	for _, j := range told {
		ids = append(ids, j.ID)
	}
	rows, err := jobRows(ctx, tx, a.account, ids)
	if err != nil {
		return err
	}
	known := make(map[string]jobRow, len(rows))
	for _, j := range rows {
		known[j.ID] = j
	}
	for _, j := range told {
		before, ok := known[j.ID]
		if !ok {
			before = jobRow{Job: rule.NewJob(j.ID, a.at)}
			a.seq++
			before.Seq, before.SeenIn = a.seq, a.readings
		}
		after := a.merge(before, j)
		known[j.ID] = after
		if ok && a.same(before, after) {
			continue
		}
		if err := saveJob(ctx, tx, a.account, after); err != nil {
			return err
		}
	}
	return nil
}

func (a *answer) merge(before jobRow, told weir.Job) jobRow {
	after := jobRow{Job: rule.Merge(before.Job, told, a.at), inList: before.inList || a.newest}
	if a.complete {
		after.ListedAt = rule.Later(after.ListedAt, a.at)
	}
	return after
}

// same reports whether the row says after already, given that the list's own
// instant is kept with the account.
func (a *answer) same(before, after jobRow) bool {
	if a.newest && before.inList {
		before.ListedAt, before.LastSeen = after.ListedAt, after.LastSeen
	}
	return before == after
}

const selectInList = `SELECT id FROM jobs WHERE account = $1 AND in_list = 1`

// unlist writes down when the jobs that this list no longer holds were last
// listed: until now that was the account's instant.
func (a *answer) unlist(ctx context.Context, tx *sql.Tx, told []weir.Job) error {
	rows, err := tx.QueryContext(ctx, selectInList, a.account)
	listed, err := collect(rows, err, readText)
	if err != nil {
		return err
	}
	holds := make(map[string]bool, len(told))
	for _, j := range told {
		holds[j.ID] = true
	}
	for _, id := range listed {
		if holds[id] {
			continue
		}
		_, err := tx.ExecContext(ctx, `UPDATE jobs SET in_list = 0, listed_at = $3,
			last_seen = CASE WHEN last_seen < $3 THEN $3 ELSE last_seen END WHERE account = $1 AND id = $2`,
			a.account, id, rule.Millis(a.last))
		if err != nil {
			return err
		}
	}
	return nil
}
