package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/clari"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/pace"
	"github.com/weirhq/weir/plan"
)

// stage is one account of a quick organisation on some ledger, and the processes
// that work for it.
type stage struct {
	*testing.T
	store   ledger.Ledger
	org     *emulator.Emulator
	network lossy
	born    int

	mu     sync.Mutex
	landed []string // each publication's export and process
}

func playOn(t *testing.T, store ledger.Ledger, scene scenario) {
	config := scene.org
	config.Slots, config.Users, config.Fields, config.Weeks = 2, 1, 1, 1
	if config.JobTime == 0 {
		config.JobTime = 300 * time.Millisecond
	}
	org, err := emulator.New(config)
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{T: t, store: store, org: org}
	s.network.inner = org.RoundTripper()
	if _, err := store.OpenAccount(t.Context(), weir.Account{Name: "default", BaseURL: "https://stage.example/v4", KeyFingerprint: "k"}); err != nil {
		t.Fatal(err)
	}
	scene.play(s)
}

// lossy is a network that loses the answers to the next POSTs, or the POSTs
// themselves after they were written.
type lossy struct {
	inner                  http.RoundTripper
	loseAnswers, losePosts atomic.Int64
}

func (n *lossy) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Method != http.MethodPost {
		return n.inner.RoundTrip(r)
	}
	if n.losePosts.Add(-1) >= 0 {
		return nil, io.ErrUnexpectedEOF
	}
	resp, err := n.inner.RoundTrip(r)
	if err == nil && n.loseAnswers.Add(-1) >= 0 {
		return nil, errors.Join(io.ErrUnexpectedEOF, resp.Body.Close())
	}
	return resp, err
}

// process is one conductor with all that it lands, over a ledger that a test may
// cut from it.
type process struct {
	ledger.Ledger
	s     *stage
	owner string
	// before is asked before a write of its n-th call of that name; nil allows all.
	before func(call string, n int) error
	dead   atomic.Bool
	away   atomic.Bool
	ctx    context.Context
	end    context.CancelCauseFunc

	mu    sync.Mutex
	calls map[string]int
}

var errDead = errors.New("this process is dead")

func (s *stage) process() *process {
	s.born++
	p := &process{Ledger: s.store, s: s, owner: fmt.Sprintf("p%d", s.born), calls: map[string]int{}}
	p.ctx, p.end = context.WithCancelCause(context.WithoutCancel(s.Context()))
	return p
}

// conduct starts a process that nothing befalls.
func (s *stage) conduct() *process {
	p := s.process()
	p.conduct()
	return p
}

// conduct runs the process until the test ends or it dies.
func (p *process) conduct() { p.work(func(c *engine.Conductor) { _ = c.Run(p.ctx) }) }

// conductAgain begins anew whenever the ledger failed it.
func (p *process) conductAgain() {
	p.work(func(c *engine.Conductor) {
		for p.ctx.Err() == nil {
			_ = c.Run(p.ctx)
			time.Sleep(100 * time.Millisecond)
		}
	})
}

func (p *process) work(run func(*engine.Conductor)) {
	conductor := p.open()
	ended := make(chan struct{})
	go func() { defer close(ended); run(conductor) }()
	p.s.Cleanup(func() { p.end(context.Canceled); <-ended })
}

// open wires the process as the program wires a session.
func (p *process) open() *engine.Conductor {
	log := slog.New(slog.DiscardHandler)
	policy := plan.Adaptive()
	policy.PollMin = 200 * time.Millisecond
	paced := engine.PacePolicy(policy, 20)
	gate := pace.NewGate(pace.Config{Policy: paced}, pace.State{})
	c := &engine.Conductor{
		Account: "default", Owner: p.owner, Ledger: p, Gate: gate, Pace: paced, Policy: policy, Watch: 200 * time.Millisecond, Log: log,
	}
	key, err := clari.NewKey("emulated")
	if err != nil {
		p.s.Fatal(err)
	}
	transport := engine.NewTransport(&p.s.network, func(base http.RoundTripper) http.RoundTripper {
		return &pace.Transport{Base: base, Gate: gate}
	}, c.Fence, new(engine.Counts))
	client, err := clari.New("https://stage.example/v4", key, clari.WithTransport(transport))
	if err != nil {
		p.s.Fatal(err)
	}
	deliverer := &engine.Deliverer{Ledger: p, API: client, Receiver: p, Owner: p.owner, Log: log}
	c.API, c.Lander = client, &engine.Pool{Deliver: deliverer.Deliver, Done: c.Wake, Fail: c.Fail, Log: log}
	return c
}

