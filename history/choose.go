package history

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/weirhq/weir/land"
)

// ErrUnlike marks two snapshots that answer different questions.
var ErrUnlike = errors.New("they answer different questions")

// ErrNoSnapshot marks a snapshot that is asked for and not there.
var ErrNoSnapshot = errors.New("no such snapshot")

// Alike reports why two snapshots must not be compared, or nil. They must be of
// one forecast and period and of like requests.
func Alike(a, b land.Manifest) error {
	switch {
	case a.Request.Kind != b.Request.Kind:
		return fmt.Errorf("compare snapshots: %s with %s: %w", a.Request.Kind, b.Request.Kind, ErrUnlike)
	case a.Request.ForecastID != b.Request.ForecastID || a.Request.Period != b.Request.Period:
		return fmt.Errorf("compare snapshots: %s with %s: %w", a.Request.Title(), b.Request.Title(), ErrUnlike)
	case a.Likeness != b.Likeness:
		return fmt.Errorf("compare snapshots: _weir_request %s (%s) with %s (%s): %w", a.Likeness, asked(a), b.Likeness, asked(b), ErrUnlike)
	}
	return nil
}

// asked says what a likeness hashes.
func asked(m land.Manifest) string {
	r := m.Request.Normal()
	var parts []string
	for _, part := range [][2]string{{"types", strings.Join(r.Types, ",")}, {"currency", r.Currency}, {"scope", r.ScopeID}} {
		if part[1] != "" {
			parts = append(parts, part[0]+" "+part[1])
		}
	}
	if r.Historical {
		parts = append(parts, "historical")
	}
	if len(parts) == 0 {
		return "the server's defaults"
	}
	return strings.Join(parts, ", ")
}

// Named finds a snapshot by its name, its manifest's path, or the beginning of
// its name if only one has it. Of the formats of one snapshot the first found
// is as good as any. all is newest first.
func Named(all []land.Manifest, name string) (land.Manifest, error) {
	var begun []land.Manifest
	for _, m := range all {
		switch {
		case m.Path == name || m.Snapshot == name:
			return m, nil
		case strings.HasPrefix(m.Snapshot, name) && (len(begun) == 0 || begun[len(begun)-1].Snapshot != m.Snapshot):
			begun = append(begun, m)
		}
	}
	switch len(begun) {
	case 0:
		return land.Manifest{}, fmt.Errorf("find snapshot %q: %w", name, ErrNoSnapshot)
	case 1:
		return begun[0], nil
	}
	return land.Manifest{}, fmt.Errorf("find snapshot %q: %d snapshots begin so: %w", name, len(begun), ErrNoSnapshot)
}

// Since picks the newest snapshot of all and the latest like it that was taken
// at or before an instant; the zero instant means the one right before the
// newest. all is of one forecast and period, newest first.
func Since(all []land.Manifest, at time.Time) (from, to land.Manifest, err error) {
	if len(all) == 0 {
		return from, to, fmt.Errorf("find snapshots: nothing has landed of it: %w", ErrNoSnapshot)
	}
	to = all[0]
	if !at.IsZero() && !to.SnapshotAt.After(at) {
		return from, to, fmt.Errorf("find snapshots: none has landed since, the newest is %s: %w", to.Snapshot, ErrNoSnapshot)
	}
	oldest := to
	for _, m := range all {
		if m.Likeness != to.Likeness {
			continue
		}
		oldest = m
		if m.Snapshot != to.Snapshot && (at.IsZero() || !m.SnapshotAt.After(at)) {
			return m, to, nil
		}
	}
	if oldest.Snapshot == to.Snapshot {
		return from, to, fmt.Errorf("find snapshots: only one has landed of this request, %s: %w", to.Snapshot, ErrNoSnapshot)
	}
	return from, to, fmt.Errorf("find snapshots: none is so old, the oldest like the newest is %s: %w", oldest.Snapshot, ErrNoSnapshot)
}
