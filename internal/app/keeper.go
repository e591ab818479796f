package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/land"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/plan"
	"github.com/weirhq/weir/web"
)

// keeper is the service as its web page sees it.
type keeper struct {
	service *Service
	mu      sync.Mutex
	ahead   map[string]lookedAhead
}

// lookedAhead is what the schedules of an account will want, as of an instant.
type lookedAhead struct {
	of       *worker
	at       time.Time
	instants []time.Time
}

// Keeper is the service as its web page sees it.
func (s *Service) Keeper() web.Keeper { return &keeper{service: s, ahead: map[string]lookedAhead{}} }

// at is the account at work here, nil where none is, and why not.
func (s *Service) at(account string) (w *worker, fault error, configured bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	fault, configured = s.faults[account]
	return s.workers[account], fault, configured
}

// Desk is what the service knows of an account.
func (k *keeper) Desk(account string) web.Desk {
	w, fault, configured := k.service.at(account)
	d := web.Desk{Configured: configured, Policy: plan.Adaptive()}
	if fault != nil {
		d.Fault = fault.Error()
	}
	if w == nil {
		return d
	}
	d.Policy, d.Rate = w.session.Settings.Policy, w.session.Settings.Rate
	d.When, d.Scheduled = maps.Clone(w.when), k.scheduled(account, w, time.Now())
	_, condition := w.session.Conductor.Latest()
	switch {
	case condition.KeyRefused != nil:
		d.Fault = "the server refused the key: " + condition.KeyRefused.Error()
	case !condition.UnreachableSince.IsZero() && condition.Unreachable != nil:
		d.Fault = fmt.Sprintf("the server has been unreachable since %s: %v", condition.UnreachableSince.UTC().Format(time.RFC3339), condition.Unreachable)
	}
	return d
}

// scheduled looks ahead at most once a quarter of an hour.
func (k *keeper) scheduled(account string, w *worker, now time.Time) []time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	known := k.ahead[account]
	if known.of != w || now.Sub(known.at) > 15*time.Minute || now.Before(known.at) {
		known = lookedAhead{w, now, scheduledAhead(w.scheduler.Entries, now)}
		k.ahead[account] = known
	}
	return known.instants
}

// decided wakes whoever conducts the account here, so that it acts at once.
func (k *keeper) decided(account string, err error) error {
	if err != nil {
		return refused(err)
	}
	if w, _, _ := k.service.at(account); w != nil {
		w.session.Conductor.Wake()
	}
	return nil
}

// refused tells a fault in the page's terms.
func refused(err error) error {
	var fault *Fault
	if !errors.As(err, &fault) {
		return err
	}
	status := http.StatusConflict
	if fault.Exit == ExitLater {
		status = http.StatusServiceUnavailable
	}
	return &web.Refusal{Status: status, Code: fault.Code, Hint: fault.Hint, Err: fault.Err}
}

// Cancel records that a person wants an export stopped.
func (k *keeper) Cancel(ctx context.Context, id int64, force bool) error {
	e, err := k.service.Store.Export(ctx, id)
	if err != nil {
		return err
	}
	if !e.State.Open() || e.State == weir.Ready {
		return &web.Refusal{Status: http.StatusConflict, Code: "ended", Err: fmt.Errorf("export %d is %s: there is nothing to cancel", id, e.State)}
	}
	return k.decided(e.Account, wantCancelled(ctx, k.service.Store, e, force))
}

// Retry plans an export anew that was given up.
func (k *keeper) Retry(ctx context.Context, id int64) error {
	e, err := k.service.Store.Export(ctx, id)
	if err != nil {
		return err
	}
	return k.decided(e.Account, wantAgain(ctx, k.service.Store, e, max(1, e.JobsAllowed)))
}

// Resolve decides an export of unknown fate. Naming a job needs the account's
// key, because the server is asked whether it has that job.
func (k *keeper) Resolve(ctx context.Context, id int64, job string) error {
	e, err := k.service.Store.Export(ctx, id)
	if err != nil {
		return err
	}
	w, _, _ := k.service.at(e.Account)
	switch {
	case w != nil:
		_, err = w.session.Resolve(ctx, id, job)
	case job == "":
		_, err = (&Session{Ledger: k.service.Store, Account: weir.Account{Name: e.Account}}).Resolve(ctx, id, "")
	default:
		err = &web.Refusal{Status: http.StatusConflict, Code: "not_here", Hint: "decide it where the account is at work", Err: fmt.Errorf("account %s is not at work here", e.Account)}
	}
	return k.decided(e.Account, err)
}

