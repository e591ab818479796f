package engine_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/plan"
)

// attribute finds whose every job is: the job that an answer named is known
// already, and any other belongs to the last POST for its target that was sent
// before it was made and has none. The caller holds the lock.
func (a *auditor) attribute(account string) {
	user := a.w.scene.accounts[account].user
	for _, j := range a.w.server(account).Jobs() {
		if j.Number == 0 || j.User != user || a.jobs[j.ID] != nil {
			continue
		}
		if x := a.poster(account, j); x != nil {
			a.own(x, j.ID)
		}
	}
}

func (a *auditor) poster(account string, j emulator.Job) *attempt {
	made := j.Created.Add(-a.w.scene.accounts[account].ahead)
	alike := a.w.alike(account)
	var best *attempt
	for _, all := range a.attempts {
		for _, x := range all {
			like := slices.Contains(alike, x.account) && x.job == "" && x.request.ForecastID == j.Forecast && string(x.request.Period) == j.Period
			before := !x.refused && !x.posted.IsZero() && !x.posted.After(made.Add(time.Millisecond))
			if like && before && (best == nil || x.posted.After(best.posted)) {
				best = x
			}
		}
	}
	return best
}

// checkPaid: of the attempts before, each had no job, or one that ended without
// a result, or one that showed itself only after all that is done to find it.
func (a *auditor) checkPaid(p *proc, intent *attempt) {
	a.attribute(intent.account)
	all := a.attempts[intent.export]
	for _, x := range all[:len(all)-1] {
		if x.job == "" {
			continue
		}
		switch j := a.w.job(x.account, x.job); j.Status {
		case "FAILED", "CANCELLED", "ABORTED":
			continue
		default:
			if seen := a.w.visibleAt(x.account, x.job); seen.Before(x.guard.Add(-time.Second)) {
				a.fault("%s buys export %d again: job %s (%s) of the POST at %s was to be seen since %s, guarded until %s",
					p.owner, intent.export, x.job, j.Status, x.posted.Format("15:04:05"), seen.Format("15:04:05"), x.guard.Format("15:04:05"))
			}
			a.late[x.job] = true
		}
	}
	a.checkAllowed(p, intent, all)
}

func (a *auditor) checkAllowed(p *proc, intent *attempt, all []*attempt) {
	bought := 0
	for _, x := range all[:len(all)-1] {
		if x.job != "" && !a.late[x.job] {
			bought++
		}
	}
	e, err := a.w.store.Export(context.Background(), intent.export)
	if err == nil && bought+1 > e.JobsAllowed {
		a.fault("%s posts export %d for the %d. time, allowed are %d", p.owner, e.ID, bought+1, e.JobsAllowed)
	}
}

// published sees a snapshot appear.
func (a *auditor) published(p *proc, d weir.Delivery, from engine.Origin) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.say(p, "publish", fmt.Sprintf("%d of %d from %s", d.ID, d.ExportID, from.Job.ID))
	stands, err := a.w.store.Delivery(context.Background(), d.ID)
	current := a.books[p].lease == a.latest[p.account]
	if err == nil && stands.State == weir.DeliveryLanded && current && !p.frozeSince(d.ClaimedAt) {
		a.fault("%s published delivery %d, which had landed", p.owner, d.ID)
	}
	if from.Export.Request.Direct {
		a.publishedDirect(p, d, from)
		return
	}
	if j := a.w.job(p.account, from.Job.ID); j.Status != "DONE" {
		a.fault("%s published the result of job %s, which is %s", p.owner, j.ID, j.Status)
	}
}

