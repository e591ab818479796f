package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/plan"
)

// Show is called with every look at a command's own exports.
type Show func([]engine.Standing, plan.Plan, engine.Condition)

// Outcome is what became of a command's own exports.
type Outcome struct {
	Ending    engine.Ending
	Standings []engine.Standing
	Requests  int64
	Throttled int64
	// Cancelling marks a command whose success is that exports are cancelled.
	Cancelling bool
	// Fault is what ended the command early: an interrupt, a state that cannot
	// be written. Nil when the waiting ended by itself.
	Fault *Fault
}

// Export wants requests at destinations and works until they have landed or
// nothing can act. The outcome tells everything, also when err is nil and
// nothing landed; err is a wish that could not even be recorded.
func (s *Session) Export(ctx context.Context, wishes []ledger.Wish, deadline time.Time, show Show) (Outcome, error) {
	now := time.Now()
	wishes, there, err := alreadyThere(ctx, wishes, now)
	if err != nil {
		return Outcome{}, err
	}
	granted, err := s.Ledger.Wish(ctx, now, wishes)
	if err == nil {
		granted, err = s.mendLost(ctx, wishes, granted, now)
	}
	if err != nil {
		return Outcome{}, err
	}
	own := map[int64]bool{}
	var exports []int64
	seen := map[int64]bool{}
	for _, g := range granted {
		if g.Export.ID == 0 { // it landed before, and what did has been pruned
			there = append(there, engine.Standing{Export: g.Export})
			continue
		}
		if !seen[g.Export.ID] {
			seen[g.Export.ID] = true
			exports = append(exports, g.Export.ID)
		}
		for _, d := range g.Deliveries {
			own[d.ID] = true
		}
	}
	outcome, err := s.work(ctx, engine.Waiter{Exports: exports, Own: own, Deadline: deadline, Show: show})
	outcome.Standings = append(there, outcome.Standings...)
	return outcome, err
}

// Resume works on every open export of the account.
func (s *Session) Resume(ctx context.Context, deadline time.Time, show Show) (Outcome, error) {
	open, err := s.Ledger.ListExports(ctx, ledger.Filter{Account: s.Account.Name, OpenOnly: true})
	if err != nil {
		return Outcome{}, err
	}
	own := map[int64]bool{}
	var exports []int64
	for _, e := range open {
		if err := s.freshPolls(ctx, e); err != nil {
			return Outcome{}, err
		}
		exports = append(exports, e.ID)
		deliveries, err := s.Ledger.DeliveriesOf(ctx, e.ID)
		if err != nil {
			return Outcome{}, err
		}
		for _, d := range deliveries {
			if err := s.freshLanding(ctx, d); err != nil {
				return Outcome{}, err
			}
			own[d.ID] = own[d.ID] || d.Open()
		}
	}
	return s.work(ctx, engine.Waiter{Exports: exports, Own: own, Deadline: deadline, Show: show})
}

// freshPolls gives a job whose polling timed out another full allowance: a
// person asked to go on.
func (s *Session) freshPolls(ctx context.Context, e weir.Export) error {
	if e.State != weir.Running || e.Polls == 0 && e.PollFailures == 0 {
		return nil
	}
	_, err := s.Ledger.Amend(ctx, weir.Lease{}, e.ID, weir.Running, func(e *weir.Export) {
		e.Polls, e.PollFailures = 0, 0
	})
	if errors.Is(err, ledger.ErrStale) {
		return nil
	}
	return err
}

// work conducts, where no other process does, and waits for its own.
func (s *Session) work(ctx context.Context, waiter engine.Waiter) (Outcome, error) {
	if err := s.freshBudget(ctx); err != nil {
		return Outcome{}, err
	}
	working, stop := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := s.Conductor.Run(working); err != nil && working.Err() == nil {
			stop(err)
		}
	}()
	waiter.Ledger, waiter.Conductor = s.Ledger, s.Conductor
	waiter.Account, waiter.Policy = s.Account.Name, s.Conductor.Policy
	ending, err := waiter.Wait(working)
	stop(nil)
	<-ended
	return s.outcome(ctx, &waiter, ending, err)
}

