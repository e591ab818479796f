package land

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/weirhq/weir"
)

// Archive is a place whose snapshots can be listed, read back, checked and taken
// away. Safe for concurrent use.
type Archive interface {
	// Name is how messages call the place; it holds no secrets.
	Name() string
	// Snapshots gives the manifests that are selected, newest first. One that
	// cannot be read is no snapshot.
	Snapshots(ctx context.Context, s Selection) ([]Manifest, error)
	// Read gives the rows of one table of a snapshot to each, in any order, and
	// ends with its error.
	Read(ctx context.Context, m Manifest, r Reading, each func(row []Field) error) error
	// Recheck looks again, offline, at the snapshots whose manifest path
	// contains only. each is called with one after the other.
	Recheck(ctx context.Context, only string, each func(Rechecked) error) error
	// Prune takes snapshots away for good, one after the other, and tells each.
	// A snapshot is gone from the moment that its manifest is; what a killed run
	// left of one that was going is taken away too.
	Prune(ctx context.Context, now time.Time, doomed []Manifest, each func(Manifest) error) error
	// Pruned reports whether the snapshot with this manifest path was taken away
	// by Prune, within the last [PruneMemory].
	Pruned(ctx context.Context, manifest string) (bool, error)
}

// Selection narrows snapshots down; empty fields do not.
type Selection struct {
	ForecastID string
	Period     weir.Period
	// Snapshot is how the snapshot's name begins.
	Snapshot string
}

// Fits reports whether a snapshot is selected.
func (s Selection) Fits(m Manifest) bool {
	return (s.ForecastID == "" || s.ForecastID == m.Request.ForecastID) &&
		(s.Period == "" || s.Period == m.Request.Period) && strings.HasPrefix(m.Snapshot, s.Snapshot)
}

// below is the directory that holds the manifests of the selection.
func (s Selection) below() string {
	if s.ForecastID == "" || s.Period == "" {
		return manifestsDir
	}
	r := weir.Request{Kind: weir.Forecast, ForecastID: s.ForecastID, Period: s.Period}
	return path.Dir(pathsOf(r, "any").manifest(""))
}

// Archived makes an archive of a place for files.
func Archived(store Store) Archive { return archive{store} }

type archive struct{ store Store }

func (a archive) Name() string { return a.store.Name() }

func (a archive) Recheck(ctx context.Context, only string, each func(Rechecked) error) error {
	return Recheck(ctx, a.store, only, each)
}

func (a archive) Snapshots(ctx context.Context, s Selection) ([]Manifest, error) {
	var found []Manifest
	for _, place := range places() {
		names, err := a.store.List(ctx, place+s.below())
		if err != nil {
			return nil, err
		}
		names = slices.DeleteFunc(names, func(name string) bool { return !strings.HasPrefix(path.Base(name), "snapshot="+s.Snapshot) })
		read, err := readManifests(ctx, a.store, names)
		if err != nil {
			return nil, err
		}
		found = append(found, slices.DeleteFunc(read, func(m Manifest) bool { return !s.Fits(m) })...)
	}
	SortManifests(found)
	return found, nil
}

// SortManifests puts the newest first; of one instant, in the order of names.
func SortManifests(all []Manifest) {
	slices.SortStableFunc(all, func(a, b Manifest) int {
		switch {
		case older(a, b):
			return 1
		case older(b, a):
			return -1
		}
		return strings.Compare(a.Path, b.Path)
	})
}

// manifestReaders is how many manifests are read at once: in a bucket each is a
// round trip.
const manifestReaders = 8

// readManifests reads the manifests that can be read, in order. A manifest that
// stands elsewhere than it says is none: its paths would be of other files.
func readManifests(ctx context.Context, store Store, names []string) ([]Manifest, error) {
	all := make([]*Manifest, len(names))
	faults := make([]error, len(names))
	var wait sync.WaitGroup
	next := make(chan int)
	for range manifestReaders {
		wait.Go(func() {
			for i := range next {
				all[i], faults[i] = manifestAt(ctx, store, names[i])
			}
		})
	}
	for i := range names {
		next <- i
	}
	close(next)
	wait.Wait()
	var found []Manifest
	for _, m := range all {
		if m != nil {
			found = append(found, *m)
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return found, errors.Join(faults...)
}

// manifestAt reads one; nil for what is none or has gone meanwhile.
func manifestAt(ctx context.Context, store Store, name string) (*Manifest, error) {
	text, err := readAll(ctx, store, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	m, err := ReadManifest(bytes.NewReader(text))
	if err != nil || m.Path != name {
		return nil, nil
	}
	return &m, nil
}
