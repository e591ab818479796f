package config

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir"
)

func day(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t, err = time.Parse(time.DateOnly, text)
	}
	if err != nil {
		panic(err)
	}
	return t
}

func TestPeriods(t *testing.T) {
	cases := []struct {
		rule   PeriodRule
		starts time.Month
		now    string
		want   string
	}{
		// the provider's own examples of a fiscal year that starts in February
		{"current", time.February, "2026-01-15", "2026_Q4"},
		{"current", time.February, "2026-02-01", "2027_Q1"},
		{"current", time.February, "2026-01-31", "2026_Q4"},
		{"previous", time.February, "2026-02-01", "2026_Q4"},
		{"next", time.February, "2026-01-15", "2027_Q1"},
		{"current", time.February, "2026-04-30", "2027_Q1"},
		{"current", time.February, "2026-05-01", "2027_Q2"},
		{"current", time.January, "2026-01-01", "2026_Q1"},
		{"current", 0, "2026-12-31", "2026_Q4"},
		{"previous", time.January, "2026-01-01", "2025_Q4"},
		{"next", time.January, "2026-12-31", "2027_Q1"},
		{"current", time.December, "2026-11-30", "2026_Q4"},
		{"current", time.December, "2026-12-01", "2027_Q1"},
		{"current", time.July, "2026-06-30", "2026_Q4"},
		{"current", time.July, "2026-07-01", "2027_Q1"},
		{"last 1 quarter", time.February, "2026-02-01", "2026_Q4"},
		{"last 5 quarters", time.February, "2026-02-01", "2025_Q4 2026_Q1 2026_Q2 2026_Q3 2026_Q4"},
		{"2026_Q3", time.February, "2026-02-01", "2026_Q3"},
		{"2025_Q4..2026_Q2", time.February, "2026-02-01", "2025_Q4 2026_Q1 2026_Q2"},
		{"last 0 quarters", time.January, "2026-02-01", ""},
		{"2026_Q1,2026_Q2", time.January, "2026-02-01", "2026_Q1 2026_Q2"}, // refused by ParsePeriodRule
		{"yesterday", time.January, "2026-02-01", ""},
	}
	for _, c := range cases {
		var got []string
		for _, p := range Periods(c.rule, c.starts, day(c.now)) {
			got = append(got, string(p))
		}
		if text := strings.Join(got, " "); text != c.want {
			t.Errorf("%s from %s, year starts %s: %s, want %s", c.rule, c.now, c.starts, text, c.want)
		}
	}
}

// TestPeriodsInOwnZone: the day is the one where now is.
func TestPeriodsInOwnZone(t *testing.T) {
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	now := day("2026-04-01T03:00:00Z")
	if got := Periods("current", 0, now.In(zone)); got[0] != "2026_Q1" {
		t.Errorf("in Los Angeles %s", got)
	}
	if got := Periods("current", 0, now); got[0] != "2026_Q2" {
		t.Errorf("in UTC %s", got)
	}
}

// TestPeriodsAgree: previous, current and next follow each other on every day,
// and the last N quarters end with the previous one.
func TestPeriodsAgree(t *testing.T) {
	for starts := time.January; starts <= time.December; starts++ {
		for now := day("2023-12-01"); now.Before(day("2027-02-01")); now = now.AddDate(0, 0, 1) {
			previous, current, next := Periods("previous", starts, now)[0], Periods("current", starts, now)[0], Periods("next", starts, now)[0]
			if previous.Next() != current || current.Next() != next {
				t.Fatalf("%s, year starts %s: %s, %s, %s", now, starts, previous, current, next)
			}
			last := Periods("last 9 quarters", starts, now)
			if len(last) != 9 || last[8] != previous || !slices.IsSorted(last) {
				t.Fatalf("%s, year starts %s: %s", now, starts, last)
			}
			tomorrow := Periods("current", starts, now.AddDate(0, 0, 1))[0]
			if opens := now.AddDate(0, 0, 1).Day() == 1 && (now.AddDate(0, 0, 1).Month()-starts)%3 == 0; (tomorrow != current) != opens {
				t.Fatalf("%s, year starts %s: %s, the day after %s", now, starts, current, tomorrow)
			}
		}
	}
}

func TestParsePeriodRule(t *testing.T) {
	for _, text := range []string{"current", "last 8 quarters", "last 1 quarter", "last 400 quarters", "2026_Q1", "2025_Q1..2026_Q4"} {
		if rule, err := ParsePeriodRule(text); err != nil || string(rule) != text {
			t.Errorf("%q: %q, %v", text, rule, err)
		}
	}
	for _, text := range []string{"", "Current", "last", "last 8", "last 401 quarters", "last 08 quarters", "last +8 quarters", "last -1 quarters", "last  8 quarters", "last 8 days", "2026_Q5", "2026_Q2..2026_Q1", "2026_Q1,2026_Q2", "1800_Q1"} {
		if _, err := ParsePeriodRule(text); !errors.Is(err, ErrRule) && !errors.Is(err, weir.ErrPeriod) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestDays(t *testing.T) {
	zone, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		rule         SpanRule
		now          time.Time
		since, until string
	}{
		{"last 7 days", day("2026-03-03T12:00:00Z"), "2026-02-24", "2026-03-02"},
		{"last 1 day", day("2026-03-01T00:00:00Z"), "2026-02-28", "2026-02-28"},
		{"last 1 day", day("2026-02-28T20:00:00Z").In(zone), "2026-02-28", "2026-02-28"},
		{"2026-01-01..2026-01-01", day("2026-03-01"), "2026-01-01", "2026-01-01"},
		{SinceLast, day("2026-03-01"), "", ""},
		{"last 0 days", day("2026-03-01"), "", ""},
	}
	for _, c := range cases {
		if since, until := Days(c.rule, c.now); since != c.since || until != c.until {
			t.Errorf("%s from %s: %s to %s, want %s to %s", c.rule, c.now, since, until, c.since, c.until)
		}
	}
	for _, text := range []string{"", "last 7 quarters", "2026-02-30..2026-03-01", "2026-03-02..2026-03-01", "2026-03-01", "last 401 days"} {
		if _, err := ParseSpanRule(text); !errors.Is(err, ErrRule) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestRequests(t *testing.T) {
	e := Export{
		Kind: weir.Forecast, Forecasts: []string{"net_arr", "new_logo"}, Periods: []PeriodRule{"previous", "current", "2026_Q4..2027_Q1"},
		Types: []string{"quota", "forecast"}, Currency: "EUR", ExportFormat: "csv",
	}
	var got []string
	for _, r := range e.Requests(time.February, day("2026-02-01")) {
		got = append(got, r.Title())
		if err := r.Validate(); err != nil || r.ExportFormat != "CSV" || !slices.Equal(r.Types, []string{"forecast", "quota"}) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	// each period once, however many rules name it
	want := []string{"net_arr 2026_Q4", "new_logo 2026_Q4", "net_arr 2027_Q1", "new_logo 2027_Q1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	audit := Export{Kind: weir.Audit, Span: "last 2 days"}.Requests(0, day("2026-03-01"))
	if len(audit) != 1 || audit[0].Since != "2026-02-27" || audit[0].Until != "2026-02-28" {
		t.Errorf("%+v", audit)
	}
}