// outcome reads once more how everything stands, whatever ended the work.
func (s *Session) outcome(ctx context.Context, waiter *engine.Waiter, ending engine.Ending, workErr error) (Outcome, error) {
	reading, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	o := Outcome{Ending: ending, Requests: s.Counts.Requests.Load(), Throttled: s.Counts.Throttled.Load()}
	if workErr != nil {
		o.Fault = FaultOf(workErr)
	}
	standings, err := waiter.Standings(reading)
	if err != nil && o.Fault == nil {
		o.Fault = FaultOf(err)
	}
	o.Standings = standings
	return o, nil
}

// Exit is the code of a command that worked on exports: of all that apply the
// first of 130, 2, 7, 3, 6, 1, 4, 5.
func (o Outcome) Exit() int {
	applies := map[int]bool{}
	if o.Fault != nil {
		applies[o.Fault.Exit] = true
	}
	for _, code := range endingExit(o.Ending) {
		applies[code] = true
	}
	for _, s := range o.Standings {
		for _, code := range o.standingExit(s) {
			applies[code] = true
		}
	}
	for _, code := range []int{ExitInterrupted, ExitUsage, ExitUnwritable, ExitKey, ExitRefused, ExitFailed, ExitQuota, ExitLater} {
		if applies[code] {
			return code
		}
	}
	return ExitLanded
}

func endingExit(e engine.Ending) []int {
	switch e.Verdict {
	case engine.KeyRefused:
		return []int{ExitKey}
	case engine.QuotaUsed:
		return []int{ExitQuota}
	case engine.NothingActs, engine.DeadlineOver:
		return []int{ExitLater}
	case engine.Unwritable:
		return []int{ExitUnwritable}
	case engine.NobodyDecides:
		return []int{ExitFailed}
	}
	return nil
}

// standingExit is what one export's own end deserves; one that is still open
// deserves what ended the waiting.
func (o Outcome) standingExit(s engine.Standing) []int {
	if code := s.Stand.Wait.Code; s.Open() && (code == weir.WaitTimeout || code == weir.WaitPerson) {
		return []int{ExitFailed}
	}
	failure := o.FailureOf(s)
	if failure == nil {
		return nil
	}
	switch failure.Code {
	case weir.CodeNotAuthorised:
		return []int{ExitKey}
	case weir.CodeRefused:
		return []int{ExitRefused}
	case weir.CodeDestination:
		return []int{ExitUnwritable}
	}
	return []int{ExitFailed}
}

// FailureOf is why an export did not do what the command wanted of it; nil when
// it did.
func (o Outcome) FailureOf(s engine.Standing) *weir.Failure {
	if o.Cancelling && s.Export.State == weir.Cancelled {
		return nil
	}
	return FailureOf(s)
}

// FailureOf is why an export or one of its own deliveries did not land; nil
// when nothing failed.
func FailureOf(s engine.Standing) *weir.Failure {
	for _, d := range s.Deliveries {
		if d.State != weir.DeliveryLanded && d.Failure != nil {
			return d.Failure
		}
	}
	landed := len(s.Deliveries) > 0
	for _, d := range s.Deliveries {
		landed = landed && d.State == weir.DeliveryLanded
	}
	if landed {
		return nil
	}
	if code := s.Stand.Wait.Code; code == weir.WaitTimeout || code == weir.WaitPerson {
		return waitFailure(s)
	}
	return s.Export.Failure
}

func waitFailure(s engine.Standing) *weir.Failure {
	if s.Stand.Wait.Code == weir.WaitTimeout {
		return &weir.Failure{Code: weir.CodePollTimeout, Message: "time out: " + s.Stand.Wait.Text, Hint: "the job may still finish; go on waiting for it with: weir resume"}
	}
	return &weir.Failure{Code: weir.CodeNeedsPerson, Message: s.Stand.Wait.Text, Hint: fmt.Sprintf("look in Clari whether the export was made, then: weir resolve %d", s.Export.ID)}
}
