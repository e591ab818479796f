package inmem

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/internal/rule"
)

func (s *store) export(id int64) (*export, error) {
	e, ok := s.exports[id]
	if !ok {
		return nil, ledger.ErrNotFound
	}
	return e, nil
}

// put replaces what is kept of an export, and its place among the open ones.
func (s *store) put(e *export, after weir.Export) {
	e.Export = after
	open := s.accounts[after.Account].open
	if after.State.Open() {
		open[after.ID] = e
	} else {
		delete(open, after.ID)
	}
}

func (s *store) addExport(e weir.Export) *export {
	s.lastExport++
	e.ID = s.lastExport
	kept := &export{}
	a := s.accounts[e.Account]
	s.exports[e.ID] = kept
	a.all = append(a.all, kept)
	a.like[e.Fingerprint] = append(a.like[e.Fingerprint], kept)
	s.put(kept, rule.Export(e))
	return kept
}

// Export returns one export, or ErrNotFound.
func (l *Ledger) Export(ctx context.Context, id int64) (weir.Export, error) {
	if err := l.begin(ctx, "Export"); err != nil {
		return weir.Export{}, err
	}
	defer l.store.mu.Unlock()
	e, err := l.store.export(id)
	if err != nil {
		return weir.Export{}, fmt.Errorf("read export %d: %w", id, err)
	}
	return rule.Export(e.Export), nil
}

// ListExports returns exports by ascending id.
func (l *Ledger) ListExports(ctx context.Context, f ledger.Filter) ([]weir.Export, error) {
	if err := l.begin(ctx, "ListExports"); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	var found []*export
	for name, a := range l.store.accounts {
		if f.Account == "" || f.Account == name {
			found = append(found, a.matching(f)...)
		}
	}
	slices.SortFunc(found, byID)
	if f.Limit > 0 && len(found) > f.Limit {
		found = found[len(found)-f.Limit:]
	}
	var all []weir.Export
	for _, e := range found {
		all = append(all, rule.Export(e.Export))
	}
	return all, nil
}

func byID(a, b *export) int { return cmp.Compare(a.ID, b.ID) }

// matching picks the shortest list that holds what the filter asks for.
func (a *account) matching(f ledger.Filter) []*export {
	var found []*export
	switch {
	case f.OpenOnly:
		for _, e := range a.open {
			if f.Fingerprint == "" || f.Fingerprint == e.Fingerprint {
				found = append(found, e)
			}
		}
	case f.Fingerprint != "":
		return slices.Clone(a.like[f.Fingerprint])
	case f.Limit > 0 && f.Limit < len(a.all):
		return slices.Clone(a.all[len(a.all)-f.Limit:])
	default:
		return slices.Clone(a.all)
	}
	return found
}

// Move applies a transition compare-and-set, with its event and its
// consequences on deliveries.
func (l *Ledger) Move(ctx context.Context, lease weir.Lease, id int64, t weir.Transition) (weir.Export, error) {
	if err := l.begin(ctx, "Move"); err != nil {
		return weir.Export{}, err
	}
	defer l.store.mu.Unlock()
	if !weir.CanMove(t.From, t.To) {
		return weir.Export{}, fmt.Errorf("move export %d from %s to %s: %w", id, t.From, t.To, weir.ErrIllegalMove)
	}
	e, err := l.store.decide(lease, id, t.From)
	if err == nil && t.To == weir.Landed && rule.AnyOpen(e.deliveries) {
		err = fmt.Errorf("a delivery is open: %w", ledger.ErrStale)
	}
	if err == nil {
		err = l.store.apply(e, t)
	}
	if err != nil {
		return weir.Export{}, fmt.Errorf("move export %d to %s: %w", id, t.To, err)
	}
	l.store.stirUnlessConducted(lease, e.Account)
	return rule.Export(e.Export), nil
}

// Amend changes what is no transition. change must not call the ledger.
func (l *Ledger) Amend(ctx context.Context, lease weir.Lease, id int64, in weir.State, change func(*weir.Export)) (weir.Export, error) {
	if err := l.begin(ctx, "Amend"); err != nil {
		return weir.Export{}, err
	}
	defer l.store.mu.Unlock()
	e, err := l.store.decide(lease, id, in)
	if err != nil {
		return weir.Export{}, fmt.Errorf("amend export %d: %w", id, err)
	}
	after, err := rule.Amend(e.Export, change)
	if err != nil {
		return weir.Export{}, err
	}
	l.store.put(e, after)
	l.store.stirUnlessConducted(lease, e.Account)
	return rule.Export(after), nil
}

// stirUnlessConducted stirs after a decision of a person's.
func (s *store) stirUnlessConducted(lease weir.Lease, account string) {
	if lease == (weir.Lease{}) {
		s.stir(account)
	}
}

// decide reads the export that a decision is about, under its lease and only
// while it stands where the decision saw it.
func (s *store) decide(lease weir.Lease, id int64, in weir.State) (*export, error) {
	e, err := s.export(id)
	if err != nil {
		return nil, err
	}
	if err := s.fence(e.Account, lease); err != nil {
		return nil, err
	}
	if e.State != in {
		return nil, fmt.Errorf("it is %s: %w", e.State, ledger.ErrStale)
	}
	return e, nil
}

// apply executes a transition; on an error nothing has changed.
func (s *store) apply(e *export, t weir.Transition) error {
	a := s.accounts[e.Account]
	after, err := rule.Move(t, e.Export, a.lastSeq, a.org.readings)
	if err != nil {
		return err
	}
	if err := s.mayTakeSlot(e.Account, t); err != nil {
		return err
	}
	if rule.TakesSlot(t) {
		a.org.version++
	}
	for i, d := range e.deliveries {
		if next, ok := rule.Follow(t, after, d); ok {
			e.deliveries[i] = next
		}
	}
	s.put(e, after)
	e.events = append(e.events, rule.Event(t, after))
	return nil
}

// History returns every event of an export, oldest first.
func (l *Ledger) History(ctx context.Context, id int64) ([]weir.Event, error) {
	if err := l.begin(ctx, "History"); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	e, ok := l.store.exports[id]
	if !ok {
		return nil, nil
	}
	return slices.Clone(e.events), nil
}