// dieAt kills a process before its n-th call of that name.
func dieAt(p *process, name string, n int) func(string, int) error {
	return func(call string, i int) error {
		if call == name && i == n {
			p.dead.Store(true)
			p.end(errDead)
		}
		return nil
	}
}

// writes is asked before each write: nothing that a dead process does is written.
func (p *process) writes(call string) error {
	p.mu.Lock()
	p.calls[call]++
	n := p.calls[call]
	p.mu.Unlock()
	if p.before != nil {
		if err := p.before(call, n); err != nil {
			return err
		}
	}
	if p.dead.Load() {
		return errDead
	}
	return nil
}

// Receive takes whatever came; what landings are made of is package land's.
func (p *process) Receive(_ context.Context, body io.Reader, from engine.Origin) (engine.Receipt, error) {
	_, err := io.Copy(io.Discard, body)
	return &staged{p, from}, err
}

type staged struct {
	p    *process
	from engine.Origin
}

func (r *staged) Publish(_ context.Context, d weir.Delivery) (engine.Published, error) {
	r.p.s.mu.Lock()
	defer r.p.s.mu.Unlock()
	r.p.s.landed = append(r.p.s.landed, fmt.Sprintf("%d by %s", d.ExportID, r.p.owner))
	return engine.Published{Manifest: "m-" + r.from.Job.ID, Rows: 1, SnapshotAt: r.from.SnapshotAt}, nil
}

func (r *staged) Close() error { return nil }

func (s *stage) published() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.landed...)
}

func (s *stage) now() time.Time {
	s.Helper()
	now, err := s.store.Now(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	return now
}

// want wishes for one forecast of each period and returns the exports.
func (s *stage) want(periods ...weir.Period) (ids []int64) {
	s.Helper()
	var wishes []ledger.Wish
	for _, period := range periods {
		wishes = append(wishes, ledger.Wish{
			Account: "default", Request: weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: period},
			AsOf: s.now(), JobsAllowed: 3, Destination: "/data", Formats: []string{"csv"},
		})
	}
	granted, err := s.store.Wish(s.Context(), s.now(), wishes)
	if err != nil {
		s.Fatal(err)
	}
	for _, g := range granted {
		ids = append(ids, g.Export.ID)
	}
	return ids
}

// until waits for what must come to hold; the bound is for a slow machine.
func (s *stage) until(what string, holds func() bool) {
	s.Helper()
	for range 6000 {
		if holds() {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
	s.Fatalf("still not: %s", what)
}

func (s *stage) open() int {
	s.Helper()
	exports, err := s.store.ListExports(s.Context(), ledger.Filter{OpenOnly: true})
	if err != nil {
		s.Fatal(err)
	}
	return len(exports)
}

// certain reports that no POST is under way.
func (s *stage) certain() bool {
	s.Helper()
	exports, err := s.store.ListExports(s.Context(), ledger.Filter{OpenOnly: true})
	if err != nil {
		s.Fatal(err)
	}
	for _, e := range exports {
		if e.State == weir.Submitting || e.State == weir.Unknown {
			return false
		}
	}
	return true
}

// allLand waits until everything has landed and checks that the organisation
// made so many jobs, never more at once than it has slots, and that each export
// landed once.
func (s *stage) allLand(jobs int) {
	s.Helper()
	s.until("all has landed", func() bool { return s.open() == 0 })
	counts := s.org.Counters()
	if counts.JobsMade() != jobs || counts.MostJobs > 2 || counts.RefusedForRoom > 0 {
		s.Errorf("%d jobs, %d at once, %d POSTs refused; want %d jobs, 2 at once", counts.JobsMade(), counts.MostJobs, counts.RefusedForRoom, jobs)
	}
	all, err := s.store.ListExports(s.Context(), ledger.Filter{})
	if err != nil {
		s.Fatal(err)
	}
	if landed := s.published(); len(landed) != len(all) {
		s.Errorf("%d exports, landed %v", len(all), landed)
	}
	for _, e := range all {
		if e.State != weir.Landed {
			s.Errorf("export %d is %s: %+v", e.ID, e.State, e.Failure)
		}
	}
}

func (s *stage) stateOf(id int64) weir.State {
	s.Helper()
	e, err := s.store.Export(s.Context(), id)
	if err != nil {
		s.Fatal(err)
	}
	return e.State
}

// states are those that an export went through after its first.
func (s *stage) states(id int64) (was []weir.State) {
	s.Helper()
	events, err := s.store.History(s.Context(), id)
	if err != nil {
		s.Fatal(err)
	}
	for _, e := range events {
		if e.From != "" {
			was = append(was, e.To)
		}
	}
	return was
}

func (s *stage) holder() string {
	lease, _, err := s.store.Holder(s.Context(), "default")
	if err != nil {
		return ""
	}
	return lease.Owner
}
