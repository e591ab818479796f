package tracing

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/signals"
)

var _ signals.Watcher = (*Tracer)(nil)

// mostChildren bounds the waits and the polls that are kept of one export.
const mostChildren = 64

// working is what one account's conductor showed and did.
type working struct {
	waits map[int64]*waits // of planned exports
	polls map[int64][]span // of running exports
	byJob map[string]int64 // running exports by job
}

// waits are why an export waited, in order; the last one lasts.
type waits struct {
	reason weir.WaitCode
	since  time.Time
	ended  []span
}

func (t *Tracer) account(name string) *working {
	a := t.accounts[name]
	if a == nil {
		a = &working{waits: map[int64]*waits{}, polls: map[int64][]span{}, byJob: map[string]int64{}}
		t.accounts[name] = a
	}
	return a
}

// Planned keeps why exports wait, and which run.
func (t *Tracer) Planned(p signals.Planned) {
	now := time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.account(p.Account)
	waiting, polls, byJob := map[int64]*waits{}, map[int64][]span{}, map[string]int64{}
	for i := range p.View.Exports {
		e := &p.View.Exports[i]
		switch e.State {
		case weir.Planned:
			w := a.waits[e.ID]
			if w == nil {
				w = &waits{}
			}
			w.change(p.Plan.Stands[e.ID].Wait.Code, now)
			waiting[e.ID] = w
		case weir.Running:
			byJob[e.JobID], polls[e.ID] = e.ID, a.polls[e.ID]
		}
	}
	a.waits, a.polls, a.byJob = waiting, polls, byJob
}

// change ends one reason and begins another.
func (w *waits) change(reason weir.WaitCode, now time.Time) {
	if reason == w.reason {
		return
	}
	if w.reason != weir.WaitNone && len(w.ended) < mostChildren {
		w.ended = append(w.ended, span{name: "wait: " + string(w.reason), from: w.since, to: now, attributes: map[string]string{"weir.reason": string(w.reason)}})
	}
	w.reason, w.since = reason, now
}

// Called keeps polls: a list polls everything that runs.
func (t *Tracer) Called(c signals.Call) {
	if c.Name != signals.List && c.Name != signals.Status {
		return
	}
	poll := span{name: "poll", from: c.At, to: c.At.Add(c.Took), attributes: map[string]string{"weir.call": string(c.Name), "weir.outcome": c.Outcome()}}
	if c.Err != nil {
		poll.failed = c.Outcome()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.account(c.Account)
	for job, id := range a.byJob {
		if (c.Name == signals.List || job == c.JobID) && len(a.polls[id]) < mostChildren {
			a.polls[id] = append(a.polls[id], poll)
		}
	}
}

// Moved sends what was kept of the state that the export left, and the whole
// once it has ended.
func (t *Tracer) Moved(m signals.Move) {
	e, now := m.Export, time.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.account(e.Account)
	var children []span
	switch m.From {
	case weir.Planned:
		if w := a.waits[e.ID]; w != nil {
			w.change(weir.WaitNone, now)
			children = w.ended
			delete(a.waits, e.ID)
		}
	case weir.Running:
		children = a.polls[e.ID]
		delete(a.polls, e.ID)
	}
	if len(children) > 0 {
		t.later(func(ctx context.Context) { t.below(ctx, e, m.From, children) })
	}
	if !e.State.Open() {
		t.later(func(ctx context.Context) { t.whole(ctx, e, m.At) })
	}
}

// below sends children of the export's last span of a state.
func (t *Tracer) below(ctx context.Context, e weir.Export, state weir.State, children []span) {
	history, err := t.history.History(ctx, e.ID)
	if err != nil {
		t.log.Debug("read history for a trace", "export", e.ID, "error", err)
		return
	}
	if s, ok := current(segments(e, history), state); ok {
		for i := range children {
			children[i].parent = identityOf(e).span("segment", s.n)
		}
		t.send(e, children...)
	}
}

func (t *Tracer) whole(ctx context.Context, e weir.Export, at time.Time) {
	history, err := t.history.History(ctx, e.ID)
	if err != nil {
		t.log.Debug("read history for a trace", "export", e.ID, "error", err)
		return
	}
	t.send(e, story(e, history, at)...)
}

// Received sends a download and its verification.
func (t *Tracer) Received(r signals.Transfer) {
	about := map[string]string{"weir.job_id": r.JobID, "weir.bytes": fmt.Sprint(r.Bytes)}
	download := span{name: "download", from: r.At, to: r.End, attributes: about}
	steps := []span{download}
	if !r.Downloaded.IsZero() {
		steps[0].to = r.Downloaded
		steps = append(steps, span{name: "verify", from: r.Downloaded, to: r.End, attributes: map[string]string{"weir.job_id": r.JobID}})
	}
	if r.Err != nil {
		steps[len(steps)-1].failed = "error"
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.later(func(ctx context.Context) { t.below(ctx, r.Export, weir.Ready, steps) })
}

// Published sends the writing to one place.
func (t *Tracer) Published(p signals.Publication) {
	step := span{name: "publish", from: p.At, to: p.End, attributes: map[string]string{
		"weir.delivery_id": fmt.Sprint(p.Delivery.ID), "weir.format": p.Delivery.Format, "weir.place": place(p.Delivery.Destination),
	}}
	if p.Err != nil {
		step.failed = "error"
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.later(func(ctx context.Context) { t.below(ctx, p.Export, weir.Ready, []span{step}) })
}

// place is a destination's scheme: where exactly it is may name people.
func place(destination string) string {
	scheme, _, isURL := strings.Cut(destination, "://")
	if !isURL {
		return "directory"
	}
	return codeOf(scheme)
}

// Ran does nothing: the job's span says as much.
func (t *Tracer) Ran(signals.Run) {}

// Delivered does nothing: the publication's span says as much.
func (t *Tracer) Delivered(signals.Delivered) {}
