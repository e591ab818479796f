package plan

import (
	"fmt"
	"time"

	"github.com/weirhq/weir"
)

const (
	// listingFresh is how old a listing may be when a POST is sent (rules §2.3).
	listingFresh = 60 * time.Second
	// doubtFresh is how old it may be where a late job of a lost POST is feared.
	doubtFresh = 2 * time.Second
	// limitsAgain is how often forbidden limits are asked for again.
	limitsAgain = time.Hour
	// budgetShared is how long a reading of limits is trusted beside somebody
	// else's jobs while ours run too, budgetFresh while only others' do, and
	// budgetAlone while nobody else's do.
	budgetShared = 20 * time.Second
	budgetFresh  = 60 * time.Second
	budgetAlone  = 5 * time.Minute
	// clockSlack is how far the clocks of two processes may differ where they
	// follow the store's.
	clockSlack = time.Minute
	// sharedLook is how often an account that waits for a slot looks whether
	// another one of its organisation gave one back: a look at the ledger.
	sharedLook = 2 * time.Second
	// quotaAgain is how often a used-up quota is looked at.
	quotaAgain = time.Hour
	// assumedSlots is what is used before anything is known: one job.
	assumedSlots = 1
)

func (d *decision) limitsForbidden() bool {
	b := d.Budget
	return d.Limits.Forbidden || b.Forbidden && (b.ForbiddenTo == "" || b.ForbiddenTo == d.Account.Name)
}

// readLimitsFirst reports whether the limits must be read before a POST: never
// read, a refusal asks for an explanation, an end may have given quota back or
// others may have taken the slot, or the reading is old.
func (d *decision) readLimitsFirst() (why string, due bool) {
	b := d.Budget
	switch {
	case d.limitsForbidden():
		return "whether the limits may be read by now", d.now.Sub(b.ReadAt) >= limitsAgain
	case d.now.Before(d.Limits.NotBefore):
		return "", false
	case !b.Known():
		return "the organisation's limits are not known yet", true
	case b.Refusals > 0 && b.HoldWhy.Code == weir.WaitNone:
		return "a POST was refused: asking which limit it was", true
	case b.ReadStartedAt.Before(b.HoldUntil) && !d.now.Before(b.HoldUntil):
		return "the wait after a refusal is over: asking whether there is room", true
	case d.spent():
		return "what was bought since the limits were read may use up the quota", true
	case b.ReadStartedAt.Before(d.LastTerminalAt) && d.tight():
		return "a job of ours ended since the limits were read", true
	}
	return "the reading of the limits is old", !d.now.Before(d.limitsStaleAt())
}

// tight reports that the account alone cannot tell what its job's end left
// free: others had jobs in flight, or the quota is nearly used up, when it
// matters whether an ended job gave its use back. Elsewhere the end of a job
// frees its slot (rules §5) and the reading stays good.
func (d *decision) tight() bool {
	free := d.FreeQuota()
	return free >= 0 && free <= 2*d.Budget.Slots || d.othersRun()
}

// othersRun reports that the reading counted jobs that no export of weir has.
func (d *decision) othersRun() bool {
	held := make(map[string]bool, d.inSlots)
	for i := range d.Exports {
		if e := &d.Exports[i]; e.JobID != "" {
			held[e.JobID] = true
		}
	}
	for _, id := range d.Budget.InFlight {
		if j := d.Jobs[id]; !held[id] && !j.Status.Terminal() {
			return true
		}
	}
	return false
}

func (d *decision) budgetLasts() time.Duration {
	switch {
	case !d.othersRun():
		return budgetAlone
	case d.inSlots > 0:
		return budgetShared
	}
	return budgetFresh
}

// limitsStaleAt is when a reading is too old to post by. A used-up quota is
// looked at again when a use expires, and within the hour since a person may
// have given some back.
func (d *decision) limitsStaleAt() time.Time {
	b := d.Budget
	if b.ReadAt.After(d.now.Add(clockSlack)) { // the clock was set back since
		return d.now
	}
	if d.FreeQuota() != 0 && !d.spoken {
		return b.ReadAt.Add(d.budgetLasts())
	}
	if frees := d.quotaFreesAfter(b.ReadAt); frees.After(b.ReadAt) && frees.Before(b.ReadAt.Add(quotaAgain)) {
		return frees
	}
	return b.ReadAt.Add(quotaAgain)
}

// post plans the next POST with all that must precede it, or says why not.
func (d *decision) post() {
	ready := d.sift(d.queue())
	if len(ready) == 0 {
		return
	}
	if wait, until, acts, blocked := d.blocked(); blocked {
		d.standAll(ready, wait, until, acts)
		return
	}
	d.spoken = ready[0].Rank == weir.RankBackfill && !d.ahead().Admits(d.now)
	if d.full() {
		d.standForSlot(ready)
		return
	}
	if why, due := d.readLimitsFirst(); due {
		d.askBefore(ready, ReadLimits, why)
		return
	}
	if !d.waitForReads(ready) {
		d.admit(ready)
	}
}

