package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/plan"
)

// takeOver makes what an earlier owner left fit to go on with: its claims are
// opened again, and every proof of absence starts anew, counted from now.
func (c *Conductor) takeOver(ctx context.Context, provedDead bool) error {
	asked := time.Now()
	now, err := c.Ledger.Now(ctx)
	if err != nil {
		return err
	}
	c.clock = storeClock{base: now, asked: asked}
	c.memory = newMemory()
	if err := c.takeOverPace(ctx); err != nil {
		return err
	}
	if _, err := c.Ledger.SweepClaims(ctx, c.hold.lease); err != nil {
		return err
	}
	exports, err := c.Ledger.ListExports(ctx, ledger.Filter{Account: c.Account, OpenOnly: true})
	if err != nil {
		return err
	}
	org, err := c.Ledger.Organisation(ctx, c.Account)
	if err != nil {
		return err
	}
	settle := plan.SettleTakeover
	if provedDead {
		settle = plan.SettleOwn
	}
	for _, e := range exports {
		if err := c.takeOverExport(ctx, e, now, settle, org.Readings); err != nil && !errors.Is(err, ledger.ErrStale) {
			return err
		}
	}
	return nil
}

// takeOverPace goes on from the pace that the earlier owner kept: what the
// server told it is told to every process that uses the key.
func (c *Conductor) takeOverPace(ctx context.Context) error {
	state, err := LoadGate(ctx, c.Ledger, c.Account, time.Now())
	if err == nil && state.Requests > 0 {
		c.Gate.Resume(state)
	}
	return err
}

func (c *Conductor) takeOverExport(ctx context.Context, e weir.Export, now time.Time, settle time.Duration, readings int64) error {
	switch e.State {
	case weir.Submitting:
		return c.takeOverIntent(ctx, e, now, settle)
	case weir.Unknown:
		_, err := c.Ledger.Amend(ctx, c.hold.lease, e.ID, weir.Unknown, func(e *weir.Export) {
			e.LostAt, e.LostIn, e.Settle = now, readings, settle
			e.AbsentListings, e.AbsentListedAt = 0, time.Time{}
		})
		return err
	}
	return nil
}

// takeOverIntent ends an intent that nobody can hear the answer of any more: a
// job that an answer named is accepted, else the fate is unknown.
func (c *Conductor) takeOverIntent(ctx context.Context, e weir.Export, now time.Time, settle time.Duration) error {
	jobs, err := c.Ledger.JobsSeenAfter(ctx, c.Account, e.IntentSeq)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if j.ExportID == e.ID {
			return c.move(ctx, e.ID, weir.Accept(cause(now, "the server had named its job before the conductor changed", ""), j.ID))
		}
	}
	return c.move(ctx, e.ID, weir.Lose(cause(now, "its conductor ended before an answer was kept", ""), settle))
}

// decide carries out an action that needs no request.
func (c *Conductor) decide(ctx context.Context, v plan.View, a plan.Action) error {
	e, err := exportIn(v, a.Export)
	if err != nil {
		return err
	}
	now := c.clock.now()
	why := cause(now, a.Why, "")
	switch a.Do {
	case plan.LoseIntent:
		return c.move(ctx, e.ID, weir.Lose(why, plan.SettleOwn))
	case plan.AdoptJob:
		return c.adopt(ctx, e, a, why)
	case plan.ReadDirect:
		return c.readAnew(ctx, e, why)
	case plan.JudgeAbsent:
		return c.move(ctx, e.ID, weir.PresumeAbsent(why))
	case plan.DropExport:
		return c.ended(c.move(ctx, e.ID, weir.Drop(why)), now)
	case plan.SettleJob:
		return c.settle(ctx, e, v.Jobs[a.JobID])
	case plan.GiveUpExport:
		return c.ended(c.move(ctx, e.ID, weir.GiveUpJob(why, weir.Failure{
			Code: weir.CodeExhausted, Message: a.Why, Hint: "when the server answers again: weir retry " + fmt.Sprint(e.ID),
		})), now)
	}
	return c.amend(ctx, e, amendment(a, now))
}

// readAnew brings an export without a job to its landing again. Between the two
// moves nothing is asked of the server.
func (c *Conductor) readAnew(ctx context.Context, e weir.Export, why weir.Cause) error {
	if e.State == weir.Planned {
		if err := c.move(ctx, e.ID, weir.ReadDirect(why)); err != nil {
			return err
		}
	}
	return c.move(ctx, e.ID, weir.Finish(why))
}

// amendment is the change of the decisions that are no transition.
func amendment(a plan.Action, now time.Time) func(*weir.Export) {
	return func(e *weir.Export) {
		switch a.Do {
		case plan.CountAbsent:
			e.AbsentListings++
			e.AbsentListedAt = now
		case plan.AskPerson:
			e.NeedsPerson = a.Why
		case plan.ReportTwin:
			e.Twin = a.JobID
		}
	}
}

