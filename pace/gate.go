package pace

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// errGivenBack is the outcome of a turn that came when its request had gone.
var errGivenBack = errors.New("turn given back")

// Config makes a [Gate]. The zero Config is a gate with the default policy.
type Config struct {
	Policy Policy
	// MaxWait bounds every wait whose context does not carry its own bound; see
	// [WithMaxWait]. Zero or less: no bound.
	MaxWait time.Duration
	// OnWait is told when a request begins to wait, and again when what it waits
	// for changes. It may be called from several goroutines at once, and must
	// return soon: requests stand behind it.
	OnWait func(Waiting)
	// OnChange is told the state whenever something changed that the next run
	// should know: an incident, its end, a learned rate. Calls come one at a
	// time, each with a state no older than the one before. It may use
	// [Gate.Snapshot], but no other method of the gate.
	OnChange func(State)
}

// Waiting is why a request waits, and until when as things stand.
type Waiting struct {
	Until    time.Time
	Reason   Reason
	Priority Priority
}

// Gate lets requests through one by one, as its policy decides. It is safe for
// concurrent use and has no goroutine of its own; there is nothing to close.
type Gate struct {
	config Config

	mu    sync.Mutex // guards the following
	state State
	queue queue
	timer *time.Timer

	telling sync.Mutex // serialises OnChange and guards told
	told    facts
}

// NewGate makes a gate that goes on from a stored state, made fit by
// [State.Resume]; the zero State starts anew.
func NewGate(c Config, s State) *Gate {
	c.Policy = c.Policy.orDefaults()
	s = s.Resume(time.Now())
	return &Gate{config: c, state: s, told: s.facts()}
}

// Snapshot is the state now, for keeping or showing.
func (g *Gate) Snapshot() State {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.state
}

// Rate is the rate at which requests start while the gate is open, in requests
// per second.
func (g *Gate) Rate() float64 { return g.config.Policy.RateOf(g.Snapshot()) }

// Forget opens the gate against the server's word; see [State.Open].
func (g *Gate) Forget() {
	g.update(func(s State) State { return s.Open() })
}

// Resume goes on from a stored state, as a new gate would: another process may
// have been told more since this gate was made. What is under way through this
// gate is still counted.
func (g *Gate) Resume(s State) {
	g.update(func(have State) State {
		next := s.Resume(time.Now())
		next.InFlight = have.InFlight
		return next
	})
}

// Wait returns when the request may start: start it at once, and call
// [Pass.Done] with its outcome. It returns a [ClosedError] when the wait would
// outlast the context's deadline or its [WithMaxWait], and an error that wraps
// the context's when the context ends first.
func (g *Gate) Wait(ctx context.Context, p Priority) (*Pass, error) {
	began := time.Now()
	for {
		pass, err := g.wait(ctx, p.known(), began)
		if err != nil || !g.overtaken(pass) {
			return pass, err
		}
		pass.Done(0, nil, errGivenBack)
	}
}

// overtaken reports whether the gate was closed between a turn and the moment
// its request woke up.
func (g *Gate) overtaken(p *Pass) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.state.Closed() {
		return false
	}
	return !p.probe || time.Now().Before(g.state.ClosedUntil)
}

func (g *Gate) wait(ctx context.Context, p Priority, began time.Time) (*Pass, error) {
	if ctx.Err() != nil {
		return nil, ended(ctx)
	}
	w, patience := g.enter(ctx, p, began)
	var late <-chan time.Time
	if patience != nil {
		defer patience.Stop()
		late = patience.C
	}
	select {
	case <-w.done:
		return w.pass, w.err
	case <-late:
		return g.leave(w, nil)
	case <-ctx.Done():
		return g.leave(w, ended(ctx))
	}
}

// ended wraps the context's error and, where that is another, its cause.
func ended(ctx context.Context) error {
	if cause := context.Cause(ctx); cause != ctx.Err() {
		return fmt.Errorf("wait at gate: %w: %w", ctx.Err(), cause)
	}
	return fmt.Errorf("wait at gate: %w", ctx.Err())
}

// enter puts a request in line. If its patience is bounded and it has to wait,
// patience fires when that is at an end.
func (g *Gate) enter(ctx context.Context, p Priority, began time.Time) (w *waiter, patience *time.Timer) {
	now := time.Now()
	w = &waiter{priority: p, done: make(chan struct{})}
	most, bounded := g.maxWait(ctx)
	if bounded {
		w.limit = began.Add(most)
	}
	if deadline, ok := ctx.Deadline(); ok && (w.limit.IsZero() || deadline.Before(w.limit)) {
		w.limit = deadline
	}
	g.mu.Lock()
	g.queue.push(w)
	news := g.serve(now)
	waits := !w.settled()
	g.mu.Unlock()
	g.tell(news)
	if bounded && waits {
		patience = time.NewTimer(began.Add(most).Sub(now))
	}
	return w, patience
}

func (g *Gate) maxWait(ctx context.Context) (most time.Duration, bounded bool) {
	if d, ok := ctx.Value(maxWaitKey{}).(time.Duration); ok {
		return d, true
	}
	return g.config.MaxWait, g.config.MaxWait > 0
}

// leave takes a waiter out of line because its context ended with err, or,
// where that is nil, because its patience ran out. A turn that came meanwhile is
// given back in the first case and used in the second.
func (g *Gate) leave(w *waiter, err error) (*Pass, error) {
	g.mu.Lock()
	var news []Waiting
	outcome := err
	if err == nil {
		news = g.serve(time.Now()) // the turn may be due at this very instant
		outcome = &ClosedError{Until: w.told.Until, Reason: w.told.Reason}
	}
	if !w.settled() {
		g.queue.remove(w)
		w.refuse(outcome)
	}
	g.mu.Unlock()
	g.tell(news)
	if err != nil && w.pass != nil {
		w.pass.Done(0, nil, errGivenBack)
		return nil, err
	}
	return w.pass, w.err
}

// update changes the state and serves whom the change concerns.
func (g *Gate) update(change func(State) State) {
	g.mu.Lock()
	g.state = change(g.state)
	news := g.serve(time.Now())
	g.mu.Unlock()
	g.tell(news)
	g.tellChange()
}

// Pass is the right to start one request.
type Pass struct {
	gate  *Gate
	once  sync.Once
	at    time.Time
	probe bool
}

// Probe reports whether the request is the probe of an incident.
func (p *Pass) Probe() bool { return p.probe }

// Done tells the gate what came of the request: the response's status and
// header, or the error. Call it as soon as the header is there; the body is of
// no concern to the gate. Only the first call counts, and none of a nil Pass.
func (p *Pass) Done(status int, header http.Header, err error) {
	if p == nil {
		return
	}
	p.once.Do(func() {
		a := Answer{Status: status, Header: header, StartedAt: p.at, ReceivedAt: time.Now(), Err: err}
		p.gate.update(func(s State) State { return p.gate.config.Policy.Observe(s, a) })
	})
}
