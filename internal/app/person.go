package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/clari"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/pace"
)

// ownExport reads an export of the session's account; another account's is not
// found.
func (s *Session) ownExport(ctx context.Context, id int64) (weir.Export, error) {
	e, err := s.Ledger.Export(ctx, id)
	if err == nil && e.Account != s.Account.Name {
		err = &Fault{Exit: ExitUsage, Code: "not_found", Hint: "give --account " + e.Account,
			Err: fmt.Errorf("read export %d: it belongs to account %s", id, e.Account)}
	}
	return e, err
}

// OpenIDs are the open exports of the account.
func (s *Session) OpenIDs(ctx context.Context) ([]int64, error) {
	exports, err := s.Ledger.ListExports(ctx, ledger.Filter{Account: s.Account.Name, OpenOnly: true})
	var ids []int64
	for _, e := range exports {
		ids = append(ids, e.ID)
	}
	return ids, err
}

// Cancel wants exports stopped and works until the server has had its word on
// each. An export that has finished already is left as it is. force also
// cancels jobs that weir recognised rather than started.
func (s *Session) Cancel(ctx context.Context, ids []int64, force bool, deadline time.Time, show Show) (Outcome, error) {
	var wanted []int64
	for _, id := range ids {
		e, err := s.ownExport(ctx, id)
		if err != nil {
			return Outcome{}, err
		}
		if err := wantCancelled(ctx, s.Ledger, e, force); err != nil {
			return Outcome{}, err
		}
		wanted = append(wanted, id)
	}
	s.Conductor.Policy.StartNothing = true
	outcome, err := s.workOn(ctx, wanted, func(e weir.Export, _ weir.Delivery) bool { return e.State.Open() && e.State != weir.Ready }, deadline, show)
	outcome.Cancelling = true
	return outcome, err
}

// wantCancelled records the wish; an export that moved meanwhile is read again.
func wantCancelled(ctx context.Context, l ledger.Ledger, e weir.Export, force bool) error {
	if e.Adopted && e.State == weir.Running && !force {
		return &Fault{Exit: ExitUsage, Code: "adopted", Hint: "give --force to cancel it all the same",
			Err: fmt.Errorf("cancel export %d: weir recognised job %s and did not start it", e.ID, e.JobID)}
	}
	for range 10 {
		if !e.State.Open() || e.State == weir.Ready {
			return nil
		}
		now, err := l.Now(ctx)
		if err != nil {
			return err
		}
		_, err = l.Amend(ctx, weir.Lease{}, e.ID, e.State, func(e *weir.Export) {
			e.CancelRequestedAt, e.CancelForced = now, force
		})
		if !errors.Is(err, ledger.ErrStale) {
			return err
		}
		if e, err = l.Export(ctx, e.ID); err != nil {
			return err
		}
	}
	return fmt.Errorf("cancel export %d: %w", e.ID, ledger.ErrStale)
}

// Retry opens exports that were given up: a refused result is verified and
// landed again, a failed or cancelled export planned anew with a fresh
// allowance of jobs. A finished job whose result is still there is read again
// instead of buying another.
func (s *Session) Retry(ctx context.Context, ids []int64, jobsAllowed int, deadline time.Time, show Show) (Outcome, error) {
	for _, id := range ids {
		e, err := s.ownExport(ctx, id)
		if err != nil {
			return Outcome{}, err
		}
		if err := wantAgain(ctx, s.Ledger, e, jobsAllowed); err != nil {
			return Outcome{}, err
		}
	}
	return s.workOn(ctx, ids, func(_ weir.Export, d weir.Delivery) bool { return d.Open() }, deadline, show)
}

// wantAgain records that a person wants an export that was given up.
func wantAgain(ctx context.Context, l ledger.Ledger, e weir.Export, jobsAllowed int) error {
	t, err := retryOf(ctx, l, e, jobsAllowed)
	if err != nil {
		return err
	}
	_, err = l.Move(ctx, weir.Lease{}, e.ID, t)
	return err
}

func retryOf(ctx context.Context, l ledger.Ledger, e weir.Export, jobsAllowed int) (weir.Transition, error) {
	now, err := l.Now(ctx)
	if err != nil {
		return weir.Transition{}, err
	}
	why := weir.Cause{At: now, Why: "a person asked to try again"}
	if err := superseded(ctx, l, e); err != nil {
		return weir.Transition{}, err
	}
	switch e.State {
	case weir.Rejected:
		return weir.LandAgain(why), nil
	case weir.Failed, weir.Cancelled:
		jobID, err := readableJob(ctx, l, e, now)
		return weir.Retry(why, e.State, jobsAllowed, jobID), err
	}
	return weir.Transition{}, Usage("only exports that failed, were cancelled or rejected are retried; see: weir status",
		"retry export %d: it is %s", e.ID, e.State)
}

