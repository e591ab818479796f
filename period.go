package weir

import (
	"errors"
	"fmt"
	"strings"
)

// ErrPeriod marks a time period that the server cannot know. Asking the server
// for such a period silently answers with the current quarter, so it is
// refused before anything is asked.
var ErrPeriod = errors.New("not a fiscal quarter such as 2026_Q1")

// Period is one fiscal quarter in the server's spelling, "2026_Q1". Which
// months it spans depends on the organisation's fiscal year.
type Period string

// maxPeriods bounds a range so that a typing error cannot ask for centuries:
// 400 quarters are a hundred years.
const maxPeriods = 400

// ParsePeriod reads one quarter, years 1900 to 2199, in the server's spelling.
func ParsePeriod(text string) (Period, error) {
	year, quarter, ok := splitPeriod(text)
	if !ok {
		return "", fmt.Errorf("read period %q: %w", text, ErrPeriod)
	}
	return periodOf(year, quarter), nil
}

// ParsePeriods reads a list of quarters and inclusive ranges,
// "2025_Q1..2026_Q4,2024_Q4", in the order given and without repetition. A
// range that runs backwards is an error, never an empty answer.
func ParsePeriods(text string) ([]Period, error) {
	var periods []Period
	seen := map[Period]bool{}
	for part := range strings.SplitSeq(text, ",") {
		span, err := parseSpan(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		for _, period := range span {
			if !seen[period] {
				seen[period] = true
				periods = append(periods, period)
			}
		}
	}
	if len(periods) > maxPeriods {
		return nil, fmt.Errorf("read periods %q: %d quarters, at most %d at once", text, len(periods), maxPeriods)
	}
	return periods, nil
}

// Next is the quarter that follows.
func (p Period) Next() Period {
	year, quarter, _ := splitPeriod(string(p))
	if quarter == 4 {
		return periodOf(year+1, 1)
	}
	return periodOf(year, quarter+1)
}

// Before reports whether p is an earlier quarter than other.
func (p Period) Before(other Period) bool { return p < other }

func parseSpan(text string) ([]Period, error) {
	first, last, isRange := strings.Cut(text, "..")
	from, err := ParsePeriod(first)
	if err != nil || !isRange {
		return []Period{from}, err
	}
	until, err := ParsePeriod(last)
	if err != nil {
		return nil, err
	}
	if until.Before(from) {
		return nil, fmt.Errorf("read period range %q: it ends before it starts: %w", text, ErrPeriod)
	}
	var span []Period
	for p := from; !until.Before(p); p = p.Next() {
		span = append(span, p)
	}
	return span, nil
}

func splitPeriod(text string) (year, quarter int, ok bool) {
	if len(text) != len("2026_Q1") || text[4:6] != "_Q" {
		return 0, 0, false
	}
	for _, digit := range []byte(text[:4]) {
		if digit < '0' || digit > '9' {
			return 0, 0, false
		}
		year = year*10 + int(digit-'0')
	}
	quarter = int(text[6]) - '0'
	return year, quarter, year >= 1900 && year < 2200 && quarter >= 1 && quarter <= 4
}

func periodOf(year, quarter int) Period {
	return Period(fmt.Sprintf("%04d_Q%d", year, quarter))
}
