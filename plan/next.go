package plan

import (
	"fmt"
	"time"

	"github.com/weirhq/weir"
)

const (
	// lookAgain bounds how long a plan may rest when nothing at all is open.
	lookAgain = time.Hour
	// standAgain is how long a stand lasts whose end nobody knows.
	standAgain = time.Minute
)

// Next decides what to do for an account at an instant. The same view and
// instant always give the same plan. Every open export is either the subject of
// an action or has a stand, and LookAgain is after now.
func Next(v View, now time.Time) Plan {
	d := &decision{View: v, now: now, plan: Plan{Stands: make(map[int64]Stand, len(v.Exports)), LookAgain: now.Add(lookAgain)}}
	for i := range v.Exports {
		d.note(&v.Exports[i], i)
	}
	for i := range v.Exports {
		d.decide(&v.Exports[i])
	}
	if len(d.plan.Actions) > 0 { // decisions first: they may change what is asked
		d.standBehind()
		return d.plan
	}
	d.standReady()
	if now.Before(d.closedUntil()) {
		d.standStill()
		return d.plan
	}
	d.cancelWanted()
	d.post()
	d.proveUnknown()
	d.poll()
	return d.plan
}

// decision collects a plan. What it works out on the way it keeps for itself.
type decision struct {
	View
	now  time.Time
	plan Plan
	// spoken says that all exports ready for a POST are backfill, and what is
	// left of the quota is kept for scheduled ones.
	spoken  bool
	inSlots int                   // exports that hold a slot
	waiting int                   // exports that are planned
	unknown []int                 // places in Exports of those of unknown fate
	given   map[string]bool       // jobs that this plan gives to an export
	stray   map[string][]weir.Job // see strays
	unowned []weir.Job            // see loose
}

// note counts what other decisions ask for often.
func (d *decision) note(e *weir.Export, place int) {
	if e.State.HoldsSlot() {
		d.inSlots++
	}
	if e.State == weir.Planned {
		d.waiting++
	}
	if e.State == weir.Unknown {
		d.unknown = append(d.unknown, place)
	}
}

func (d *decision) act(a Action) { d.plan.Actions = append(d.plan.Actions, a) }

// adopt gives a job to one export, and in this plan to no other.
func (d *decision) adopt(e *weir.Export, jobID, why string) {
	if d.given == nil {
		d.given = map[string]bool{}
	}
	d.given[jobID] = true
	d.act(Action{Do: AdoptJob, Export: e.ID, JobID: jobID, Why: why})
}

// stand records why an export does not move and pulls LookAgain nearer.
func (d *decision) stand(e *weir.Export, wait weir.Wait, until, actsAt time.Time) {
	if !until.After(d.now) {
		until = d.now.Add(time.Second)
	}
	d.plan.Stands[e.ID] = Stand{Wait: wait, Until: until, ActsAt: actsAt}
	d.lookAt(until)
}

func (d *decision) lookAt(at time.Time) {
	if at.After(d.now) && at.Before(d.plan.LookAgain) {
		d.plan.LookAgain = at
	}
}

// closedUntil is when requests may go out again: the gate's word or the
// account's hold, whichever is later.
func (d *decision) closedUntil() time.Time {
	if d.Account.NotBefore.After(d.GateOpensAt) {
		return d.Account.NotBefore
	}
	return d.GateOpensAt
}

// standBehind says of everything else that a decision goes first.
func (d *decision) standBehind() {
	subject := map[int64]bool{}
	for _, a := range d.plan.Actions {
		subject[a.Export] = true
	}
	soon := d.now.Add(time.Second)
	for i := range d.Exports {
		e := &d.Exports[i]
		if !subject[e.ID] {
			d.stand(e, weir.Wait{Code: weir.WaitTurn, Text: "what the server told is being written down first"}, soon, time.Time{})
		}
	}
}

