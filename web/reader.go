package web

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/pace"
	"github.com/weirhq/weir/plan"
	"github.com/weirhq/weir/web/view"
)

// Bounds on what one page reads.
const (
	shownWaiting  = 100
	shownBars     = 400
	shownExports  = 50
	shownRequests = 400
	shownRecent   = 400
	// inDetail is how many accounts are shown whole beside each other.
	inDetail = 6
)

// reader reads from the ledger what views are made of.
type reader struct {
	ledger ledger.Ledger
	keeper Keeper
}

// planned is an account with the plan for it, as a conductor would make it.
func (r reader) planned(ctx context.Context, account string) (plan.View, plan.Plan, pace.State, error) {
	desk := r.keeper.Desk(account)
	now, err := r.ledger.Now(ctx)
	if err != nil {
		return plan.View{}, plan.Plan{}, pace.State{}, err
	}
	v, err := engine.LoadView(ctx, r.ledger, account, desk.Policy, now)
	if err != nil {
		return v, plan.Plan{}, pace.State{}, err
	}
	gate, err := engine.LoadGate(ctx, r.ledger, account, time.Now())
	if err != nil {
		return v, plan.Plan{}, gate, err
	}
	policy := engine.PacePolicy(desk.Policy, desk.Rate)
	v.GateOpensAt, v.GateWhy = engine.GateOpens(policy, gate, now)
	v.Scheduled = desk.Scheduled
	if v.Learned == nil {
		v.Learned = plan.Learn(v.History)
	}
	return v, plan.Next(v, now), gate, nil
}

// account is one account as it stands.
func (r reader) account(ctx context.Context, name string) (view.Account, error) {
	v, p, gate, err := r.planned(ctx, name)
	if err != nil {
		return view.Account{}, err
	}
	desk := r.keeper.Desk(name)
	f := view.AccountFacts{View: v, Plan: p, Configured: desk.Configured, Fault: desk.Fault, Shown: shownWaiting}
	f.Gate = gateOf(engine.PacePolicy(desk.Policy, desk.Rate), gate, v)
	if f.Conductor, err = r.conductor(ctx, name); err != nil {
		return view.Account{}, err
	}
	var landing []int64
	for _, e := range v.Exports {
		if e.State == weir.Ready {
			landing = append(landing, e.ID)
		}
	}
	if f.Deliveries, err = r.ledger.DeliveriesOfEach(ctx, landing...); err != nil {
		return view.Account{}, err
	}
	now, err := r.ledger.Now(ctx)
	return view.AccountOf(f, now), err
}

func gateOf(policy pace.Policy, state pace.State, v plan.View) view.Gate {
	return view.Gate{
		Open: v.GateOpensAt.IsZero(), Until: v.GateOpensAt, Why: v.GateWhy.Text, Rate: policy.RateOf(state), Learned: state.Rate > 0,
		Requests: state.Requests, Throttled: state.Throttled, RefusedAt: state.RefusedAt,
	}
}

