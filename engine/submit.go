package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/clari"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/plan"
)

// answerGrace is how long a POST that is under way may still be answered after
// an interrupt: an answer heard is a job not lost.
const answerGrace = 1500 * time.Millisecond

// gatePatience is how long a request may wait at the gate. A gate that closed
// for longer refuses it, and what asked is planned again instead of sleeping.
const gatePatience = 10 * time.Second

// submit posts one export: the intent is committed, the POST sent, and whatever
// came back written down, whatever became of ctx meanwhile.
func (c *Conductor) submit(ctx context.Context, v plan.View, a plan.Action) error {
	e, err := exportIn(v, a.Export)
	if err != nil {
		return err
	}
	if err := stale(ctx); err != nil { // plan again, before anything is committed
		return fmt.Errorf("%w: %w", ledger.ErrStale, err)
	}
	why := cause(c.clock.now(), a.Why, "")
	why.ServerAhead = c.memory.serverAhead
	intent := weir.Submit(why, c.hold.lease.Generation).RestingOn(v.Version)
	if e, err = c.Ledger.Move(ctx, c.hold.lease, e.ID, intent); err != nil {
		return err
	}
	posting, cancel := graceful(ctx, answerGrace)
	started, postErr := c.API.Start(posting, e.Request)
	cancel()
	c.heard(postErr)
	if postErr == nil {
		if err := c.keepJob(ctx, e.ID, started.JobID); err != nil {
			return err
		}
	}
	writing, cancel := lasting(ctx)
	defer cancel()
	if postErr == nil {
		return c.accepted(writing, v, e, started)
	}
	return c.unaccepted(writing, v, e, postErr)
}

const (
	// factPatience is how long a job id that an answer named is held while the
	// ledger cannot be written, and factGrace how long after an interrupt: losing
	// it leaves the export unknown for a minute, or for a person.
	factPatience = time.Minute
	factGrace    = 5 * time.Second
	// factAgain is how soon writing it is tried again, at first and at last.
	factAgain, factAgainMost = 100 * time.Millisecond, 2 * time.Second
)

// keepJob writes down, as a fact, which job an answer named. A lost lease is no
// reason not to, and a ledger that is away for a moment none to give up.
func (c *Conductor) keepJob(ctx context.Context, export int64, jobID string) error {
	outliving, end := graceful(ctx, factGrace)
	defer end()
	keeping, cancel := context.WithTimeout(outliving, factPatience)
	defer cancel()
	at := c.clock.now()
	for again := factAgain; ; again = min(2*again, factAgainMost) {
		err := c.Ledger.BindJob(keeping, c.Account, export, jobID, at)
		if err == nil || !errors.Is(err, ledger.ErrUnwritable) && !errors.Is(err, ledger.ErrBusy) {
			return err
		}
		c.Log.Warn("keep the job that the server started", "export", export, "job", jobID, "error", err)
		if pause(keeping, again); keeping.Err() != nil {
			return err
		}
	}
}

// accepted decides on an answer whose job is known; the decision may be fenced.
func (c *Conductor) accepted(ctx context.Context, v plan.View, e weir.Export, started clari.Started) error {
	now := c.clock.now()
	request := postText(e.Request, nil)
	err := c.move(ctx, e.ID, weir.Accept(cause(now, "the server started job "+started.JobID, request), started.JobID))
	if err != nil {
		return err
	}
	ours := held(v)
	return c.learn(ctx, func(b weir.Budget) weir.Budget { return plan.AcceptedBeside(b, ours) })
}

// unaccepted moves the export as the error says and keeps what it tells of the
// limits.
func (c *Conductor) unaccepted(ctx context.Context, v plan.View, e weir.Export, postErr error) error {
	now := c.clock.now()
	why := cause(now, postErr.Error(), postText(e.Request, postErr))
	if err := c.move(ctx, e.ID, afterPost(postErr, why)); err != nil {
		return err
	}
	if errors.Is(postErr, clari.ErrRefused) {
		ours := held(v)
		return c.learn(ctx, func(b weir.Budget) weir.Budget { return plan.Refused(b, ours, now) })
	}
	return nil
}

