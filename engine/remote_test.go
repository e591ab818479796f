package engine_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/inmem"
	"github.com/weirhq/weir/plan"
)

// remoteAgain is when the lander of these tests wants to see an offer again.
const remoteAgain = 10 * time.Second

// remote is a lander whose landings happen in another process: the test's.
type remote struct {
	*bench
	process *inmem.Ledger // the one that lands

	mu     sync.Mutex
	offers []time.Time
	looks  int
}

func (r *remote) Offer(_ context.Context, deliveries []weir.Delivery, now time.Time) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range deliveries {
		if now.Before(d.NotBefore) {
			r.Errorf("delivery %d was offered %s too early", d.ID, d.NotBefore.Sub(now))
		}
	}
	r.offers = append(r.offers, time.Now())
	return now.Add(remoteAgain)
}

func (r *remote) Drain(context.Context) {}

// during counts looks and offers while something goes on.
func (r *remote) during(do func()) (looks, offers int) {
	r.mu.Lock()
	looks, offers = r.looks, len(r.offers)
	r.mu.Unlock()
	do()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.looks - looks, len(r.offers) - offers
}

// claim begins the landing in a process that has a right to it for so long.
func (r *remote) claim(right time.Duration) weir.Delivery {
	r.Helper()
	if _, err := r.process.Enlist(r.Context(), "far", right); err != nil {
		r.Fatal(err)
	}
	now, _ := r.process.Now(r.Context())
	for id := range r.own {
		claim, err := r.process.Claim(r.Context(), id, "far", now)
		if err != nil {
			r.Fatal(err)
		}
		return claim
	}
	panic("nothing was wished for")
}

func (r *remote) finish(claim weir.Delivery, o ledger.Outcome) {
	r.Helper()
	now, _ := r.process.Now(r.Context())
	if !o.NotBefore.IsZero() {
		o.NotBefore = now.Add(time.Until(o.NotBefore))
	}
	if _, err := r.process.FinishDelivery(r.Context(), claim, o, weir.Cause{At: now, Why: "test"}); err != nil {
		r.Fatal(err)
	}
}

// landingElsewhere conducts an account in a crew until its only export waits to
// be landed by another process.
func landingElsewhere(t *testing.T, test func(*remote)) {
	onBench(t, plan.Adaptive(), emulator.Config{JobTime: 2 * time.Second}, emulator.Scenario{}, func(b *bench) {
		r := &remote{bench: b, process: b.w.store.Attach("far")}
		p := b.w.spawn("default", fate{})
		working, stop := context.WithCancel(b.Context())
		if err := p.open(working); err != nil {
			t.Fatal(err)
		}
		s := &station{f: &fleetSim{w: b.w}, procs: map[string]*proc{"default": p}, first: p}
		crew := &engine.Crew{Ledger: &stationBook{Ledger: p.store, s: s}, Owner: p.owner, Log: slog.New(slog.DiscardHandler)}
		p.conductor.Crew, p.conductor.Watch, p.conductor.Lander = crew, 0, r
		p.conductor.Planned = func(plan.View, plan.Plan, time.Time) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.looks++
		}
		var ended sync.WaitGroup
		ended.Go(func() { _ = crew.Run(working) })
		ended.Go(func() { _ = p.conductor.Run(working) })
		defer ended.Wait()
		defer stop()
		b.want("2025_Q1")
		for b.export(0).State != weir.Ready {
			time.Sleep(time.Second)
		}
		test(r)
	})
}

// An export that waits in a queue for minutes, and then lands for minutes, is
// looked at when its offer is due and when whoever lands it says a word.
func TestLandingElsewhereIsLeftAlone(t *testing.T) {
	landingElsewhere(t, func(r *remote) {
		looks, offers := r.during(func() { time.Sleep(5 * time.Minute) })
		if due := int(5 * time.Minute / remoteAgain); offers < due-1 || looks > due+3 {
			t.Errorf("5 minutes in the queue: %d looks, %d offers, of which %d were due", looks, offers, due)
		}
		claim := r.claim(time.Hour)
		if looks, offers := r.during(func() { time.Sleep(4 * time.Minute) }); looks > 3 || offers > 0 {
			t.Errorf("4 minutes of landing: %d looks, %d offers", looks, offers)
		}
		looks, _ = r.during(func() {
			r.finish(claim, ledger.Outcome{State: weir.DeliveryLanded, Manifest: "m", SnapshotAt: time.Now()})
			time.Sleep(2 * time.Second)
		})
		if looks == 0 {
			t.Error("nobody looked after it had landed")
		}
	})
}

// A process that dies over a landing is found out by the end of its right.
func TestLandingElsewhereOutlivesItsProcess(t *testing.T) {
	landingElsewhere(t, func(r *remote) {
		r.claim(30 * time.Second)
		if _, offers := r.during(func() { time.Sleep(29 * time.Second) }); offers > 0 {
			t.Errorf("%d offers while it lands", offers)
		}
		if _, offers := r.during(func() { time.Sleep(7 * time.Second) }); offers == 0 {
			t.Error("it is not offered again after its process died")
		}
	})
}

// A landing that failed is offered again when it may begin, and nobody looks
// every second until then.
func TestLandingElsewhereIsTriedAgainInTime(t *testing.T) {
	landingElsewhere(t, func(r *remote) {
		again := time.Now().Add(2 * time.Minute)
		r.finish(r.claim(time.Hour), ledger.Outcome{State: weir.DeliveryOpen, Free: true, NotBefore: again})
		if looks, offers := r.during(func() { time.Sleep(119 * time.Second) }); looks > 3 || offers > 0 {
			t.Errorf("before it may begin: %d looks, %d offers", looks, offers)
		}
		if _, offers := r.during(func() { time.Sleep(2 * time.Second) }); offers == 0 {
			t.Error("it is not offered when it may begin")
		}
	})
}
