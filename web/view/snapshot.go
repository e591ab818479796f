package view

import (
	"slices"
	"strconv"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/land"
)

// Snapshot is the latest that landed of one request at one place.
type Snapshot struct {
	// ID is the delivery's.
	ID     int64 `json:"id"`
	Export int64 `json:"export"`
	Asked
	Likeness    string    `json:"likeness"`
	SnapshotAt  time.Time `json:"snapshot_at,omitzero"`
	LandedAt    time.Time `json:"landed_at,omitzero"`
	Rows        int64     `json:"rows"`
	Format      string    `json:"format"`
	Destination string    `json:"destination"`
	Manifest    string    `json:"manifest"`
	Checks
}

// Checks are what a manifest says of its checks. None of them failed: what fails
// does not land.
type Checks struct {
	// Made had something to look at, Passed found nothing to note; -1 when the
	// manifest was not read.
	Made   int `json:"checks"`
	Passed int `json:"checks_passed"`
	// Gone says that there is no manifest any more.
	Gone bool `json:"-"`
}

// Noted is how many found something that a person should know.
func (c Checks) Noted() int { return c.Made - c.Passed }

// SnapshotsOf are the landed deliveries of exports, in the exports' order.
func SnapshotsOf(exports []weir.Export, deliveries map[int64][]weir.Delivery) []Snapshot {
	all := []Snapshot{}
	for _, e := range exports {
		for _, d := range deliveries[e.ID] {
			if d.State == weir.DeliveryLanded {
				all = append(all, SnapshotOf(e, d))
			}
		}
	}
	return all
}

// SnapshotOf is a landed delivery.
func SnapshotOf(e weir.Export, d weir.Delivery) Snapshot {
	return Snapshot{
		ID: d.ID, Export: e.ID, Asked: askedOf(e), Likeness: e.Request.Likeness(), SnapshotAt: d.SnapshotAt, LandedAt: d.LandedAt,
		Rows: d.Rows, Format: d.Format, Destination: d.Destination, Manifest: d.Manifest, Checks: Checks{Made: -1, Passed: -1},
	}
}

// ChecksOf counts the checks of a manifest.
func ChecksOf(m land.Manifest) Checks {
	var c Checks
	for _, one := range m.Checks {
		switch one.Outcome {
		case land.Passed:
			c.Passed++
			c.Made++
		case land.Noted, land.Failed:
			c.Made++
		}
	}
	return c
}

// Series is one total over time.
type Series struct {
	Name   string  `json:"name"`
	Points []Point `json:"points"`
}

// Point is a value at an instant.
type Point struct {
	At    time.Time `json:"at"`
	Value float64   `json:"value"`
}

// maxSeries is how many totals a chart can tell apart.
const maxSeries = 6

// TotalsOf are the totals of a column by field over the snapshots of one
// request, the largest fields first. A sum that no double holds is left out.
func TotalsOf(manifests []land.Manifest, column string) []Series {
	by := map[string]*Series{}
	largest := map[string]float64{}
	ordered := slices.Clone(manifests)
	slices.SortStableFunc(ordered, func(a, b land.Manifest) int { return a.SnapshotAt.Compare(b.SnapshotAt) })
	for _, m := range ordered {
		for _, total := range m.Totals {
			value, err := strconv.ParseFloat(total.Sum, 64)
			if total.Column != column || err != nil {
				continue
			}
			if by[total.FieldID] == nil {
				by[total.FieldID] = &Series{Name: total.FieldID}
			}
			by[total.FieldID].Points = append(by[total.FieldID].Points, Point{m.SnapshotAt, value})
			largest[total.FieldID] = max(largest[total.FieldID], value, -value)
		}
	}
	all := []Series{}
	for _, s := range by {
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b Series) int {
		if la, lb := largest[a.Name], largest[b.Name]; la != lb {
			if la > lb {
				return -1
			}
			return 1
		}
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return all[:min(maxSeries, len(all))]
}
