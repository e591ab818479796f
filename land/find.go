package land

import (
	"context"
	"errors"
	"io/fs"
	"slices"

	"github.com/weirhq/weir"
)

// Find returns the manifests of the snapshots of exactly this request in this
// format that stand at a place for files, newest first. A manifest that cannot
// be read is no snapshot.
func Find(ctx context.Context, store Store, r weir.Request, f Format) ([]Manifest, error) {
	var found []Manifest
	for _, place := range []string{"", string(f) + "/"} {
		names, err := store.List(ctx, shelf(r, place))
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			m, err := readManifestAt(ctx, store, name)
			if err == nil && m.Fingerprint == r.Fingerprint() && m.Format == f {
				found = append(found, m)
			}
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
		}
	}
	slices.SortStableFunc(found, func(a, b Manifest) int { return b.SnapshotAt.Compare(a.SnapshotAt) })
	return found, nil
}

// Stands reports whether the manifest at this path still stands.
func Stands(ctx context.Context, store Store, manifest string) (bool, error) {
	_, err := readManifestAt(ctx, store, manifest)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func readManifestAt(ctx context.Context, store Store, name string) (Manifest, error) {
	file, err := store.Open(ctx, name)
	if err != nil {
		return Manifest{}, err
	}
	defer file.Close()
	return ReadManifest(file)
}
