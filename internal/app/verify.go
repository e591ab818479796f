package app

import (
	"context"

	"github.com/weirhq/weir/land"
)

// Verify looks again, offline, at the snapshots in a directory or a bucket, or at those
// whose manifest path contains only. It asks no server and needs no key.
func Verify(ctx context.Context, destination, only string, each func(land.Rechecked) error) error {
	path, err := CheckDestination(destination)
	if err != nil {
		return err
	}
	store, err := openStore(path)
	if err != nil {
		return err
	}
	return land.Recheck(ctx, store, only, each)
}
