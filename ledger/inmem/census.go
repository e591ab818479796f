package inmem

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/internal/rule"
)

// place names what has a newest snapshot.
type place struct {
	account, forecastID string
	period              weir.Period
}

// keepLatest remembers a landed forecast as the newest of its tab and period.
func (s *store) keepLatest(e weir.Export, o ledger.Outcome) {
	if o.State != weir.DeliveryLanded || e.Request.Kind != weir.Forecast || o.SnapshotAt.IsZero() {
		return
	}
	at := place{e.Account, e.Request.ForecastID, e.Request.Period}
	if newer := rule.Instant(o.SnapshotAt); !newer.Before(s.latest[at].SnapshotAt) {
		s.latest[at] = ledger.Latest{
			Account: e.Account, ForecastID: e.Request.ForecastID, Period: e.Request.Period,
			Export: e.ID, SnapshotAt: newer, Rows: o.Rows,
		}
	}
}

// CountAccounts returns every account with what is open.
func (l *Ledger) CountAccounts(ctx context.Context) ([]ledger.Counted, error) {
	if err := l.begin(ctx, "CountAccounts"); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	var all []ledger.Counted
	for _, name := range slices.Sorted(maps.Keys(l.store.accounts)) {
		a := l.store.accounts[name]
		c := ledger.Counted{Account: rule.Account(a.Account), Budget: rule.Budget(a.org.budget), Gate: a.gate}
		for _, e := range a.open {
			if c.Open == nil {
				c.Open = map[weir.State]int{}
			}
			c.Open[e.State]++
		}
		all = append(all, c)
	}
	return all, nil
}

// CountEnded counts ended exports.
func (l *Ledger) CountEnded(ctx context.Context) (map[string]map[weir.State]int, error) {
	if err := l.begin(ctx, "CountEnded"); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	counts := map[string]map[weir.State]int{}
	for _, e := range l.store.exports {
		if e.State.Open() {
			continue
		}
		if counts[e.Account] == nil {
			counts[e.Account] = map[weir.State]int{}
		}
		counts[e.Account][e.State]++
	}
	return counts, nil
}

// LatestSnapshots returns the newest snapshot of each tab and period.
func (l *Ledger) LatestSnapshots(ctx context.Context, limit int) ([]ledger.Latest, error) {
	if err := l.begin(ctx, "LatestSnapshots"); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	all := slices.SortedFunc(maps.Values(l.store.latest), func(a, b ledger.Latest) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(b.Period, a.Period), cmp.Compare(a.ForecastID, b.ForecastID))
	})
	var kept []ledger.Latest
	perAccount := map[string]int{}
	for _, one := range all {
		if perAccount[one.Account]++; perAccount[one.Account] <= limit {
			kept = append(kept, one)
		}
	}
	return kept, nil
}
