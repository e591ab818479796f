package rule

import (
	"fmt"
	"time"
	"unicode/utf8"
)

// NewsKey makes a key for news that is news while nothing like it stands.
func NewsKey(account, kind, subject string, at time.Time) string {
	return fmt.Sprintf("%s/%s/%s/%d", account, kind, subject, Millis(at))
}

// MessageDue is when a message that begins at an instant goes: after gathering,
// and not sooner than space after the one before it was due.
func MessageDue(at, last time.Time, gather, space time.Duration) time.Time {
	due := at.Add(gather)
	if !last.IsZero() && due.Before(last.Add(space)) {
		due = last.Add(space)
	}
	return due
}

// Shorten cuts text to at most so many bytes, at a character's end.
func Shorten(text string, most int) string {
	if len(text) <= most {
		return text
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return text[:most]
}
