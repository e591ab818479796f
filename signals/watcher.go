package signals

import (
	"errors"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/clari"
	"github.com/weirhq/weir/plan"
)

// Watcher is told what happened. It must return soon and is called from several
// goroutines at once.
type Watcher interface {
	Called(Call)
	Planned(Planned)
	Moved(Move)
	Ran(Run)
	Received(Transfer)
	Published(Publication)
	Delivered(Delivered)
}

// CallName is a call of the server's API.
type CallName string

// The calls that the engine makes.
const (
	Start   CallName = "start"
	List    CallName = "list"
	Status  CallName = "status"
	Cancel  CallName = "cancel"
	Results CallName = "results"
	Limits  CallName = "limits"
	// The calls that need no job.
	Forecast CallName = "forecast"
	Events   CallName = "events"
)

// Calls are all of them.
func Calls() []CallName {
	return []CallName{Start, List, Status, Cancel, Results, Limits, Forecast, Events}
}

// Call is one request to the server, the wait at the gate included.
type Call struct {
	Account string
	Name    CallName
	JobID   string // of Status, Cancel and Results
	At      time.Time
	Took    time.Duration
	Err     error
}

// Outcome is how a call ended, in one of a few words: ok, 429, 4xx, 5xx, none
// (no answer came), not_sent.
func (c Call) Outcome() string {
	var said *clari.Error
	switch {
	case c.Err == nil:
		return "ok"
	case errors.Is(c.Err, clari.ErrNotSent):
		return "not_sent"
	case !errors.As(c.Err, &said) || said.Status == 0:
		return "none"
	case said.Status == 429:
		return "429"
	case said.Status >= 500:
		return "5xx"
	case said.Status >= 400:
		return "4xx"
	}
	return "none"
}

// Outcomes are all the words of [Call.Outcome].
func Outcomes() []string { return []string{"ok", "429", "4xx", "5xx", "none", "not_sent"} }

// Refusal is why the server held a call back: retry_after (429 that says for
// how long), no_retry_after (429 that does not), slots_or_quota (no job could be
// started); empty for every other end.
func (c Call) Refusal() string {
	var said *clari.Error
	switch {
	case errors.Is(c.Err, clari.ErrThrottled):
		if errors.As(c.Err, &said) && said.RetryAfter != "" {
			return "retry_after"
		}
		return "no_retry_after"
	case errors.Is(c.Err, clari.ErrRefused):
		return "slots_or_quota"
	}
	return ""
}

// Planned is a plan that a conductor made.
type Planned struct {
	Account string
	View    plan.View
	Plan    plan.Plan
	At      time.Time // by the ledger's clock
}

// Move is a transition that was committed. Export is how it stands after it.
type Move struct {
	Export weir.Export
	From   weir.State
	At     time.Time
}

// Run is a finished job: how long it ran by the server's own times, and how long
// after its end weir saw that.
type Run struct {
	Account string
	Took    time.Duration
	Unseen  time.Duration
}

// Transfer is a result that was downloaded and verified, or was not.
type Transfer struct {
	Export     weir.Export
	JobID      string
	At         time.Time
	Downloaded time.Time // when the last byte had come; zero when it did not
	End        time.Time
	Bytes      int64
	Err        error
}

// Publication is a verified result that was written to one place, or was not.
type Publication struct {
	Export   weir.Export
	Delivery weir.Delivery
	At, End  time.Time
	Rows     int64
	Err      error
}

// Delivered is how a claim of a delivery ended.
type Delivered struct {
	Account  string
	Delivery weir.Delivery
	State    weir.DeliveryState
}

// Nobody is a watcher that does nothing. Embedded, it lets another watch only
// what it cares for.
type Nobody struct{}

// Called does nothing.
func (Nobody) Called(Call) {}

// Planned does nothing.
func (Nobody) Planned(Planned) {}

// Moved does nothing.
func (Nobody) Moved(Move) {}

// Ran does nothing.
func (Nobody) Ran(Run) {}

// Received does nothing.
func (Nobody) Received(Transfer) {}

// Published does nothing.
func (Nobody) Published(Publication) {}

// Delivered does nothing.
func (Nobody) Delivered(Delivered) {}
