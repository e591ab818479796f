package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/weirhq/weir"
)

// PeriodRule names fiscal quarters, as seen from an instant: "current",
// "previous", "next", "last 8 quarters" (those that have ended, so without the
// current one), "2026_Q1", "2025_Q1..2026_Q4".
type PeriodRule string

// ErrRule marks a rule that names no period or no span of days.
var ErrRule = errors.New("rule is not valid")

// maxRolling bounds "last N quarters" and "last N days".
const maxRolling = 400

// ParsePeriodRule reads a rule. Errors wrap [ErrRule] or [weir.ErrPeriod].
func ParsePeriodRule(text string) (PeriodRule, error) {
	switch text {
	case "current", "previous", "next":
		return PeriodRule(text), nil
	}
	if strings.HasPrefix(text, "last ") {
		_, err := rolling(text, "quarter")
		return PeriodRule(text), err
	}
	if strings.Contains(text, ",") {
		return "", fmt.Errorf("read period rule %q: one rule holds no list: %w", text, ErrRule)
	}
	_, err := weir.ParsePeriods(text)
	return PeriodRule(text), err
}

// rolling reads N of "last N quarters", singular allowed.
func rolling(text, unit string) (int, error) {
	words := strings.Split(text, " ")
	if len(words) == 3 && words[0] == "last" && (words[2] == unit || words[2] == unit+"s") && words[1][:min(1, len(words[1]))] != "0" {
		if n, err := strconv.ParseUint(words[1], 10, 16); err == nil && n >= 1 && n <= maxRolling {
			return int(n), nil
		}
	}
	return 0, fmt.Errorf("read rule %q: not \"last N %ss\" with N from 1 to %d: %w", text, unit, maxRolling, ErrRule)
}

// Periods are the quarters that a rule names at an instant, oldest first. What
// day it is, is decided in now's own location. fiscalYearStarts is the first
// month of the fiscal year; 0 means January. A fiscal year that does not start
// in January has the number of the calendar year in which it ends. A rule that
// [ParsePeriodRule] refuses names nothing.
func Periods(rule PeriodRule, fiscalYearStarts time.Month, now time.Time) []weir.Period {
	here := quarterOf(now, fiscalYearStarts)
	switch rule {
	case "current":
		return []weir.Period{here.period()}
	case "previous":
		return []weir.Period{(here - 1).period()}
	case "next":
		return []weir.Period{(here + 1).period()}
	}
	if n, err := rolling(string(rule), "quarter"); err == nil {
		periods := make([]weir.Period, 0, n)
		for q := here - quarter(n); q < here; q++ {
			periods = append(periods, q.period())
		}
		return periods
	}
	periods, err := weir.ParsePeriods(string(rule))
	if err != nil {
		return nil
	}
	return periods
}

// quarter counts fiscal quarters: four times the fiscal year, plus 0 to 3.
type quarter int

func (q quarter) period() weir.Period {
	return weir.Period(fmt.Sprintf("%04d_Q%d", int(q)/4, int(q)%4+1))
}

// quarterOf is the fiscal quarter that holds the calendar day of an instant.
func quarterOf(t time.Time, starts time.Month) quarter {
	year, month, _ := t.Date()
	if starts > time.January && month >= starts {
		year++
	}
	return quarter(4*year + monthsInto(month, starts)/3)
}

// monthsInto is how many months of the fiscal year are over, 0 to 11.
func monthsInto(month, starts time.Month) int {
	return (int(month) - int(max(starts, time.January)) + 12) % 12
}

// SpanRule names days, as seen from an instant: "last 7 days" (whole days, so
// without today), "2026-01-01..2026-03-31", or "since last": from where the
// last export of this kind ended.
type SpanRule string

// SinceLast is the span that needs the ledger to be known.
const SinceLast SpanRule = "since last"

// ParseSpanRule reads a rule. Errors wrap [ErrRule].
func ParseSpanRule(text string) (SpanRule, error) {
	if SpanRule(text) == SinceLast {
		return SinceLast, nil
	}
	if strings.HasPrefix(text, "last ") {
		_, err := rolling(text, "day")
		return SpanRule(text), err
	}
	since, until, err := fixedSpan(text)
	if err == nil && until.Before(since) {
		err = fmt.Errorf("read span %q: it ends before it starts: %w", text, ErrRule)
	}
	return SpanRule(text), err
}

func fixedSpan(text string) (since, until time.Time, err error) {
	from, to, _ := strings.Cut(text, "..")
	since, err = time.Parse(time.DateOnly, from)
	if err == nil {
		until, err = time.Parse(time.DateOnly, to)
	}
	if err != nil {
		err = fmt.Errorf("read span %q: neither \"last N days\", \"since last\" nor a range of dates: %w", text, ErrRule)
	}
	return since, until, err
}

// Days are the first and the last day that a rule names at an instant, both
// inclusive, as YYYY-MM-DD. What day it is, is decided in now's own location.
// Both are empty for [SinceLast] and for a rule that [ParseSpanRule] refuses.
func Days(rule SpanRule, now time.Time) (since, until string) {
	if n, err := rolling(string(rule), "day"); err == nil {
		year, month, day := now.Date()
		today := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
		return today.AddDate(0, 0, -n).Format(time.DateOnly), today.AddDate(0, 0, -1).Format(time.DateOnly)
	}
	if _, err := ParseSpanRule(string(rule)); err != nil || rule == SinceLast {
		return "", ""
	}
	since, until, _ = strings.Cut(string(rule), "..")
	return since, until
}

// Requests are what an export asks of the server at an instant: every forecast
// with every period once, or the one span. The span [SinceLast] leaves Since
// and Until empty for the caller to fill.
func (e Export) Requests(fiscalYearStarts time.Month, now time.Time) []weir.Request {
	base := weir.Request{
		Kind: e.Kind, Types: e.Types, ScopeID: e.Scope, Currency: e.Currency,
		Historical: e.Historical, ExportFormat: e.ExportFormat,
	}
	if e.Kind != weir.Forecast {
		base.Since, base.Until = Days(e.Span, now)
		return []weir.Request{base.Normal()}
	}
	var requests []weir.Request
	seen := map[weir.Period]bool{}
	for _, rule := range e.Periods {
		for _, period := range Periods(rule, fiscalYearStarts, now) {
			if seen[period] {
				continue
			}
			seen[period] = true
			for _, forecast := range e.Forecasts {
				base.ForecastID, base.Period = forecast, period
				requests = append(requests, base.Normal())
			}
		}
	}
	return requests
}
