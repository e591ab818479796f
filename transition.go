package weir

import (
	"errors"
	"fmt"
	"time"
)

// ErrIllegalMove marks a transition whose from-state is not the export's.
var ErrIllegalMove = errors.New("not a legal move")

// Cause is when a transition happens, why, and which request told.
type Cause struct {
	At time.Time
	// ServerAhead is the server's clock minus the one that At is by, as last seen.
	ServerAhead time.Duration
	Why         string
	Request     string
}

// Transition is one legal move with its consequence. Only the constructors
// below build one; a ledger applies it compare-and-set: exactly when the export
// still stands in From.
type Transition struct {
	From, To State
	Cause    Cause
	// Version is that of the [Organisation] on which the decision rests: a later
	// one makes it stale. 0 rests on none.
	Version int64
	apply   func(*Export)
}

// Apply returns the export after the transition, or [ErrIllegalMove] when it
// does not stand where the transition starts.
func (t Transition) Apply(e Export) (Export, error) {
	if e.State != t.From || !CanMove(t.From, t.To) {
		return e, fmt.Errorf("move export %d from %s to %s: it is %s: %w", e.ID, t.From, t.To, e.State, ErrIllegalMove)
	}
	e.State, e.ChangedAt = t.To, t.Cause.At
	e.NotBefore, e.Wait = time.Time{}, Wait{}
	t.apply(&e)
	return e, nil
}

func (t Transition) event(e Export) Event {
	return Event{ExportID: e.ID, At: t.Cause.At, From: t.From, To: t.To, Why: t.Cause.Why, Request: t.Cause.Request, JobID: e.JobID}
}

// Event is the record that a ledger keeps of the transition of e, where e is
// the export after it.
func (t Transition) Event(e Export) Event { return t.event(e) }

// RestingOn is the transition, to be applied only while the organisation is as
// it was at that version.
func (t Transition) RestingOn(version int64) Transition {
	t.Version = version
	return t
}

// Submit commits the intent to POST, before anything is sent (planned →
// submitting).
func Submit(c Cause, generation int64) Transition {
	return Transition{From: Planned, To: Submitting, Cause: c, apply: func(e *Export) {
		e.SubmittedAt, e.PostedAt, e.Generation = c.At, c.At.Add(c.ServerAhead), generation
		e.JobID, e.Adopted, e.NeedsPerson = "", false, ""
		e.PolledAt, e.Polls, e.PollFailures, e.DoneAt = time.Time{}, 0, 0, time.Time{}
		e.LostAt, e.Settle, e.AbsentListings, e.AbsentListedAt = time.Time{}, 0, 0, time.Time{}
	}}
}

// Accept records that the server named a job for the POST (submitting →
// running).
func Accept(c Cause, jobID string) Transition {
	return Transition{From: Submitting, To: Running, Cause: c, apply: func(e *Export) {
		e.JobID = jobID
		e.Jobs++
	}}
}

// PutBack returns an export whose POST certainly started nothing: throttled,
// refused for slots or quota, or never sent (submitting → planned). The wait
// may be zero.
func PutBack(c Cause, notBefore time.Time, wait Wait) Transition {
	return Transition{From: Submitting, To: Planned, Cause: c, apply: func(e *Export) {
		e.SubmittedAt, e.PostedAt = time.Time{}, time.Time{}
		e.NotBefore, e.Wait = notBefore, wait
	}}
}

// RefuseRequest ends an export whose POST got a definite refusal (submitting →
// failed).
func RefuseRequest(c Cause, f Failure) Transition {
	return Transition{From: Submitting, To: Failed, Cause: c, apply: func(e *Export) { e.Failure = &f }}
}

// Lose records that a POST may have acted and its answer is lost (submitting →
// unknown). settle is how long after c.At the first listing may count.
func Lose(c Cause, settle time.Duration) Transition {
	return Transition{From: Submitting, To: Unknown, Cause: c, apply: func(e *Export) { lose(e, c.At, settle) }}
}

// LoseJob records that the job of a running export can no longer be read
// (running → unknown).
func LoseJob(c Cause, needsPerson string) Transition {
	return Transition{From: Running, To: Unknown, Cause: c, apply: func(e *Export) {
		lose(e, c.At, 0)
		e.NeedsPerson = needsPerson
	}}
}

func lose(e *Export, at time.Time, settle time.Duration) {
	e.LostAt, e.Settle = at, settle
	e.AbsentListings, e.AbsentListedAt = 0, time.Time{}
}

// Adopt takes a recognised job as the export's own (unknown → running), by
// reading only.
func Adopt(c Cause, jobID string) Transition {
	return Transition{From: Unknown, To: Running, Cause: c, apply: func(e *Export) {
		e.JobID, e.Adopted, e.NeedsPerson = jobID, true, ""
		e.Jobs++
	}}
}

