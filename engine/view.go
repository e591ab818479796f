package engine

import (
	"context"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/plan"
)

// historyRuns is how many past runs of each key the plan learns from.
const historyRuns = 50

// quotaWindow is the span over which the export quota rolls.
const quotaWindow = 30 * 24 * time.Hour

// LoadView reads from the ledger all that a plan for the account rests on. What
// only a conductor remembers is left zero: the plan of a process that does not
// conduct shows reasons, not the very next request.
//
// The organisation is read first: whatever another account of it commits after
// that makes the version stale on which a POST is decided. What is in doubt is
// read before what was bought, so that a POST that is answered between counts
// twice rather than not at all.
func LoadView(ctx context.Context, l ledger.Ledger, account string, policy plan.Policy, now time.Time) (plan.View, error) {
	v := plan.View{Policy: policy}
	org, err := l.Organisation(ctx, account)
	if err != nil {
		return v, err
	}
	v.Budget, v.Version, v.Shared = org.Budget, org.Version, org.Shared
	if v.Account, err = l.Account(ctx, account); err != nil {
		return v, err
	}
	if v.Exports, err = l.ListExports(ctx, ledger.Filter{Account: account, OpenOnly: true}); err != nil {
		return v, err
	}
	if err := addBeside(ctx, l, &v, now); err != nil {
		return v, err
	}
	if v.BoughtSince, err = l.BoughtSince(ctx, account, v.Budget.Reading); err != nil {
		return v, err
	}
	if v.Jobs, err = jobsFor(ctx, l, account, v.Exports, v.Budget); err != nil {
		return v, err
	}
	if err := claimBeside(ctx, l, &v); err != nil {
		return v, err
	}
	if v.History, err = l.Durations(ctx, account, historyRuns); err != nil {
		return v, err
	}
	v.QuotaUses, err = l.QuotaUses(ctx, account, now.Add(-quotaWindow))
	return v, err
}

// besideFor is how long an export of another account counts as holding a slot
// where no reading of the limits can tell: its conductor may never run again.
const besideFor = time.Hour

// addBeside adds what the organisation's other accounts hold, as far as the
// reading of the limits does not tell it anyway.
func addBeside(ctx context.Context, l ledger.Ledger, v *plan.View, now time.Time) error {
	if !v.Shared {
		return nil
	}
	beside, err := l.Beside(ctx, v.Account.Name, v.Budget.Known())
	v.Beside = slices.DeleteFunc(beside, func(e weir.Export) bool { return now.Sub(e.SubmittedAt) > besideFor })
	return err
}

// claimBeside marks the jobs that serve an export of another account: two keys
// of one user list the same jobs.
func claimBeside(ctx context.Context, l ledger.Ledger, v *plan.View) error {
	if !v.Shared {
		return nil
	}
	ids := slices.Clone(v.Budget.InFlight)
	for id := range v.Jobs {
		ids = append(ids, id)
	}
	theirs, err := l.JobsBeside(ctx, v.Account.Name, ids...)
	for _, j := range theirs {
		if known, ok := v.Jobs[j.ID]; ok && known.ExportID != 0 {
			continue
		}
		v.Jobs[j.ID] = j
	}
	return err
}

// inFlightRead bounds how many jobs of the organisation's reading are looked up.
const inFlightRead = 64

// jobsFor reads the jobs of open exports, those that the organisation's reading
// counts as in flight, and those that appeared since the oldest intent that is
// still in doubt.
func jobsFor(ctx context.Context, l ledger.Ledger, account string, exports []weir.Export, reading weir.Budget) (map[string]weir.Job, error) {
	jobs := map[string]weir.Job{}
	ids := append([]string(nil), reading.InFlight[:min(len(reading.InFlight), inFlightRead)]...)
	since, doubt := oldestDoubt(exports)
	if doubt { // a job of the POST in doubt is to be told from those known before
		ids = append(ids, reading.Submitted...)
	}
	for _, e := range exports {
		if e.JobID != "" {
			ids = append(ids, e.JobID)
		}
	}
	if len(ids) > 0 {
		if err := collect(jobs)(l.Jobs(ctx, account, ids...)); err != nil {
			return nil, err
		}
	}
	if doubt {
		if err := collect(jobs)(l.JobsSeenAfter(ctx, account, since)); err != nil {
			return nil, err
		}
	}
	return jobs, nil
}

func collect(into map[string]weir.Job) func([]weir.Job, error) error {
	return func(jobs []weir.Job, err error) error {
		for _, j := range jobs {
			into[j.ID] = j
		}
		return err
	}
}

// oldestDoubt is the job sequence after which a job may matter to an export
// whose POST, or whose presumed absence, is in doubt.
func oldestDoubt(exports []weir.Export) (since int64, doubt bool) {
	for _, e := range exports {
		seq, matters := doubtOf(e)
		if matters && (!doubt || seq < since) {
			since, doubt = seq, true
		}
	}
	return since, doubt
}

func doubtOf(e weir.Export) (int64, bool) {
	switch {
	case e.State == weir.Submitting, e.State == weir.Unknown:
		return e.IntentSeq, true
	case !e.PresumedAbsentAt.IsZero() && e.Twin == "":
		return e.AbsentSeq, true
	}
	return 0, false
}

// view adds what this conductor remembers to what the ledger says.
func (c *Conductor) view(ctx context.Context, now time.Time) (plan.View, error) {
	v, err := LoadView(ctx, c.Ledger, c.Account, c.Policy, now)
	if err != nil {
		return v, err
	}
	if err := c.addAdoptable(ctx, &v); err != nil {
		return v, err
	}
	if err := claimBeside(ctx, c.Ledger, &v); err != nil {
		return v, err
	}
	v.Generation = c.hold.lease.Generation
	v.Listing, v.Missing = c.memory.listing, c.memory.missing
	if c.Scheduled != nil {
		v.Scheduled = c.Scheduled(now)
	}
	if missing := v.Missing[:min(len(v.Missing), inFlightRead)]; len(missing) > 0 {
		if err := collect(v.Jobs)(c.Ledger.Jobs(ctx, c.Account, missing...)); err != nil {
			return v, err
		}
	}
	v.Limits, v.List = c.memory.limits, c.memory.list
	v.Unreadable = c.memory.unreadable
	v.LastEndAt, v.LastTerminalAt = c.memory.lastEnd, c.memory.lastTerminal
	v.ServerAhead = c.memory.serverAhead
	if state := c.Gate.Snapshot(); state.Rate > 0 {
		v.Policy.Rate = c.Pace.RateOf(state)
	}
	v.GateOpensAt, v.GateWhy = GateOpens(c.Pace, c.Gate.Snapshot(), now)
	if c.memory.hold.After(v.GateOpensAt) {
		v.GateOpensAt, v.GateWhy = c.memory.hold, c.memory.holdWhy
	}
	return v, nil
}

// addAdoptable adds the jobs of the last list whose file names show what a
// planned export asks for.
func (c *Conductor) addAdoptable(ctx context.Context, v *plan.View) error {
	var ids []string
	for _, e := range v.Exports {
		if e.State == weir.Planned && !e.NoAdopt {
			ids = append(ids, c.memory.byTarget[targetOf(e.Request.ForecastID, e.Request.Period)]...)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return collect(v.Jobs)(c.Ledger.Jobs(ctx, c.Account, ids...))
}

func targetOf(forecastID string, period weir.Period) string {
	return string(period) + " " + forecastID
}
