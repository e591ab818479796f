package signals_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/clari"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/inmem"
	"github.com/weirhq/weir/signals"
)

// recorder writes down what it is told.
type recorder struct {
	mu   sync.Mutex
	told []string
}

func (r *recorder) say(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = append(r.told, fmt.Sprintf(format, args...))
}

func (r *recorder) Called(c signals.Call)     { r.say("%s %s %s", c.Name, c.Outcome(), c.Refusal()) }
func (r *recorder) Planned(p signals.Planned) { r.say("planned %s", p.Account) }
func (r *recorder) Moved(m signals.Move)      { r.say("%s to %s", m.From, m.Export.State) }
func (r *recorder) Ran(x signals.Run)         { r.say("ran %s", x.Took) }
func (r *recorder) Received(t signals.Transfer) {
	r.say("received %d ended %v %v", t.Bytes, !t.Downloaded.IsZero(), t.Err)
}
func (r *recorder) Published(p signals.Publication) { r.say("published %d %v", p.Rows, p.Err) }
func (r *recorder) Delivered(d signals.Delivered)   { r.say("delivered %s", d.State) }

// answers is a server that answers every call with one error.
type answers struct{ err error }

func (a answers) Start(context.Context, weir.Request) (clari.Started, error) {
	return clari.Started{}, a.err
}
func (a answers) Jobs(context.Context) (clari.JobList, error) { return clari.JobList{}, a.err }
func (a answers) Job(context.Context, string) (weir.Job, time.Time, error) {
	return weir.Job{ID: "j"}, time.Unix(7, 0), a.err
}
func (a answers) Cancel(context.Context, string) (clari.Cancellation, error) {
	return clari.Cancellation{}, a.err
}
func (a answers) Results(context.Context, string) (*clari.Result, error) { return nil, a.err }
func (a answers) Limits(context.Context) (clari.Limits, error)           { return clari.Limits{}, a.err }
func (a answers) Forecast(context.Context, string, weir.Period) (*clari.Result, error) {
	return nil, a.err
}
func (a answers) AuditEvents(context.Context, clari.AuditQuery) (clari.AuditPage, error) {
	return clari.AuditPage{}, a.err
}
func (a answers) NextAuditEvents(context.Context, string) (clari.AuditPage, error) {
	return clari.AuditPage{}, a.err
}

