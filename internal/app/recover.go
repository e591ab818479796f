package app

import (
	"context"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/land"
	"github.com/weirhq/weir/ledger"
)

// alreadyThere takes out the wishes that a fresh snapshot at their destination
// serves, whatever the ledger knows: the state file may have been lost. Each is
// told as an export that has landed.
func alreadyThere(ctx context.Context, wishes []ledger.Wish, now time.Time) (left []ledger.Wish, there []engine.Standing, err error) {
	for _, w := range wishes {
		standing, served, err := servedBy(ctx, w, now)
		if err != nil {
			return nil, nil, err
		}
		if served {
			there = append(there, standing)
		} else {
			left = append(left, w)
		}
	}
	return left, there, nil
}

func servedBy(ctx context.Context, w ledger.Wish, now time.Time) (engine.Standing, bool, error) {
	if w.Fresh <= 0 {
		return engine.Standing{}, false, nil
	}
	destination, err := OpenDestination(w.Destination)
	if err != nil {
		return engine.Standing{}, false, err
	}
	s := engine.Standing{Export: weir.Export{Account: w.Account, Request: w.Request, State: weir.Landed}}
	for _, format := range w.Formats {
		found, err := destination.Find(ctx, w.Request, land.Format(format))
		if err != nil || len(found) == 0 || found[0].SnapshotAt.Before(now.Add(-w.Fresh)) {
			return engine.Standing{}, false, err
		}
		m := found[0]
		s.Export.JobID = m.Job.ID
		s.Deliveries = append(s.Deliveries, weir.Delivery{
			Destination: w.Destination, Format: format, State: weir.DeliveryLanded,
			Manifest: m.Path, Rows: m.Rows(), SnapshotAt: m.SnapshotAt,
		})
	}
	return s, true, nil
}

// mendLost opens deliveries again that have landed and whose manifest is gone:
// the result is downloaded anew for nothing while the server has it. Where it
// has it no more, the wish is recorded anew as if nothing had landed.
func (s *Session) mendLost(ctx context.Context, wishes []ledger.Wish, granted []ledger.Granted, now time.Time) ([]ledger.Granted, error) {
	for i, g := range granted {
		expired := false
		for _, d := range g.Deliveries {
			lost, err := isLost(ctx, d)
			if err != nil {
				return nil, err
			}
			if !lost {
				continue
			}
			if expired, err = resultExpired(ctx, s.Ledger, g.Export, now); err != nil {
				return nil, err
			}
			if expired {
				break
			}
			why := weir.Cause{At: now, Why: "its files in " + d.Destination + " are gone"}
			if err := s.Ledger.ReopenDelivery(ctx, d.ID, why); err != nil {
				return nil, err
			}
		}
		if expired {
			wishes[i].Fresh = 0
			again, err := s.Ledger.Wish(ctx, now, wishes[i:i+1])
			if err != nil {
				return nil, err
			}
			granted[i] = again[0]
		}
	}
	return granted, nil
}

// isLost reports whether the files of a delivery that has landed are gone. What
// weir prune took away is not lost.
func isLost(ctx context.Context, d weir.Delivery) (bool, error) {
	if d.State != weir.DeliveryLanded {
		return false, nil
	}
	there, err := stands(ctx, d.Destination, d.Manifest)
	if there || err != nil {
		return false, err
	}
	archive, err := OpenArchive(d.Destination)
	if err != nil {
		return false, err
	}
	pruned, err := archive.Pruned(ctx, d.Manifest)
	return !pruned && err == nil, err
}

func resultExpired(ctx context.Context, l ledger.Ledger, e weir.Export, now time.Time) (bool, error) {
	if e.Request.Direct { // events are read again, the current week anew
		return e.Request.Kind != weir.Audit, nil
	}
	jobs, err := l.Jobs(ctx, e.Account, e.JobID)
	if err != nil || len(jobs) == 0 {
		return true, err
	}
	return !jobs[0].ExpiresAt.IsZero() && !jobs[0].ExpiresAt.After(now), nil
}