// AdoptInstead takes a job that was there before as the export's own instead
// of a POST (planned → running).
func AdoptInstead(c Cause, jobID string) Transition {
	return Transition{From: Planned, To: Running, Cause: c, apply: func(e *Export) {
		e.Adopted = e.JobID != jobID // reading its own job again recognises nothing
		e.JobID = jobID
		e.PolledAt, e.Polls, e.PollFailures, e.DoneAt = time.Time{}, 0, 0, time.Time{}
		e.Jobs++
		e.PresumedAbsentAt = time.Time{}
	}}
}

// ReadDirect takes up again, at a person's word, an export that is read without
// a job: nothing is asked of the server before its landing (planned → running,
// at once followed by [Finish]).
func ReadDirect(c Cause) Transition {
	return Transition{From: Planned, To: Running, Cause: c, apply: func(e *Export) {
		e.JobID, e.Adopted, e.SubmittedAt = "", false, c.At
	}}
}

// PresumeAbsent records that three complete listings showed no job of the lost
// POST (unknown → planned). By a person it is the decision that there is none.
func PresumeAbsent(c Cause) Transition {
	return Transition{From: Unknown, To: Planned, Cause: c, apply: func(e *Export) {
		e.PresumedAbsentAt, e.NeedsPerson, e.JobID = c.At, "", ""
	}}
}

// Finish records the server's DONE (running → ready).
func Finish(c Cause) Transition {
	return Transition{From: Running, To: Ready, Cause: c, apply: func(e *Export) {
		e.DoneAt = c.At
		e.PollFailures = 0
	}}
}

// TryAgain plans a new job after the server's FAILED while retries are left
// (running → planned).
func TryAgain(c Cause, notBefore time.Time, wait Wait) Transition {
	return Transition{From: Running, To: Planned, Cause: c, apply: func(e *Export) {
		e.JobID, e.Adopted = "", false
		e.NotBefore, e.Wait = notBefore, wait
	}}
}

// GiveUpJob ends an export whose jobs failed as often as allowed (running →
// failed).
func GiveUpJob(c Cause, f Failure) Transition {
	return Transition{From: Running, To: Failed, Cause: c, apply: func(e *Export) { e.Failure = &f }}
}

// Stop records that the job was cancelled or aborted by anyone (running →
// cancelled). It is never posted again by itself.
func Stop(c Cause, f Failure) Transition {
	return Transition{From: Running, To: Cancelled, Cause: c, apply: func(e *Export) { e.Failure = &f }}
}

// Drop ends an export that a person no longer wants before anything was sent
// (planned → cancelled).
func Drop(c Cause) Transition {
	return Transition{From: Planned, To: Cancelled, Cause: c, apply: func(e *Export) {
		e.Failure = &Failure{Code: "cancelled", Message: c.Why}
	}}
}

// Land records that the last open delivery landed (ready → landed).
func Land(c Cause) Transition {
	return Transition{From: Ready, To: Landed, Cause: c, apply: func(e *Export) { e.Failure = nil }}
}

// Reject records that verification refused the result (ready → rejected).
func Reject(c Cause, f Failure) Transition {
	return Transition{From: Ready, To: Rejected, Cause: c, apply: func(e *Export) { e.Failure = &f }}
}

// GiveUpLanding ends an export whose result expired or could not be landed
// (ready → failed).
func GiveUpLanding(c Cause, f Failure) Transition {
	return Transition{From: Ready, To: Failed, Cause: c, apply: func(e *Export) { e.Failure = &f }}
}

// LandAgain opens a rejected result for landing once more, at a person's word
// (rejected → ready). It buys nothing.
func LandAgain(c Cause) Transition {
	return Transition{From: Rejected, To: Ready, Cause: c, apply: func(e *Export) { e.Failure = nil }}
}

// Retry plans a failed or cancelled export anew with a fresh allowance of jobs,
// at a person's word. from is [Failed] or [Cancelled]. jobID names a finished
// job of its own whose result is still there: it is read again instead of
// buying another; empty means there is none.
func Retry(c Cause, from State, jobsAllowed int, jobID string) Transition {
	return Transition{From: from, To: Planned, Cause: c, apply: func(e *Export) {
		e.JobID, e.Failure, e.NeedsPerson = jobID, nil, ""
		e.Jobs, e.JobsAllowed = 0, jobsAllowed
		e.CancelRequestedAt = time.Time{}
	}}
}

// Reopen makes a landed export ready again: its files were lost, or one more
// delivery of it is wanted (landed → ready). It buys nothing.
func Reopen(c Cause) Transition {
	return Transition{From: Landed, To: Ready, Cause: c, apply: func(e *Export) {}}
}
