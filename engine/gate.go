package engine

import (
	"context"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/pace"
	"github.com/weirhq/weir/plan"
)

// GateOpens is when a gate in this state lets a request through, on the clock of
// which now is the present, and why not earlier. Waiting for a token of the
// bucket is a reason only where it takes longer than a request waits at the gate;
// otherwise the request itself does that.
func GateOpens(policy pace.Policy, state pace.State, now time.Time) (time.Time, weir.Wait) {
	local := time.Now() // the gate lives by this process's clock
	d := policy.Decide(state, local)
	if d.Go || d.Reason == pace.Paced && d.At.Sub(local) < gatePatience/2 {
		return time.Time{}, weir.Wait{}
	}
	at := now.Add(d.At.Sub(local))
	return at, weir.Wait{Code: weir.WaitThrottled, Text: d.Reason.Describe() + "; next request at " + at.UTC().Format(time.RFC3339)}
}

// PacePolicy is the pace that goes with a plan's policy: the mission's back-off
// is exact under sequential, and lengthened a little at random otherwise.
func PacePolicy(p plan.Policy, rate float64) pace.Policy {
	policy := pace.Policy{Rate: rate}
	if p.Sequential {
		policy.Jitter = pace.NoJitter
	}
	return policy
}

// LoadGate reads the account's kept pace. What cannot be read is a fresh start.
func LoadGate(ctx context.Context, l ledger.Ledger, account string, now time.Time) (pace.State, error) {
	text, err := l.Gate(ctx, account)
	if err != nil {
		return pace.State{}, err
	}
	state, err := pace.ParseState(text)
	if err != nil {
		return pace.State{}, nil
	}
	return state.Resume(now), nil
}