// full reports that every slot is taken by weir itself: only the end of one of
// its own jobs can free one, so that no reading is worth its request.
func (d *decision) full() bool {
	return d.Budget.Known() && d.Budget.Slots > 0 && d.held() >= d.Budget.Slots
}

// held is how many slots weir holds for this account.
func (d *decision) held() int { return d.inSlots }

// askBefore plans a read that a POST must wait for.
func (d *decision) askBefore(ready []*weir.Export, do Verb, why string) {
	d.ask(do, why)
	soon := d.now.Add(time.Second)
	d.standAll(ready, weir.Wait{Code: weir.WaitTurn, Text: why}, soon, time.Time{}) // a look is no act
}

// waitForReads holds POSTs while a read that must precede them backs off.
func (d *decision) waitForReads(ready []*weir.Export) bool {
	until := time.Time{}
	if !d.Budget.Known() && !d.limitsForbidden() {
		until = d.Limits.NotBefore
	}
	if !d.Listing.Absent && d.listStale() {
		until = laterOf(until, d.List.NotBefore)
	}
	if !d.now.Before(until) {
		return false
	}
	acts := until
	if max(d.Limits.InARow, d.List.InARow) >= maxReadTries {
		acts = time.Time{} // trying on, but nothing says that it will ever succeed
	}
	d.standAll(ready, weir.Wait{Code: weir.WaitRetry, Text: "the limits or the list of jobs could not be read; trying again"}, until, acts)
	return true
}

func (d *decision) listStale() bool {
	return d.Listing.At.IsZero() || d.now.Sub(d.Listing.StartedAt) > listingFresh-time.Second
}

// doubtStale asks for a list right before an export is posted again whose lost
// POST was presumed absent: what is being waited for meanwhile, a job of it can
// show itself late, and buying another would be paying twice.
func (d *decision) doubtStale(e *weir.Export) bool {
	inDoubt := !e.PresumedAbsentAt.IsZero() && d.now.Sub(e.PresumedAbsentAt) <= AbsenceDoubt
	return inDoubt && !d.Listing.Absent && !d.now.Before(d.List.NotBefore) && d.now.Sub(d.Listing.At) > d.doubtFresh()
}

// doubtFresh leaves the POST that follows the list its turn also where the
// learned pace is slow.
func (d *decision) doubtFresh() time.Duration {
	if d.Policy.Rate <= 0 {
		return doubtFresh
	}
	return min(doubtFresh+time.Duration(4/d.Policy.Rate*float64(time.Second)), listingFresh)
}

func (d *decision) listFirst() bool {
	return !d.Listing.Absent && d.listStale() && !d.now.Before(d.List.NotBefore)
}

// sift gives a stand to exports that may not be posted whatever the limits, and
// returns the others in order.
func (d *decision) sift(waiting []*weir.Export) []*weir.Export {
	var ready []*weir.Export
	for _, e := range waiting {
		if d.now.Before(e.NotBefore) {
			d.stand(e, e.Wait, e.NotBefore, e.NotBefore)
		} else if twin, found := d.unknownLike(e); found {
			d.stand(e, weir.Wait{Code: weir.WaitTwin, Text: fmt.Sprintf("export %d asks for the same and its fate is unknown", twin)}, d.now.Add(standAgain), time.Time{})
		} else {
			ready = append(ready, e)
		}
	}
	return ready
}

func (d *decision) unknownLike(e *weir.Export) (int64, bool) {
	for _, i := range d.unknown {
		other := &d.Exports[i]
		if other.Request.SameTarget(e.Request) {
			return other.ID, true
		}
	}
	return 0, false
}

// blocked says why nothing may be posted for the account at all.
func (d *decision) blocked() (wait weir.Wait, until, acts time.Time, blocked bool) {
	if d.Policy.StartNothing {
		wait := weir.Wait{Code: weir.WaitTurn, Text: "this command starts nothing; go on with: weir resume"}
		return wait, d.now.Add(lookAgain), time.Time{}, true
	}
	if d.Policy.Sequential {
		return d.blockedSequential()
	}
	if d.now.Before(d.Budget.HoldUntil) {
		return d.Budget.HoldWhy, d.Budget.HoldUntil, d.holdActs(), true
	}
	return weir.Wait{}, time.Time{}, time.Time{}, false
}

// holdActs: the end of a hold is only another look, not an act, when it is the
// quota that is waited for.
func (d *decision) holdActs() time.Time {
	if d.Budget.HoldWhy.Code == weir.WaitQuota {
		return d.quotaFreesAt()
	}
	return d.Budget.HoldUntil
}

