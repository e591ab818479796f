package app

import (
	"context"
	"errors"
	"io"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/land"
)

// receiver is the engine's port to package land.
type receiver struct {
	spoolDir  string
	passwords passwords
}

// Receive spools and verifies one result.
func (r *receiver) Receive(ctx context.Context, body io.Reader, from engine.Origin) (engine.Receipt, error) {
	received, err := land.Receive(ctx, body, land.Source{
		Request: from.Export.Request, Job: from.Job, SnapshotAt: from.SnapshotAt,
		Length: from.Length, SHA256: from.SHA256, SpoolDir: r.spoolDir, Version: Version(),
	})
	if err != nil {
		return nil, err
	}
	if from.Export.Adopted {
		if err := checkAdopted(received, from.Job.ID); err != nil {
			return nil, errors.Join(err, received.Close())
		}
	}
	return &receipt{received, r.passwords}, nil
}

// checkAdopted refuses the result of a job that weir recognised by its file
// name, which shows only forecast and period, unless the result also shows the
// types and the currency asked for. A job of another kind was named by a person;
// where it shows nothing at all, that may be all there is.
func checkAdopted(received *land.Receipt, jobID string) error {
	named := received.Request().Kind != weir.Forecast
	for _, c := range received.Checks() {
		doubtful := c.Outcome == land.Noted || c.Outcome == land.NotShown && !named
		if doubtful && (c.Name == land.CheckTypes || c.Name == land.CheckCurrency) {
			return &land.Refusal{Check: c.Name, Detail: "job " + jobID + " was recognised, not started by weir, and its result differs from what was asked: " + c.Detail}
		}
	}
	return nil
}

type receipt struct {
	*land.Receipt
	passwords passwords
}

// Publish lands the result where the delivery wants it.
func (r *receipt) Publish(ctx context.Context, d weir.Delivery) (engine.Published, error) {
	destination, err := r.passwords.open(d.Destination)
	if err != nil {
		return engine.Published{}, err
	}
	if request := r.Request(); request.Direct && request.Kind == weir.Audit {
		// A span is landed once, also when its landing was not written down.
		found, err := destination.Find(ctx, request, land.Format(d.Format))
		if err != nil {
			return engine.Published{}, err
		}
		if len(found) > 0 {
			return published(found[0]), nil
		}
	}
	manifest, err := r.Receipt.Publish(ctx, destination, land.Target{Format: land.Format(d.Format), Primary: d.Primary, CSVSafe: d.CSVSafe})
	if err != nil {
		return engine.Published{}, err
	}
	return published(manifest), nil
}

func published(m land.Manifest) engine.Published {
	return engine.Published{Manifest: m.Path, Rows: m.Rows(), SnapshotAt: m.SnapshotAt}
}
