package inmem

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/internal/rule"
)

// ArmSchedule keeps a schedule with its next run.
func (l *Ledger) ArmSchedule(ctx context.Context, wanted ledger.Schedule) (ledger.Schedule, error) {
	if err := l.begin(ctx, "ArmSchedule"); err != nil {
		return ledger.Schedule{}, err
	}
	defer l.store.mu.Unlock()
	a, err := l.store.account(wanted.Account)
	if err != nil {
		return ledger.Schedule{}, fmt.Errorf("arm schedule %q: %w", wanted.Name, err)
	}
	armed := a.schedules[wanted.Name]
	if armed == nil {
		armed = &ledger.Schedule{Account: wanted.Account, Name: wanted.Name}
		a.schedules[wanted.Name] = armed
	}
	if armed.Spec != wanted.Spec || armed.NextRunAt.IsZero() {
		armed.Spec, armed.NextRunAt = wanted.Spec, rule.Instant(wanted.NextRunAt)
	}
	return *armed, nil
}

// DisarmSchedule forgets a schedule.
func (l *Ledger) DisarmSchedule(ctx context.Context, account, name string) error {
	if err := l.begin(ctx, "DisarmSchedule"); err != nil {
		return err
	}
	defer l.store.mu.Unlock()
	if a, err := l.store.account(account); err == nil {
		delete(a.schedules, name)
	}
	return nil
}

// ListSchedules returns the account's schedules by name.
func (l *Ledger) ListSchedules(ctx context.Context, account string) ([]ledger.Schedule, error) {
	if err := l.begin(ctx, "ListSchedules"); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	var all []ledger.Schedule
	if a, err := l.store.account(account); err == nil {
		for _, s := range a.schedules {
			all = append(all, *s)
		}
	}
	slices.SortFunc(all, func(a, b ledger.Schedule) int { return cmp.Compare(a.Name, b.Name) })
	return all, nil
}

// FireSchedule records the wishes of the run that is due and moves the schedule
// on.
func (l *Ledger) FireSchedule(ctx context.Context, due ledger.Schedule, next, now time.Time, wishes []ledger.Wish) ([]ledger.Granted, error) {
	if err := l.begin(ctx, "FireSchedule"); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	a, err := l.store.account(due.Account)
	if err != nil {
		return nil, fmt.Errorf("fire schedule %q: %w", due.Name, err)
	}
	s := a.schedules[due.Name]
	if s == nil || s.Paused || s.Spec != due.Spec || !s.NextRunAt.Equal(rule.Instant(due.NextRunAt)) {
		return nil, fmt.Errorf("fire schedule %q: %w", due.Name, ledger.ErrStale)
	}
	granted, err := l.store.grantAll(wishes, now)
	if err != nil {
		return nil, fmt.Errorf("fire schedule %q: %w", due.Name, err)
	}
	s.LastDueAt, s.LastRunAt, s.NextRunAt = s.NextRunAt, rule.Instant(now), rule.Instant(next)
	return granted, nil
}

// PauseSchedule stops a schedule or lets it go on.
func (l *Ledger) PauseSchedule(ctx context.Context, account, name string, paused bool) error {
	if err := l.begin(ctx, "PauseSchedule"); err != nil {
		return err
	}
	defer l.store.mu.Unlock()
	a, err := l.store.account(account)
	if err != nil || a.schedules[name] == nil {
		return fmt.Errorf("pause schedule %q: %w", name, ledger.ErrNotFound)
	}
	a.schedules[name].Paused = paused
	return nil
}
