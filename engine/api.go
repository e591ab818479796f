package engine

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/clari"
)

// API is what the engine asks of the server; *clari.Client is one.
type API interface {
	Start(ctx context.Context, r weir.Request) (clari.Started, error)
	Jobs(ctx context.Context) (clari.JobList, error)
	Job(ctx context.Context, id string) (weir.Job, time.Time, error)
	Cancel(ctx context.Context, id string) (clari.Cancellation, error)
	Results(ctx context.Context, id string) (*clari.Result, error)
	Limits(ctx context.Context) (clari.Limits, error)
	// The calls that need no job.
	Forecast(ctx context.Context, id string, period weir.Period) (*clari.Result, error)
	AuditEvents(ctx context.Context, q clari.AuditQuery) (clari.AuditPage, error)
	NextAuditEvents(ctx context.Context, nextLink string) (clari.AuditPage, error)
}

// ErrLeaseTooOld refuses a request because the right to send it may have
// passed to another process.
var ErrLeaseTooOld = errors.New("the lease was not renewed in time")

// ErrPlanTooOld refuses a POST that was planned on what is no longer fresh: the
// process stood still between the plan and the request.
var ErrPlanTooOld = errors.New("what it was planned on is too old")

// planTrust is how old a plan may be when its POST is written: the list and the
// limits that precede a POST are at most a minute old when it is planned.
const planTrust = 15 * time.Second

type plannedKey struct{}

// plannedAt marks the requests of a context with the instant of their plan.
func plannedAt(ctx context.Context, at time.Time) context.Context {
	return context.WithValue(ctx, plannedKey{}, at)
}

// stale says why a request may not be written any more, whose plan has aged.
func stale(ctx context.Context) error {
	at, planned := ctx.Value(plannedKey{}).(time.Time)
	if !planned {
		return nil
	}
	if age := renewalAge(at, time.Now()); age > planTrust {
		return fmt.Errorf("send what was planned %s ago: %w", age.Round(time.Millisecond), ErrPlanTooOld)
	}
	return nil
}

// Transport stands between a client and the network: gate paces and the fence
// is asked last, right before the request is written. A request that either
// refuses is marked clari.ErrNotSent, because certainly nothing left.
type Transport struct {
	// Paced is the gate's transport around the value of Inner.
	paced  http.RoundTripper
	counts *Counts
}

// Counts are the requests that one process sent.
type Counts struct {
	Requests  atomic.Int64 // reached the network
	Throttled atomic.Int64 // answered 429
}

type reachedKey struct{}

// NewTransport builds the chain for one account: pace wraps the transport it is
// given with the account's gate; fence says why nothing may be sent, or nil.
func NewTransport(base http.RoundTripper, pace func(http.RoundTripper) http.RoundTripper, fence func() error, counts *Counts) *Transport {
	return &Transport{paced: pace(&fenced{base: base, fence: fence, counts: counts}), counts: counts}
}

// RoundTrip sends one request when the gate and the fence allow it.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	reached := new(atomic.Bool)
	resp, err := t.paced.RoundTrip(r.WithContext(context.WithValue(r.Context(), reachedKey{}, reached)))
	if err != nil && !reached.Load() {
		return nil, fmt.Errorf("%w: %w", clari.ErrNotSent, err)
	}
	if err == nil && resp.StatusCode == http.StatusTooManyRequests {
		t.counts.Throttled.Add(1)
	}
	return resp, err
}

// fenced asks the fence as the very last thing before the network.
type fenced struct {
	base   http.RoundTripper
	fence  func() error
	counts *Counts
}

func (f *fenced) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := errors.Join(f.fence(), stale(r.Context())); err != nil {
		return nil, err
	}
	if reached, ok := r.Context().Value(reachedKey{}).(*atomic.Bool); ok {
		reached.Store(true)
	}
	f.counts.Requests.Add(1)
	return f.base.RoundTrip(r)
}