// inspect holds the ledger, between steps, to what must always be so.
func (a *auditor) inspect() {
	now, err := a.w.store.Now(context.Background())
	if err != nil {
		return
	}
	for _, account := range a.w.scene.names {
		v, err := engine.LoadView(context.Background(), a.w.store, account, a.w.scene.policy, now)
		a.mu.Lock()
		if err != nil {
			a.fault("load view of %s: %v", account, err)
		} else {
			a.planned(v, plan.Next(v, now), now)
		}
		a.mu.Unlock()
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for p, k := range a.books {
		a.inspectProc(p, k)
	}
}

func (a *auditor) inspectProc(p *proc, k *record) {
	if k.calls > callsPerSpan && a.w.chaotic() {
		a.fault("%s called the ledger %d times in %s: %v", p.owner, k.calls, inspectEvery, p.called)
	}
	k.calls = 0
	if !p.alive() {
		delete(a.books, p)
		a.books[p] = &record{lease: k.lease}
		return
	}
	for _, h := range k.heard {
		if time.Since(h.at) > bindMost && !p.frozeSince(h.at) {
			a.fault("%s heard of job %s for export %d %s ago and did not write it down", p.owner, h.job, h.export, time.Since(h.at))
		}
	}
}

// planned: every open export is acted upon or stands with a reason and an
// instant, and the plan looks again.
func (a *auditor) planned(v plan.View, p plan.Plan, now time.Time) {
	if !p.LookAgain.After(now) {
		a.fault("a plan looks again at %s, not after %s", p.LookAgain, now)
	}
	for _, e := range v.Exports {
		acts := slices.ContainsFunc(p.Actions, func(do plan.Action) bool { return do.Export == e.ID })
		stand, stands := p.Stands[e.ID]
		switch {
		case !acts && !stands:
			a.fault("export %d is %s and neither acts nor stands", e.ID, e.State)
		case stands && (stand.Wait.Text == "" || !stand.Until.After(now)):
			a.fault("export %d is %s and stands without a reason or an instant: %+v", e.ID, e.State, stand)
		}
	}
}

// conclude judges how everything stands when all that can be waited for has
// been waited for.
func (a *auditor) conclude() {
	for _, account := range a.w.scene.names {
		exports, err := a.w.store.ListExports(context.Background(), ledger.Filter{Account: account})
		a.mu.Lock()
		if err != nil {
			a.fault("list exports of %s: %v", account, err)
		}
		for _, e := range exports {
			a.concludeExport(e)
		}
		a.concludeJobs(account)
		a.mu.Unlock()
	}
}

func (a *auditor) concludeExport(e weir.Export) {
	a.history(e)
	deliveries, _ := a.w.store.DeliveriesOf(context.Background(), e.ID)
	switch e.State {
	case weir.Landed:
		for _, d := range deliveries {
			if d.State != weir.DeliveryLanded && d.State != weir.DeliveryDropped || d.State == weir.DeliveryLanded && d.Manifest == "" {
				a.fault("export %d landed with delivery %d %s", e.ID, d.ID, d.State)
			}
		}
	case weir.Failed, weir.Rejected, weir.Cancelled:
		if e.Failure == nil || e.Failure.Code == "" || e.Failure.Message == "" {
			a.fault("export %d is %s without a cause", e.ID, e.State)
		}
	default:
		a.concludeOpen(e)
	}
}

// concludeOpen: what is open at the end waits for a limit, for a job that runs
// on, or for a person, and the last command said so.
func (a *auditor) concludeOpen(e weir.Export) {
	stand := a.stands[e.ID]
	waits := []weir.WaitCode{weir.WaitQuota, weir.WaitPerson, weir.WaitTimeout, weir.WaitTwin}
	if !slices.Contains(waits, stand.Wait.Code) {
		a.fault("export %d ends as %s with job %q, waiting for %q %s", e.ID, e.State, e.JobID, stand.Wait.Code, stand.Wait.Text)
	}
	if stand.Wait.Code == weir.WaitTimeout && a.w.job(e.Account, e.JobID).Status == "DONE" {
		a.fault("export %d still waits for job %s, which is done", e.ID, e.JobID)
	}
}

// showed keeps what a command says of its exports.
func (a *auditor) showed(p *proc, all []engine.Standing) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range all {
		if a.stands[s.Export.ID].Wait != s.Stand.Wait {
			a.say(p, "stand", fmt.Sprintf("%d %s %s: %s", s.Export.ID, s.Export.State, s.Stand.Wait.Code, s.Stand.Wait.Text))
		}
		a.stands[s.Export.ID] = s.Stand
	}
}

