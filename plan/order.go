package plan

import (
	"cmp"
	"slices"

	"github.com/weirhq/weir"
)

// turn is a planned export with what decides its place in the queue.
type turn struct {
	export *weir.Export
	mu     float64 // the longer expected to run, the earlier
	nth    int     // of its tab, those in flight first: fair between tabs
}

// queue is the planned exports in the order in which they get slots (rules §6):
// scheduled, asked for, backfill; within that longest expected first, then fair
// between tabs, then first come. Under the sequential policy only the rank goes
// before the order in which they were asked for.
func (d *decision) queue() []*weir.Export {
	var turns []turn
	perTab := map[string]int{}
	for i := range d.Exports {
		if e := &d.Exports[i]; e.State.HoldsSlot() {
			perTab[TabKey(e.Request)]++
		}
	}
	for i := range d.Exports {
		e := &d.Exports[i]
		if e.State != weir.Planned || !e.CancelRequestedAt.IsZero() {
			continue
		}
		tab := TabKey(e.Request)
		turns = append(turns, turn{e, d.expected(e).Mu, perTab[tab]})
		perTab[tab]++
	}
	if d.Policy.Sequential {
		slices.SortStableFunc(turns, func(a, b turn) int { return cmp.Compare(a.export.Rank, b.export.Rank) })
	} else {
		slices.SortFunc(turns, turn.compare)
	}
	waiting := make([]*weir.Export, len(turns))
	for i, t := range turns {
		waiting[i] = t.export
	}
	return waiting
}

func (t turn) compare(o turn) int {
	return cmp.Or(
		cmp.Compare(t.export.Rank, o.export.Rank),
		cmp.Compare(o.mu, t.mu),
		cmp.Compare(t.nth, o.nth),
		cmp.Compare(t.export.ID, o.export.ID),
	)
}

// expected is what is expected of an export's job.
func (d *decision) expected(e *weir.Export) Duration {
	return d.learned().Of(HistoryKey(e.Request))
}

func (d *decision) learned() *Durations {
	if d.Learned == nil {
		d.Learned = Learn(d.History)
	}
	return d.Learned
}
