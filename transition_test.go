package weir_test

import (
	"errors"
	"testing"
	"time"

	"github.com/weirhq/weir"
)

func allStates() []weir.State {
	return []weir.State{weir.Planned, weir.Submitting, weir.Unknown, weir.Running, weir.Ready,
		weir.Landed, weir.Rejected, weir.Failed, weir.Cancelled}
}

func allTransitions() []weir.Transition {
	c := weir.Cause{At: time.Unix(1_800_000_000, 0).UTC(), Why: "test"}
	f := weir.Failure{Code: "x", Message: "y"}
	return []weir.Transition{
		weir.Submit(c, 1), weir.Accept(c, "a"), weir.PutBack(c, time.Time{}, weir.Wait{}), weir.RefuseRequest(c, f),
		weir.Lose(c, time.Second), weir.LoseJob(c, "why"), weir.Adopt(c, "a"), weir.AdoptInstead(c, "a"),
		weir.PresumeAbsent(c), weir.Finish(c), weir.TryAgain(c, time.Time{}, weir.Wait{}), weir.GiveUpJob(c, f),
		weir.Stop(c, f), weir.Drop(c), weir.Land(c), weir.Reject(c, f), weir.GiveUpLanding(c, f), weir.LandAgain(c),
		weir.Retry(c, weir.Failed, 3, ""), weir.Retry(c, weir.Cancelled, 3, ""), weir.Reopen(c),
	}
}

// Every constructor builds a legal move, every legal move has a constructor,
// and none applies to an export that stands elsewhere.
func TestTransitionsAreExactlyTheMoves(t *testing.T) {
	built := map[[2]weir.State]bool{}
	for _, transition := range allTransitions() {
		if !weir.CanMove(transition.From, transition.To) {
			t.Errorf("%s → %s is built but not legal", transition.From, transition.To)
		}
		built[[2]weir.State{transition.From, transition.To}] = true
		for _, state := range allStates() {
			after, err := transition.Apply(weir.Export{ID: 1, State: state})
			if legal := state == transition.From; legal != (err == nil) {
				t.Errorf("%s → %s applied to %s: %v", transition.From, transition.To, state, err)
			} else if legal && after.State != transition.To {
				t.Errorf("%s → %s left %s", transition.From, transition.To, after.State)
			} else if !legal && (!errors.Is(err, weir.ErrIllegalMove) || after.State != state) {
				t.Errorf("refused move: %v, state %s", err, after.State)
			}
		}
	}
	for _, move := range weir.Moves() {
		if !built[[2]weir.State{move.From, move.To}] {
			t.Errorf("no constructor for %s → %s", move.From, move.To)
		}
	}
}

// Jobs counts what may have cost quota: an accepted or adopted job, never a
// POST that certainly started nothing.
func TestJobsCountsWhatWasBought(t *testing.T) {
	c := weir.Cause{At: time.Unix(1_800_000_000, 0).UTC()}
	e := weir.Export{ID: 1, State: weir.Planned, JobsAllowed: 3}
	for i, step := range []struct {
		do   weir.Transition
		jobs int
	}{
		{weir.Submit(c, 1), 0},
		{weir.PutBack(c, time.Time{}, weir.Wait{}), 0},
		{weir.Submit(c, 1), 0},
		{weir.Lose(c, time.Second), 0},
		{weir.PresumeAbsent(c), 0},
		{weir.Submit(c, 1), 0},
		{weir.Accept(c, "a"), 1},
		{weir.TryAgain(c, time.Time{}, weir.Wait{}), 1},
		{weir.Submit(c, 1), 1},
		{weir.Lose(c, time.Second), 1},
		{weir.Adopt(c, "b"), 2},
		{weir.GiveUpJob(c, weir.Failure{Code: "job_failed"}), 2},
		{weir.Retry(c, weir.Failed, 3, ""), 0},
	} {
		var err error
		if e, err = step.do.Apply(e); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
		if e.Jobs != step.jobs {
			t.Fatalf("step %d: %d jobs, want %d", i, e.Jobs, step.jobs)
		}
	}
}

// An intent leaves nothing of the attempt before it behind.
func TestSubmitForgetsTheLastAttempt(t *testing.T) {
	now := time.Unix(1_800_000_000, 0).UTC()
	e := weir.Export{ID: 1, State: weir.Planned, JobID: "old", Adopted: true, NeedsPerson: "x", Polls: 9,
		PollFailures: 2, DoneAt: now, LostAt: now, Settle: time.Minute, AbsentListings: 2, AbsentListedAt: now}
	after, err := weir.Submit(weir.Cause{At: now.Add(time.Hour)}, 7).Apply(e)
	if err != nil {
		t.Fatal(err)
	}
	want := weir.Export{ID: 1, State: weir.Submitting, SubmittedAt: now.Add(time.Hour), ChangedAt: now.Add(time.Hour), Generation: 7}
	if after.JobID != want.JobID || after.Adopted || after.NeedsPerson != "" || after.Polls != 0 || after.PollFailures != 0 ||
		!after.DoneAt.IsZero() || !after.LostAt.IsZero() || after.Settle != 0 || after.AbsentListings != 0 || !after.AbsentListedAt.IsZero() {
		t.Errorf("left behind: %+v", after)
	}
	if !after.SubmittedAt.Equal(want.SubmittedAt) || after.Generation != want.Generation {
		t.Errorf("intent is %v of generation %d", after.SubmittedAt, after.Generation)
	}
}