// superseded refuses to land a span of audit events again that a later export
// has landed meanwhile: its events would be there twice.
func superseded(ctx context.Context, l ledger.Ledger, e weir.Export) error {
	if !e.Request.Direct || e.Request.Kind != weir.Audit {
		return nil
	}
	deliveries, err := l.DeliveriesOf(ctx, e.ID)
	if err != nil {
		return err
	}
	first, _ := e.Request.Span()
	for _, d := range deliveries {
		at, err := l.Cursor(ctx, e.Account, d.Destination, d.Format, e.Request)
		if err != nil {
			return err
		}
		if d.State != weir.DeliveryLanded && at.After(first) {
			return Usage("go on with: weir export audit --since-last", "retry export %d: a later export has landed these events at %s", e.ID, d.Destination)
		}
	}
	return nil
}

// readableJob is the export's own job when its result, or its end, can still be
// read: then nothing new is bought.
func readableJob(ctx context.Context, l ledger.Ledger, e weir.Export, now time.Time) (string, error) {
	if e.JobID == "" || e.Failure != nil && e.Failure.Code == weir.CodeJobExpired {
		return "", nil
	}
	jobs, err := l.Jobs(ctx, e.Account, e.JobID)
	if err != nil || len(jobs) == 0 {
		return "", err
	}
	j := jobs[0]
	ended := j.Status == weir.JobFailed || j.Status == weir.JobCancelled || j.Status == weir.JobAborted
	if ended || !j.ExpiresAt.IsZero() && !j.ExpiresAt.After(now) {
		return "", nil
	}
	return j.ID, nil
}

// Resolve decides an export of unknown fate at a person's word: jobID names the
// job that serves it, empty says that there is none and it may be posted again.
func (s *Session) Resolve(ctx context.Context, id int64, jobID string) (weir.Export, error) {
	e, err := s.ownExport(ctx, id)
	if err != nil {
		return e, err
	}
	if e.State != weir.Unknown {
		return e, Usage("see: weir status "+fmt.Sprint(id), "resolve export %d: it is %s, not unknown", id, e.State)
	}
	now, err := s.Ledger.Now(ctx)
	if err != nil {
		return e, err
	}
	if jobID == "" {
		return s.Ledger.Move(ctx, weir.Lease{}, id, weir.PresumeAbsent(weir.Cause{At: now, Why: "a person says that it started no job"}))
	}
	if err := s.checkJob(ctx, e, jobID, now); err != nil {
		return e, err
	}
	return s.Ledger.Move(ctx, weir.Lease{}, id, weir.Adopt(weir.Cause{At: now, Why: "a person says that this job serves it"}, jobID))
}

// checkJob makes sure that the job is there, is nobody else's in this ledger,
// and does not show another forecast or period.
func (s *Session) checkJob(ctx context.Context, e weir.Export, jobID string, now time.Time) error {
	client, err := s.asking()
	if err != nil {
		return err
	}
	job, _, err := client.Job(pace.WithMaxWait(ctx, time.Minute), jobID)
	if errors.Is(err, clari.ErrNotFound) {
		return Usage("see the export jobs in Clari", "resolve export %d: the server knows no job %q", e.ID, jobID)
	} else if err != nil {
		return s.gateFault(err)
	}
	if weir.Recognise(job.FileName, e.Request) == weir.Mismatch {
		return Usage("", "resolve export %d: job %s is of another forecast or period (%s)", e.ID, jobID, job.FileName)
	}
	if err := s.Ledger.SeeJobs(ctx, s.Account.Name, []weir.Job{job}, now, false); err != nil {
		return err
	}
	known, err := s.Ledger.Jobs(ctx, s.Account.Name, jobID)
	if err != nil {
		return err
	}
	if len(known) > 0 && known[0].ExportID != 0 && known[0].ExportID != e.ID {
		return Usage("", "resolve export %d: job %s serves export %d", e.ID, jobID, known[0].ExportID)
	}
	return s.Ledger.BindJob(ctx, s.Account.Name, e.ID, jobID, now)
}

// Suspects are the jobs that appeared after the POST of an unknown export and
// serve nothing else: what a person has to choose from.
func (s *Session) Suspects(ctx context.Context, id int64) (weir.Export, []weir.Job, error) {
	e, err := s.ownExport(ctx, id)
	if err != nil {
		return e, nil, err
	}
	jobs, err := s.Ledger.JobsSeenAfter(ctx, s.Account.Name, e.IntentSeq)
	jobs = slices.DeleteFunc(jobs, func(j weir.Job) bool {
		return j.ExportID != 0 || weir.Recognise(j.FileName, e.Request) == weir.Mismatch
	})
	return e, jobs, err
}

// workOn conducts until pending is false of everything among the exports.
func (s *Session) workOn(ctx context.Context, ids []int64, pending func(weir.Export, weir.Delivery) bool, deadline time.Time, show Show) (Outcome, error) {
	own := map[int64]bool{}
	for _, id := range ids {
		deliveries, err := s.Ledger.DeliveriesOf(ctx, id)
		if err != nil {
			return Outcome{}, err
		}
		for _, d := range deliveries {
			own[d.ID] = true
		}
	}
	return s.work(ctx, engine.Waiter{Exports: ids, Own: own, Deadline: deadline, Show: show, Pending: pending})
}
