package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/weirhq/weir/history"
	"github.com/weirhq/weir/internal/config"
	"github.com/weirhq/weir/land"
)

// PruneWish is what somebody wants taken away.
type PruneWish struct {
	Destination string
	Of          land.Selection
	Retention   history.Retention
	// Really takes it away; otherwise it is only told.
	Really bool
}

// ConfiguredRetention is what a configuration file says of snapshots: no rule
// where it keeps them for ever. Unless it was named, there need not be a file.
func ConfiguredRetention(path string, named bool) (history.Retention, error) {
	c, err := config.Load(path)
	if errors.Is(err, fs.ErrNotExist) && !named {
		return history.Retention{}, nil
	}
	if err != nil {
		return history.Retention{}, configurationFault(path, err)
	}
	return history.Retention{KeepLast: c.Retention.Snapshots.Last, OlderThan: c.Retention.Snapshots.For}, nil
}

// Prune tells each snapshot that may go, oldest first, once it has gone, and
// gives how many stay.
func Prune(ctx context.Context, w PruneWish, now time.Time, each func(land.Manifest) error) (stay int, err error) {
	archive, err := OpenArchive(w.Destination)
	if err != nil {
		return 0, err
	}
	all, err := archive.Snapshots(ctx, w.Of)
	if err != nil {
		return 0, fmt.Errorf("find snapshots in %s: %w", archive.Name(), err)
	}
	doomed := w.Retention.Doomed(all, now)
	stay = len(all) - len(doomed)
	if w.Really {
		return stay, archive.Prune(ctx, now, doomed, each)
	}
	for _, m := range doomed {
		if err := each(m); err != nil {
			return stay, err
		}
	}
	return stay, nil
}
