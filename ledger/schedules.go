package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/weirhq/weir/ledger/internal/rule"
)

// Schedule is when something is wanted again and again. The ledger keeps the
// next run, so that one that is missed while nothing runs is run once, late.
type Schedule struct {
	Account string
	Name    string
	// Spec is what the configuration says of it; another spec computes the next
	// run anew.
	Spec      string
	NextRunAt time.Time
	// LastDueAt is the instant that the last run was due and LastRunAt when it
	// was started: far apart, it was missed and run late.
	LastDueAt time.Time
	LastRunAt time.Time
	Paused    bool
}

// Schedules keeps next runs. Of any number of servers exactly one starts a run.
type Schedules interface {
	// ArmSchedule keeps a schedule with its next run. One that is armed with the
	// same spec stays as it is, whatever next says: a missed run is not lost.
	ArmSchedule(ctx context.Context, s Schedule) (Schedule, error)
	// DisarmSchedule forgets a schedule; one that is not there is no error.
	DisarmSchedule(ctx context.Context, account, name string) error
	// ListSchedules returns the account's schedules by name.
	ListSchedules(ctx context.Context, account string) ([]Schedule, error)
	// FireSchedule records the wishes of the run that is due and moves the
	// schedule on, in one transaction. ErrStale when the run is not due any
	// more: another server has fired it, or it was paused or armed anew.
	FireSchedule(ctx context.Context, due Schedule, next, now time.Time, wishes []Wish) ([]Granted, error)
	// PauseSchedule stops or lets go on; ErrNotFound when it is not there.
	PauseSchedule(ctx context.Context, account, name string, paused bool) error
}

const scheduleColumns = `account, name, spec, next_run_at, last_due_at, last_run_at, paused`

func readSchedule(r row) (s Schedule, err error) {
	var paused int
	err = r.Scan(&s.Account, &s.Name, &s.Spec, into(&s.NextRunAt), into(&s.LastDueAt), into(&s.LastRunAt), &paused)
	s.Paused = paused != 0
	return s, err
}

// ArmSchedule keeps a schedule with its next run.
func (s *Store) ArmSchedule(ctx context.Context, wanted Schedule) (armed Schedule, err error) {
	err = s.write(ctx, fmt.Sprintf("arm schedule %q", wanted.Name), func(tx *sql.Tx) error {
		if err := s.lockAccount(ctx, tx, wanted.Account); err != nil {
			return err
		}
		armed, err = readSchedule(tx.QueryRowContext(ctx, `INSERT INTO schedules (account, name, spec, next_run_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (account, name) DO UPDATE SET
				next_run_at = CASE WHEN schedules.spec = excluded.spec THEN schedules.next_run_at ELSE excluded.next_run_at END,
				spec = excluded.spec
			RETURNING `+scheduleColumns, wanted.Account, wanted.Name, wanted.Spec, rule.Millis(wanted.NextRunAt)))
		return err
	})
	return armed, err
}

// DisarmSchedule forgets a schedule.
func (s *Store) DisarmSchedule(ctx context.Context, account, name string) error {
	return s.write(ctx, fmt.Sprintf("disarm schedule %q", name), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM schedules WHERE account = $1 AND name = $2`, account, name)
		return err
	})
}

// ListSchedules returns the account's schedules by name.
func (s *Store) ListSchedules(ctx context.Context, account string) ([]Schedule, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+scheduleColumns+` FROM schedules WHERE account = $1 ORDER BY name`, account)
	all, err := collect(rows, err, readSchedule)
	if err != nil {
		return nil, s.fail(ctx, "list schedules", err)
	}
	return all, nil
}

// FireSchedule records the wishes of the run that is due and moves the schedule
// on.
func (s *Store) FireSchedule(ctx context.Context, due Schedule, next, now time.Time, wishes []Wish) (granted []Granted, err error) {
	err = s.write(ctx, fmt.Sprintf("fire schedule %q", due.Name), func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `UPDATE schedules SET next_run_at = $1, last_due_at = next_run_at, last_run_at = $2
			WHERE account = $3 AND name = $4 AND spec = $5 AND next_run_at = $6 AND paused = 0`,
			rule.Millis(next), rule.Millis(now), due.Account, due.Name, due.Spec, rule.Millis(due.NextRunAt))
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return joinStale(err)
		}
		granted, err = s.grantAll(ctx, tx, wishes, now)
		return err
	})
	return granted, err
}

func joinStale(err error) error {
	if err != nil {
		return err
	}
	return ErrStale
}

// PauseSchedule stops a schedule or lets it go on.
func (s *Store) PauseSchedule(ctx context.Context, account, name string, paused bool) error {
	return s.write(ctx, fmt.Sprintf("pause schedule %q", name), func(tx *sql.Tx) error {
		return changed(tx.ExecContext(ctx, `UPDATE schedules SET paused = $1 WHERE account = $2 AND name = $3`, bit(paused), account, name))
	})
}
