package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/clari"
	"github.com/weirhq/weir/plan"
)

// A list is heavy, so that jobs are read one by one, when it took more bytes
// for each job in flight or longer than this (rules §6).
const (
	heavyBytes = 256 << 10
	heavyTime  = 2 * time.Second
)

// listJobs reads the list of all jobs: one request polls them all.
func (c *Conductor) listJobs(ctx context.Context, v plan.View) error {
	started := c.clock.now()
	list, err := c.API.Jobs(ctx)
	now := c.clock.now()
	c.heard(err)
	switch {
	case err == nil:
		c.sync(list.Date, now)
		return c.listed(ctx, v, list, started, now)
	case errors.Is(err, clari.ErrNotFound):
		c.memory.listing.Absent = true
		return nil
	}
	c.failed(&c.memory.list, err, now)
	return nil
}

// listed writes down what a complete list told. Jobs that say what they said
// before are not written again: the list grows for ever.
func (c *Conductor) listed(ctx context.Context, v plan.View, list clari.JobList, started, now time.Time) error {
	writing, cancel := lasting(ctx)
	defer cancel()
	changed := c.memory.news(list.Jobs)
	if err := c.Ledger.SeeJobs(writing, c.Account, changed, now, true); err != nil {
		return err
	}
	if err := c.rememberListed(writing, list.Jobs, now); err != nil {
		return err
	}
	if err := c.nameOrganisation(writing, v.Account, list.Jobs); err != nil {
		return err
	}
	if len(changed) > 0 {
		if err := c.reportLate(writing, now); err != nil {
			return err
		}
	}
	c.memory.list = plan.ReadFailures{}
	running := max(1, inFlight(v.Exports))
	c.memory.listing = plan.Listing{
		At: now, StartedAt: started,
		Heavy: list.Bytes > heavyBytes*int64(running) || now.Sub(started) > heavyTime,
	}
	c.warnUnrecognised(list.Jobs)
	return nil
}

// news are the jobs that differ from what was last written, and keeps them.
func (m *memory) news(jobs []weir.Job) []weir.Job {
	var changed []weir.Job
	for _, j := range jobs {
		if last, known := m.listed[j.ID]; !known || last != j {
			changed = append(changed, j)
			m.listed[j.ID] = j
		}
	}
	return changed
}

// rememberListed keeps which ids the next complete list must hold too, which it
// failed to hold, and what each file name shows.
func (c *Conductor) rememberListed(ctx context.Context, jobs []weir.Job, now time.Time) error {
	before, err := c.Ledger.ListedBefore(ctx, c.Account, now)
	if err != nil {
		return err
	}
	inList := make(map[string]bool, len(jobs))
	byTarget := map[string][]string{}
	for _, j := range jobs {
		inList[j.ID] = true
		if forecastID, period, ok := weir.FileTarget(j.FileName); ok {
			target := targetOf(forecastID, period)
			byTarget[target] = append(byTarget[target], j.ID)
		}
	}
	c.memory.byTarget = byTarget
	c.memory.missing = slices.DeleteFunc(before, func(id string) bool { return inList[id] })
	return nil
}

// nameOrganisation keeps the organisation once a job names it.
func (c *Conductor) nameOrganisation(ctx context.Context, a weir.Account, jobs []weir.Job) error {
	if a.OrgID != "" {
		return nil
	}
	for _, j := range jobs {
		if j.OrgID != "" {
			return c.Ledger.SetOrg(ctx, c.Account, j.OrgID)
		}
	}
	return nil
}

// warnUnrecognised says once of each unknown status word that it is taken for
// still running.
func (c *Conductor) warnUnrecognised(jobs []weir.Job) {
	for _, j := range jobs {
		if j.Status == weir.JobUnrecognised && !c.memory.warned[j.RawStatus] {
			c.memory.warned[j.RawStatus] = true
			c.Log.Warn("job status is not known; taken for still running", "status", j.RawStatus, "job", j.ID)
		}
	}
}

