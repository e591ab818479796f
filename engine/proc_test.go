package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/weirhq/weir/clari"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/ledger/inmem"
	"github.com/weirhq/weir/pace"
	"github.com/weirhq/weir/plan"
)

const (
	// conductorPace and waiterPace bound how long one ledger call takes. No two
	// steps of a simulation then happen at one instant, so that their order is
	// the seed's and not the scheduler's.
	conductorPace = 2 * time.Millisecond
	waiterPace    = 60 * time.Millisecond
	networkPace   = 20 * time.Millisecond
)

// fate is what befalls a process: at its so-manieth step it is killed, or
// everything in it stands still for a while. 0 is never.
type fate struct {
	killAt    int
	freezeAt  int
	freezeFor time.Duration
	freezeOn  string // and only right before this ledger call; "": any
}

// proc is one process of an account: a command that conducts where nobody else
// does, and waits for its own.
type proc struct {
	w       *world
	account string
	owner   string
	store   *inmem.Ledger
	fate    fate
	until   time.Time // its --deadline, zero: none

	conductor *engine.Conductor
	gate      *pace.Gate
	policy    pace.Policy
	counts    engine.Counts

	dead context.Context // ends when it is killed
	kill context.CancelCauseFunc

	mu     sync.Mutex
	random *rand.Rand
	steps  int
	thaws  time.Time // it stands still until then
	froze  time.Time // when it last stood still, zero: never
	called map[string]int
}

// spawn starts a process for an account. Nothing runs in it yet.
func (w *world) spawn(account string, f fate) *proc {
	w.mu.Lock()
	w.born++
	n := w.born
	w.mu.Unlock()
	p := &proc{
		w: w, account: account, owner: fmt.Sprintf("p%d", n), fate: f,
		random: rand.New(rand.NewPCG(w.seed, uint64(n))), called: map[string]int{},
	}
	p.store = w.store.Attach(p.owner)
	p.dead, p.kill = context.WithCancelCause(context.Background())
	w.audit.born(p)
	return p
}

// open wires the process as a session of the program is wired.
func (p *proc) open(ctx context.Context) error {
	b := &book{Ledger: p.store, p: p, store: p.store, pace: conductorPace}
	state, err := engine.LoadGate(ctx, b, p.account, time.Now())
	if err != nil {
		return err
	}
	p.policy = engine.PacePolicy(p.w.scene.policy, p.w.scene.rate)
	if !p.w.scene.policy.Sequential {
		p.policy.Jitter = p.fraction
	}
	p.gate = pace.NewGate(pace.Config{Policy: p.policy, OnChange: func(s pace.State) { p.keepGate(b, s) }}, state)
	log := slog.New(slog.DiscardHandler)
	p.conductor = &engine.Conductor{
		Account: p.account, Owner: p.owner, Ledger: b, Gate: p.gate, Pace: p.policy,
		Policy: p.w.scene.policy, Watch: p.w.scene.watch, Log: log,
	}
	if p.w.scene.locks {
		if p.conductor.Lock, err = p.store.ConductorLock(p.account); err != nil {
			return err
		}
	}
	client, err := p.client()
	if err != nil {
		return err
	}
	p.conductor.API = &askingAPI{Client: client, p: p}
	deliverer := &engine.Deliverer{Ledger: b, API: client, Receiver: &receiver{p: p}, Owner: p.owner, Log: log, Heard: p.conductor.HeardLanding}
	p.conductor.Lander = &engine.Pool{Deliver: deliverer.Deliver, Done: p.conductor.Wake, Fail: p.conductor.Fail, Log: log}
	return nil
}

func (p *proc) client() (*clari.Client, error) {
	key, err := clari.NewKey(p.w.scene.accounts[p.account].key)
	if err != nil {
		return nil, err
	}
	paced := func(inner http.RoundTripper) http.RoundTripper {
		return &pace.Transport{Base: &stalling{inner: inner, p: p}, Gate: p.gate}
	}
	wire := &wire{p: p, server: p.w.server(p.account).RoundTripper()}
	transport := engine.NewTransport(wire, paced, p.conductor.Fence, &p.counts)
	return clari.New("https://sim.example/v4", key, clari.WithTransport(&stalling{inner: transport, p: p, pace: networkPace}))
}

func (p *proc) keepGate(b *book, s pace.State) {
	text, err := s.MarshalJSON()
	if err == nil {
		_ = b.SaveGate(context.Background(), p.account, string(text))
	}
}

// work conducts and waits, as a command does, until the waiting ends.
func (p *proc) work(ctx context.Context, exports []int64, own map[int64]bool) (engine.Ending, error) {
	working, stop := context.WithCancelCause(ctx)
	defer context.AfterFunc(p.dead, func() { stop(context.Cause(p.dead)) })()
	if err := p.open(working); err != nil {
		stop(err)
		return engine.Ending{}, err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := p.conductor.Run(working); err != nil && working.Err() == nil {
			stop(err)
		}
	}()
	waiter := &engine.Waiter{
		Ledger:    &book{Ledger: p.store, p: p, store: p.store, pace: waiterPace},
		Conductor: p.conductor, Account: p.account, Policy: p.w.scene.policy, Exports: exports, Own: own, Deadline: p.until,
		Show: func(all []engine.Standing, _ plan.Plan, _ engine.Condition) { p.w.audit.showed(p, all) },
	}
	ending, err := waiter.Wait(working)
	stop(nil)
	<-ended
	p.w.audit.exited(p)
	return ending, err
}

// point is one step: a moment passes, and its fate may strike.
func (p *proc) point(pace time.Duration) error { return p.pointAt("", pace) }

// pointAt is the step right before a ledger call.
func (p *proc) pointAt(call string, pace time.Duration) error {
	if pace > 0 {
		time.Sleep(p.span(pace/20, pace))
	}
	p.mu.Lock()
	p.steps++
	die := p.steps == p.fate.killAt
	due := p.fate.freezeAt > 0 && p.steps >= p.fate.freezeAt && p.froze.IsZero()
	if due && (p.fate.freezeOn == "" || p.fate.freezeOn == call) {
		p.froze = time.Now()
		p.thaws = p.froze.Add(p.fate.freezeFor)
		p.w.audit.event(p, "freeze", p.fate.freezeFor.String())
	}
	p.mu.Unlock()
	if die {
		p.die()
	}
	p.standStill()
	return context.Cause(p.dead)
}

func (p *proc) standStill() {
	for {
		p.mu.Lock()
		left := time.Until(p.thaws)
		p.mu.Unlock()
		if left <= 0 || p.dead.Err() != nil {
			return
		}
		time.Sleep(left + p.span(0, time.Millisecond))
	}
}

// die kills the process: nothing that it does from now on reaches anybody.
func (p *proc) die() {
	p.w.audit.event(p, "kill", "")
	p.store.Kill(p.owner)
	p.kill(inmem.ErrKilled)
	p.w.audit.died(p)
}

func (p *proc) alive() bool { return p.dead.Err() == nil }

// frozeSince reports whether it stood still at or after an instant.
func (p *proc) frozeSince(at time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.froze.IsZero() && p.thaws.After(at)
}

func (p *proc) span(least, most time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return least + time.Duration(p.random.Int64N(int64(most-least)+1))
}

func (p *proc) fraction() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.random.Float64()
}

func (p *proc) chance(c float64) bool { return p.fraction() < c }

func (p *proc) calls(method string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.called[method]++
}