func (a *auditor) history(e weir.Export) {
	events, err := a.w.store.History(context.Background(), e.ID)
	if err != nil {
		a.fault("read history of %d: %v", e.ID, err)
	}
	at := weir.Planned
	if e.Request.Direct { // nothing to wait for but its landing
		at = weir.Ready
	}
	for _, event := range events {
		if event.From != at || !weir.CanMove(event.From, event.To) {
			a.fault("export %d moved %s → %s while it was %s", e.ID, event.From, event.To, at)
		}
		at = event.To
	}
	if at != e.State {
		a.fault("export %d is %s, its history ends at %s", e.ID, e.State, at)
	}
}

// concludeJobs: every job that was bought serves an export, or was reported as
// a possible second one, or showed itself when nobody looked any more.
func (a *auditor) concludeJobs(account string) {
	a.attribute(account)
	twins, serves := maps.Clone(a.forgotten.twins), maps.Clone(a.forgotten.serves)
	for _, name := range a.w.alike(account) {
		exports, _ := a.w.store.ListExports(context.Background(), ledger.Filter{Account: name})
		for _, e := range exports {
			twins[e.Twin] = true
		}
		known, err := a.w.store.Jobs(context.Background(), name)
		if err != nil {
			a.fault("read jobs: %v", err)
		}
		for _, j := range known {
			serves[j.ID] = max(serves[j.ID], j.ExportID)
		}
	}
	for _, j := range a.w.server(account).Jobs() {
		if j.Number > 0 && j.User == a.w.scene.accounts[account].user && serves[j.ID] == 0 && !twins[j.ID] {
			a.stray(account, j)
		}
	}
}

// doubtLeast is how long after its POST a late job is reported; the rules say
// 24 h after the proof of absence.
const doubtLeast = 23 * time.Hour

// looked reports whether somebody listed the account's jobs between two instants.
func (a *auditor) looked(account string, from, until time.Time) bool {
	return slices.ContainsFunc(a.lists[account], func(at time.Time) bool {
		return at.After(from.Add(time.Second)) && at.Before(until)
	})
}

var errStray = errors.New("nobody knows whose job it is")

// stray judges a job that was bought and serves nothing.
func (a *auditor) stray(account string, j emulator.Job) {
	x := a.jobs[j.ID]
	switch {
	case x == nil:
		a.say(nil, "stray", fmt.Sprintf("%s: %v", j.ID, errStray))
	case a.w.scene.servers[a.w.scene.accounts[account].server].ListMissing != 0 && (j.Status == "CANCELLED" || j.Status == "ABORTED"):
		a.say(nil, "stray", j.ID+" was cancelled and given back, and without a list nothing shows it")
	case !a.looked(account, a.w.visibleAt(account, j.ID), x.posted.Add(doubtLeast)):
		a.say(nil, "stray", j.ID+" showed itself when nobody listed jobs any more")
	case a.w.visibleAt(account, j.ID).After(x.guard.Add(-time.Second)):
		a.say(nil, "stray", j.ID+" showed itself too late")
	default:
		e, _ := a.w.store.Export(context.Background(), x.export)
		a.fault("job %s (%s) was bought for export %d (%s, job %s) and serves nothing", j.ID, j.Status, x.export, e.State, e.JobID)
	}
}

// ended notes how a process ended.
func (a *auditor) ended(p *proc, ending engine.Ending, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.say(p, "ended", fmt.Sprintf("%s %s next=%s err=%v", ending.Verdict, ending.Why, ending.Next, err))
}

func (a *auditor) failed(format string, args ...any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fault(format, args...)
}

// jobOf is the job of an export's last POST, as a person finds it in Clari.
func (a *auditor) jobOf(e weir.Export) string {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.attribute(e.Account)
	all := a.attempts[e.ID]
	if len(all) == 0 {
		return e.JobID
	}
	return all[len(all)-1].job
}