// adopt takes a recognised job as the export's own. The fact is written first:
// from then on no other export can be given the same job.
func (c *Conductor) adopt(ctx context.Context, e weir.Export, a plan.Action, why weir.Cause) error {
	if err := c.Ledger.BindJob(ctx, c.Account, e.ID, a.JobID, why.At); err != nil {
		return err
	}
	c.Log.Info("adopt job", "export", e.ID, "job", a.JobID, "why", a.Why)
	switch e.State {
	case weir.Submitting:
		return c.move(ctx, e.ID, weir.Accept(why, a.JobID))
	case weir.Unknown:
		return c.move(ctx, e.ID, weir.Adopt(why, a.JobID))
	}
	return c.move(ctx, e.ID, weir.AdoptInstead(why, a.JobID))
}

// lateLooked bounds how many of the newest exports are looked at for late jobs.
const lateLooked = 200

// reportLate reports a job of a presumed-absent POST that shows itself when its
// export is with its result or has ended: no plan looks at such an export any
// more, but somebody paid for that job. One that still waits is the plan's.
func (c *Conductor) reportLate(ctx context.Context, now time.Time) error {
	exports, err := c.Ledger.ListExports(ctx, ledger.Filter{Account: c.Account, Limit: lateLooked})
	if err != nil {
		return err
	}
	for _, e := range exports {
		past := e.State == weir.Ready || !e.State.Open()
		if !past || e.PresumedAbsentAt.IsZero() || e.Twin != "" {
			continue
		}
		if err := c.reportTwinOf(ctx, e, now); err != nil && !errors.Is(err, ledger.ErrStale) {
			return err
		}
	}
	return nil
}

// madeInDoubt reports whether a job was made while the absence of e's was in
// doubt, however much later a list shows it. A job whose id does not tell when it
// was made counts by when it is seen.
func (c *Conductor) madeInDoubt(e weir.Export, j weir.Job, now time.Time) bool {
	made, ok := weir.JobCreated(j.ID, now.Add(c.memory.serverAhead))
	if !ok {
		made = now
	}
	return made.Sub(e.PresumedAbsentAt) <= plan.AbsenceDoubt
}

func (c *Conductor) reportTwinOf(ctx context.Context, e weir.Export, now time.Time) error {
	jobs, err := c.Ledger.JobsSeenAfter(ctx, c.Account, e.AbsentSeq)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if j.ExportID != 0 || j.ID == e.JobID || weir.Recognise(j.FileName, e.Request) != weir.Match || !c.madeInDoubt(e, j, now) {
			continue
		}
		theirs, err := c.Ledger.JobsBeside(ctx, c.Account, j.ID)
		if err != nil {
			return err
		}
		if len(theirs) == 0 {
			c.Log.Warn("a job that looks like a lost POST appeared late", "export", e.ID, "job", j.ID)
			return c.amend(ctx, e, func(e *weir.Export) { e.Twin = j.ID })
		}
	}
	return nil
}

// settle moves a running export on the server's word that its job has ended.
func (c *Conductor) settle(ctx context.Context, e weir.Export, job weir.Job) error {
	now := c.clock.now()
	c.memory.lastTerminal = now
	if ran := job.Duration(); ran > 0 && job.Status == weir.JobDone {
		key := plan.HistoryKey(e.Request)
		if err := c.Ledger.SaveDuration(ctx, c.Account, key, job.ID, job.EndedAt, ran); err != nil {
			return err
		}
	}
	return c.ended(c.move(ctx, e.ID, settlement(e, job, now)), now)
}

// settlement is what a job's end means for its export.
func settlement(e weir.Export, job weir.Job, now time.Time) weir.Transition {
	why := cause(now, "the server says "+job.RawStatus, "status of job "+job.ID+": "+job.RawStatus)
	switch {
	case job.Status == weir.JobDone:
		return weir.Finish(why)
	case job.Status != weir.JobFailed:
		return weir.Stop(why, weir.Failure{
			Code: weir.CodeJobStopped, Message: fmt.Sprintf("job %s was %s", job.ID, job.Status),
			Hint: fmt.Sprintf("weir never starts it again by itself: weir retry %d", e.ID),
		})
	case e.Jobs < e.JobsAllowed && e.CancelRequestedAt.IsZero():
		why.Why += fmt.Sprintf("; job %d of at most %d", e.Jobs, e.JobsAllowed)
		return weir.TryAgain(why, time.Time{}, weir.Wait{})
	}
	return weir.GiveUpJob(why, weir.Failure{
		Code: weir.CodeJobFailed, Message: fmt.Sprintf("the server failed job %s, the last of %d", job.ID, e.Jobs),
		Hint: fmt.Sprintf("look at the export in Clari itself, then: weir retry %d", e.ID),
	})
}

// ended remembers that an export left the server, for the pause between exports.
func (c *Conductor) ended(err error, now time.Time) error {
	if err == nil {
		c.memory.lastEnd = now
	}
	return err
}

func (c *Conductor) move(ctx context.Context, id int64, t weir.Transition) error {
	_, err := c.Ledger.Move(ctx, c.hold.lease, id, t)
	return err
}

func (c *Conductor) amend(ctx context.Context, e weir.Export, change func(*weir.Export)) error {
	_, err := c.Ledger.Amend(ctx, c.hold.lease, e.ID, e.State, change)
	return err
}

func cause(at time.Time, why, request string) weir.Cause {
	return weir.Cause{At: at, Why: why, Request: request}
}
