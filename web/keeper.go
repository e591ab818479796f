package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/history"
	"github.com/weirhq/weir/land"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/plan"
)

// Keeper is the service behind the pages: what no ledger row says, and what
// needs more than the ledger. Its methods are safe for concurrent use. An error
// that a person can do something about is a *Refusal.
type Keeper interface {
	// Desk is what the service knows of an account; the zero Desk of one that it
	// does not have.
	Desk(account string) Desk
	// Cancel records that a person wants an export stopped. force also cancels a
	// job that weir recognised rather than started.
	Cancel(ctx context.Context, export int64, force bool) error
	// Retry plans a failed or cancelled export anew, or lands a rejected one once
	// more.
	Retry(ctx context.Context, export int64) error
	// Resolve says which job serves an export of unknown fate; "" says none.
	Resolve(ctx context.Context, export int64, job string) error
	// LandAgain downloads and lands a landed export once more, for nothing.
	LandAgain(ctx context.Context, export int64) error
	// RunNow wants at once what a schedule asks for, and returns the exports.
	RunNow(ctx context.Context, account, schedule string) ([]int64, error)
	// Pause stops a schedule or lets it go on.
	Pause(ctx context.Context, account, schedule string, paused bool) error
	// Manifests are those of the snapshots that stand where a delivery landed, of
	// the same request and form, newest first.
	Manifests(ctx context.Context, e weir.Export, d weir.Delivery) ([]land.Manifest, error)
	// Manifest is the one at a path in a destination, where a result of the request
	// landed; history.ErrNoSnapshot when it no longer stands there.
	Manifest(ctx context.Context, r weir.Request, destination, path string) (land.Manifest, error)
	// Compare gives each what differs between an earlier snapshot, by its name,
	// and the one of a delivery, both where that landed. It ends soon after ctx.
	Compare(ctx context.Context, e weir.Export, d weir.Delivery, from string, each func(*history.Change) error) (history.About, history.Summary, error)
}

// Desk is an account as the service has it.
type Desk struct {
	// Configured says that the account is in the service's configuration.
	Configured bool
	// Fault is why the service does not act for it; "" when it does, or when
	// another process does.
	Fault  string
	Policy plan.Policy
	// Rate is in requests per second, before the first refusal.
	Rate float64
	// Scheduled are the instants of the next 30 days at which schedules will want
	// an export, one for each, ascending.
	Scheduled []time.Time
	// When says in words when each schedule is due.
	When map[string]string
}

// Refusal is why something that a person asked for was not done.
type Refusal struct {
	// Status is the HTTP status.
	Status int
	Code   string
	Hint   string
	Err    error
}

// Error is the cause's.
func (r *Refusal) Error() string { return r.Err.Error() }

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Err }

// refusalOf is how any error is told to a browser or a program. What is no
// refusal is our fault, and its text stays in the log.
func refusalOf(err error) *Refusal {
	var r *Refusal
	switch {
	case errors.As(err, &r):
		return r
	case errors.Is(err, ledger.ErrNotFound):
		return &Refusal{Status: http.StatusNotFound, Code: "not_found", Err: errors.New("there is no such thing here"), Hint: "it may have been pruned; the lists show what there is"}
	case errors.Is(err, ledger.ErrStale), errors.Is(err, weir.ErrIllegalMove):
		return &Refusal{Status: http.StatusConflict, Code: "moved_on", Err: errors.New("it has moved on meanwhile"), Hint: "look again and decide again"}
	}
	return &Refusal{Status: http.StatusInternalServerError, Code: "failed", Err: errors.New("this did not work"), Hint: "the log of the server says why"}
}
