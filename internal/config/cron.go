package config

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

// ErrCron marks an expression that is not a cron expression of five fields, or
// that never comes due.
var ErrCron = errors.New("not a cron expression of five fields such as 0 6 * * 1-5")

// cronFields admits five fields and nothing else: no zone prefix, no seconds,
// no @every, whose runs would depend on when a process started.
var cronFields = regexp.MustCompile(`^[0-9A-Za-z*?,/-]{1,200}( +[0-9A-Za-z*?,/-]{1,200}){4}$`)

// longNumber is out of every field's range.
var longNumber = regexp.MustCompile(`[0-9]{3}`)

func parseCron(text string) (cron.Schedule, error) {
	if !cronFields.MatchString(text) || longNumber.MatchString(text) {
		return nil, ErrCron
	}
	spec, err := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", err, ErrCron)
	}
	if nextWall(spec, time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, fmt.Errorf("no such day exists, so it never comes due: %w", ErrCron)
	}
	return spec, nil
}

// nextWall is the next time on a clock that is never set, which UTC stands for.
// The library looks five years ahead, and a leap day may be eight years off.
func nextWall(spec cron.Schedule, wall time.Time) time.Time {
	for range 2 {
		if next := spec.Next(wall); !next.IsZero() {
			return next
		}
		wall = wall.AddDate(5, 0, 0)
	}
	return time.Time{}
}

// nextCron is the next time after an instant that an expression is due on the
// clocks of a zone.
func nextCron(text string, zone *time.Location, after time.Time) time.Time {
	spec, err := parseCron(text)
	if err != nil {
		return time.Time{}
	}
	if hour := strings.Fields(text)[1]; hour == "*" {
		return nextReal(spec, zone, after)
	}
	return nextOnce(spec, zone, after)
}

// nextReal is for expressions that name no hour: they follow the time that
// passes, so an hour that clocks show twice counts twice, and one that they
// leave out does not count.
func nextReal(spec cron.Schedule, zone *time.Location, after time.Time) time.Time {
	from := after
	for range 64 { // clock changes between two runs: at most 4 a year for 16 years
		_, end := from.ZoneBounds()
		_, offset := from.Zone()
		shift := time.Duration(offset) * time.Second
		base := from
		if base.After(after) {
			base = base.Add(-time.Nanosecond) // a run at the change itself counts
		}
		next := nextWall(spec, base.UTC().Add(shift))
		if next.IsZero() {
			return next
		}
		if at := next.Add(-shift).In(zone); end.IsZero() || at.Before(end) {
			return at
		}
		from = end.In(zone)
	}
	return time.Time{}
}

// nextOnce is for expressions that name hours: each time of the wall clock is
// due once. A time that clocks leave out is due at the moment they skip it, one
// that they show twice the first time.
func nextOnce(spec cron.Schedule, zone *time.Location, after time.Time) time.Time {
	wall := wallOf(after.In(zone)) // instantOf never goes backwards, so nothing earlier can be due later
	for {
		wall = nextWall(spec, wall)
		if wall.IsZero() {
			return wall
		}
		if at := instantOf(wall, zone); at.After(after) {
			return at
		}
	}
}

// wallOf is what a clock shows, as if it were UTC.
func wallOf(t time.Time) time.Time {
	_, offset := t.Zone()
	return t.UTC().Add(time.Duration(offset) * time.Second)
}

// farthestChange is more than any zone ever set its clocks by at once (24 h,
// across the date line).
const farthestChange = 26 * time.Hour

// instantOf is the first instant at which clocks of the zone show the time, or
// the one at which they skip it.
func instantOf(wall time.Time, zone *time.Location) time.Time {
	early := offsetAt(wall.Add(-farthestChange), zone)
	late := offsetAt(wall.Add(farthestChange), zone)
	first, second := wall.Add(-max(early, late)).In(zone), wall.Add(-min(early, late)).In(zone)
	if wallOf(first).Equal(wall) {
		return first
	}
	if wallOf(second).Equal(wall) {
		return second
	}
	_, skip := first.ZoneBounds()
	return skip.In(zone)
}

func offsetAt(t time.Time, zone *time.Location) time.Duration {
	_, offset := t.In(zone).Zone()
	return time.Duration(offset) * time.Second
}
