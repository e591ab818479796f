package app

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/history"
	"github.com/weirhq/weir/land"
)

// DiffWish is what somebody wants compared.
type DiffWish struct {
	// A and B name two snapshots, or both are empty.
	A, B string
	// Destination is where they stand unless the names say so.
	Destination string
	ForecastID  string
	Period      weir.Period
	// Since is how old the first one is where none is named; empty is the one
	// before the newest.
	Since string
}

// Pair is two snapshots that can be compared.
type Pair struct {
	history.About
	from, to landed
	dir      string
}

// FindPair finds the two snapshots of a wish, the earlier one first unless both
// are named. It reads manifests only.
func FindPair(ctx context.Context, s Settings, w DiffWish, now time.Time) (Pair, error) {
	from, to, err := findBoth(ctx, s, w, now)
	if err != nil {
		return Pair{}, err
	}
	if to.manifest.Request.Kind != weir.Forecast {
		return Pair{}, Usage("", "compare snapshots: they are of kind %s, and only forecasts can be compared", to.manifest.Request.Kind)
	}
	if err := history.Alike(from.manifest, to.manifest); err != nil {
		return Pair{}, err
	}
	return Pair{About: history.About{From: from.manifest, To: to.manifest}, from: from, to: to, dir: spoolPlace(s)}, nil
}

func findBoth(ctx context.Context, s Settings, w DiffWish, now time.Time) (from, to landed, err error) {
	of := land.Selection{ForecastID: w.ForecastID, Period: w.Period}
	if w.A != "" {
		if from, err = find(ctx, s, w.A, w.Destination, of); err != nil {
			return from, to, err
		}
		to, err = find(ctx, s, w.B, w.Destination, of)
		return from, to, err
	}
	var at time.Time
	if w.Since != "" {
		if at, err = history.When(w.Since, now); err != nil {
			return from, to, err
		}
	}
	archive, err := OpenArchive(w.Destination)
	if err != nil {
		return from, to, err
	}
	all, err := archive.Snapshots(ctx, of)
	if err != nil {
		return from, to, fmt.Errorf("find snapshots in %s: %w", archive.Name(), err)
	}
	a, b, err := history.Since(all, at)
	return landed{archive, a}, landed{archive, b}, err
}

// Compare gives every change to each, in order.
func (p Pair) Compare(ctx context.Context, each func(*history.Change) error) (history.Summary, error) {
	rows := max(p.From.Rows(), p.To.Rows())
	return history.Compare(ctx,
		history.Of(ctx, p.from.archive, p.From, p.dir), history.Of(ctx, p.to.archive, p.To, p.dir),
		history.Options{Dir: p.dir, Rows: rows}, each)
}

// spoolPlace is where what does not fit in memory stands meanwhile: beside the
// state file, or in the settings' own place.
func spoolPlace(s Settings) string {
	if s.SpoolDir != "" {
		return s.SpoolDir
	}
	return filepath.Join(filepath.Dir(s.State), "spool")
}
