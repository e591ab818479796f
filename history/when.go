package history

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// ErrWhen marks a text that names no instant.
var ErrWhen = errors.New("not an instant, a date, a length of time or a word for a day")

var span = regexp.MustCompile(`^(\d{1,4})([dw])$`)

// When reads what a person means by "since":
//
//	2026-11-20T18:00:00Z         that instant (RFC 3339)
//	36h, 90m, 7d, 2w             so long before now
//	2026-11-20, yesterday,       the end of that day
//	friday
//	last week, last month        the end of it
//	today                        the end of yesterday: what today changed
//
// A day means its end, because "since yesterday" asks what is other than it was
// then. Days and weeks, which begin on Monday, are those of now's time zone.
func When(text string, now time.Time) (time.Time, error) {
	word := strings.ToLower(strings.TrimSpace(text))
	if at, err := time.Parse(time.RFC3339, strings.ToUpper(word)); err == nil {
		return at, nil
	}
	if day, err := time.ParseInLocation(time.DateOnly, word, now.Location()); err == nil {
		return endOf(day), nil
	}
	if d, err := time.ParseDuration(word); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	if found := span.FindStringSubmatch(word); found != nil {
		n, _ := strconv.Atoi(found[1]) // four digits
		if found[2] == "w" {
			n *= 7
		}
		return now.AddDate(0, 0, -n), nil
	}
	if day, ok := dayNamed(word, now); ok {
		return endOf(day), nil
	}
	return time.Time{}, fmt.Errorf("read instant %q: %w", text, ErrWhen)
}

// endOf is the last instant of a day that a snapshot can have.
func endOf(day time.Time) time.Time {
	year, month, date := day.Date()
	return time.Date(year, month, date+1, 0, 0, 0, 0, day.Location()).Add(-time.Millisecond)
}

func dayNamed(word string, now time.Time) (time.Time, bool) {
	sinceMonday := (int(now.Weekday()) + 6) % 7
	switch word {
	case "today", "yesterday":
		return now.AddDate(0, 0, -1), true
	case "last week":
		return now.AddDate(0, 0, -sinceMonday-1), true
	case "last month":
		return now.AddDate(0, 0, -now.Day()), true
	}
	for back := 1; back <= 7; back++ {
		if day := now.AddDate(0, 0, -back); strings.ToLower(day.Weekday().String()) == word {
			return day, true
		}
	}
	return time.Time{}, false
}