// afterPost is what a POST's error means for its export. Only what is certain
// to have started nothing goes back; anything in doubt is unknown.
func afterPost(err error, why weir.Cause) weir.Transition {
	switch {
	case errors.Is(err, clari.ErrNotSent):
		return weir.PutBack(why, time.Time{}, weir.Wait{})
	case errors.Is(err, clari.ErrThrottled), errors.Is(err, clari.ErrRefused):
		return weir.PutBack(why, time.Time{}, weir.Wait{})
	case errors.Is(err, clari.ErrNoOptIn), errors.Is(err, clari.ErrForbidden):
		return weir.RefuseRequest(why, failureOf(err, weir.CodeNotAuthorised))
	case errors.Is(err, clari.ErrNotAuthorised): // the key, not this export
		return weir.PutBack(why, time.Time{}, weir.Wait{})
	case errors.Is(err, clari.ErrBadRequest), errors.Is(err, clari.ErrNotFound),
		errors.Is(err, clari.ErrInvalidJob), errors.Is(err, clari.ErrAlreadyFinished):
		return weir.RefuseRequest(why, failureOf(err, "bad_request"))
	}
	return weir.Lose(why, plan.SettleOwn)
}

// failureOf tells a person and a program what the server refused.
func failureOf(err error, code string) weir.Failure {
	f := weir.Failure{Code: code, Message: err.Error()}
	var said *clari.Error
	if errors.As(err, &said) {
		f.Hint = said.Hint
		if said.Code != "" && code != weir.CodeNotAuthorised {
			f.Code = said.Code
		}
		if f.Hint == "" {
			f.Hint = hintFor(said.Code)
		}
	}
	return f
}

// hintFor says what to do about a refusal of the request itself.
func hintFor(code string) string {
	switch code {
	case "no_such_forecast_config", "missing_forecast_id":
		return "check the forecast id: it is the last part of the tab's address in Clari, and ids are case-sensitive"
	case "type_not_supported":
		return "this organisation does not export every type: leave some out of --types"
	}
	return "check the arguments of the export; after a change: weir retry, or export again"
}

func inFlight(exports []weir.Export) int {
	n := 0
	for _, e := range exports {
		if e.State.HoldsSlot() {
			n++
		}
	}
	return n
}

// held is how many slots weir holds for the organisation, as far as it is known.
func held(v plan.View) int {
	running := 0
	for _, e := range v.Beside {
		if e.State.HoldsSlot() {
			running++
		}
	}
	return inFlight(v.Exports) + running
}

type wholeKey struct{}

// whole marks the contexts below ctx as parts of one run: what a request waits
// for may outlast a lease, but not the run.
func whole(ctx context.Context) context.Context { return context.WithValue(ctx, wholeKey{}, ctx) }

// graceful is a context that outlives ctx by at most grace; of a run it outlives
// the run by that, so that an answer is heard although the lease was lost
// meanwhile.
func graceful(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	if run, ok := ctx.Value(wholeKey{}).(context.Context); ok {
		ctx = run
	}
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(grace, func() { cancel(context.Cause(ctx)) })
		context.AfterFunc(longer, func() { timer.Stop() })
	})
	return longer, func() { stop(); cancel(nil) }
}

// postText names the POST of a request and how it was answered.
func postText(r weir.Request, err error) string {
	route := "/export/" + string(r.Kind)
	switch r.Kind {
	case weir.Forecast:
		route += "/" + r.ForecastID
	case weir.Audit:
		route += "/events"
	}
	return "POST " + route + ": " + answerText(err)
}

// answerText is the status of an answer, or that there was none.
func answerText(err error) string {
	var said *clari.Error
	switch {
	case err == nil:
		return "accepted"
	case errors.As(err, &said) && said.Status != 0:
		return fmt.Sprint(said.Status)
	case errors.Is(err, clari.ErrNotSent):
		return "not sent"
	}
	return "no answer"
}
