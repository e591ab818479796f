package inmem

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/internal/rule"
)

// organisation is what accounts share.
type organisation struct {
	id       string
	budget   weir.Budget
	readings int64
	version  int64
}

// organisation finds one, or makes it.
func (s *store) organisation(id string) *organisation {
	o, ok := s.organisations[id]
	if !ok {
		o = &organisation{id: id, version: 1}
		s.organisations[id] = o
	}
	return o
}

// SetOrg keeps the organisation that the server named, and joins the account to
// the others of it.
func (l *Ledger) SetOrg(ctx context.Context, name, orgID string) error {
	return l.with(ctx, "SetOrg", name, func(a *account) error {
		of := l.store.organisation(rule.OrganisationOf(a.BaseURL, orgID))
		if of == a.org {
			return nil
		}
		of.budget, of.readings = rule.JoinOrganisation(of.budget, of.readings, a.org.budget, a.org.readings)
		of.version++
		a.OrgID, a.org = orgID, of
		return nil
	})
}

// Rehome replaces the account's base URL. Elsewhere it is of no organisation yet.
func (l *Ledger) Rehome(ctx context.Context, name, baseURL string) error {
	return l.with(ctx, "Rehome", name, func(a *account) error {
		a.BaseURL, a.OrgID, a.org = baseURL, "", l.store.organisation(rule.OwnOrganisation(name))
		a.org.budget = weir.Budget{}
		a.org.version++
		return nil
	})
}

// Organisation returns what the account shares with others.
func (l *Ledger) Organisation(ctx context.Context, name string) (o weir.Organisation, err error) {
	err = l.with(ctx, "Organisation", name, func(a *account) error {
		o = weir.Organisation{Budget: rule.Budget(a.org.budget), Readings: a.org.readings, Version: a.org.version, Shared: len(l.store.members(a)) > 1}
		return nil
	})
	return o, err
}

// members are the accounts of one organisation, by name.
func (s *store) members(of *account) []*account {
	var all []*account
	for _, a := range s.accounts {
		if a.org == of.org {
			all = append(all, a)
		}
	}
	slices.SortFunc(all, func(a, b *account) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Budget returns the organisation's last observed budget, zero when none was
// kept.
func (l *Ledger) Budget(ctx context.Context, name string) (b weir.Budget, err error) {
	err = l.with(ctx, "Budget", name, func(a *account) error {
		b = rule.Budget(a.org.budget)
		return nil
	})
	return b, err
}

// BeginReading numbers a reading of the limits.
func (l *Ledger) BeginReading(ctx context.Context, name string) (number int64, err error) {
	err = l.with(ctx, "BeginReading", name, func(a *account) error {
		a.org.readings++
		number = a.org.readings
		return nil
	})
	return number, err
}

// ChangeBudget changes the organisation's budget as it stands.
func (l *Ledger) ChangeBudget(ctx context.Context, name string, change func(weir.Budget) weir.Budget) error {
	return l.with(ctx, "ChangeBudget", name, func(a *account) error {
		a.org.budget = rule.Budget(change(rule.Budget(a.org.budget)))
		a.org.version++
		return nil
	})
}

// mayTakeSlot refuses a move that takes a slot when the organisation has gone on
// since that was decided.
func (s *store) mayTakeSlot(name string, t weir.Transition) error {
	if version := s.accounts[name].org.version; rule.TakesSlot(t) && t.Version != 0 && t.Version != version {
		return fmt.Errorf("its organisation has gone on: %w", ledger.ErrStale)
	}
	return nil
}

// Beside returns, by id, the exports of the organisation's other accounts that
// hold a slot, or those in doubt alone.
func (l *Ledger) Beside(ctx context.Context, name string, inDoubt bool) (all []weir.Export, err error) {
	err = l.with(ctx, "Beside", name, func(of *account) error {
		for _, a := range l.store.members(of) {
			if a == of {
				continue
			}
			for _, e := range a.open {
				if e.State.HoldsSlot() && !(inDoubt && e.State == weir.Running) {
					all = append(all, rule.Export(e.Export))
				}
			}
		}
		slices.SortFunc(all, func(a, b weir.Export) int { return cmp.Compare(a.ID, b.ID) })
		return nil
	})
	return all, err
}

// JobsBeside returns, by id, which of these jobs the organisation's other
// accounts have given to an export of theirs.
func (l *Ledger) JobsBeside(ctx context.Context, name string, ids ...string) (all []weir.Job, err error) {
	err = l.with(ctx, "JobsBeside", name, func(of *account) error {
		for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
			for _, a := range l.store.members(of) {
				if j := a.jobs[id]; a != of && j != nil && j.ExportID != 0 {
					all = append(all, *j)
				}
			}
		}
		return nil
	})
	return all, err
}

// BoughtSince returns, by id, the jobs of all exports of the organisation that
// were first seen after the numbered reading began.
func (l *Ledger) BoughtSince(ctx context.Context, name string, reading int64) (all []weir.Job, err error) {
	err = l.with(ctx, "BoughtSince", name, func(of *account) error {
		for _, a := range l.store.members(of) {
			for i := len(a.seen) - 1; i >= 0 && a.seen[i].SeenIn >= reading; i-- {
				if a.seen[i].ExportID != 0 {
					all = append(all, *a.seen[i])
				}
			}
		}
		slices.SortFunc(all, func(a, b weir.Job) int { return strings.Compare(a.ID, b.ID) })
		return nil
	})
	return all, err
}

// QuotaUses returns the instants at which jobs of the organisation were bought
// since the instant, oldest first; cancelled ones excluded.
func (l *Ledger) QuotaUses(ctx context.Context, name string, since time.Time) ([]time.Time, error) {
	if err := l.begin(ctx, "QuotaUses"); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	of, ok := l.store.accounts[name]
	if !ok {
		return nil, nil
	}
	var uses []time.Time
	for _, a := range l.store.members(of) {
		for _, e := range a.bought.from(rule.Instant(since)) {
			uses = append(uses, rule.FromMillis(e.at))
		}
	}
	slices.SortFunc(uses, time.Time.Compare)
	return uses, nil
}
