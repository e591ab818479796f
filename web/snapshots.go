package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/land"
	"github.com/weirhq/weir/web/chart"
	"github.com/weirhq/weir/web/view"
)

func (s *Server) snapshotsSheet(ctx context.Context, q query) (sheet, error) {
	sh := sheet{Nav: "snapshots", Title: "Snapshots", Account: q.account, every: seldom}
	if q.account == "" {
		return s.only(sh, "first", "first", nil)
	}
	all, err := s.latest(ctx, q.account)
	if err != nil {
		return sh, err
	}
	var rows []row
	for _, snapshot := range all {
		made, err := s.row(fmt.Sprintf("snapshot-%d", snapshot.ID), "snapshot-row", snapshot)
		if err != nil {
			return sh, err
		}
		rows = append(rows, made)
	}
	return s.only(sh, "snapshots", "snapshots", struct {
		Rows int
		Cut  bool
	}{len(rows), len(all) >= shownRequests}, rows...)
}

// opened is a snapshot with what stands where it landed.
type opened struct {
	Snapshot view.Snapshot `json:"snapshot"`
	// Manifest is nil when the files are no longer there.
	Manifest *land.Manifest `json:"manifest"`
	// Earlier are the other snapshots of the same request and form, newest first.
	Earlier []place       `json:"others"`
	Totals  []view.Series `json:"totals"`
}

// place is one of the snapshots of a request.
type place struct {
	// ID is the delivery's; 0 when the ledger no longer knows it.
	ID         int64     `json:"id"`
	Manifest   string    `json:"manifest"`
	Snapshot   string    `json:"snapshot"`
	SnapshotAt time.Time `json:"snapshot_at"`
	Rows       int64     `json:"rows"`
}

// charted is the column whose totals are drawn.
const charted = "forecast_value"

// landed reads a landed delivery and its export.
func (s *Server) landed(ctx context.Context, id int64) (weir.Export, weir.Delivery, error) {
	d, err := s.reader.ledger.Delivery(ctx, id)
	if err != nil {
		return weir.Export{}, d, err
	}
	e, err := s.reader.ledger.Export(ctx, d.ExportID)
	if err == nil && d.State != weir.DeliveryLanded {
		err = &Refusal{Status: http.StatusNotFound, Code: "not_landed", Err: errors.New("this delivery has not landed"), Hint: "its export says why"}
	}
	return e, d, err
}

// open reads what stands of a snapshot.
func (s *Server) open(ctx context.Context, id int64) (opened, error) {
	e, d, err := s.landed(ctx, id)
	if err != nil {
		return opened{}, err
	}
	o := opened{Snapshot: view.SnapshotOf(e, d), Earlier: []place{}, Totals: []view.Series{}}
	manifests, err := s.config.Keeper.Manifests(ctx, e, d)
	if err != nil {
		return o, err
	}
	known, err := s.beside(ctx, e, d)
	if err != nil {
		return o, err
	}
	for i, m := range manifests {
		if m.Path == d.Manifest {
			o.Manifest = &manifests[i]
			o.Snapshot.Checks = view.ChecksOf(m)
		} else {
			o.Earlier = append(o.Earlier, place{known[m.Path], m.Path, m.Snapshot, m.SnapshotAt, m.Rows()})
		}
	}
	o.Totals = view.TotalsOf(manifests, charted)
	return o, nil
}

// beside names the deliveries of the same request that landed at the same place
// in the same form, by their manifest.
func (s *Server) beside(ctx context.Context, e weir.Export, d weir.Delivery) (map[string]int64, error) {
	like, err := s.reader.ledger.LandedLike(ctx, e.Account, e.Fingerprint, shownRequests)
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, other := range like {
		ids = append(ids, other.ID)
	}
	deliveries, err := s.reader.ledger.DeliveriesOfEach(ctx, ids...)
	known := map[string]int64{}
	for _, all := range deliveries {
		for _, other := range all {
			if other.State == weir.DeliveryLanded && other.Destination == d.Destination && other.Format == d.Format {
				known[other.Manifest] = other.ID
			}
		}
	}
	return known, err
}

func (s *Server) snapshotSheet(ctx context.Context, q query) (sheet, error) {
	id, err := idOf(q.path("id"))
	if err != nil {
		return sheet{}, err
	}
	o, err := s.open(ctx, id)
	if err != nil {
		return sheet{}, err
	}
	sh := sheet{Nav: "snapshots", Title: o.Snapshot.Title, Account: o.Snapshot.Account}
	return s.only(sh, "snapshot", "snapshot", struct {
		opened
		Drawing any
		Charted string
	}{o, chart.Totals(o.Totals), strings.ReplaceAll(charted, "_", " ")})
}