func (d *decision) blockedSequential() (wait weir.Wait, until, acts time.Time, blocked bool) {
	for i := range d.Exports {
		e := &d.Exports[i]
		if d.abandoned(*e) {
			text := fmt.Sprintf("nothing more starts while it is open what becomes of %s", e.Request.Title())
			return weir.Wait{Code: weir.WaitJob, Text: text}, d.now.Add(standAgain), time.Time{}, true
		}
		if e.State.HoldsSlot() {
			text := fmt.Sprintf("one job at a time: %s goes first", e.Request.Title())
			return weir.Wait{Code: weir.WaitTurn, Text: text}, d.now.Add(standAgain), d.now.Add(time.Second), true
		}
	}
	if pause := d.LastEndAt.Add(d.Policy.Delay); !d.LastEndAt.IsZero() && d.now.Before(pause) {
		return weir.Wait{Code: weir.WaitDelay, Text: "the pause between exports"}, pause, pause, true
	}
	if d.now.Before(d.Budget.HoldUntil) {
		return d.Budget.HoldWhy, d.Budget.HoldUntil, d.holdActs(), true
	}
	return weir.Wait{}, time.Time{}, time.Time{}, false
}

// abandoned reports an export that holds its slot and that nobody waits for any
// more: its polls are used up, its job takes too long, or only a person can say
// what became of it.
func (d *decision) abandoned(e weir.Export) bool {
	switch {
	case e.State == weir.Unknown:
		return e.NeedsPerson != ""
	case e.State != weir.Running:
		return false
	case d.Policy.Sequential:
		return e.Polls >= d.Policy.MaxAttempts
	}
	_, over := d.overdue(&e)
	return over
}

// admit posts the first export that the limits allow and tells the others why
// they wait. One POST is in flight at a time, so one is planned at a time.
func (d *decision) admit(ready []*weir.Export) {
	first := ready[0]
	if d.FreeQuota() == 0 {
		d.standForQuota(ready)
		return
	}
	if d.spoken {
		d.standForScheduled(ready)
		return
	}
	if d.FreeSlots() == 0 {
		d.standForSlot(ready)
		return
	}
	if d.listFirst() {
		d.askBefore(ready, ListJobs, "no POST without knowing the jobs there are")
		return
	}
	if d.doubtStale(first) {
		d.askBefore(ready, ListJobs, "its POST was lost before: looking once more whether a job of it shows itself late")
		return
	}
	d.act(Action{Do: Post, Export: first.ID, Why: "a slot is free"})
	d.standAll(ready[1:], weir.Wait{Code: weir.WaitTurn, Text: "one POST at a time: " + first.Request.Title() + " goes first"}, d.now.Add(time.Second), d.now.Add(time.Second))
}

func (d *decision) standForSlot(ready []*weir.Export) {
	if ours := d.held(); ours > 0 {
		text := fmt.Sprintf("all %d slots are taken (%d by weir)", max(d.Budget.Slots, ours), ours)
		until := d.now.Add(standAgain)
		if stale := d.limitsStaleAt(); !d.full() && d.Budget.Known() && stale.Before(until) {
			until = stale
		}
		until = d.sharedUntil(until)
		d.standAll(ready, weir.Wait{Code: weir.WaitSlot, Text: text}, until, d.slotActs())
		return
	}
	until := d.sharedUntil(d.Budget.ReadAt.Add(budgetFresh))
	text := fmt.Sprintf("all %d slots are taken by other jobs of the organisation", d.Budget.Slots)
	d.standAll(ready, weir.Wait{Code: weir.WaitSlot, Text: text}, until, time.Time{})
}

func (d *decision) sharedUntil(until time.Time) time.Time {
	if soon := d.now.Add(sharedLook); d.Shared && !d.full() && soon.Before(until) {
		return soon
	}
	return until
}

// slotActs: one of weir's own jobs may end at any time, but of an export that
// weir no longer waits for nobody knows when it gives its slot back.
func (d *decision) slotActs() time.Time {
	for _, e := range d.Exports {
		if e.State.HoldsSlot() && !d.abandoned(e) {
			return d.now.Add(time.Second)
		}
	}
	return time.Time{}
}

func (d *decision) standAll(exports []*weir.Export, wait weir.Wait, until, acts time.Time) {
	for _, e := range exports {
		d.stand(e, wait, until, acts)
	}
}

// ask plans one read of the account, once.
func (d *decision) ask(do Verb, why string) {
	for _, a := range d.plan.Actions {
		if a.Do == do && a.Export == 0 {
			return
		}
	}
	d.act(Action{Do: do, Why: why})
}

func (d *decision) askJob(id string, export int64, why string) {
	d.act(Action{Do: ReadJob, Export: export, JobID: id, Why: why})
}
