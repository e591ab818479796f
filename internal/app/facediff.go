package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/history"
	"github.com/weirhq/weir/land"
	"github.com/weirhq/weir/web"
)

// Compare compares the snapshot of a delivery with an earlier one at the same
// place.
func (k *keeper) Compare(ctx context.Context, e weir.Export, d weir.Delivery, from string, each func(*history.Change) error) (history.About, history.Summary, error) {
	if e.Request.Kind != weir.Forecast {
		return history.About{}, history.Summary{}, &web.Refusal{Status: http.StatusBadRequest, Code: "bad_request", Err: errors.New("only forecasts can be compared")}
	}
	archive, err := OpenArchive(d.Destination)
	if err != nil {
		return history.About{}, history.Summary{}, refused(err)
	}
	all, err := archive.Snapshots(ctx, land.Selection{ForecastID: e.Request.ForecastID, Period: e.Request.Period})
	if err != nil {
		return history.About{}, history.Summary{}, unreached(d.Destination, err)
	}
	about, err := pairOf(all, d.Manifest, from)
	if err != nil {
		return about, history.Summary{}, err
	}
	pair := Pair{About: about, from: landed{archive, about.From}, to: landed{archive, about.To}, dir: spoolPlace(k.service.Settings)}
	s, err := pair.Compare(ctx, each)
	return about, s, err
}

// Manifest reads the one at a path in a destination.
func (k *keeper) Manifest(ctx context.Context, r weir.Request, destination, name string) (land.Manifest, error) {
	ctx, cancel := context.WithTimeout(ctx, destinationPatience)
	defer cancel()
	archive, err := OpenArchive(destination)
	if err != nil {
		return land.Manifest{}, refused(err)
	}
	base := strings.TrimSuffix(strings.TrimPrefix(path.Base(name), "snapshot="), ".json")
	all, err := archive.Snapshots(ctx, land.Selection{ForecastID: r.ForecastID, Period: r.Period, Snapshot: base})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return land.Manifest{}, unreached(destination, err)
	}
	at := slices.IndexFunc(all, func(m land.Manifest) bool { return m.Path == name })
	if at < 0 {
		return land.Manifest{}, history.ErrNoSnapshot
	}
	return all[at], nil
}

// pairOf finds the snapshot of a manifest, and the one that is named and earlier.
func pairOf(all []land.Manifest, manifest, from string) (history.About, error) {
	at := slices.IndexFunc(all, func(m land.Manifest) bool { return m.Path == manifest })
	before := slices.IndexFunc(all, func(m land.Manifest) bool { return m.Snapshot == from })
	if at < 0 || before < 0 {
		return history.About{}, history.ErrNoSnapshot
	}
	about := history.About{From: all[before], To: all[at]}
	if !about.From.SnapshotAt.Before(about.To.SnapshotAt) {
		return about, &web.Refusal{Status: http.StatusBadRequest, Code: "bad_request", Err: errors.New("that snapshot is not earlier than this one"), Hint: "open the later of the two"}
	}
	return about, history.Alike(about.From, about.To)
}

// unreached is a destination that could not be read for a page.
func unreached(destination string, err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &web.Refusal{Status: http.StatusBadGateway, Code: weir.CodeDestination, Hint: "look again when it can be reached", Err: fmt.Errorf("read what stands in %s: %w", destination, err)}
}
