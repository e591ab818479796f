package inmem

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/internal/rule"
	"github.com/weirhq/weir/plan"
)

// errNoFormat marks a wish for no format at all.
var errNoFormat = errors.New("no format is wanted")

// Wish records wishes, all or none, and returns how each is served.
func (l *Ledger) Wish(ctx context.Context, now time.Time, wishes []ledger.Wish) ([]ledger.Granted, error) {
	if err := l.begin(ctx, "Wish"); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	granted, err := l.store.grantAll(wishes, now)
	if err != nil {
		return nil, fmt.Errorf("record wishes: %w", err)
	}
	return granted, nil
}

// grantAll serves wishes in order, all or none.
func (s *store) grantAll(wishes []ledger.Wish, now time.Time) ([]ledger.Granted, error) {
	for _, w := range wishes {
		if err := s.check(w); err != nil {
			return nil, fmt.Errorf("%s: %w", w.Request.Title(), err)
		}
	}
	before := s.lastExport
	granted := make([]ledger.Granted, 0, len(wishes))
	for _, w := range wishes {
		if w.SinceLast {
			var served *ledger.Granted
			if w, served = s.since(w); served != nil {
				served.Joined = served.Export.ID <= before
				granted = append(granted, *served)
				continue
			}
		}
		e := s.serve(w, now)
		deliveries, err := s.want(e, w, now)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.Request.Title(), err)
		}
		s.stir(w.Account)
		granted = append(granted, ledger.Granted{Export: rule.Export(e.Export), Deliveries: deliveries, Joined: e.ID <= before})
	}
	return granted, nil
}

func (s *store) check(w ledger.Wish) error {
	if len(w.Formats) == 0 {
		return errNoFormat
	}
	if w.SinceLast && len(w.Formats) != 1 {
		return errOneFormat
	}
	_, err := s.account(w.Account)
	return err
}

// serve finds the export that serves a wish, or makes one.
func (s *store) serve(w ledger.Wish, now time.Time) *export {
	w.AsOf = rule.Instant(w.AsOf)
	wanted := rule.Born(weir.Export{
		Account: w.Account, Request: w.Request, Fingerprint: w.Request.Fingerprint(), State: weir.Planned,
		Rank: w.Rank, AsOf: w.AsOf, CreatedAt: now, ChangedAt: now, JobsAllowed: w.JobsAllowed, Fresh: w.Fresh, NoAdopt: w.NoAdopt,
	})
	want := plan.Want{AsOf: w.AsOf, Fresh: w.Fresh}
	chosen, ok := plan.Serve(want, s.candidates(wanted, want, now), now)
	if !ok {
		return s.addExport(wanted)
	}
	e := s.exports[chosen.ID]
	if joined, changed := rule.Join(e.Export, rule.Export(wanted)); changed {
		s.put(e, joined)
	}
	return e
}

// candidates are the like exports that could serve, open ones first.
func (s *store) candidates(wanted weir.Export, want plan.Want, now time.Time) []plan.Candidate {
	a := s.accounts[wanted.Account]
	var open, landed []plan.Candidate
	since, look := rule.LandedSince(want, now)
	for _, e := range a.like[wanted.Fingerprint] {
		switch {
		case e.State.Open():
			open = append(open, plan.Candidate{Export: e.Export})
		case look && e.State == weir.Landed && !e.ChangedAt.Before(since):
			var ended time.Time
			if j := a.jobs[e.JobID]; j != nil {
				ended = j.EndedAt
			}
			landed = append(landed, rule.Candidate(e.Export, ended))
		}
	}
	return append(open, landed...)
}

// want makes sure that the export has the wish's deliveries, and reopens a
// landed one that gets another.
func (s *store) want(e *export, w ledger.Wish, now time.Time) ([]weir.Delivery, error) {
	var wanted []weir.Delivery
	added := false
	for _, format := range w.Formats {
		d, ok := rule.At(e.deliveries, w.Destination, format)
		if !ok {
			d = rule.Want(e.ID, e.deliveries, w.Destination, format, w.CSVSafe)
			d.Primary = d.Primary && !w.Secondary
			d = s.addDelivery(e, d)
			added = true
		}
		wanted = append(wanted, rule.Delivery(d))
	}
	if !added || e.State != weir.Landed {
		return wanted, nil
	}
	return wanted, s.apply(e, weir.Reopen(rule.OneMore(w.Destination, now)))
}

func (s *store) addDelivery(e *export, d weir.Delivery) weir.Delivery {
	s.lastDelivery++
	d.ID = s.lastDelivery
	e.deliveries = append(e.deliveries, d)
	s.deliveries[d.ID] = e
	return d
}

// AddDeliveries wants an export at further places. An export that ended
// without a result takes none: that is ErrStale.
func (l *Ledger) AddDeliveries(ctx context.Context, exportID int64, w ledger.Wish, now time.Time) ([]weir.Delivery, error) {
	if err := l.begin(ctx, "AddDeliveries"); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	e, err := l.store.export(exportID)
	if err == nil && !e.State.Open() && e.State != weir.Landed {
		err = fmt.Errorf("it is %s: %w", e.State, ledger.ErrStale)
	}
	if err != nil {
		return nil, fmt.Errorf("add deliveries to export %d: %w", exportID, err)
	}
	l.store.stir(e.Account)
	return l.store.want(e, w, now)
}
