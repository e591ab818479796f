package plan

import (
	"slices"
	"time"

	"github.com/weirhq/weir"
)

// FreeSlots is how many exports may be posted now (rules §5): the smaller of
// what the server told, less what was posted since that reading began and plus
// what was since seen to end, and of the limit less weir's own in flight, for
// all accounts of the organisation, and other jobs seen in flight. Never
// negative, and monotone in the limits. Jobs must hold what is known of every id
// that the reading counts as in flight.
func (v View) FreeSlots() int {
	b := v.Budget
	held, ours := v.holding(), 0
	for i := range v.Exports {
		if v.Exports[i].State.HoldsSlot() {
			ours++
		}
	}
	if !b.Known() {
		return max(0, learnedSlots(b)-ours-v.besideRunning())
	}
	doubt := v.inDoubt()
	posted, beside := doubt, doubt-v.ownDoubt()
	for _, j := range v.unnamed() {
		switch {
		case held[j.ID]:
			posted++
		case j.InFlight():
			posted++
			beside++
		}
	}
	others, ended := 0, 0
	for _, id := range b.InFlight {
		switch j, known := v.Jobs[id]; {
		case known && j.Status.Terminal():
			ended++
		case !held[id]:
			others++
		}
	}
	return max(0, min(b.SlotsFree+ended-posted, b.Slots-ours-beside-others))
}

// holding are the jobs of weir's exports that hold a slot.
func (v View) holding() map[string]bool {
	held := map[string]bool{}
	for i := range v.Exports {
		if e := &v.Exports[i]; e.State.HoldsSlot() && e.JobID != "" {
			held[e.JobID] = true
		}
	}
	return held
}

func (v View) ownDoubt() int {
	v.Beside = nil
	return v.inDoubt()
}

// besideRunning counts what holds a slot for the organisation's other accounts
// as far as the ledger knows, where no reading of the limits can tell.
func (v View) besideRunning() int {
	n := 0
	for i := range v.Beside {
		if v.Beside[i].State.HoldsSlot() {
			n++
		}
	}
	return n
}

// learnedSlots is the width used while limits cannot be read: one slot more
// after each accepted POST until the first refusal, then what was in flight;
// one more to try after that many further accepts.
func learnedSlots(b weir.Budget) int {
	if b.Ceiling == 0 {
		return assumedSlots + b.Accepts
	}
	if b.Accepts >= b.Ceiling {
		return b.Ceiling + 1
	}
	return b.Ceiling
}

// FreeQuota is how many exports the quota still allows now, the reserve kept;
// -1 when the quota is not known. What was bought since the reading is counted
// by the ledger's own record of what it saw when, never by a clock.
func (v View) FreeQuota() int {
	if !v.Budget.Known() || v.Budget.QuotaFree < 0 {
		return -1
	}
	return max(0, v.Budget.QuotaFree-len(v.unnamed())-v.inDoubt()-v.Policy.KeepQuota)
}

// unnamed are the jobs bought since the reading that it does not name: one that
// is made while it is under way may be counted by it.
func (v View) unnamed() []weir.Job {
	return slices.DeleteFunc(slices.Clone(v.BoughtSince), func(j weir.Job) bool { return v.Budget.Names(j.ID) })
}

// doubtBeside is how long after its intent a POST of another account may still
// make a job that no reading shows: its answer, and the longest settling. A
// reading that began later counts what it made. weir's own doubts end with their
// proof; whether anybody proves those of another account is not known here.
const doubtBeside = 3 * time.Minute

// inDoubt counts the exports of all accounts of the organisation whose POST may
// have made a job that no reading and no answer shows.
func (v View) inDoubt() int {
	n := 0
	for i := range v.Exports {
		if doubtful(&v.Exports[i]) {
			n++
		}
	}
	for i := range v.Beside {
		e := &v.Beside[i]
		counted := v.Budget.Known() && e.SubmittedAt.Add(doubtBeside).Before(v.Budget.ReadStartedAt)
		if doubtful(e) && !counted {
			n++
		}
	}
	return n
}

func doubtful(e *weir.Export) bool {
	return e.State == weir.Submitting || e.State == weir.Unknown && e.JobID == ""
}