// readJob reads one job by its id: a running export's, or one whose owner is
// to be found out.
func (c *Conductor) readJob(ctx context.Context, v plan.View, a plan.Action) error {
	job, date, err := c.API.Job(ctx, a.JobID)
	now := c.clock.now()
	c.heard(err)
	writing, cancel := lasting(ctx)
	defer cancel()
	if err == nil {
		c.sync(date, now)
		c.warnUnrecognised([]weir.Job{job})
		if err := c.Ledger.SeeJobs(writing, c.Account, []weir.Job{job}, now, false); err != nil {
			return err
		}
		if a.Export != 0 { // a job of our own
			if err := c.nameOrganisation(writing, v.Account, []weir.Job{job}); err != nil {
				return err
			}
		}
	}
	if a.Export == 0 {
		c.placed(a.JobID, err, now)
		return nil
	}
	return c.polled(writing, v, a, err, now)
}

// placed remembers that a job id is somebody else's.
func (c *Conductor) placed(jobID string, err error, now time.Time) {
	switch {
	case err == nil:
	case errors.Is(err, clari.ErrNotFound), errors.Is(err, clari.ErrInvalidJob), errors.Is(err, clari.ErrForbidden), errors.Is(err, clari.ErrBadRequest):
		c.memory.unreadable[jobID] = true
	default:
		c.failed(&c.memory.list, err, now)
	}
}

// polled counts a status answer of a running export. A 429 is no answer; a
// connection error is no try.
func (c *Conductor) polled(ctx context.Context, v plan.View, a plan.Action, err error, now time.Time) error {
	e, missing := exportIn(v, a.Export)
	if missing != nil {
		return missing
	}
	denied := errors.Is(err, clari.ErrNotFound) || errors.Is(err, clari.ErrInvalidJob)
	switch {
	case err == nil:
		return c.amend(ctx, e, func(e *weir.Export) {
			e.PolledAt, e.PollFailures = now, 0
			e.Polls++
			e.NotBefore = time.Time{}
		})
	case denied && youngAndUnseen(e, v.Jobs[a.JobID], now):
		return c.amend(ctx, e, func(e *weir.Export) {
			e.PolledAt, e.NotBefore = now, now.Add(backoff(e.Polls))
			e.Wait = weir.Wait{Code: weir.WaitJob, Text: "the server does not show job " + a.JobID + " yet"}
			e.Polls++
		})
	case denied:
		return c.move(ctx, e.ID, weir.LoseJob(cause(now, err.Error(), "GET job "+a.JobID), "the server no longer knows job "+a.JobID))
	case !isTry(err):
		return nil
	}
	return c.amend(ctx, e, func(e *weir.Export) {
		e.PollFailures++
		e.NotBefore = now.Add(backoff(e.PollFailures - 1))
		e.Wait = weir.Wait{Code: weir.WaitRetry, Text: err.Error()}
	})
}

// youngAndUnseen: a job that no answer has shown since the server named it may
// only be late to be seen.
func youngAndUnseen(e weir.Export, j weir.Job, now time.Time) bool {
	return j.RawStatus == "" && !e.SubmittedAt.IsZero() && now.Sub(e.SubmittedAt) < resultGrace
}

// cancelJob asks the server to stop a job. What becomes of the export is the
// server's word, read right after.
func (c *Conductor) cancelJob(ctx context.Context, v plan.View, a plan.Action) error {
	e, err := exportIn(v, a.Export)
	if err != nil {
		return err
	}
	asking, cancelAsking := graceful(ctx, answerGrace)
	_, cancelErr := c.API.Cancel(asking, a.JobID)
	cancelAsking()
	c.heard(cancelErr)
	writing, cancel := lasting(ctx)
	defer cancel()
	now := c.clock.now()
	answered := cancelErr == nil || errors.Is(cancelErr, clari.ErrAlreadyFinished) ||
		errors.Is(cancelErr, clari.ErrBadRequest) || errors.Is(cancelErr, clari.ErrNotFound)
	if !answered {
		return c.amend(writing, e, func(e *weir.Export) {
			e.NotBefore = now.Add(backoff(0))
			e.Wait = weir.Wait{Code: weir.WaitRetry, Text: cancelErr.Error()}
		})
	}
	if err := c.amend(writing, e, func(e *weir.Export) { e.CancelSentAt = now }); err != nil {
		return err
	}
	return c.readJob(ctx, v, plan.Action{Do: plan.ReadJob, Export: e.ID, JobID: a.JobID})
}
