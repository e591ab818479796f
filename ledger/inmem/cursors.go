package inmem

import (
	"context"
	"errors"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/internal/rule"
)

// spot is what has a cursor of its own.
type spot struct{ destination, format, likeness string }

type cursor struct {
	at     time.Time
	export int64
}

// Cursor is up to where audit events have landed.
func (l *Ledger) Cursor(ctx context.Context, account, destination, format string, r weir.Request) (time.Time, error) {
	if err := l.begin(ctx, "Cursor"); err != nil {
		return time.Time{}, err
	}
	defer l.store.mu.Unlock()
	a, ok := l.store.accounts[account]
	if !ok {
		return time.Time{}, nil
	}
	return a.cursors[spot{destination, format, r.Likeness()}].at, nil
}

// advance moves the cursor of the place where a delivery of audit events landed.
func (s *store) advance(e *export, d weir.Delivery) {
	at, audit := rule.Reaches(e.Request)
	if !audit || d.State != weir.DeliveryLanded {
		return
	}
	cursors, at := s.accounts[e.Account].cursors, rule.Instant(at)
	if place := (spot{d.Destination, d.Format, e.Request.Likeness()}); !cursors[place].at.After(at) {
		cursors[place] = cursor{at, e.ID}
	}
}

// errOneFormat marks a wish since the last one for several formats.
var errOneFormat = errors.New("events since the last ones are wanted in one format at a time")

// since fills in the span of a wish for the audit events since the last ones; an
// answer is how the wish is served without asking for any.
func (s *store) since(w ledger.Wish) (ledger.Wish, *ledger.Granted) {
	a, place := s.accounts[w.Account], spot{w.Destination, w.Formats[0], w.Request.Likeness()}
	for _, e := range a.all {
		if !e.State.Open() {
			continue
		}
		if d, ok := rule.Awaits(e.Export, e.deliveries, place.destination, place.format, place.likeness); ok {
			return w, &ledger.Granted{Export: rule.Export(e.Export), Deliveries: copies([]weir.Delivery{d}), Joined: true}
		}
	}
	last := a.cursors[place]
	r, due := rule.SinceLast(w.Request, last.at, rule.Instant(w.AsOf))
	if due {
		w.Request, w.SinceLast = r, false
		return w, nil
	}
	e := s.exports[last.export]
	if e == nil { // it was pruned
		gone := weir.Export{Account: w.Account, Request: w.Request, State: weir.Landed}
		return w, &ledger.Granted{Export: gone, Joined: true}
	}
	d, _ := rule.At(e.deliveries, place.destination, place.format)
	return w, &ledger.Granted{Export: rule.Export(e.Export), Deliveries: copies([]weir.Delivery{d}), Joined: true}
}
