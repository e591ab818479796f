package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/clari"
	"github.com/weirhq/weir/land"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/pace"
)

// Receiver turns a finished job's bytes into a verified result. Errors wrap
// land.ErrTransfer (try again), land.ErrRefused (verification) or
// land.ErrDestination (it could not be written).
type Receiver interface {
	Receive(ctx context.Context, body io.Reader, from Origin) (Receipt, error)
}

// Origin is which export and job a download belongs to.
type Origin struct {
	Export weir.Export
	Job    weir.Job
	// SnapshotAt is the instant that the result shows: the job's end, else when
	// DONE was first seen.
	SnapshotAt time.Time
	Length     int64  // bytes the server announced; -1 when it did not
	SHA256     []byte // of them, as the server announced it; nil when it did not
}

// Receipt is a verified result, kept until it is closed.
type Receipt interface {
	Publish(ctx context.Context, d weir.Delivery) (Published, error)
	Close() error
}

// Published is where a snapshot stands.
type Published struct {
	Manifest   string
	Rows       int64
	SnapshotAt time.Time
}

const (
	// landingTries is how often a download or landing may fail (rules §4).
	landingTries = 10
	// resultGrace is how long results of a DONE job may be denied before its
	// expiry (rules §2.7).
	resultGrace = 5 * time.Minute
	resultAgain = 15 * time.Second
	// destinationAgain is how long an unwritable destination is left alone.
	destinationAgain = time.Minute
)

// Deliverer lands the open deliveries of one export: claim, download once,
// verify, publish each, and write down how each ended.
type Deliverer struct {
	Ledger   ledger.Ledger
	API      API
	Receiver Receiver
	Owner    string
	// Able reports whether this process can land a delivery; nil for all. Others
	// are left to other processes.
	Able func(weir.Delivery) bool
	// Heard is told how each request ended that no conductor's plan asked for; nil
	// tells nobody.
	Heard func(error)
	Log   *slog.Logger
}

// Deliver works on one export at the instant now. A delivery that somebody else
// claimed meanwhile is left to them.
func (d *Deliverer) Deliver(ctx context.Context, exportID int64, now time.Time) error {
	claims, err := d.claim(ctx, exportID, now)
	if err != nil || len(claims) == 0 {
		return err
	}
	e, err := d.Ledger.Export(ctx, exportID)
	if err != nil {
		return err
	}
	l := landing{Deliverer: d, clock: storeClock{base: now, asked: time.Now()}}
	receipt, err := d.receive(ctx, e, l.clock.now())
	if err != nil {
		return l.finishAll(ctx, e, claims, err)
	}
	defer receipt.Close()
	return l.publish(ctx, e, claims, receipt)
}

// landing is one run of Deliver. Its clock is that of whoever offered the
// deliveries and will offer them again: what waits until an instant must be
// looked at on the clock that set it.
type landing struct {
	*Deliverer
	clock storeClock
}

func (d *Deliverer) claim(ctx context.Context, exportID int64, now time.Time) ([]weir.Delivery, error) {
	all, err := d.Ledger.DeliveriesOf(ctx, exportID)
	if err != nil {
		return nil, err
	}
	var claims []weir.Delivery
	for _, delivery := range all {
		if delivery.State != weir.DeliveryOpen || now.Before(delivery.NotBefore) || d.Able != nil && !d.Able(delivery) {
			continue
		}
		claim, err := d.Ledger.Claim(ctx, delivery.ID, d.Owner, now)
		switch {
		case errors.Is(err, ledger.ErrStale):
		case err != nil:
			return claims, err
		default:
			claims = append(claims, claim)
		}
	}
	return claims, nil
}

// receive downloads and verifies. Downloads have the last priority and are not
// stopped by a 429 elsewhere once they run.
func (d *Deliverer) receive(ctx context.Context, e weir.Export, now time.Time) (Receipt, error) {
	if e.Request.Direct {
		return d.readDirect(ctx, e, now)
	}
	jobs, err := d.Ledger.Jobs(ctx, e.Account, e.JobID)
	if err != nil {
		return nil, err
	}
	if len(jobs) == 0 {
		return nil, fmt.Errorf("find job %s of export %d: %w", e.JobID, e.ID, ledger.ErrNotFound)
	}
	asking := pace.WithMaxWait(pace.WithPriority(ctx, pace.Download), gatePatience)
	result, err := d.API.Results(asking, e.JobID)
	if err != nil {
		return nil, err
	}
	defer result.Body.Close()
	return d.Receiver.Receive(ctx, result.Body, Origin{Export: e, Job: jobs[0], SnapshotAt: snapshotAt(e, jobs[0]), Length: result.Length, SHA256: result.SHA256})
}

func snapshotAt(e weir.Export, j weir.Job) time.Time {
	if !j.EndedAt.IsZero() {
		return j.EndedAt
	}
	return e.DoneAt
}

func (d landing) publish(ctx context.Context, e weir.Export, claims []weir.Delivery, receipt Receipt) error {
	for i, claim := range claims {
		published, err := receipt.Publish(ctx, claim)
		if err != nil {
			if err := d.finishAll(ctx, e, claims[i:i+1], err); err != nil {
				return err
			}
			continue
		}
		o := ledger.Outcome{State: weir.DeliveryLanded, Manifest: published.Manifest, Rows: published.Rows, SnapshotAt: published.SnapshotAt}
		if err := d.finish(ctx, claim, o, "landed in "+claim.Destination); err != nil {
			return err
		}
	}
	return nil
}

