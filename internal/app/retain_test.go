package app

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/engine/riverlander"
)

// A chore that failed is done again soon, later after each failure, and at its
// own pace once it has gone well.
func TestFailedChoreIsDoneAgainSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Service{Settings: Settings{Log: slog.New(slog.DiscardHandler)}}
		began := time.Now()
		var at []time.Duration
		ctx, cancel := context.WithCancel(t.Context())
		s.repeat(ctx, riverlander.Chore{Name: "x", Every: time.Hour, Do: func(context.Context) error {
			at = append(at, time.Since(began))
			switch len(at) {
			case 1, 2:
				return errors.New("not now")
			case 4:
				cancel()
			}
			return nil
		}})
		want := []time.Duration{0, choreAgain, 3 * choreAgain, 3*choreAgain + time.Hour}
		if !slices.Equal(at, want) {
			t.Errorf("done after %v, want %v", at, want)
		}
	})
}
