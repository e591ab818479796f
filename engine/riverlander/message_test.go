package riverlander_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine/riverlander"
	"github.com/weirhq/weir/internal/servertest"
	"github.com/weirhq/weir/ledger"
)

// Messages that several servers offer, again and again, are sent once each, by
// one of them; those that a server died over, with its claim or before it had
// one, by another.
func TestMessagesAreSentOnceWhoeverDies(t *testing.T) {
	b := &bed{T: t, store: openPostgres(t)}
	const messages = 6
	b.tell(messages)
	var claimed, begun atomic.Int64
	dead := b.serve(riverlander.Config{ID: "dead", Hand: noHand, Send: func(ctx context.Context, id int64) error {
		if begun.Add(1) == 1 { // the first one it claims, the other not even that
			now, err := b.store.Now(ctx)
			if err == nil {
				_, err = b.store.ClaimMessage(ctx, id, "dead", now, now.Add(time.Second))
			}
			if err == nil {
				claimed.Add(1)
			}
		}
		<-ctx.Done()
		return context.Cause(ctx)
	}})
	b.until("the server stands over all that it can have", func() bool {
		b.offerMessages(0, dead)
		return claimed.Load() == 1 && begun.Load() == 2
	})
	sent := &tally{by: map[int64][]string{}}
	one, two := b.serve(b.sender("one", sent)), b.serve(b.sender("two", sent))
	b.until("all but the one without a claim are sent", func() bool {
		b.offerMessages(0, dead, one, two)
		return sent.messages() >= messages-1
	})
	b.until("that one is sent, by its next turn", func() bool {
		b.offerMessages(time.Minute, one, two)
		return sent.messages() == messages
	})
	sent.mu.Lock()
	defer sent.mu.Unlock()
	for id, by := range sent.by {
		if len(by) != 1 {
			t.Errorf("message %d was sent by %v", id, by)
		}
	}
}

func noHand(string) (riverlander.Hand, bool) { return riverlander.Hand{}, false }

func openPostgres(t *testing.T) *ledger.Store {
	t.Helper()
	database := servertest.StartPostgres(t)
	database.Login(t)
	store, err := ledger.Open(t.Context(), database.URL("postgres"), ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if err := riverlander.Migrate(t.Context(), store.Postgres()); err != nil {
		t.Fatal(err)
	}
	return store
}

// tally is who sent what.
type tally struct {
	mu sync.Mutex
	by map[int64][]string
}

func (y *tally) messages() int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return len(y.by)
}

// tell makes messages that are due.
func (b *bed) tell(n int) {
	b.Helper()
	_, err := b.store.OpenAccount(b.Context(), weir.Account{Name: "a", BaseURL: "https://api.clari.com/v4", KeyFingerprint: "k"})
	b.must(err)
	to := ledger.Addressees{}
	for i := range n {
		to.Receivers = append(to.Receivers, fmt.Sprint("receiver", i))
	}
	_, err = b.store.Tell(b.Context(), ledger.News{Account: "a", Kind: "failed", Subject: "s", Text: "it failed", At: b.now()}, to)
	b.must(err)
}

// offerMessages does what the desk of each server does every 2 s; later is how
// much later than now it is.
func (b *bed) offerMessages(later time.Duration, servers ...*riverlander.River) {
	b.Helper()
	now := b.now()
	due, err := b.store.DueMessages(b.Context(), now, 50)
	b.must(err)
	for _, r := range servers {
		for _, m := range due {
			b.must(r.OfferMessage(b.Context(), m, now.Add(later)))
		}
	}
}

// sender sends by the ledger alone.
func (b *bed) sender(id string, sent *tally) riverlander.Config {
	return riverlander.Config{ID: id, Hand: noHand, Send: func(ctx context.Context, message int64) error {
		now, err := b.store.Now(ctx)
		if err != nil {
			return err
		}
		m, err := b.store.ClaimMessage(ctx, message, id, now, now.Add(time.Minute))
		if err != nil {
			return err
		}
		sent.mu.Lock()
		sent.by[m.ID] = append(sent.by[m.ID], id)
		sent.mu.Unlock()
		return b.store.FinishMessage(ctx, m, ledger.Sending{State: ledger.MessageSent}, now)
	}}
}
