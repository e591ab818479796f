package plan

import (
	"math"
	"slices"
	"time"

	"github.com/weirhq/weir"
)

// Outlook is what is to be expected of an account as things stand: no job
// fails, nobody else takes a slot, others go on using what they use.
type Outlook struct {
	// QuotaShortAt is the first scheduled instant of the next 30 days that finds
	// no quota left, or now when something waits for quota; zero when it lasts.
	QuotaShortAt time.Time
	// FinishAt is when the last open export that wants a job will have had one;
	// zero when none does or it cannot be told: a quota whose uses weir does not
	// know, or room that the schedules take whole.
	FinishAt time.Time
	// Buys are the instants at which what waits is expected to get its jobs,
	// ascending, as far as it can be told.
	Buys []time.Time
}

// LookOut projects an account's open exports and schedules at an instant.
func LookOut(v View, now time.Time) Outlook {
	d := &decision{View: v, now: now}
	o := Outlook{QuotaShortAt: d.shortAt()}
	o.FinishAt, o.Buys = d.finishAt()
	return o
}

// shortAt walks the scheduled instants with the uses that will still count.
// Others are taken to use as much as they do now.
func (d *decision) shortAt() time.Time {
	if !d.Budget.Known() || d.Budget.Quota <= 0 {
		return time.Time{}
	}
	if d.FreeQuota() == 0 && slices.ContainsFunc(d.Exports, func(e weir.Export) bool { return e.State == weir.Planned }) {
		return d.now
	}
	ahead := d.ahead()
	for i, due := range ahead.coming(d.now) {
		if ahead.counting(due)+i+1 > ahead.Room {
			return due
		}
	}
	return time.Time{}
}

// finishAt lets the waiting exports take slots in their order, each when a slot
// and the quota allow it.
func (d *decision) finishAt() (end time.Time, buys []time.Time) {
	waiting := d.queue()
	slots := d.slotsFree()
	end = d.now
	for _, at := range slots {
		if len(waiting) > 0 || at.After(d.now) {
			end = laterOf(end, at)
		}
	}
	ahead := d.ahead()
	for _, e := range waiting {
		first := 0
		for i, at := range slots {
			if at.Before(slots[first]) {
				first = i
			}
		}
		at, ok := ahead.roomAt(slots[first], e.Rank == weir.RankBackfill)
		if !ok {
			return time.Time{}, buys
		}
		buys = append(buys, at)
		place, _ := slices.BinarySearchFunc(ahead.Uses, at, time.Time.Compare)
		ahead.Uses = slices.Insert(ahead.Uses, place, at)
		slots[first] = at.Add(d.expected(e).Median())
		end = laterOf(end, slots[first])
	}
	if !end.After(d.now) {
		end = time.Time{}
	}
	slices.SortFunc(buys, time.Time.Compare)
	return end, buys
}

// slotsFree are the instants at which the slots that are weir's to use become
// free.
func (d *decision) slotsFree() []time.Time {
	var slots []time.Time
	for i := range d.Exports {
		if e := &d.Exports[i]; e.State.HoldsSlot() {
			median := d.expected(e).Median()
			left := max(median-d.now.Sub(e.SubmittedAt), median/4)
			slots = append(slots, d.now.Add(left))
		}
	}
	for range d.FreeSlots() {
		slots = append(slots, d.now)
	}
	if len(slots) == 0 {
		slots = append(slots, d.now)
	}
	return slots
}

// roomAt is when the quota admits one more, from an instant on. A backfill
// leaves what is scheduled in any 30 days its room.
func (l LookAhead) roomAt(from time.Time, backfill bool) (time.Time, bool) {
	room := l.Room
	if backfill && room < math.MaxInt {
		room -= int(math.Ceil(scheduledMargin * float64(len(l.coming(from)))))
	}
	at := from
	for n := l.counting(at); n+1 > room; n = l.counting(at) {
		if n == 0 || room <= 0 {
			return time.Time{}, false
		}
		at = l.Uses[len(l.Uses)-n].Add(quotaWindow)
	}
	return at, true
}
