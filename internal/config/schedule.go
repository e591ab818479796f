package config

import (
	"errors"
	"fmt"
	"slices"
	"time"
	_ "time/tzdata" // the same zones everywhere, also where the system has none
)

// ErrZone marks a time zone that no IANA name stands for.
var ErrZone = errors.New("not a time zone such as Europe/Berlin or UTC")

// settled is the hour of the day in UTC by which values of the day before no
// longer change (about 08:00 UTC, says the provider).
const settled = 8 * time.Hour

func parseZone(name string) (*time.Location, error) {
	if name == "Local" { // would depend on the machine
		return nil, fmt.Errorf("read time zone %q: %w", name, ErrZone)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("read time zone %q: %w", name, ErrZone)
	}
	return zone, nil
}

// Location is where the schedule's days begin and end: its time zone, else UTC.
// Pass instants in it to [Periods] and [Days].
func (s Schedule) Location() *time.Location {
	if zone, err := parseZone(s.TimeZone); err == nil {
		return zone
	}
	return time.UTC
}

// NextRun is the first instant after the given one at which the schedule is
// due, in its own location; zero for a schedule that names none. It depends on
// nothing else, so every process finds the same instants.
//
// Where clocks change, a cron expression that names hours is due once for each
// time it names: a time that clocks skip at the moment of the change, one that
// they show twice the first time. With * for the hour it follows the time that
// passes.
func NextRun(s Schedule, after time.Time) time.Time {
	switch {
	case s.Cron != "":
		return nextCron(s.Cron, s.Location(), after.In(s.Location()))
	case s.After == WeekEnd:
		return nextWeekEnd(s.WeekEnds, after.UTC())
	case s.At == QuarterClose:
		return nextClose(s.FiscalYearStarts, s.DaysAfter, after.UTC())
	}
	return time.Time{}
}

func nextWeekEnd(last time.Weekday, after time.Time) time.Time {
	day := midnight(after).Add(settled)
	for !day.After(after) || day.Weekday() != (last+1)%7 {
		day = day.AddDate(0, 0, 1)
	}
	return day
}

// nextClose looks at the end of the last quarter and of this one: daysAfter is
// less than a quarter.
func nextClose(starts time.Month, daysAfter []int, after time.Time) time.Time {
	first := quarterStart(after, starts)
	var runs []time.Time
	for quarters := 0; quarters <= 1; quarters++ {
		for _, days := range daysAfter {
			run := first.AddDate(0, 3*quarters, days-1).Add(settled)
			if run.After(after) {
				runs = append(runs, run)
			}
		}
	}
	if len(runs) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(runs, time.Time.Compare)
}

// quarterStart is the first day of the fiscal quarter that holds the instant.
func quarterStart(t time.Time, starts time.Month) time.Time {
	year, month, _ := t.Date()
	return time.Date(year, month-time.Month(monthsInto(month, starts)%3), 1, 0, 0, 0, 0, time.UTC)
}

func midnight(t time.Time) time.Time {
	year, month, day := t.Date()
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}
