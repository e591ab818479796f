package app

import (
	"context"
	"fmt"
	"time"

	"github.com/weirhq/weir/history"
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
