package emulator

import (
	"fmt"
	"time"
)

// quarter is one fiscal quarter, "2026_Q1".
type quarter struct{ year, number int }

func (q quarter) String() string { return fmt.Sprintf("%04d_Q%d", q.year, q.number) }

// label is the quarter as people write it.
func (q quarter) label() string { return fmt.Sprintf("Q%d FY %d", q.number, q.year) }

func (q quarter) next() quarter {
	if q.number == 4 {
		return quarter{q.year + 1, 1}
	}
	return quarter{q.year, q.number + 1}
}

func parseQuarter(text string) (quarter, bool) {
	if len(text) != len("2026_Q1") || text[4:6] != "_Q" || text[6] < '1' || text[6] > '4' {
		return quarter{}, false
	}
	year := 0
	for _, digit := range []byte(text[:4]) {
		if digit < '0' || digit > '9' {
			return quarter{}, false
		}
		year = year*10 + int(digit-'0')
	}
	return quarter{year, int(text[6] - '0')}, true
}

// fiscal is the organisation's calendar.
type fiscal struct {
	startMonth          time.Month
	firstYear, lastYear int
}

// of is the quarter that holds the day.
func (f fiscal) of(day time.Time) quarter {
	day = day.UTC()
	year := day.Year()
	if f.startMonth != time.January && day.Month() >= f.startMonth {
		year++
	}
	months := (int(day.Month()) - int(f.startMonth) + 12) % 12
	return quarter{year, months/3 + 1}
}

// bounds are the quarter's first day and the first day after it.
func (f fiscal) bounds(q quarter) (first, after time.Time) {
	year := q.year
	if f.startMonth != time.January {
		year--
	}
	month := int(f.startMonth) + 3*(q.number-1)
	first = time.Date(year, time.Month(month), 1, 0, 0, 0, 0, time.UTC)
	return first, first.AddDate(0, 3, 0)
}

// resolve is the quarter that answers for what was asked: an unknown one is
// silently answered with the current quarter, as the real server does.
func (f fiscal) resolve(asked string, now time.Time) quarter {
	q, ok := parseQuarter(asked)
	if !ok || q.year < f.firstYear || q.year > f.lastYear {
		return f.of(now)
	}
	return q
}

// week is Monday to Sunday.
type week struct {
	first time.Time
	index int // from 0 within its quarter
}

func (w week) id() string { return "TF:" + w.first.Format(time.DateOnly) }

// closed is when the week's values stop changing: 08:00 UTC of the day after
// its last.
func (w week) closed() time.Time { return w.first.AddDate(0, 0, 7).Add(8 * time.Hour) }

// weeks lists the weeks that touch the quarter and have begun by then, at
// least the first; count, when not 0, fixes how many.
func (f fiscal) weeks(q quarter, by time.Time, count int) []week {
	first, after := f.bounds(q)
	monday := first.AddDate(0, 0, -(int(first.Weekday())+6)%7)
	var weeks []week
	for i := 0; ; i++ {
		start := monday.AddDate(0, 0, 7*i)
		late := !start.Before(after) || start.After(by)
		if i > 0 && (count > 0 && i >= count || count == 0 && late) {
			return weeks
		}
		weeks = append(weeks, week{first: start, index: i})
	}
}
