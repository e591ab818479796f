package inmem

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/internal/rule"
)

func lastMoved(a, b weir.Export) int {
	return cmp.Or(b.ChangedAt.Compare(a.ChangedAt), cmp.Compare(b.ID, a.ID))
}

// picked are the account's exports that fit, in an order, at most limit.
func (l *Ledger) picked(ctx context.Context, method, account string, limit int, fits func(weir.Export) bool, order func(a, b weir.Export) int) ([]weir.Export, error) {
	if err := l.begin(ctx, method); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	var all []weir.Export
	for _, e := range l.store.exports {
		if (account == "" || e.Account == account) && fits(e.Export) {
			all = append(all, rule.Export(e.Export))
		}
	}
	slices.SortFunc(all, order)
	return all[:min(limit, len(all))], nil
}

// RecentExports returns the exports that moved since an instant.
func (l *Ledger) RecentExports(ctx context.Context, account string, since time.Time, limit int) ([]weir.Export, error) {
	since = rule.Instant(since)
	return l.picked(ctx, "RecentExports", account, limit, func(e weir.Export) bool {
		return !e.ChangedAt.Before(since) && e.ChangedAt.After(e.CreatedAt)
	}, lastMoved)
}

// ListPage returns exports by descending id.
func (l *Ledger) ListPage(ctx context.Context, p ledger.Page) ([]weir.Export, error) {
	return l.picked(ctx, "ListPage", p.Account, max(1, p.Limit), func(e weir.Export) bool {
		return (p.Before == 0 || e.ID < p.Before) && (p.State == "" || e.State == p.State)
	}, func(a, b weir.Export) int { return cmp.Compare(b.ID, a.ID) })
}

// LatestLanded returns of each request the landed export that moved last.
func (l *Ledger) LatestLanded(ctx context.Context, account string, limit int) ([]weir.Export, error) {
	all, err := l.picked(ctx, "LatestLanded", account, 1<<62, func(e weir.Export) bool { return e.State == weir.Landed }, lastMoved)
	seen := map[string]bool{}
	all = slices.DeleteFunc(all, func(e weir.Export) bool {
		again := seen[e.Fingerprint]
		seen[e.Fingerprint] = true
		return again
	})
	return all[:min(limit, len(all))], err
}

// LandedLike returns the landed exports of one fingerprint.
func (l *Ledger) LandedLike(ctx context.Context, account, fingerprint string, limit int) ([]weir.Export, error) {
	return l.picked(ctx, "LandedLike", account, limit, func(e weir.Export) bool {
		return e.State == weir.Landed && e.Fingerprint == fingerprint
	}, lastMoved)
}

// HistoryOf returns the events of several exports.
func (l *Ledger) HistoryOf(ctx context.Context, ids ...int64) (map[int64][]weir.Event, error) {
	if err := l.begin(ctx, "HistoryOf"); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	of := map[int64][]weir.Event{}
	for _, id := range ids {
		if e, ok := l.store.exports[id]; ok && len(e.events) > 0 {
			of[id] = slices.Clone(e.events)
		}
	}
	return of, nil
}

// DeliveriesOfEach returns the deliveries of several exports.
func (l *Ledger) DeliveriesOfEach(ctx context.Context, ids ...int64) (map[int64][]weir.Delivery, error) {
	if err := l.begin(ctx, "DeliveriesOfEach"); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	of := map[int64][]weir.Delivery{}
	for _, id := range ids {
		if e, ok := l.store.exports[id]; ok && len(e.deliveries) > 0 {
			of[id] = copies(e.deliveries)
		}
	}
	return of, nil
}