// conductor is the process that acts for an account; "" when none does.
func (r reader) conductor(ctx context.Context, account string) (string, error) {
	lease, until, err := r.ledger.Holder(ctx, account)
	if errors.Is(err, ledger.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	now, err := r.ledger.Now(ctx)
	if err != nil || !until.After(now) {
		return "", err
	}
	return lease.Owner, nil
}

// standing reads exports with all that a view needs, for one account's plan.
func (r reader) standing(ctx context.Context, exports []weir.Export) ([]view.Facts, error) {
	var ids []int64
	jobs := map[string][]string{}
	plans := map[string]plan.Plan{}
	for _, e := range exports {
		ids = append(ids, e.ID)
		if e.JobID != "" {
			jobs[e.Account] = append(jobs[e.Account], e.JobID)
		}
		if _, made := plans[e.Account]; e.State.Open() && !made {
			_, p, _, err := r.planned(ctx, e.Account)
			if err != nil {
				return nil, err
			}
			plans[e.Account] = p
		}
	}
	deliveries, err := r.ledger.DeliveriesOfEach(ctx, ids...)
	if err != nil {
		return nil, err
	}
	known := map[string]weir.Job{}
	for account, named := range jobs {
		found, err := r.ledger.Jobs(ctx, account, named...)
		if err != nil {
			return nil, err
		}
		for _, j := range found {
			known[j.ID] = j
		}
	}
	all := make([]view.Facts, 0, len(exports))
	for _, e := range exports {
		all = append(all, view.Facts{Export: e, Deliveries: deliveries[e.ID], Job: known[e.JobID], Stand: plans[e.Account].Stands[e.ID]})
	}
	return all, nil
}

// page is a page of exports.
func (r reader) page(ctx context.Context, p ledger.Page) ([]view.Export, error) {
	exports, err := r.ledger.ListPage(ctx, p)
	if err != nil {
		return nil, err
	}
	facts, err := r.standing(ctx, exports)
	all := []view.Export{}
	for _, f := range facts {
		all = append(all, view.ExportOf(f))
	}
	return all, err
}

// detail is one export with its history.
func (r reader) detail(ctx context.Context, id int64) (view.Detail, error) {
	e, err := r.ledger.Export(ctx, id)
	if err != nil {
		return view.Detail{}, err
	}
	facts, err := r.standing(ctx, []weir.Export{e})
	if err != nil {
		return view.Detail{}, err
	}
	events, err := r.ledger.History(ctx, id)
	if err != nil {
		return view.Detail{}, err
	}
	suspects, err := r.suspects(ctx, e)
	return view.DetailOf(facts[0], events, suspects), err
}

// suspects are the jobs that a person has to choose from.
func (r reader) suspects(ctx context.Context, e weir.Export) ([]weir.Job, error) {
	if e.State != weir.Unknown {
		return nil, nil
	}
	jobs, err := r.ledger.JobsSeenAfter(ctx, e.Account, e.IntentSeq)
	return slices.DeleteFunc(jobs, func(j weir.Job) bool {
		return j.ExportID != 0 || weir.Recognise(j.FileName, e.Request) == weir.Mismatch
	}), err
}

// timeline is what an account did in the last so long.
func (r reader) timeline(ctx context.Context, account string, span time.Duration) (view.Timeline, error) {
	now, err := r.ledger.Now(ctx)
	if err != nil {
		return view.Timeline{}, err
	}
	from := now.Add(-span)
	exports, err := r.ledger.RecentExports(ctx, account, from, shownBars)
	if err != nil {
		return view.Timeline{}, err
	}
	f := view.TimelineFacts{Account: account, Cut: len(exports) == shownBars, Slots: -1, Jobs: map[string]weir.Job{}}
	if f.Exports, err = r.withRunning(ctx, account, exports); err != nil {
		return view.Timeline{}, err
	}
	var ids []int64
	for _, e := range f.Exports {
		ids = append(ids, e.ID)
	}
	if f.Histories, err = r.ledger.HistoryOf(ctx, ids...); err != nil {
		return view.Timeline{}, err
	}
	if err := r.addJobs(ctx, account, f); err != nil {
		return view.Timeline{}, err
	}
	budget, err := r.ledger.Budget(ctx, account)
	if err != nil {
		return view.Timeline{}, err
	}
	if budget.Slots > 0 {
		f.Slots = budget.Slots
	}
	gate, err := engine.LoadGate(ctx, r.ledger, account, time.Now())
	f.RefusedAt = gate.RefusedAt
	if gate.Closed() {
		f.RefusedAt, f.ClosedFrom, f.ClosedUntil = gate.FirstRefusedAt, gate.FirstRefusedAt, gate.ClosedUntil
	}
	return view.TimelineOf(f, from, now), err
}

// withRunning adds what has run since before the stretch and is no wish that
// merely waits.
func (r reader) withRunning(ctx context.Context, account string, recent []weir.Export) ([]weir.Export, error) {
	open, err := r.ledger.ListExports(ctx, ledger.Filter{Account: account, OpenOnly: true})
	if err != nil {
		return nil, err
	}
	have := map[int64]bool{}
	for _, e := range recent {
		have[e.ID] = true
	}
	for _, e := range open {
		if !have[e.ID] && (e.State.HoldsSlot() || e.State == weir.Ready) && len(recent) < 2*shownBars {
			recent = append(recent, e)
		}
	}
	slices.SortFunc(recent, func(a, b weir.Export) int { return cmp.Compare(a.ID, b.ID) })
	return recent, nil
}

func (r reader) addJobs(ctx context.Context, account string, f view.TimelineFacts) error {
	var ids []string
	for _, events := range f.Histories {
		for _, e := range events {
			if e.JobID != "" {
				ids = append(ids, e.JobID)
			}
		}
	}
	slices.Sort(ids)
	if ids = slices.Compact(ids); len(ids) == 0 {
		return nil
	}
	jobs, err := r.ledger.Jobs(ctx, account, ids...)
	for _, j := range jobs {
		f.Jobs[j.ID] = j
	}
	return err
}

// quota is the rolling quota with what is known to come.
func (r reader) quota(ctx context.Context, account string) (view.Quota, error) {
	v, _, _, err := r.planned(ctx, account)
	if err != nil {
		return view.Quota{}, err
	}
	now, err := r.ledger.Now(ctx)
	return view.QuotaOf(v, plan.LookOut(v, now), now), err
}

// snapshots are the latest of each request.
func (r reader) snapshots(ctx context.Context, account string) ([]view.Snapshot, error) {
	exports, err := r.ledger.LatestLanded(ctx, account, shownRequests)
	if err != nil {
		return nil, err
	}
	var ids []int64
	for _, e := range exports {
		ids = append(ids, e.ID)
	}
	deliveries, err := r.ledger.DeliveriesOfEach(ctx, ids...)
	return view.SnapshotsOf(exports, deliveries), err
}

// schedules are those of some accounts.
func (r reader) schedules(ctx context.Context, accounts []string) ([]view.Schedule, error) {
	all := []view.Schedule{}
	for _, name := range accounts {
		schedules, err := r.ledger.ListSchedules(ctx, name)
		if err != nil {
			return nil, err
		}
		if len(schedules) == 0 {
			continue
		}
		since := schedules[0].LastRunAt
		for _, s := range schedules {
			if s.LastRunAt.Before(since) {
				since = s.LastRunAt
			}
		}
		recent, err := r.scheduled(ctx, name, since)
		if err != nil {
			return nil, err
		}
		when := r.keeper.Desk(name).When
		for _, s := range schedules {
			all = append(all, view.ScheduleOf(s, recent, when))
		}
	}
	return all, nil
}

// scheduled are the exports that moved since an instant, and those that wait.
func (r reader) scheduled(ctx context.Context, account string, since time.Time) ([]weir.Export, error) {
	moved, err := r.ledger.RecentExports(ctx, account, since, shownRecent)
	if err != nil {
		return nil, err
	}
	newest, err := r.ledger.ListPage(ctx, ledger.Page{Account: account, State: weir.Planned, Limit: shownRecent})
	for _, e := range newest {
		if !slices.ContainsFunc(moved, func(m weir.Export) bool { return m.ID == e.ID }) {
			moved = append(moved, e)
		}
	}
	return moved, err
}
