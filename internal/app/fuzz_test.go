package app_test

import (
	"errors"
	"testing"
	"time"

	"github.com/weirhq/weir/internal/app"
)

// A deadline is a duration or an instant, and anything else is a usage fault.
func FuzzParseDeadline(f *testing.F) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, text := range []string{"", "90m", "-1s", "2026-11-23T18:00:00Z", "2026-11-23T18:00:00+14:00", "9999999h", "1e9s"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		at, err := app.ParseDeadline(text, now)
		var fault *app.Fault
		switch {
		case err != nil && (!errors.As(err, &fault) || fault.Exit != app.ExitUsage || fault.Hint == ""):
			t.Fatalf("%q: %v", text, err)
		case err == nil && at.IsZero() != (text == ""):
			t.Fatalf("%q is %s", text, at)
		}
	})
}
