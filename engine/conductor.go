package engine

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/pace"
	"github.com/weirhq/weir/plan"
)

// Conductor acts for one account. Its fields are set before Run and not
// changed afterwards.
type Conductor struct {
	Account string
	// Owner names this process among all that share the ledger; unique.
	Owner  string
	Ledger ledger.Ledger
	API    API
	// Gate paces every request of the account; its state is kept in the ledger.
	Gate   *pace.Gate
	Pace   pace.Policy // the gate's own
	Lander Lander
	Policy plan.Policy
	// Scheduled are the instants of the 30 days after now at which schedules
	// will need an export, ascending, one for each; nil for none. A backfill
	// leaves them their quota.
	Scheduled func(now time.Time) []time.Time
	// Lock proves earlier owners dead where the store offers it; nil elsewhere.
	Lock ledger.Lock
	// Planned is told every plan with what it rests on and its instant; nil for
	// nobody. It must return soon.
	Planned func(v plan.View, p plan.Plan, now time.Time)
	// Watch is how often wishes of other processes are looked for; when 0, 1 s,
	// or in a crew, which is told of them, 5 min.
	Watch time.Duration
	// Crew says when the account may be had and renews its lease; nil where this
	// conductor looks for itself.
	Crew *Crew
	Log  *slog.Logger

	hold   *hold
	memory memory
	clock  storeClock
	wake   chan struct{}
	once   sync.Once

	mu     sync.Mutex
	latest plan.Plan
	state  Condition

	failure error // see Fail
}

// Condition is what a conductor knows that no ledger row says.
type Condition struct {
	Conducting bool
	// KeyRefused is set once the server refused the key for everything.
	KeyRefused error
	// UnreachableSince is when connections began to fail; zero while they work.
	UnreachableSince time.Time
	Unreachable      error

	clock storeClock // by which the plan was made; zero before the first
}

// memory is what a conductor learned since it took over. Losing it costs a few
// reads and nothing else: it only ever makes weir act later.
type memory struct {
	listing      plan.Listing
	listed       map[string]weir.Job // as last written, to write only what changed
	everListed   map[string]bool
	byTarget     map[string][]string // ids of listed jobs by what their file name shows
	missing      []string
	limits, list plan.ReadFailures
	unreadable   map[string]bool
	lastEnd      time.Time
	lastTerminal time.Time
	serverAhead  time.Duration
	hold         time.Time // no request before it
	holdWhy      weir.Wait
	failures     int  // connection failures in a row
	restless     bool // look again within a second, although nobody stirs
	warned       map[string]bool
}

func newMemory() memory {
	return memory{
		listed: map[string]weir.Job{}, everListed: map[string]bool{},
		unreadable: map[string]bool{}, warned: map[string]bool{},
	}
}

// storeClock tells the store's time between two questions to the store, by the
// monotonic clock: setting the wall clock does not move it, and it only ever
// stands still (a suspended machine), which makes weir act later.
type storeClock struct {
	base  time.Time // the store's word
	asked time.Time // our clock when it was asked
}

func (c storeClock) now() time.Time { return c.base.Add(time.Since(c.asked)) }

// Fence says why nothing may be sent for the account, or nil. It is the last
// thing asked before a request is written.
func (c *Conductor) Fence() error {
	c.mu.Lock()
	h := c.hold
	c.mu.Unlock()
	if h == nil {
		return ErrLeaseTooOld
	}
	return h.check()
}

// Wake makes the conductor look at the ledger at once.
func (c *Conductor) Wake() {
	select {
	case c.waker() <- struct{}{}:
	default:
	}
}

func (c *Conductor) waker() chan struct{} {
	c.once.Do(func() { c.wake = make(chan struct{}, 1) })
	return c.wake
}

// Fail ends Run with a cause that no waiting mends, found by others who work
// for the account.
func (c *Conductor) Fail(err error) {
	c.mu.Lock()
	c.failure = err
	c.mu.Unlock()
	c.Wake()
}

// brokenBy is what Fail was told since the last question.
func (c *Conductor) brokenBy() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.failure
	c.failure = nil
	return err
}

// Latest is the last plan made and the condition, for those who show or wait.
func (c *Conductor) Latest() (plan.Plan, Condition) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.latest, c.state
}

func (c *Conductor) show(p plan.Plan) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.latest, c.state.clock = p, c.clock
}

func (c *Conductor) note(change func(*Condition)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.state)
}

// lasting is a context for writing down what happened, whatever became of the
// context under which it happened.
func lasting(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
}
