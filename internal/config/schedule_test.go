package config

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// runs lists the next runs as wall clock and offset.
func runs(s Schedule, after time.Time, n int) string {
	var all []string
	for range n {
		after = NextRun(s, after)
		all = append(all, after.Format("01-02 15:04 -0700"))
	}
	return strings.Join(all, ", ")
}

// TestNextRunClockChanges: in Berlin clocks skip 02:00 to 03:00 on 2026-03-29
// and show 02:00 to 03:00 twice on 2026-10-25; in Lord Howe they move by half
// an hour at 02:00; in Santiago midnight of 2026-09-06 does not exist.
func TestNextRunClockChanges(t *testing.T) {
	cases := []struct{ name, zone, cron, after, want string }{
		{"skipped", "Europe/Berlin", "30 2 * * *", "2026-03-28T00:00:00Z", "03-28 02:30 +0100, 03-29 03:00 +0200, 03-30 02:30 +0200"},
		{"skipped with the hour after", "Europe/Berlin", "30 2,3 * * *", "2026-03-28T12:00:00Z", "03-29 03:00 +0200, 03-29 03:30 +0200, 03-30 02:30 +0200"},
		{"several skipped at once", "Europe/Berlin", "*/10 2 * * *", "2026-03-29T00:00:00Z", "03-29 03:00 +0200, 03-30 02:00 +0200, 03-30 02:10 +0200"},
		{"twice", "Europe/Berlin", "30 2 * * *", "2026-10-24T12:00:00Z", "10-25 02:30 +0200, 10-26 02:30 +0100"},
		{"asked between the two", "Europe/Berlin", "30 2 * * *", "2026-10-25T00:45:00Z", "10-26 02:30 +0100"},
		{"asked between, later minute", "Europe/Berlin", "50 2 * * *", "2026-10-25T00:45:00Z", "10-25 02:50 +0200, 10-26 02:50 +0100"},
		{"not near", "Europe/Berlin", "0 6 * * *", "2026-10-24T12:00:00Z", "10-25 06:00 +0100, 10-26 06:00 +0100"},
		{"hourly, skipped", "Europe/Berlin", "15 * * * *", "2026-03-29T00:00:00Z", "03-29 01:15 +0100, 03-29 03:15 +0200, 03-29 04:15 +0200"},
		{"hourly, twice", "Europe/Berlin", "15 * * * *", "2026-10-24T23:30:00Z", "10-25 02:15 +0200, 10-25 02:15 +0100, 10-25 03:15 +0100"},
		{"hourly, at the change", "Europe/Berlin", "0 * * * *", "2026-10-25T00:00:00Z", "10-25 02:00 +0100, 10-25 03:00 +0100"},
		{"hourly, at the skip", "Europe/Berlin", "0 * * * *", "2026-03-29T00:00:00Z", "03-29 03:00 +0200, 03-29 04:00 +0200"},
		{"half an hour skipped", "Australia/Lord_Howe", "15 2 * * *", "2026-10-03T00:00:00Z", "10-04 02:30 +1100, 10-05 02:15 +1100"},
		{"half an hour twice", "Australia/Lord_Howe", "45 1 * * *", "2026-04-03T20:00:00Z", "04-05 01:45 +1100, 04-06 01:45 +1030"},
		{"no midnight", "America/Santiago", "0 0 * * 0", "2026-08-31T00:00:00Z", "09-06 01:00 -0300, 09-13 00:00 -0300"},
		{"west", "America/New_York", "30 2 * * 0", "2026-03-07T00:00:00Z", "03-08 03:00 -0400, 03-15 02:30 -0400"},
		{"west, twice", "America/New_York", "30 1 * * *", "2026-10-31T12:00:00Z", "11-01 01:30 -0400, 11-02 01:30 -0500"},
		{"a day skipped", "Pacific/Apia", "0 12 30 12 *", "2011-12-01T00:00:00Z", "12-31 00:00 +1400, 12-30 12:00 +1400"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := runs(Schedule{Cron: c.cron, TimeZone: c.zone}, day(c.after), strings.Count(c.want, ",")+1); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// TestNextRunOncePerDay: whatever clocks do, a daily run is due once on every
// calendar day, strictly later than the one before.
func TestNextRunOncePerDay(t *testing.T) {
	for _, zone := range []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Casablanca", "Asia/Kolkata"} {
		for _, cron := range []string{"0 0 * * *", "30 2 * * *"} {
			s := Schedule{Cron: cron, TimeZone: zone}
			at := NextRun(s, day("2025-12-31T12:00:00Z"))
			for at.Year() < 2027 {
				next := NextRun(s, at)
				if calendar(next) != calendar(at)+1 || !next.After(at) {
					t.Fatalf("%s in %s: %s, then %s", cron, zone, at, next)
				}
				at = next
			}
		}
	}
}

// calendar numbers the days of a wall clock.
func calendar(t time.Time) int64 { return wallOf(t).Unix() / (24 * 60 * 60) }

// TestNextRunStable: asked from any instant before it, the next run is the same
// one.
func TestNextRunStable(t *testing.T) {
	s := Schedule{Cron: "*/20 1-3 * * *", TimeZone: "Europe/Berlin"}
	for _, from := range []string{"2026-03-28T20:00:00Z", "2026-10-24T20:00:00Z"} {
		next := NextRun(s, day(from))
		for at := day(from); at.Before(day(from).Add(12 * time.Hour)); at = at.Add(7 * time.Minute) {
			for !next.After(at) {
				next = NextRun(s, next)
			}
			if got := NextRun(s, at); !got.Equal(next) {
				t.Fatalf("after %s: %s, stepping %s", at, got, next)
			}
		}
	}
}

func TestNextRunWeekEnd(t *testing.T) {
	sunday := Schedule{After: WeekEnd, WeekEnds: time.Sunday}
	// 2026-03-01 is a Sunday
	if got, want := runs(sunday, day("2026-03-01T12:00:00Z"), 2), "03-02 08:00 +0000, 03-09 08:00 +0000"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got, want := runs(sunday, day("2026-03-02T07:59:59Z"), 1), "03-02 08:00 +0000"; got != want {
		t.Errorf("just before: %s, want %s", got, want)
	}
	if got, want := runs(sunday, day("2026-03-02T08:00:00Z"), 1), "03-09 08:00 +0000"; got != want {
		t.Errorf("at the instant: %s, want %s", got, want)
	}
	if got, want := runs(Schedule{After: WeekEnd, WeekEnds: time.Saturday}, day("2026-03-01T09:00:00+02:00"), 2), "03-01 08:00 +0000, 03-08 08:00 +0000"; got != want {
		t.Errorf("saturday: %s, want %s", got, want)
	}
}

func TestNextRunQuarterClose(t *testing.T) {
	cases := []struct {
		starts time.Month
		days   []int
		after  string
		want   string
	}{
		{time.January, []int{1}, "2026-03-31T23:00:00Z", "04-01 08:00 +0000, 07-01 08:00 +0000, 10-01 08:00 +0000, 01-01 08:00 +0000"},
		{time.January, []int{1}, "2026-04-01T08:00:00Z", "07-01 08:00 +0000"},
		{time.February, []int{5, 1}, "2026-01-31T12:00:00Z", "02-01 08:00 +0000, 02-05 08:00 +0000, 05-01 08:00 +0000"},
		{time.December, []int{60}, "2026-01-20T00:00:00Z", "01-29 08:00 +0000, 04-29 08:00 +0000"},
		{0, []int{1, 31}, "2026-12-31T00:00:00Z", "01-01 08:00 +0000, 01-31 08:00 +0000, 04-01 08:00 +0000"},
	}
	for _, c := range cases {
		s := Schedule{At: QuarterClose, DaysAfter: c.days, FiscalYearStarts: c.starts}
		if got := runs(s, day(c.after), strings.Count(c.want, ",")+1); got != c.want {
			t.Errorf("%s, days %d: %s, want %s", c.starts, c.days, got, c.want)
		}
	}
	// at each close, "previous" is the quarter that closed
	at := NextRun(Schedule{At: QuarterClose, DaysAfter: []int{1}, FiscalYearStarts: time.February}, day("2026-01-15"))
	if got := Periods("previous", time.February, at); got[0] != "2026_Q4" {
		t.Errorf("at %s previous is %s", at, got)
	}
}

func TestNextRunNone(t *testing.T) {
	for _, s := range []Schedule{{}, {Cron: "nonsense"}, {At: QuarterClose}, {After: "lunch"}} {
		if at := NextRun(s, day("2026-01-01")); !at.IsZero() {
			t.Errorf("%+v is due %s", s, at)
		}
	}
}

func TestParseCron(t *testing.T) {
	for _, text := range []string{"0 6 * * 1-5", "*/15 0-6/2 1,15 JAN-MAR mon", "0 0 29 2 *", "0   0 ? * ?"} {
		if _, err := parseCron(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"", "* * * *", "* * * * * *", "TZ=UTC * * * * *", "CRON_TZ=x", "TZ=", "@every 1h", "@daily", "60 * * * *", "0 24 * * *", "0 0 31 2 *", "0 0 0 * *", "*/0 * * * *", "*/9999999999999999999 * * * *", "0 0 * * 8", "0 0 * *\t1"} {
		if _, err := parseCron(text); !errors.Is(err, ErrCron) {
			t.Errorf("%q: %v", text, err)
		}
	}
	// a leap day is up to eight years off
	if got := NextRun(Schedule{Cron: "0 0 29 2 *"}, day("2096-03-01")); got.Format(time.DateOnly) != "2104-02-29" {
		t.Errorf("leap day after 2096: %s", got)
	}
}
