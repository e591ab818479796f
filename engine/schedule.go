package engine

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/weirhq/weir/ledger"
)

// Entry is one schedule of an account: what it wants and when.
type Entry struct {
	Name string
	// Spec is the schedule in words that change when it does.
	Spec string
	// Next is the first due instant after another.
	Next func(after time.Time) time.Time
	// Wishes are what a run that is due at the instant asks for.
	Wishes func(due time.Time) ([]ledger.Wish, error)
}

// lateAfter is how late a run may start before it is called missed.
const lateAfter = time.Minute

// scheduleLook bounds how long a scheduler rests: a paused schedule or one that
// another process changed is seen at least this often.
const scheduleLook = 15 * time.Second

// Scheduler turns due schedules into wishes. The ledger keeps the next run, so
// any number of schedulers may run: exactly one fires each. A run that was
// missed while none ran is fired once, late, and says so; runs missed before
// that one are not made up for.
type Scheduler struct {
	Ledger  ledger.Ledger
	Account string
	Entries []Entry
	// Fired is called after a run was recorded; nil for nothing.
	Fired func(entry string, due time.Time, granted []ledger.Granted)
	Log   *slog.Logger
}

// Run arms every entry, disarms what is no longer configured, and fires what is
// due until ctx ends. It returns ctx's cause, or an error of the ledger.
func (s *Scheduler) Run(ctx context.Context) error {
	if err := s.Arm(ctx); err != nil {
		return err
	}
	for {
		next, err := s.Tick(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		pause(ctx, next)
	}
}

// Arm keeps every entry with its next run, and disarms what is no longer
// configured.
func (s *Scheduler) Arm(ctx context.Context) error {
	now, err := s.Ledger.Now(ctx)
	if err != nil {
		return err
	}
	configured := map[string]bool{}
	for _, e := range s.Entries {
		configured[e.Name] = true
		if _, err := s.Ledger.ArmSchedule(ctx, ledger.Schedule{Account: s.Account, Name: e.Name, Spec: e.Spec, NextRunAt: e.Next(now)}); err != nil {
			return err
		}
	}
	armed, err := s.Ledger.ListSchedules(ctx, s.Account)
	if err != nil {
		return err
	}
	for _, a := range armed {
		if !configured[a.Name] {
			if err := s.Ledger.DisarmSchedule(ctx, s.Account, a.Name); err != nil {
				return err
			}
		}
	}
	return nil
}

// Tick fires what is due by the store's clock and says how long to rest.
func (s *Scheduler) Tick(ctx context.Context) (time.Duration, error) {
	now, err := s.Ledger.Now(ctx)
	if err != nil {
		return 0, err
	}
	armed, err := s.Ledger.ListSchedules(ctx, s.Account)
	if err != nil {
		return 0, err
	}
	rest := scheduleLook
	for _, a := range armed {
		if a.Paused {
			continue
		}
		if a.NextRunAt.After(now) {
			rest = min(rest, a.NextRunAt.Sub(now))
			continue
		}
		if err := s.Fire(ctx, a, now); err != nil {
			return 0, err
		}
	}
	return rest, nil
}

// Fire records one due run. Losing the race to another server is no error. A
// run whose wishes cannot be made, or recorded, is skipped and said so: it must
// not stop the others.
func (s *Scheduler) Fire(ctx context.Context, due ledger.Schedule, now time.Time) error {
	entry, ok := s.entry(due.Name)
	if !ok {
		return nil
	}
	wishes, err := entry.Wishes(due.NextRunAt)
	if err != nil {
		s.Log.Error("schedule asks for what cannot be exported", "schedule", due.Name, "error", err)
		wishes = nil
	}
	granted, err := s.Ledger.FireSchedule(ctx, due, entry.Next(now), now, wishes)
	switch {
	case errors.Is(err, ledger.ErrStale):
		return nil
	case err != nil:
		return err
	}
	late := now.Sub(due.NextRunAt)
	if late > lateAfter {
		s.Log.Warn("run was missed and starts late", "schedule", due.Name, "due", due.NextRunAt, "late", late.Round(time.Second).String())
	} else {
		s.Log.Info("run starts", "schedule", due.Name, "due", due.NextRunAt, "exports", len(granted))
	}
	if s.Fired != nil {
		s.Fired(due.Name, due.NextRunAt, granted)
	}
	return nil
}

func (s *Scheduler) entry(name string) (Entry, bool) {
	for _, e := range s.Entries {
		if e.Name == name {
			return e, true
		}
	}
	return Entry{}, false
}
