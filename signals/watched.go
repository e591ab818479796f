package signals

import (
	"context"
	"io"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/clari"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/plan"
)

// Watched puts watchers between the engine and what it uses for one account.
type Watched struct {
	Account  string
	Watchers []Watcher
}

func (w Watched) tell(one func(Watcher)) {
	for _, watcher := range w.Watchers {
		one(watcher)
	}
}

// API watches the calls of the server's API.
func (w Watched) API(api engine.API) engine.API {
	if len(w.Watchers) == 0 {
		return api
	}
	return watchedAPI{api, w}
}

// Ledger watches what is decided.
func (w Watched) Ledger(l ledger.Ledger) ledger.Ledger {
	if len(w.Watchers) == 0 {
		return l
	}
	return watchedLedger{l, w}
}

// Receiver watches downloads and what becomes of them.
func (w Watched) Receiver(r engine.Receiver) engine.Receiver {
	if len(w.Watchers) == 0 {
		return r
	}
	return watchedReceiver{r, w}
}

// Planned watches a conductor's plans; nil for nobody.
func (w Watched) Planned() func(plan.View, plan.Plan, time.Time) {
	if len(w.Watchers) == 0 {
		return nil
	}
	return func(v plan.View, p plan.Plan, at time.Time) {
		w.tell(func(x Watcher) { x.Planned(Planned{w.Account, v, p, at}) })
	}
}

type watchedAPI struct {
	engine.API
	to Watched
}

func call[T any](w Watched, name CallName, jobID string, do func() (T, error)) (T, error) {
	at := time.Now()
	answer, err := do()
	c := Call{Account: w.Account, Name: name, JobID: jobID, At: at, Took: time.Since(at), Err: err}
	w.tell(func(x Watcher) { x.Called(c) })
	return answer, err
}

func (a watchedAPI) Start(ctx context.Context, r weir.Request) (clari.Started, error) {
	return call(a.to, Start, "", func() (clari.Started, error) { return a.API.Start(ctx, r) })
}

func (a watchedAPI) Jobs(ctx context.Context) (clari.JobList, error) {
	return call(a.to, List, "", func() (clari.JobList, error) { return a.API.Jobs(ctx) })
}

func (a watchedAPI) Job(ctx context.Context, id string) (job weir.Job, date time.Time, err error) {
	job, err = call(a.to, Status, id, func() (weir.Job, error) {
		j, at, err := a.API.Job(ctx, id)
		date = at
		return j, err
	})
	return job, date, err
}

func (a watchedAPI) Cancel(ctx context.Context, id string) (clari.Cancellation, error) {
	return call(a.to, Cancel, id, func() (clari.Cancellation, error) { return a.API.Cancel(ctx, id) })
}

func (a watchedAPI) Results(ctx context.Context, id string) (*clari.Result, error) {
	return call(a.to, Results, id, func() (*clari.Result, error) { return a.API.Results(ctx, id) })
}

func (a watchedAPI) Limits(ctx context.Context) (clari.Limits, error) {
	return call(a.to, Limits, "", func() (clari.Limits, error) { return a.API.Limits(ctx) })
}

func (a watchedAPI) Forecast(ctx context.Context, id string, period weir.Period) (*clari.Result, error) {
	return call(a.to, Forecast, "", func() (*clari.Result, error) { return a.API.Forecast(ctx, id, period) })
}

func (a watchedAPI) AuditEvents(ctx context.Context, q clari.AuditQuery) (clari.AuditPage, error) {
	return call(a.to, Events, "", func() (clari.AuditPage, error) { return a.API.AuditEvents(ctx, q) })
}

func (a watchedAPI) NextAuditEvents(ctx context.Context, nextLink string) (clari.AuditPage, error) {
	return call(a.to, Events, "", func() (clari.AuditPage, error) { return a.API.NextAuditEvents(ctx, nextLink) })
}

type watchedLedger struct {
	ledger.Ledger
	to Watched
}

// Move tells of a move that was committed.
func (l watchedLedger) Move(ctx context.Context, lease weir.Lease, id int64, t weir.Transition) (weir.Export, error) {
	after, err := l.Ledger.Move(ctx, lease, id, t)
	if err == nil {
		l.to.tell(func(x Watcher) { x.Moved(Move{after, t.From, t.Cause.At}) })
	}
	return after, err
}

// FinishDelivery tells how a landing ended, and of the move that came of it.
func (l watchedLedger) FinishDelivery(ctx context.Context, claim weir.Delivery, o ledger.Outcome, c weir.Cause) (weir.Export, error) {
	after, err := l.Ledger.FinishDelivery(ctx, claim, o, c)
	if err != nil {
		return after, err
	}
	moved := !after.State.Open() && after.ChangedAt.Equal(c.At.Truncate(time.Millisecond))
	l.to.tell(func(x Watcher) {
		x.Delivered(Delivered{l.to.Account, claim, o.State})
		if moved {
			x.Moved(Move{after, weir.Ready, c.At})
		}
	})
	return after, nil
}

// SaveDuration tells of a job that ended.
func (l watchedLedger) SaveDuration(ctx context.Context, account, key, jobID string, ended time.Time, ran time.Duration) error {
	err := l.Ledger.SaveDuration(ctx, account, key, jobID, ended, ran)
	if err == nil {
		unseen := max(0, time.Since(ended))
		l.to.tell(func(x Watcher) { x.Ran(Run{account, ran, unseen}) })
	}
	return err
}

type watchedReceiver struct {
	engine.Receiver
	to Watched
}

// Receive tells of a download and its verification.
func (r watchedReceiver) Receive(ctx context.Context, body io.Reader, from engine.Origin) (engine.Receipt, error) {
	t := Transfer{Export: from.Export, JobID: from.Job.ID, At: time.Now()}
	counted := &counting{Reader: body}
	receipt, err := r.Receiver.Receive(ctx, counted, from)
	t.End, t.Downloaded, t.Bytes, t.Err = time.Now(), counted.ended, counted.bytes, err
	r.to.tell(func(x Watcher) { x.Received(t) })
	if err != nil {
		return nil, err
	}
	return watchedReceipt{receipt, r.to, from.Export}, nil
}

// counting counts what is read and notes the end.
type counting struct {
	io.Reader
	bytes int64
	ended time.Time
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.bytes += int64(n)
	if err == io.EOF {
		c.ended = time.Now()
	}
	return n, err
}

type watchedReceipt struct {
	engine.Receipt
	to Watched
	of weir.Export
}

// Publish tells of what was written to one place.
func (r watchedReceipt) Publish(ctx context.Context, d weir.Delivery) (engine.Published, error) {
	at := time.Now()
	published, err := r.Receipt.Publish(ctx, d)
	p := Publication{Export: r.of, Delivery: d, At: at, End: time.Now(), Rows: published.Rows, Err: err}
	r.to.tell(func(x Watcher) { x.Published(p) })
	return published, err
}
