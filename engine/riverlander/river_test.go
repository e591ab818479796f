package riverlander_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine/riverlander"
	"github.com/weirhq/weir/ledger"
)

// Two servers on one queue: landings go to the one that has the key and can open
// the destination, each once, whoever offers and however often; a chore's turn
// is done by one of them.
func TestLandingsGoToWhoeverCan(t *testing.T) {
	b := &bed{T: t, store: openPostgres(t)}
	b.choreFails.Store(1) // and its turn is done well all the same
	deliveries := b.ready(2)
	without := b.server("without", riverlander.Hand{}, false)
	unable := b.server("unable", b.hand("unable", func(weir.Delivery) bool { return false }), true)
	able := b.server("able", b.hand("able", func(weir.Delivery) bool { return true }), true)
	ticket := func(context.Context) error { b.tickets.Add(1); return nil }
	for _, r := range []*riverlander.River{without, unable, able} { // also a former conductor may offer
		l := r.Lander("a", ticket, func() {})
		b.offerUntilLanded(l)
		l.Drain(t.Context())
	}
	for _, d := range deliveries {
		if b.landedBy(d.ID) != "able" || b.delivered[d.ID] != 1 {
			t.Errorf("delivery %d was landed by %q, %d times", d.ID, b.landedBy(d.ID), b.delivered[d.ID])
		}
	}
	b.until("a turn of the chore", func() bool { return b.chores.Load() > 0 })
	if n := b.chores.Load(); n > 2 { // one turn, or two where the test stood across the hour
		t.Errorf("three servers did the chore of one hour %d times", n)
	}
}

// A ticket that is refused puts nothing into the queue; the conductor is woken
// for the next offer, which tries again.
func TestNoLandingWithoutATicket(t *testing.T) {
	refused := errors.New("not now")
	b := &bed{T: t, store: openPostgres(t)}
	deliveries := b.ready(1)
	r := b.server("able", b.hand("able", func(weir.Delivery) bool { return true }), true)
	var asked, woken atomic.Int64
	l := r.Lander("a", func(context.Context) error { asked.Add(1); return refused }, func() { woken.Add(1) })
	for range 3 {
		l.Offer(t.Context(), deliveries, b.now())
		l.Drain(t.Context())
	}
	if asked.Load() != 3 || b.landedBy(deliveries[0].ID) != "" {
		t.Errorf("asked %d times, landed by %q", asked.Load(), b.landedBy(deliveries[0].ID))
	}
	b.until("the conductor is woken after each", func() bool { return woken.Load() == 3 })
}

// bed is a ledger with something to land.
type bed struct {
	*testing.T
	store      *ledger.Store
	tickets    atomic.Int64
	chores     atomic.Int64
	choreFails atomic.Int64

	mu        sync.Mutex
	by        map[int64]string
	delivered map[int64]int
}

func (b *bed) must(err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bed) now() time.Time {
	b.Helper()
	now, err := b.store.Now(b.Context())
	b.must(err)
	return now
}

func (b *bed) until(what string, holds func() bool) {
	b.Helper()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if holds() {
			return
		}
	}
	b.Fatalf("still not: %s", what)
}

// ready makes exports whose jobs are done, one delivery each.
func (b *bed) ready(n int) []weir.Delivery {
	b.Helper()
	b.by, b.delivered = map[int64]string{}, map[int64]int{}
	_, err := b.store.OpenAccount(b.Context(), weir.Account{Name: "a", BaseURL: "https://api.clari.com/v4", KeyFingerprint: "k"})
	b.must(err)
	period := weir.Period("2026_Q1")
	for i := range n {
		now, why := b.now(), weir.Cause{At: b.now(), Why: "test"}
		granted, err := b.store.Wish(b.Context(), now, []ledger.Wish{{
			Account: "a", Request: weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: period}, AsOf: now,
			JobsAllowed: 1, Destination: "/d", Formats: []string{"csv"},
		}})
		b.must(err)
		id, job := granted[0].Export.ID, fmt.Sprint("job", i)
		_, err = b.store.Move(b.Context(), weir.Lease{}, id, weir.Submit(why, 1))
		b.must(err)
		b.must(b.store.BindJob(b.Context(), "a", id, job, now))
		_, err = b.store.Move(b.Context(), weir.Lease{}, id, weir.Accept(why, job))
		b.must(err)
		_, err = b.store.Move(b.Context(), weir.Lease{}, id, weir.Finish(why))
		b.must(err)
		period = period.Next()
	}
	deliveries, err := b.store.Deliverable(b.Context(), "a", b.now())
	b.must(err)
	if len(deliveries) != n {
		b.Fatalf("%d deliverable, want %d", len(deliveries), n)
	}
	return deliveries
}

// hand lands by the ledger alone.
func (b *bed) hand(owner string, able func(weir.Delivery) bool) riverlander.Hand {
	return riverlander.Hand{Able: able, Done: func() {}, Deliver: func(ctx context.Context, export int64, now time.Time) error {
		all, err := b.store.DeliveriesOf(ctx, export)
		if err != nil {
			return err
		}
		claim, err := b.store.Claim(ctx, all[0].ID, owner, now)
		if errors.Is(err, ledger.ErrStale) {
			return nil
		}
		if err != nil {
			return err
		}
		b.mu.Lock()
		b.by[claim.ID] = owner
		b.delivered[claim.ID]++
		b.mu.Unlock()
		_, err = b.store.FinishDelivery(ctx, claim, ledger.Outcome{State: weir.DeliveryLanded, Manifest: "m", SnapshotAt: now}, weir.Cause{At: now, Why: "landed"})
		return err
	}}
}

func (b *bed) landedBy(delivery int64) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.by[delivery]
}

func (b *bed) server(id string, hand riverlander.Hand, hasKey bool) *riverlander.River {
	b.Helper()
	return b.serve(riverlander.Config{ID: id, Hand: func(string) (riverlander.Hand, bool) { return hand, hasKey }})
}

// serve runs a server until the test ends.
func (b *bed) serve(c riverlander.Config) *riverlander.River {
	b.Helper()
	chore := riverlander.Chore{Name: "count", Every: time.Hour, Do: func(context.Context) error {
		if b.choreFails.Add(-1) >= 0 {
			return errors.New("not now")
		}
		b.chores.Add(1)
		return nil
	}}
	c.Database, c.Ledger, c.Width, c.Log = b.store.Postgres(), b.store, 2, slog.New(slog.DiscardHandler)
	c.Chores = []riverlander.Chore{chore}
	r, err := riverlander.Open(b.Context(), c)
	b.must(err)
	running, stop := context.WithCancel(b.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = r.Run(running) }()
	b.Cleanup(func() { stop(); <-ended; _ = r.Close() })
	return r
}

// offerUntilLanded is what a conductor does at each of its steps.
func (b *bed) offerUntilLanded(l *riverlander.Lander) {
	b.Helper()
	b.until("all has landed", func() bool {
		open, err := b.store.Deliverable(b.Context(), "a", b.now())
		b.must(err)
		l.Offer(b.Context(), open, b.now())
		return len(open) == 0
	})
}