// finishAll writes down the same misfortune for every claim.
func (d landing) finishAll(ctx context.Context, e weir.Export, claims []weir.Delivery, cause error) error {
	for _, claim := range claims {
		d.Log.Warn("land export", "export", e.ID, "error", cause)
		o := misfortune(e, claim, cause, d.clock.now())
		if ctx.Err() != nil { // interrupted: nobody's fault, and at once again
			o = ledger.Outcome{State: weir.DeliveryOpen, Free: true}
		}
		if err := d.finish(ctx, claim, o, cause.Error()); err != nil {
			return err
		}
	}
	return nil
}

func (d landing) finish(ctx context.Context, claim weir.Delivery, o ledger.Outcome, why string) error {
	writing, cancel := lasting(ctx)
	defer cancel()
	_, err := d.Ledger.FinishDelivery(writing, claim, o, cause(d.clock.now(), why, ""))
	if errors.Is(err, ledger.ErrStale) {
		d.Log.Warn("finish delivery: the claim was lost", "delivery", claim.ID)
		return nil
	}
	return err
}

// earlyBy is how long a span that was asked for too early must be waited for.
func earlyBy(err error) time.Duration {
	var early *earlyError
	if errors.As(err, &early) {
		return early.by
	}
	return 0
}

// misfortune is what an error means for a delivery: refused for ever, waiting
// for something, or one more failed try.
func misfortune(e weir.Export, claim weir.Delivery, err error, now time.Time) ledger.Outcome {
	failure := &weir.Failure{Message: err.Error()}
	switch {
	case errors.Is(err, land.ErrRefused):
		failure.Code = weir.CodeRefused
		failure.Hint = fmt.Sprintf("nothing was published and nothing will be bought again; the raw file is kept; after a look: weir retry %d", e.ID)
		return ledger.Outcome{State: weir.DeliveryRejected, Failure: failure}
	case errors.Is(err, land.ErrDestination):
		failure.Code = weir.CodeDestination
		failure.Hint = mending(err) + "; the result is still on the server and lands with: weir resume"
		return ledger.Outcome{State: weir.DeliveryOpen, Free: true, Failure: failure, NotBefore: now.Add(destinationAgain)}
	case e.Request.Direct && refusedDirect(e, err) != nil:
		return ledger.Outcome{State: weir.DeliveryFailed, Failure: refusedDirect(e, err)}
	case e.Request.Direct && keyRefused(err):
		return ledger.Outcome{State: weir.DeliveryOpen, Free: true, NotBefore: now.Add(keyAgain)}
	case earlyBy(err) > 0:
		return ledger.Outcome{State: weir.DeliveryOpen, Free: true, NotBefore: now.Add(earlyBy(err) + time.Second)}
	case errors.Is(err, clari.ErrInvalidJob), errors.Is(err, clari.ErrNotFound):
		return denied(e, failure, now)
	case closedUntil(err).After(now):
		return ledger.Outcome{State: weir.DeliveryOpen, Free: true, NotBefore: closedUntil(err)}
	case ours(err), errors.Is(err, clari.ErrThrottled), errors.Is(err, clari.ErrNotSent), keyRefused(err):
		return ledger.Outcome{State: weir.DeliveryOpen, Free: true, NotBefore: now.Add(backoff(0))}
	case claim.Attempts+1 >= landingTries:
		failure.Code = weir.CodeExhausted
		failure.Message = fmt.Sprintf("given up after %d tries: %s", claim.Attempts+1, failure.Message)
		failure.Hint = fmt.Sprintf("the result stays on the server until it expires: weir retry %d", e.ID)
		if e.Request.Direct {
			failure.Hint = fmt.Sprintf("it costs no quota; when the server answers again: weir retry %d", e.ID)
		}
		return ledger.Outcome{State: weir.DeliveryFailed, Failure: failure}
	}
	return ledger.Outcome{State: weir.DeliveryOpen, NotBefore: now.Add(backoff(claim.Attempts))}
}

// mending says what makes a destination writable, as far as it knows itself.
func mending(err error) string {
	var known interface{ Hint() string }
	if errors.As(err, &known) && known.Hint() != "" {
		return known.Hint()
	}
	return "make room or mend the permission"
}

// closedUntil is when the gate that refused a request opens; zero for any other
// error.
func closedUntil(err error) time.Time {
	var closed *pace.ClosedError
	if errors.As(err, &closed) {
		return closed.Until
	}
	return time.Time{}
}

// denied handles results that the server says it does not have: a DONE job's
// may come late, for five minutes; after that they are gone.
func denied(e weir.Export, failure *weir.Failure, now time.Time) ledger.Outcome {
	if now.Sub(e.DoneAt) < resultGrace {
		return ledger.Outcome{State: weir.DeliveryOpen, Free: true, NotBefore: now.Add(resultAgain)}
	}
	failure.Code = weir.CodeJobExpired
	failure.Hint = fmt.Sprintf("the server no longer has the result; a new job costs quota: weir retry %d", e.ID)
	return ledger.Outcome{State: weir.DeliveryFailed, Failure: failure}
}
