package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/clari"
	"github.com/weirhq/weir/land"
	"github.com/weirhq/weir/pace"
)

// An export that is read without a job begins where others end: ready, with its
// deliveries open. Each landing asks the server anew, and nothing of it is kept
// before it has landed.

// errEarly marks a span of audit events that by the server's clock has not ended.
var errEarly = errors.New("the span of audit events has not ended by the server's clock")

// earlyError is how long a span must still be waited for.
type earlyError struct{ by time.Duration }

func (e *earlyError) Error() string {
	return fmt.Sprintf("read audit events: %v, %s to go", errEarly, e.by)
}

// Is makes it an errEarly.
func (e *earlyError) Is(target error) bool { return target == errEarly }

// keyAgain is how often a key that was refused is tried by what has no conductor
// to hold it back.
const keyAgain = time.Minute

// readDirect asks for what comes without a job and verifies it.
func (d *Deliverer) readDirect(ctx context.Context, e weir.Export, now time.Time) (Receipt, error) {
	asking := pace.WithMaxWait(pace.WithPriority(ctx, pace.Download), gatePatience)
	from := Origin{Export: e, Length: -1}
	var body io.ReadCloser
	if e.Request.Kind == weir.Audit {
		walk, err := newAuditWalk(asking, d.API, e.Request)
		d.heard(err)
		if err != nil {
			return nil, err
		}
		body, from.SnapshotAt = walk, walk.end
	} else {
		result, err := d.API.Forecast(asking, e.Request.ForecastID, e.Request.Period)
		d.heard(err)
		if err != nil {
			return nil, err
		}
		body, from.Length, from.SnapshotAt = result.Body, result.Length, result.Date
	}
	if from.SnapshotAt.IsZero() {
		from.SnapshotAt = now
	}
	defer body.Close()
	return d.Receiver.Receive(ctx, body, from)
}

func (d *Deliverer) heard(err error) {
	if d.Heard != nil {
		d.Heard(err)
	}
}

// HeardLanding keeps what a landing that asked the server by itself learned of
// it: whether it can be reached and takes the key. Safe for concurrent use.
func (c *Conductor) HeardLanding(err error) {
	c.note(func(s *Condition) {
		switch {
		case err == nil || reached(err):
			s.UnreachableSince, s.Unreachable, s.KeyRefused = time.Time{}, nil, nil
			if keyRefused(err) {
				s.KeyRefused = err
			}
		case ours(err) || errors.Is(err, errEarly):
		default:
			if s.UnreachableSince.IsZero() {
				s.UnreachableSince = s.clock.now()
			}
			s.Unreachable = err
		}
	})
}

// refusedDirect is the end of a read without a job that the server definitely
// refused; nil for any other error.
func refusedDirect(e weir.Export, err error) *weir.Failure {
	code := "bad_request"
	switch {
	case errors.Is(err, land.ErrTransfer): // it began well
		return nil
	case errors.Is(err, clari.ErrNoOptIn), errors.Is(err, clari.ErrForbidden):
		code = weir.CodeNotAuthorised
	case errors.Is(err, clari.ErrBadRequest), errors.Is(err, clari.ErrNotFound), errors.Is(err, clari.ErrInvalidJob):
	default:
		return nil
	}
	failure := failureOf(err, code)
	if failure.Hint == "" {
		failure.Hint = fmt.Sprintf("it costs no quota; after a change: weir retry %d", e.ID)
	}
	return &failure
}
