package engine_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/inmem"
)

// quietRounds is how often a person goes on, once nothing goes wrong any more,
// before everything must have ended.
const quietRounds = 24

// patience is how long one command may wait, with nothing going wrong.
const patience = 6 * time.Hour

// world is one simulation: a store that survives crashes, one or two servers,
// and the commands that people start.
type world struct {
	seed    uint64
	scene   *scene
	store   *inmem.Ledger
	servers []*emulator.Emulator
	audit   *auditor
	skew    atomic.Int64
	broken  atomic.Value // the name of a ledger call that finds the disk full
	calm    atomic.Bool
	stopped context.Context
	stop    context.CancelFunc
	started time.Time

	mu   sync.Mutex
	born int
}

// result is what a simulation came to.
type result struct {
	faults []string
	trace  []string
	lasted time.Duration
	pruned ledger.Pruned
}

// simulate runs one seed in a bubble of its own.
func simulate(t *testing.T, seed uint64) result {
	var r result
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)))
		w, err := newWorld(seed, drawScene(seed))
		if err != nil {
			t.Fatal(err)
		}
		defer w.stop()
		w.run()
		r = result{faults: w.audit.faults, trace: w.audit.trace, lasted: time.Since(w.started), pruned: w.audit.forgotten.count}
	})
	return r
}

