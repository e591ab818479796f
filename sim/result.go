package sim

import (
	"errors"
	"net/http"
	"slices"
	"time"
)

// ErrImpossible marks a step that no correct plan takes.
var ErrImpossible = errors.New("this cannot happen")

// Result is how one policy did in one scenario with one seed.
type Result struct {
	// Makespan runs from the first thought to the last export landed or given up
	// and Bound is what nobody can undercut; see the package comment.
	Makespan, Bound time.Duration
	Exports, Landed int
	// Failed counts exports that ended without a result, timed out ones included.
	Failed    int
	Requests  int // of all kinds, refused ones included
	Throttled int // answered 429
	Refused   int // POSTs answered 400
	// Detection is how long after each job's end the policy knew of it, sorted.
	Detection []time.Duration
	// Wasted counts jobs bought whose result nobody fetched, those apart that the
	// server itself failed.
	Wasted int
	// Missed counts scheduled exports that did not land within the day.
	Missed int
	// BackfillEnd is when the last backfill export landed.
	BackfillEnd time.Duration
	// Err is why the run ended early and its figures are worth nothing: plan did
	// what it never may. It wraps [ErrImpossible] or weir.ErrIllegalMove.
	Err error
}

// Ratio is the makespan over the bound.
func (r Result) Ratio() float64 { return r.Makespan.Seconds() / r.Bound.Seconds() }

// tally counts while a policy acts.
type tally struct {
	began     time.Time
	requests  int
	throttled int
	refused   int
	detected  map[string]bool
	delays    []time.Duration
}

func (t *tally) count(a ask, r reply) {
	switch {
	case r.status == http.StatusTooManyRequests:
		t.throttled++
	case r.status == http.StatusBadRequest && a.what == askPost:
		t.refused++
	}
}

// finish makes the result of a world whose policy has ended.
func (w *world) finish(landed, failed int, ended time.Time) Result {
	slices.Sort(w.tally.delays)
	r := Result{
		Makespan: ended.Sub(w.tally.began), Bound: w.bound(),
		Exports: landed + failed, Landed: landed, Failed: failed,
		Requests: w.tally.requests, Throttled: w.tally.throttled, Refused: w.tally.refused,
		Detection: w.tally.delays, Err: w.err,
	}
	for _, j := range w.server.jobs {
		if !j.fetched && j.status != "failed" {
			r.Wasted++
		}
	}
	return r
}

// bound is the makespan of a clairvoyant; see the package comment.
func (w *world) bound() time.Duration {
	runs := make([]time.Duration, 0, w.scenario.Exports)
	for n := range w.scenario.Exports {
		var own time.Duration
		for attempt := range 3 {
			f := w.scenario.fate(w.draw, n, attempt)
			own += f.runs
			if !f.fails {
				break
			}
		}
		runs = append(runs, own)
	}
	slices.Sort(runs)
	ends := make([]time.Duration, w.scenario.running())
	for _, run := range slices.Backward(runs) {
		ends[slices.Index(ends, slices.Min(ends))] += run
	}
	return slices.Max(ends) + 3*meanTrip/2 + transfer
}
