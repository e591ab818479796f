package engine_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/inmem"
)

const (
	// fleetPeriod is how often every account's schedule is due.
	fleetPeriod = 7 * time.Minute
	// fireMost is how soon a due run starts once a server lives undisturbed.
	fireMost = 30 * time.Second
)

// TestFleetSimulation is the simulation with several servers on one store that
// proves nobody dead: they come, are killed, frozen and stopped at random, share
// the accounts, land on each other's behalf, and run schedules, beside the
// commands that people start. To replay: -run TestFleetSimulation -seed 7 -seeds 1
func TestFleetSimulation(t *testing.T) {
	seeds := *seedCount
	if seeds == 0 {
		seeds = fleetSeeds
	}
	for seed := *firstSeed; seed < *firstSeed+uint64(seeds); seed++ {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			w := simulateFleet(t, seed)
			t.Logf("%d exports and %d jobs pruned", w.audit.forgotten.count.Exports, w.audit.forgotten.count.Jobs)
			if len(w.audit.faults) > 0 || *showTrace {
				fmt.Fprintln(os.Stderr, strings.Join(w.audit.trace[max(0, len(w.audit.trace)-80):], "\n"))
			}
			if len(w.audit.faults) > 0 {
				t.Errorf("seed %d:\n%s", seed, strings.Join(w.audit.faults, "\n"))
			}
		})
	}
}

// fleetSeeds is how many seeds are simulated when nobody says.
const fleetSeeds = 60

func simulateFleet(t *testing.T, seed uint64) *world {
	var w *world
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)))
		s := drawScene(seed)
		s.locks = false
		var err error
		if w, err = newWorld(seed, s); err != nil {
			t.Fatal(err)
		}
		defer w.stop()
		f := &fleetSim{w: w, due: map[string]time.Time{}, d: dice{rand.New(rand.NewPCG(seed, 77))}}
		living, end := context.WithCancel(w.stopped)
		var servers sync.WaitGroup
		for range 2 + f.d.IntN(3) {
			servers.Go(func() { f.serve(living) })
		}
		servers.Go(func() { f.watch(living) })
		chaos := time.AfterFunc(s.chaos, end)
		defer chaos.Stop()
		w.runBeside(func() { <-living.Done(); servers.Wait() })
		end()
	})
	return w
}

// runBeside is run with something that ends before the settling.
func (w *world) runBeside(others func()) {
	chaos, end := context.WithTimeout(w.stopped, w.scene.chaos)
	defer end()
	var busy sync.WaitGroup
	for i, c := range w.scene.commands {
		busy.Go(func() { w.command(chaos, i, c) })
	}
	for _, p := range w.scene.persons {
		busy.Go(func() { w.person(chaos, p) })
	}
	busy.Go(func() { w.retain(chaos) })
	busy.Go(others)
	busy.Wait()
	w.calm.Store(true)
	w.settle()
	if w.stopped.Err() == nil {
		w.audit.conclude()
	}
}

// fleetSim is what happens around the servers.
type fleetSim struct {
	w *world

	mu    sync.Mutex
	d     dice
	born  int
	alive int                  // servers that are neither dead nor frozen
	since time.Time            // when the first of them began to be so
	due   map[string]time.Time // the last run of each account
}

func (f *fleetSim) draw(least, most time.Duration) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.d.span(least, most)
}

func (f *fleetSim) lives(change int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.alive += change; f.alive == 1 && change > 0 {
		f.since = time.Now()
	}
}

// serve is one machine: a server after another, with pauses in which there may
// be none at all.
func (f *fleetSim) serve(ctx context.Context) {
	for rest(ctx, f.draw(0, 3*time.Minute)) {
		f.life(ctx)
	}
}

// life is one server from its start to its end.
func (f *fleetSim) life(ctx context.Context) {
	s := f.start()
	serving, stop := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); s.run(serving) }()
	f.lives(1)
	rest(ctx, f.draw(10*time.Second, 4*time.Minute))
	f.mu.Lock()
	how := f.d.IntN(3)
	f.mu.Unlock()
	f.lives(-1)
	switch {
	case ctx.Err() != nil:
	case how == 0:
		s.die()
	case how == 1:
		s.freeze(f.draw(time.Second, 40*time.Second))
		rest(ctx, f.draw(time.Second, time.Minute))
	}
	stop(engine.ErrInterrupted)
	<-ended
}

// watch requires that a run that is due starts while servers live.
func (f *fleetSim) watch(ctx context.Context) {
	for rest(ctx, 5*time.Second) {
		now, _ := f.w.store.Now(ctx)
		for _, name := range f.w.scene.names {
			armed, _ := f.w.store.ListSchedules(ctx, name)
			f.mu.Lock()
			overdue := len(armed) > 0 && now.Sub(armed[0].NextRunAt) > fireMost && f.alive > 0 && time.Since(f.since) > fireMost
			f.mu.Unlock()
			if overdue {
				f.w.audit.failed("a run of %s, due %s, has not started though servers live", name, armed[0].NextRunAt)
			}
		}
	}
}

// fired requires that no run is started twice, and none before the one before.
func (f *fleetSim) fired(account string, due time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if last := f.due[account]; !due.After(last) {
		f.w.audit.failed("the run of %s due %s was started after that of %s", account, due, last)
	}
	f.due[account] = due
}