func newWorld(seed uint64, s *scene) (*world, error) {
	w := &world{seed: seed, scene: s, started: time.Now()}
	w.stopped, w.stop = context.WithCancel(context.Background())
	w.skew.Store(int64(s.storeOff))
	w.audit = newAuditor(w)
	w.broken.Store("")
	w.store = inmem.New(inmem.Options{
		Clock: func() time.Time { return time.Now().Add(time.Duration(w.skew.Load())) },
		Fault: func(method string) error {
			if method == w.broken.Load() {
				return ledger.ErrUnwritable
			}
			return nil
		},
	})
	for i, c := range s.servers {
		c.Start = time.Now().Add(w.aheadOf(i))
		e, err := emulator.New(c)
		if err != nil {
			return nil, err
		}
		w.servers = append(w.servers, e)
	}
	for _, name := range s.names {
		wanted := weir.Account{Name: name, BaseURL: "https://sim.example/v4", KeyFingerprint: s.accounts[name].key}
		if _, err := w.store.OpenAccount(context.Background(), wanted); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *world) aheadOf(server int) time.Duration {
	for _, a := range w.scene.accounts {
		if a.server == server {
			return a.ahead
		}
	}
	return 0
}

func (w *world) server(account string) *emulator.Emulator {
	return w.servers[w.scene.accounts[account].server]
}

func (w *world) job(account, id string) emulator.Job {
	for _, j := range w.server(account).Jobs() {
		if j.ID == id {
			return j
		}
	}
	return emulator.Job{}
}

// visibleAt is when the list began to hold a job, on the clients' clock.
func (w *world) visibleAt(account, id string) time.Time {
	j, a := w.job(account, id), w.scene.accounts[account]
	return j.Created.Add(-a.ahead).Add(w.scene.hidden[a.server][j.Number])
}

// chaotic reports whether things still go wrong.
func (w *world) chaotic() bool { return !w.calm.Load() }

// run plays the chaos, then lets everything come to its end undisturbed.
func (w *world) run() {
	chaos, end := context.WithTimeout(w.stopped, w.scene.chaos)
	defer end()
	var busy sync.WaitGroup
	for i, c := range w.scene.commands {
		busy.Go(func() { w.command(chaos, i, c) })
	}
	for _, p := range w.scene.persons {
		busy.Go(func() { w.person(chaos, p) })
	}
	for _, j := range w.scene.jumps {
		busy.Go(func() { w.jump(chaos, j) })
	}
	busy.Go(func() { w.retain(chaos) })
	looking, enough := context.WithCancel(w.stopped)
	busy.Go(func() { <-chaos.Done() })
	var inspecting sync.WaitGroup
	inspecting.Go(func() { w.inspect(looking) })
	busy.Wait()
	enough()
	inspecting.Wait()
	w.calm.Store(true)
	w.settle()
	if w.stopped.Err() == nil {
		w.audit.conclude()
	}
}

func (w *world) inspect(ctx context.Context) {
	for rest(ctx, inspectEvery) {
		w.audit.inspect()
	}
}

// rest waits and reports whether the context let it.
func rest(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (w *world) jump(ctx context.Context, j jumpScene) {
	if rest(ctx, j.at) {
		w.skew.Add(int64(j.by))
		w.audit.event(nil, "store clock jumps", j.by.String())
	}
}

// command is somebody who wants something and starts weir again until it is
// there, however often it is killed, interrupted or gives up for now.
func (w *world) command(ctx context.Context, i int, c commandScene) {
	d := dice{rand.New(rand.NewPCG(w.seed, 1000+uint64(i)))}
	if !rest(ctx, c.at+d.span(0, time.Second)) {
		return
	}
	now, _ := w.store.Now(ctx)
	for i := range c.wishes {
		c.wishes[i].AsOf = now
	}
	granted, err := w.store.Wish(ctx, now, c.wishes)
	if err != nil {
		w.audit.event(nil, "wish", err.Error())
		return
	}
	var exports []int64
	own := map[int64]bool{}
	for _, g := range granted {
		exports = append(exports, g.Export.ID)
		for _, delivery := range g.Deliveries {
			own[delivery.ID] = true
		}
	}
	for ctx.Err() == nil && len(exports) > 0 && w.try(ctx, d, c.account, exports, own) {
		exports = w.still(exports)
	}
}

// try starts one process and reports whether another one is wanted.
func (w *world) try(ctx context.Context, d dice, account string, exports []int64, own map[int64]bool) bool {
	p := w.spawn(account, w.scene.drawFate(d))
	running, interrupt := context.WithCancelCause(ctx)
	defer interrupt(nil)
	if d.chance(w.scene.interrupting) {
		timer := time.AfterFunc(d.span(time.Second, 3*time.Minute), func() { interrupt(engine.ErrInterrupted) })
		defer timer.Stop()
	}
	var toldAt atomic.Pointer[time.Time]
	defer context.AfterFunc(running, func() {
		now := time.Now()
		toldAt.Store(&now)
	})()
	ending, err := p.work(running, exports, own)
	w.audit.ended(p, ending, err)
	if told := toldAt.Load(); told != nil && p.alive() && time.Since(*told) > 2*time.Second && !p.frozeSince(*told) {
		w.audit.event(nil, "slow", "")
		w.audit.failed("%s took %s to end after an interrupt", p.owner, time.Since(*told))
	}
	switch {
	case err != nil:
		return rest(ctx, d.span(0, 30*time.Second))
	case ending.Verdict == engine.AllEnded:
		return false
	}
	wait := d.span(time.Second, 20*time.Minute)
	if !ending.Next.IsZero() && d.chance(0.5) {
		wait = max(time.Second, min(wait, time.Until(ending.Next)))
	}
	return rest(ctx, wait)
}

// person interferes once.
func (w *world) person(ctx context.Context, s personScene) {
	if !rest(ctx, s.at) {
		return
	}
	exports, err := w.store.ListExports(ctx, ledger.Filter{Account: s.account})
	if err != nil || len(exports) == 0 {
		return
	}
	e := exports[s.pick%len(exports)]
	if s.does == "cancel" {
		w.wantCancelled(ctx, e)
	} else {
		w.retry(ctx, e)
	}
}

func (w *world) wantCancelled(ctx context.Context, e weir.Export) {
	now, _ := w.store.Now(ctx)
	if !e.State.Open() || e.State == weir.Ready {
		return
	}
	_, err := w.store.Amend(ctx, weir.Lease{}, e.ID, e.State, func(e *weir.Export) { e.CancelRequestedAt = now })
	if err == nil {
		w.audit.asked(e.ID, "cancel")
	}
}

func (w *world) retry(ctx context.Context, e weir.Export) {
	now, _ := w.store.Now(ctx)
	why := weir.Cause{At: now, Why: "a person asked to try again"}
	t := weir.LandAgain(why)
	switch e.State {
	case weir.Rejected:
	case weir.Failed, weir.Cancelled:
		t = weir.Retry(why, e.State, 2, "")
	default:
		return
	}
	if _, err := w.store.Move(ctx, weir.Lease{}, e.ID, t); err == nil {
		w.audit.asked(e.ID, "retry")
	}
}

// settle goes on, with nothing going wrong, until all that is left waits for
// more than a person's patience.
func (w *world) settle() {
	for _, account := range w.scene.names {
		for round := 0; round < quietRounds && w.stopped.Err() == nil; round++ {
			w.prune()
			if !w.resume(account) {
				break
			}
		}
	}
}

// resume works on all that is open and reports whether to go on later.
func (w *world) resume(account string) bool {
	exports, own := w.open(account)
	if len(exports) == 0 {
		return false
	}
	p := w.spawn(account, fate{})
	patient, end := context.WithTimeout(w.stopped, patience)
	defer end()
	ending, err := p.work(patient, exports, own)
	w.audit.ended(p, ending, err)
	if w.stopped.Err() != nil {
		return false
	}
	if err != nil {
		w.audit.failed("undisturbed, %s ended with: %v", p.owner, err)
		return false
	}
	w.audit.inspect()
	decided := w.decide(account)
	switch ending.Verdict {
	case engine.AllEnded:
		return true
	case engine.NobodyDecides:
		return rest(w.stopped, 20*time.Minute) || decided
	}
	wait := 10 * time.Minute
	if until := time.Until(ending.Next.Add(-time.Duration(w.skew.Load()))); !ending.Next.IsZero() && until > wait {
		wait = min(until, 31*24*time.Hour)
	}
	return rest(w.stopped, wait)
}

// open reads what a resume works on, and gives a fresh allowance of polls.
func (w *world) open(account string) ([]int64, map[int64]bool) {
	ctx := context.Background()
	exports, _ := w.store.ListExports(ctx, ledger.Filter{Account: account, OpenOnly: true})
	var ids []int64
	own := map[int64]bool{}
	for _, e := range exports {
		ids = append(ids, e.ID)
		if e.State == weir.Running {
			_, err := w.store.Amend(ctx, weir.Lease{}, e.ID, weir.Running, func(e *weir.Export) { e.Polls, e.PollFailures = 0, 0 })
			if err != nil && !errors.Is(err, ledger.ErrStale) {
				w.audit.failed("give export %d fresh polls: %v", e.ID, err)
			}
		}
		deliveries, _ := w.store.DeliveriesOf(ctx, e.ID)
		for _, delivery := range deliveries {
			own[delivery.ID] = true
		}
	}
	return ids, own
}

// decide is a person who looks at Clari and resolves what weir cannot tell.
func (w *world) decide(account string) bool {
	ctx := context.Background()
	exports, _ := w.store.ListExports(ctx, ledger.Filter{Account: account, OpenOnly: true})
	any := false
	for _, e := range exports {
		if e.State == weir.Unknown && e.NeedsPerson != "" {
			any = true
			w.resolve(ctx, e)
		}
	}
	return any
}

func (w *world) resolve(ctx context.Context, e weir.Export) {
	now, _ := w.store.Now(ctx)
	why := weir.Cause{At: now, Why: "a person looked"}
	t := weir.PresumeAbsent(why)
	if job := w.audit.jobOf(e); job != "" {
		_ = w.store.BindJob(ctx, e.Account, e.ID, job, now)
		t = weir.Adopt(why, job)
	}
	if _, err := w.store.Move(ctx, weir.Lease{}, e.ID, t); err != nil {
		w.audit.failed("resolve export %d: %v", e.ID, err)
	}
	w.audit.asked(e.ID, "resolve")
}
