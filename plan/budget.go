package plan

import (
	"math"
	"time"

	"github.com/weirhq/weir"
)

// MaxReadTries is how often in a row the limits, the list or a status may fail
// to be read (rules §4).
const MaxReadTries = maxReadTries

// LimitReading is an answer of GET /admin/limits; -1 is a number not said.
type LimitReading struct {
	// Number is the ledger's, drawn before the request was sent; it is above that
	// of the budget, else the reading is outdated.
	Number                             int64
	Slots, SlotsFree, Quota, QuotaFree int
	Running, Submitted                 []string
}

// ToldLimits is the budget after the server told its limits. ours is how many
// exports of weir hold a slot. A refusal is explained by the reading: no free
// slot, no quota, or neither, which holds POSTs back for a while. A reading that
// began before the budget's own changes nothing.
func ToldLimits(b weir.Budget, r LimitReading, ours int, started, now time.Time) weir.Budget {
	if r.Number < b.Reading {
		return b
	}
	told := weir.Budget{
		Reading: r.Number, ReadStartedAt: started, ReadAt: now, Source: weir.Told,
		Slots: r.Slots, SlotsFree: r.SlotsFree, Quota: r.Quota, QuotaFree: r.QuotaFree,
		Refusals: b.Refusals, Submitted: r.Submitted,
	}
	told.InFlight = inFlightIDs(r)
	if told.Slots < 0 {
		told.Slots = max(assumedSlots, len(told.InFlight)+max(0, r.SlotsFree))
	}
	if told.SlotsFree < 0 {
		told.SlotsFree = max(0, told.Slots-len(told.InFlight))
	}
	return explainRefusal(told, b, ours, now)
}

// inFlightIDs are the ids that hold slots. submittedJobIds is read as the queued
// ones where the numbers agree; a tenant where it counts the whole month is
// recognised by more ids than slots taken.
func inFlightIDs(r LimitReading) []string {
	ids := append([]string(nil), r.Running...)
	for _, id := range r.Submitted {
		if !contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if r.Slots >= 0 && r.SlotsFree >= 0 && len(ids) > r.Slots-r.SlotsFree {
		return append([]string(nil), r.Running...)
	}
	return ids
}

func contains(ids []string, id string) bool {
	for _, other := range ids {
		if other == id {
			return true
		}
	}
	return false
}

// explainRefusal holds POSTs back when one was refused and the limits show room
// for it: the server knows something that its limits do not say yet. A reading
// during the hold changes nothing, and one after it lets the next POST try.
func explainRefusal(told, before weir.Budget, ours int, now time.Time) weir.Budget {
	switch {
	case before.Refusals == 0:
		return told
	case told.SlotsFree == 0 || told.QuotaFree == 0:
		told.Refusals = 0 // explained: the next reading that shows room ends the wait
		return told
	case before.HoldWhy.Code == weir.WaitNone:
		return holdPosts(told, ours, now)
	}
	told.HoldUntil, told.HoldWhy = before.HoldUntil, before.HoldWhy
	return told
}

// probeRests is how many times the known width is posted after a refusal that
// only confirmed it before one more is tried, beyond the once of rules §5: a
// refusal holds POSTs back for five seconds. A refusal within the known width
// shows that others came, who will leave again: then it is tried soon.
const probeRests = 8

// Accepted is the budget after an accepted POST whose company is not known.
// [AcceptedBeside] learns more.
func Accepted(b weir.Budget) weir.Budget { return AcceptedBeside(b, b.Ceiling-1) }

// AcceptedBeside is the budget after an accepted POST, with `ours` exports of
// weir holding slots, the accepted one not among them. A POST that went beyond
// the known width proves one slot more, and the next may try another.
func AcceptedBeside(b weir.Budget, ours int) weir.Budget {
	b.Accepts++
	b.Refusals = 0
	b.HoldUntil, b.HoldWhy = time.Time{}, weir.Wait{}
	if b.Ceiling > 0 && ours >= b.Ceiling {
		b.Ceiling = ours + 1
		b.Accepts = b.Ceiling
	}
	return b
}

// Refused is the budget after a 400 for slots or quota, with `ours` exports of
// weir holding slots, the refused one not among them.
func Refused(b weir.Budget, ours int, now time.Time) weir.Budget {
	b.Refusals++
	b.HoldUntil, b.HoldWhy = now, weir.Wait{}
	if !b.Forbidden {
		return b // asks for an explanation at once
	}
	b.Accepts = 0
	if ours >= b.Ceiling {
		b.Accepts = -probeRests * max(1, ours)
	}
	b.Ceiling = max(1, ours)
	return holdPosts(b, ours, now)
}

// LimitsForbidden is the budget when the key of an account may not read limits.
// What was learned before stays.
func LimitsForbidden(b weir.Budget, account string, started, now time.Time) weir.Budget {
	if b.Known() {
		b = weir.Budget{Reading: b.Reading, Refusals: b.Refusals}
	}
	b.Forbidden, b.ForbiddenTo, b.Source = true, account, weir.Learned
	b.ReadStartedAt, b.ReadAt = started, now
	b.Quota, b.QuotaFree = -1, -1
	if b.Refusals > 0 && b.HoldUntil.IsZero() {
		return holdPosts(b, 1, now)
	}
	return b
}

// holdPosts backs off after a refusal: 5 s × 1.5^k to 60 s while a job of ours
// runs, and 60 s × 2^k to an hour while none does: then only the quota or other
// people's jobs can be the cause, and asking on would be a loop.
func holdPosts(b weir.Budget, ours int, now time.Time) weir.Budget {
	if ours > 0 {
		b.HoldUntil = now.Add(refusalWait(5*time.Second, 1.5, b.Refusals-1, time.Minute))
		b.HoldWhy = weir.Wait{Code: weir.WaitSlot, Text: "the server refused one more job beside those of ours that run"}
		return b
	}
	b.HoldUntil = now.Add(refusalWait(time.Minute, 2, b.Refusals-1, time.Hour))
	b.HoldWhy = weir.Wait{Code: weir.WaitQuota, Text: "the server refuses jobs while none of ours runs: the quota is used up, or others hold every slot"}
	return b
}

func refusalWait(base time.Duration, factor float64, k int, most time.Duration) time.Duration {
	return time.Duration(min(float64(base)*math.Pow(factor, float64(max(0, k))), float64(most)))
}