// Every call passes through unchanged and is told, with what its error means.
func TestCalls(t *testing.T) {
	r := &recorder{}
	ctx := t.Context()
	for _, err := range []error{
		nil, io.ErrUnexpectedEOF,
		&clari.Error{Kind: clari.KindThrottled, Status: 429, RetryAfter: "7"}, &clari.Error{Kind: clari.KindThrottled, Status: 429},
		&clari.Error{Kind: clari.KindRefused, Status: 400}, &clari.Error{Kind: clari.KindTransient, Status: 503},
		&clari.Error{Kind: clari.KindNotSent},
	} {
		api := signals.Watched{Account: "acme", Watchers: []signals.Watcher{r}}.API(answers{err})
		if _, got := api.Limits(ctx); !errors.Is(got, err) {
			t.Errorf("the call returns %v, not %v", got, err)
		}
	}
	api := signals.Watched{Account: "acme", Watchers: []signals.Watcher{r}}.API(answers{})
	_, _ = api.Start(ctx, weir.Request{})
	_, _ = api.Jobs(ctx)
	if job, date, _ := api.Job(ctx, "j"); job.ID != "j" || !date.Equal(time.Unix(7, 0)) {
		t.Errorf("the job is %v at %s", job, date)
	}
	_, _ = api.Cancel(ctx, "j")
	_, _ = api.Results(ctx, "j")
	_, _ = api.Forecast(ctx, "net_arr", "2026_Q1")
	_, _ = api.AuditEvents(ctx, clari.AuditQuery{})
	_, _ = api.NextAuditEvents(ctx, "next")
	want := []string{
		"limits ok ", "limits none ", "limits 429 retry_after", "limits 429 no_retry_after", "limits 4xx slots_or_quota",
		"limits 5xx ", "limits not_sent ", "start ok ", "list ok ", "status ok ", "cancel ok ", "results ok ",
		"forecast ok ", "events ok ", "events ok ",
	}
	if diff := cmp.Diff(want, r.told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// What is committed is told, what is refused is not.
func TestMoves(t *testing.T) {
	ctx, inner, r := t.Context(), inmem.New(inmem.Options{}), &recorder{}
	l := signals.Watched{Account: "acme", Watchers: []signals.Watcher{r}}.Ledger(inner)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := l.OpenAccount(ctx, weir.Account{Name: "acme", BaseURL: "https://x.test", KeyFingerprint: "k"})
	must(err)
	now := time.Now()
	granted, err := l.Wish(ctx, now, []ledger.Wish{{
		Account: "acme", Request: weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: "2026_Q1"}, AsOf: now,
		JobsAllowed: 1, Destination: "/data", Formats: []string{"parquet", "csv"},
	}})
	must(err)
	id, why := granted[0].Export.ID, weir.Cause{At: now, Why: "test"}
	for _, move := range []weir.Transition{weir.Submit(why, 1), weir.Accept(why, "j"), weir.Finish(why)} {
		_, err := l.Move(ctx, weir.Lease{}, id, move)
		must(err)
	}
	if _, err := l.Move(ctx, weir.Lease{}, id, weir.Submit(why, 1)); !errors.Is(err, ledger.ErrStale) {
		t.Errorf("a stale move: %v", err)
	}
	must(l.SaveDuration(ctx, "acme", "key", "j", now, time.Minute))
	for _, d := range granted[0].Deliveries {
		claim, err := l.Claim(ctx, d.ID, "me", now)
		must(err)
		_, err = l.FinishDelivery(ctx, claim, ledger.Outcome{State: weir.DeliveryLanded, SnapshotAt: now}, weir.Cause{At: now.Add(time.Second)})
		must(err)
	}
	want := []string{
		"planned to submitting", "submitting to running", "running to ready", "ran 1m0s",
		"delivered landed", "delivered landed", "ready to landed",
	}
	if diff := cmp.Diff(want, r.told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// reads is a receiver that reads so much.
type reads struct {
	n   int64
	err error
}

func (r reads) Receive(_ context.Context, body io.Reader, _ engine.Origin) (engine.Receipt, error) {
	_, _ = io.CopyN(io.Discard, body, r.n)
	if r.err != nil {
		return nil, r.err
	}
	return r, nil
}

func (r reads) Publish(context.Context, weir.Delivery) (engine.Published, error) {
	return engine.Published{Rows: 42}, nil
}

func (r reads) Close() error { return nil }

// A download tells its bytes, and whether its end was seen.
func TestTransfers(t *testing.T) {
	r := &recorder{}
	w := signals.Watched{Watchers: []signals.Watcher{r}}
	receipt, err := w.Receiver(reads{n: 100}).Receive(t.Context(), strings.NewReader("ten bytes."), engine.Origin{})
	if err != nil {
		t.Fatal(err)
	}
	_, _ = receipt.Publish(t.Context(), weir.Delivery{})
	_, _ = w.Receiver(reads{n: 4, err: io.ErrShortBuffer}).Receive(t.Context(), strings.NewReader("ten bytes."), engine.Origin{})
	want := []string{"received 10 ended true <nil>", "published 42 <nil>", "received 4 ended false short buffer"}
	if diff := cmp.Diff(want, r.told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
}

// Without watchers nothing stands in between.
func TestNobodyWatches(t *testing.T) {
	var w signals.Watched
	inner := inmem.New(inmem.Options{})
	if w.Ledger(inner) != ledger.Ledger(inner) || w.API(answers{}) != engine.API(answers{}) || w.Receiver(reads{}) != engine.Receiver(reads{}) || w.Planned() != nil {
		t.Error("something stands between the engine and what it uses")
	}
}
