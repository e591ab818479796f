package notify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weirhq/weir/ledger"
)

// Receiver is where messages go. Send returns nil once the receiver has taken
// the message; it is repeated after any error, with the same token.
type Receiver interface {
	Send(ctx context.Context, m ledger.Message) error
}

// An attempt ends within sendTime, and its claim lapses after claimTime: a
// sender that died is followed by another. GiveUpAfter is how long a message is
// tried.
const (
	sendTime = 30 * time.Second
	// elsewhere is how long a message for a receiver that is not known here is
	// left, where another server of the queue may know it.
	elsewhere   = 5 * time.Second
	claimTime   = 2 * time.Minute
	GiveUpAfter = 24 * time.Hour
)

// ErrNoReceiver marks a message for a receiver that is not configured here.
var ErrNoReceiver = errors.New("no receiver of this name is configured")

// Pause is how long a message rests after so many failed attempts: 10 s, twice
// as long after each, at most an hour.
func Pause(attempts int) time.Duration {
	pause := 10 * time.Second
	for range attempts - 1 {
		if pause *= 2; pause >= time.Hour {
			return time.Hour
		}
	}
	return pause
}

// mostDue is how many messages are sent in one go.
const mostDue = 50

// SendDue sends every message that is due, or offers it where there is a queue.
func (d *Desk) SendDue(ctx context.Context) error {
	now, err := d.Book.Now(ctx)
	if err != nil {
		return err
	}
	due, err := d.Book.DueMessages(ctx, now, mostDue)
	for _, m := range due {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if failed := d.dispatch(ctx, m, now); !errors.Is(failed, ledger.ErrStale) {
			err = errors.Join(err, failed)
		}
	}
	return err
}

func (d *Desk) dispatch(ctx context.Context, m ledger.Message, now time.Time) error {
	if d.Offer != nil {
		return d.Offer(ctx, m, now)
	}
	return d.Send(ctx, m.ID)
}

// Send claims one message, sends it, and writes down how that ended. It is what
// a worker of a queue calls. An error is the ledger's, [ledger.ErrStale] where
// somebody else has the message; that the receiver did not take it is none: the
// message is due again later.
func (d *Desk) Send(ctx context.Context, id int64) error {
	now, err := d.Book.Now(ctx)
	if err != nil {
		return err
	}
	m, err := d.Book.ClaimMessage(ctx, id, d.Owner, now, now.Add(claimTime))
	if err != nil {
		return err
	}
	failed := d.attempt(ctx, m)
	writing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if now, err = d.Book.Now(writing); err != nil {
		return err
	}
	how := outcome(m, failed, now)
	if d.Offer != nil && errors.Is(failed, ErrNoReceiver) && how.State == ledger.MessageWaiting {
		d.Log.Debug("leave notification to another server", "receiver", m.Receiver, "kind", m.Kind)
		return d.Book.FinishMessage(writing, m, ledger.Sending{State: how.State, At: now.Add(elsewhere), Error: how.Error, Untried: true}, now)
	}
	if d.Sent != nil {
		d.Sent(m.Kind, string(how.State))
	}
	if failed != nil {
		d.Log.Warn("send notification", "receiver", m.Receiver, "kind", m.Kind, "attempt", m.Attempts, "state", how.State, "error", failed, "receivers", names(d.receivers()))
	}
	return d.Book.FinishMessage(writing, m, how, now)
}

func (d *Desk) attempt(ctx context.Context, m ledger.Message) error {
	to := d.receivers()[m.Receiver]
	if to == nil {
		return ErrNoReceiver
	}
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	return to.Send(ctx, m)
}

// outcome is what an attempt's end means for the message.
func outcome(m ledger.Message, failed error, now time.Time) ledger.Sending {
	var later *LaterError
	switch {
	case failed == nil:
		return ledger.Sending{State: ledger.MessageSent}
	case now.Sub(m.OpenedAt) >= GiveUpAfter:
		return ledger.Sending{State: ledger.MessageGivenUp, Error: failed.Error()}
	case errors.As(failed, &later):
		return ledger.Sending{State: ledger.MessageWaiting, At: now.Add(min(max(later.After, Pause(m.Attempts)), time.Hour)), Error: failed.Error()}
	}
	return ledger.Sending{State: ledger.MessageWaiting, At: now.Add(Pause(m.Attempts)), Error: failed.Error()}
}

// LaterError is a receiver that said when to come back.
type LaterError struct {
	After time.Duration
	Err   error
}

// Error is the cause with the wait.
func (e *LaterError) Error() string { return fmt.Sprintf("%v, to be tried in %s", e.Err, e.After) }

// Unwrap gives the cause.
func (e *LaterError) Unwrap() error { return e.Err }
