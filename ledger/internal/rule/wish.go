package rule

import (
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/plan"
)

// Join is the export e once the wish of another export, wanted, is served by
// it. While nothing has been asked of the server it takes the stricter of both
// (rank, instant, freshness, adoption), so that joining never serves a wish
// worse than an export of its own would. It reports whether e changed.
func Join(e, wanted weir.Export) (weir.Export, bool) {
	joined := e
	if e.State == weir.Planned {
		joined.Rank = min(e.Rank, wanted.Rank)
		joined.AsOf = Later(e.AsOf, wanted.AsOf)
		joined.Fresh = min(e.Fresh, wanted.Fresh)
		joined.NoAdopt = e.NoAdopt || wanted.NoAdopt
	}
	same := joined.Rank == e.Rank && joined.AsOf.Equal(e.AsOf) && joined.Fresh == e.Fresh && joined.NoAdopt == e.NoAdopt
	return joined, !same
}

// landedSkew widens the search for landed exports: the server's clock, by which
// a snapshot is dated, may run ahead of the one that dated the landing.
const landedSkew = 24 * time.Hour

// LandedSince is the instant at or after which an export must have landed to
// be looked at for a wish; false when none needs to be.
func LandedSince(w plan.Want, now time.Time) (time.Time, bool) {
	return now.Add(-w.Fresh - landedSkew), w.Fresh > 0
}

// Candidate is the export with the instant its result shows: its job's end,
// else when DONE was first seen.
func Candidate(e weir.Export, jobEnded time.Time) plan.Candidate {
	at := jobEnded
	if at.IsZero() {
		at = e.DoneAt
	}
	return plan.Candidate{Export: e, SnapshotAt: at}
}

// Move applies a transition and returns the export as a ledger keeps it. seq is
// the highest job Seq of the account at that moment: jobs above it appeared
// after the intent, or after the judgement that there is none. readings is how
// many readings of the limits had begun.
func Move(t weir.Transition, e weir.Export, seq, readings int64) (weir.Export, error) {
	after, err := t.Apply(e)
	switch {
	case t.To == weir.Submitting:
		after.IntentSeq = seq
	case t.From == weir.Unknown && t.To == weir.Planned:
		after.AbsentSeq = seq
	case t.To == weir.Unknown:
		after.LostIn = readings
	}
	return Export(after), err
}

// Event is the transition as a ledger keeps it, after being the export then.
func Event(t weir.Transition, after weir.Export) weir.Event {
	event := t.Event(after)
	event.At = Instant(event.At)
	return event
}