// station is one server: a crew, and a process for each account.
type station struct {
	f          *fleetSim
	crew       *engine.Crew
	procs      map[string]*proc
	schedulers map[string]*engine.Scheduler
	first      *proc
}

func (f *fleetSim) start() *station {
	f.mu.Lock()
	f.born++
	s := &station{f: f, procs: map[string]*proc{}, schedulers: map[string]*engine.Scheduler{}}
	f.mu.Unlock()
	for _, name := range f.w.scene.names {
		p := f.w.spawn(name, fate{})
		if s.first == nil {
			s.first = p
		} else { // one machine: one name, one death
			p.owner, p.store, p.dead, p.kill = s.first.owner, s.first.store, s.first.dead, s.first.kill
		}
		s.procs[name] = p
		s.schedulers[name] = f.scheduler(p)
	}
	s.crew = &engine.Crew{Ledger: &stationBook{Ledger: s.first.store, s: s}, Owner: s.first.owner, Due: s.due, Log: slog.New(slog.DiscardHandler)}
	return s
}

// scheduler wants another quarter at each run.
func (f *fleetSim) scheduler(p *proc) *engine.Scheduler {
	return &engine.Scheduler{
		Ledger: &book{Ledger: p.store, p: p, store: p.store, pace: conductorPace}, Account: p.account, Log: slog.New(slog.DiscardHandler),
		Fired: func(_ string, due time.Time, _ []ledger.Granted) { f.fired(p.account, due) },
		Entries: []engine.Entry{{
			Name: "often", Spec: "often",
			Next: func(after time.Time) time.Time { return after.Truncate(fleetPeriod).Add(fleetPeriod) },
			Wishes: func(due time.Time) ([]ledger.Wish, error) {
				quarter := weir.Period(fmt.Sprintf("%d_Q%d", 2000+due.Hour(), 1+due.Minute()/15))
				return []ledger.Wish{{
					Account: p.account, Request: weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: quarter}, Rank: weir.RankScheduled,
					AsOf: due, JobsAllowed: 3, Destination: "/scheduled", Formats: []string{"csv"},
				}}, nil
			},
		}},
	}
}

func (s *station) due(ctx context.Context, due ledger.Schedule, now time.Time) {
	if scheduler := s.schedulers[due.Account]; scheduler != nil && s.first.point(time.Second) == nil { // long enough for others to come first
		_ = scheduler.Fire(ctx, due, now)
	}
}

// run is what a service does.
func (s *station) run(ctx context.Context) {
	beating, end := context.WithCancel(context.Background())
	defer context.AfterFunc(s.first.dead, end)()
	var beats, accounts sync.WaitGroup
	beats.Go(func() { _ = s.crew.Run(beating) })
	for name, p := range s.procs {
		accounts.Go(func() { s.conduct(ctx, name, p) })
	}
	accounts.Wait()
	end()
	beats.Wait()
	if s.first.alive() {
		_ = s.crew.Resign(context.Background())
	}
	for _, p := range s.procs {
		s.f.w.audit.exited(p)
	}
}

func (s *station) conduct(ctx context.Context, name string, p *proc) {
	working, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	defer context.AfterFunc(p.dead, func() { stop(context.Cause(p.dead)) })()
	if p.open(working) != nil {
		return
	}
	p.conductor.Crew, p.conductor.Watch = s.crew, 0
	for working.Err() == nil && s.schedulers[name].Arm(working) != nil {
		rest(working, time.Second)
	}
	for working.Err() == nil {
		_ = p.conductor.Run(working)
		rest(working, time.Second)
	}
}

func (s *station) die() {
	for _, p := range s.procs {
		s.f.w.audit.died(p)
	}
	s.f.w.audit.event(s.first, "kill", "")
	s.first.store.Kill(s.first.owner)
	s.first.kill(inmem.ErrKilled)
}

func (s *station) freeze(d time.Duration) {
	s.f.w.audit.event(s.first, "freeze", d.String())
	for _, p := range s.procs {
		p.mu.Lock()
		p.froze, p.thaws = time.Now(), time.Now().Add(d)
		p.mu.Unlock()
	}
}

// stationBook is the ledger as the crew of a station sees it: a frozen machine
// comes late, and a dead one not at all.
type stationBook struct {
	*inmem.Ledger
	s *station
}

func (b *stationBook) Enlist(ctx context.Context, owner string, ttl time.Duration) ([]weir.Lease, error) {
	before := time.Now()
	if err := b.s.first.point(conductorPace); err != nil {
		return nil, err
	}
	held, err := b.Ledger.Enlist(ctx, owner, ttl)
	if err == nil {
		for _, p := range b.s.procs {
			b.s.f.w.audit.renewed(p, held, before)
		}
	}
	if err := b.s.first.point(conductorPace); err != nil {
		return nil, err
	}
	return held, err
}

func (b *stationBook) Survey(ctx context.Context, owner string, since time.Time) (ledger.Survey, error) {
	if err := b.s.first.point(conductorPace); err != nil {
		return ledger.Survey{}, err
	}
	return b.Ledger.Survey(ctx, owner, since)
}

func (b *stationBook) SweepDead(ctx context.Context) (int, error) {
	if err := b.s.first.point(conductorPace); err != nil {
		return 0, err
	}
	return b.Ledger.SweepDead(ctx)
}