// LandAgain opens what has landed for landing once more.
func (k *keeper) LandAgain(ctx context.Context, id int64) error {
	e, err := k.service.Store.Export(ctx, id)
	if err != nil {
		return err
	}
	return k.decided(e.Account, landAgain(ctx, k.service.Store, e))
}

// landAgain reopens every landed delivery of an export whose result the server
// still has.
func landAgain(ctx context.Context, l ledger.Ledger, e weir.Export) error {
	if e.State != weir.Landed {
		return Usage("", "land export %d again: it is %s", e.ID, e.State)
	}
	now, err := l.Now(ctx)
	if err != nil {
		return err
	}
	gone, err := resultExpired(ctx, l, e, now)
	if err != nil {
		return err
	}
	if gone {
		return &Fault{Exit: ExitUsage, Code: weir.CodeJobExpired, Hint: "export it again; that buys a new job", Err: fmt.Errorf("land export %d again: the server no longer has its result", e.ID)}
	}
	deliveries, err := l.DeliveriesOf(ctx, e.ID)
	if err != nil {
		return err
	}
	for _, d := range deliveries {
		if d.State != weir.DeliveryLanded {
			continue
		}
		if err := l.ReopenDelivery(ctx, d.ID, weir.Cause{At: now, Why: "a person asked to land it once more"}); err != nil {
			return err
		}
	}
	return nil
}

// entry is a schedule of an account at work here.
func (k *keeper) entry(account, schedule string) (engine.Entry, error) {
	if w, _, _ := k.service.at(account); w != nil {
		for _, e := range w.scheduler.Entries {
			if e.Name == schedule {
				return e, nil
			}
		}
	}
	return engine.Entry{}, &web.Refusal{Status: http.StatusNotFound, Code: "not_here", Hint: "see the configuration file", Err: fmt.Errorf("account %s has no schedule %q here", account, schedule)}
}

// RunNow wants at once what a schedule asks for.
func (k *keeper) RunNow(ctx context.Context, account, schedule string) ([]int64, error) {
	entry, err := k.entry(account, schedule)
	if err != nil {
		return nil, err
	}
	now, err := k.service.Store.Now(ctx)
	if err != nil {
		return nil, err
	}
	wishes, err := entry.Wishes(now)
	if err != nil {
		return nil, err
	}
	for i := range wishes {
		wishes[i].Rank = weir.RankAsked
	}
	granted, err := k.service.Store.Wish(ctx, now, wishes)
	ids := []int64{}
	for _, g := range granted {
		ids = append(ids, g.Export.ID)
	}
	return ids, k.decided(account, err)
}

// Pause stops a schedule or lets it go on.
func (k *keeper) Pause(ctx context.Context, account, schedule string, paused bool) error {
	return k.decided(account, k.service.Store.PauseSchedule(ctx, account, schedule, paused))
}

const (
	// mostManifests bounds how many snapshots of a request are shown.
	mostManifests = 100
	// destinationPatience is how long a page waits for a destination.
	destinationPatience = 10 * time.Second
)

// Manifests are those that stand where a delivery landed.
func (k *keeper) Manifests(ctx context.Context, e weir.Export, d weir.Delivery) ([]land.Manifest, error) {
	ctx, cancel := context.WithTimeout(ctx, destinationPatience)
	defer cancel()
	destination, err := OpenDestination(d.Destination)
	if err != nil {
		return nil, refused(err)
	}
	found, err := destination.Find(ctx, e.Request, land.Format(d.Format))
	if err != nil {
		return nil, &web.Refusal{Status: http.StatusBadGateway, Code: weir.CodeDestination, Hint: "look again when it can be reached", Err: fmt.Errorf("read what stands in %s: %w", d.Destination, err)}
	}
	return found[:min(len(found), mostManifests)], nil
}
