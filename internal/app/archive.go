package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/history"
	"github.com/weirhq/weir/land"
	"github.com/weirhq/weir/land/postgres"
)

// OpenArchive opens a destination to look at the snapshots that stand there.
func OpenArchive(name string) (land.Archive, error) {
	name, err := CheckDestination(name)
	if err != nil {
		return nil, err
	}
	if scheme, _, _ := strings.Cut(name, "://"); slices.Contains(postgres.Schemes(), scheme) {
		return postgres.Open(name, postgres.Options{})
	}
	store, err := openStore(name)
	if err != nil {
		return nil, err
	}
	return land.Archived(store), nil
}

// manifestsMark is the directory by which a manifest's path is known.
const manifestsMark = "_manifests/"

// cutManifestPath takes a path such as clari-data/csv/_manifests/..json apart in
// the ways that it can be meant: destination and path in it.
func cutManifestPath(name string) (ways [][2]string) {
	at := strings.LastIndex(name, manifestsMark)
	if at < 0 {
		return nil
	}
	place := strings.TrimRight(filepath.ToSlash(name[:at]), "/")
	if place == "" && at > 0 {
		place = "/"
	}
	ways = append(ways, [2]string{place, name[at:]})
	format := path.Base(place)
	if slices.Contains(land.Formats(), land.Format(format)) {
		above := strings.TrimSuffix(strings.TrimSuffix(place, format), "/")
		ways = append(ways, [2]string{above, format + "/" + name[at:]})
	}
	return ways
}

// landed is a snapshot and where it stands.
type landed struct {
	archive  land.Archive
	manifest land.Manifest
}

// find finds a snapshot by what a person has in hand: its name or the beginning
// of it, its manifest's path, or the number of its export.
func find(ctx context.Context, s Settings, name, destination string, of land.Selection) (landed, error) {
	const most = 7 // more digits are the day with which a snapshot's name begins
	if id, err := strconv.ParseInt(name, 10, 64); err == nil && len(name) <= most {
		return findExport(ctx, s, id)
	}
	if ways := cutManifestPath(name); ways != nil {
		return findPath(ctx, name, ways, destination)
	}
	archive, err := OpenArchive(destination)
	if err != nil {
		return landed{}, err
	}
	of.Snapshot = name
	all, err := archive.Snapshots(ctx, of)
	if err != nil {
		return landed{}, fmt.Errorf("find snapshots in %s: %w", archive.Name(), err)
	}
	m, err := history.Named(all, name)
	return landed{archive, m}, err
}

func findPath(ctx context.Context, name string, ways [][2]string, destination string) (landed, error) {
	for _, way := range ways {
		if way[0] == "" {
			way[0] = destination
		}
		archive, err := OpenArchive(way[0])
		if err != nil {
			return landed{}, err
		}
		base := strings.TrimSuffix(strings.TrimPrefix(path.Base(way[1]), "snapshot="), ".json")
		all, err := archive.Snapshots(ctx, land.Selection{Snapshot: base})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return landed{}, err
		}
		for _, m := range all {
			if m.Path == way[1] {
				return landed{archive, m}, nil
			}
		}
	}
	return landed{}, fmt.Errorf("find snapshot %q: %w", name, history.ErrNoSnapshot)
}

// findExport finds what an export of the state has landed.
func findExport(ctx context.Context, s Settings, id int64) (landed, error) {
	standing, _, err := StatusOf(ctx, s, id)
	if err != nil {
		return landed{}, err
	}
	for _, d := range standing.Deliveries {
		if d.State != weir.DeliveryLanded {
			continue
		}
		archive, err := OpenArchive(d.Destination)
		if err != nil {
			return landed{}, err
		}
		all, err := archive.Snapshots(ctx, land.Selection{ForecastID: standing.Export.Request.ForecastID, Period: standing.Export.Request.Period})
		if err != nil {
			return landed{}, err
		}
		for _, m := range all {
			if m.Path == d.Manifest {
				return landed{archive, m}, nil
			}
		}
	}
	return landed{}, fmt.Errorf("find snapshot of export %d: nothing of it stands at its destinations: %w", id, history.ErrNoSnapshot)
}
