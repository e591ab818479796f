package plan

import (
	"time"

	"github.com/weirhq/weir"
)

// Want is a wish as far as it decides which export serves it.
type Want struct {
	// AsOf is the instant that the result must not be older than.
	AsOf time.Time
	// Fresh is how old a landed snapshot may be; 0 asks anew.
	Fresh time.Duration
}

// Candidate is an export with the same fingerprint and the instant its result
// shows (its job's end), zero while there is none.
type Candidate struct {
	Export     weir.Export
	SnapshotAt time.Time
}

// Serve picks the export that serves a wish without buying anything new: an
// open one that is not yet submitted, or was submitted at or after the wish's
// instant; else, within Fresh of now, the newest one that landed. It returns
// false when a new export is needed. An export that somebody wants cancelled
// serves no new wish.
func Serve(w Want, candidates []Candidate, now time.Time) (weir.Export, bool) {
	var landed *Candidate
	for i, c := range candidates {
		switch {
		case serveOpen(w, c.Export):
			return c.Export, true
		case serveLanded(w, c, now) && (landed == nil || landed.SnapshotAt.Before(c.SnapshotAt)):
			landed = &candidates[i]
		}
	}
	if landed == nil {
		return weir.Export{}, false
	}
	return landed.Export, true
}

func serveOpen(w Want, e weir.Export) bool {
	if !e.State.Open() || !e.CancelRequestedAt.IsZero() {
		return false
	}
	unsent := e.State == weir.Planned && e.JobID == ""
	return unsent || !e.SubmittedAt.IsZero() && !e.SubmittedAt.Before(w.AsOf) || freshOpen(w, e)
}

// freshOpen lets --fresh join a job that is under way: its result will be
// younger than a landed one that would do.
func freshOpen(w Want, e weir.Export) bool {
	return w.Fresh > 0 && !e.SubmittedAt.IsZero() && !e.SubmittedAt.Before(w.AsOf.Add(-w.Fresh))
}

func serveLanded(w Want, c Candidate, now time.Time) bool {
	return c.Export.State == weir.Landed && w.Fresh > 0 && !c.SnapshotAt.Before(now.Add(-w.Fresh))
}