// standReady says of results that wait to land that this is somebody else's
// work: those who land them decide when.
func (d *decision) standReady() {
	for i := range d.Exports {
		e := &d.Exports[i]
		if e.State == weir.Ready {
			d.plan.Stands[e.ID] = Stand{
				Wait: weir.Wait{Code: weir.WaitNone, Text: "its result is being landed"}, Until: d.now.Add(standAgain), ActsAt: d.now,
			}
		}
	}
}

func (d *decision) standStill() {
	until, why := d.closedUntil(), d.GateWhy
	if d.Account.NotBefore.Equal(until) {
		why = d.Account.Wait
	}
	for i := range d.Exports {
		e := &d.Exports[i]
		if e.State != weir.Ready {
			d.stand(e, why, until, until)
		}
	}
	d.lookAt(until)
}

// decide takes the decisions about one export that need no request.
func (d *decision) decide(e *weir.Export) {
	if e.Request.Direct && (e.State == weir.Planned || e.State == weir.Running) {
		d.decideDirect(e)
		return
	}
	switch e.State {
	case weir.Submitting:
		d.decideSubmitting(e)
	case weir.Unknown:
		d.decideUnknown(e)
	case weir.Running:
		d.decideRunning(e)
	case weir.Planned:
		d.decidePlanned(e)
	}
}

// decideSubmitting loses an intent that no living POST of this generation
// stands behind: the answer will never be heard.
func (d *decision) decideSubmitting(e *weir.Export) {
	if job, ok := d.boundJob(e); ok {
		d.adopt(e, job.ID, "the server had named this job before the conductor changed")
		return
	}
	d.act(Action{Do: LoseIntent, Export: e.ID, Why: "its conductor ended before the answer was kept"})
}

func (d *decision) decideRunning(e *weir.Export) {
	// First, for with its result the export leaves the plan.
	if twin, ok := d.lateTwin(e); ok {
		d.act(Action{Do: ReportTwin, Export: e.ID, JobID: twin.ID, Why: "a job that looks like its lost POST appeared after it was posted again"})
	}
	job, known := d.Jobs[e.JobID]
	switch {
	case known && job.Status.Terminal():
		d.act(Action{Do: SettleJob, Export: e.ID, JobID: e.JobID, Why: "its job is " + job.RawStatus})
	case e.PollFailures >= maxReadTries:
		d.act(Action{Do: GiveUpExport, Export: e.ID, JobID: e.JobID,
			Why: fmt.Sprintf("its job could not be read %d times in a row", e.PollFailures)})
	}
}

func (d *decision) decidePlanned(e *weir.Export) {
	if !e.CancelRequestedAt.IsZero() {
		d.act(Action{Do: DropExport, Export: e.ID, Why: "cancelled before anything was sent"})
		return
	}
	if job, why, ok := d.adoptable(e); ok {
		d.adopt(e, job, why)
	}
}

// decideDirect sends an export that needs no job to its landing. It begins there;
// only a person's retry brings it back before it.
func (d *decision) decideDirect(e *weir.Export) {
	if e.State == weir.Planned && !e.CancelRequestedAt.IsZero() {
		d.act(Action{Do: DropExport, Export: e.ID, Why: "cancelled before anything was read"})
		return
	}
	d.act(Action{Do: ReadDirect, Export: e.ID, Why: "it is read without a job"})
}

// maxReadTries is how often in a row a status may fail to be read (rules §4).
const maxReadTries = 10

// cancelWanted asks the server to stop jobs that a person wants stopped.
func (d *decision) cancelWanted() {
	for i := range d.Exports {
		e := &d.Exports[i]
		wanted := e.State == weir.Running && !e.CancelRequestedAt.IsZero() && e.CancelSentAt.Before(e.CancelRequestedAt)
		if wanted {
			d.lookAt(e.NotBefore)
		}
		if wanted && (!e.Adopted || e.CancelForced) && !d.now.Before(e.NotBefore) {
			d.act(Action{Do: CancelJob, Export: e.ID, JobID: e.JobID, Why: "a person asked for it"})
		}
	}
}
