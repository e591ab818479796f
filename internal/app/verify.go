package app

import (
	"context"

	"github.com/weirhq/weir/land"
)

// Verify looks again, offline, at the snapshots in a destination, or at those whose
// manifest path contains only; the destination may be the path of one manifest.
// It asks no server and needs no key.
func Verify(ctx context.Context, destination, only string, each func(land.Rechecked) error) error {
	if ways := cutManifestPath(destination); ways != nil && only == "" {
		destination, only = ways[len(ways)-1][0], ways[len(ways)-1][1]
	}
	archive, err := OpenArchive(destination)
	if err != nil {
		return err
	}
	return archive.Recheck(ctx, only, each)
}
