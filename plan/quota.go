package plan

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/weirhq/weir"
)

const (
	// quotaWindow is the span over which the export quota rolls.
	quotaWindow = 30 * 24 * time.Hour
	// scheduledMargin is how much more than the scheduled exports is kept for
	// them: some fail and are posted again.
	scheduledMargin = 1.1
	// aheadLooks bounds how many expiries are tried for the next admission.
	aheadLooks = 100
)

// spent reports that the quota is used up by weir's own account of what it
// bought since the reading, which may count a job that is none: worth a request
// before anybody is told to wait for a month.
func (d *decision) spent() bool {
	return d.FreeQuota() == 0 && d.Budget.QuotaFree > d.Policy.KeepQuota && len(d.unnamed()) > 0
}

// LookAhead is the rolling quota with what is known to come (rules §5).
type LookAhead struct {
	// Room is the quota less the reserve for people and less the uses of others,
	// of whom weir does not know when they expire: as fast as they do, others
	// use what they leave.
	Room int
	// Uses are the instants of weir's own uses and Due those at which scheduled
	// exports will need one; both ascending.
	Uses, Due []time.Time
}

// Admits reports whether a backfill export may be posted now: now and at every
// scheduled instant of the next 30 days, the uses that still count, this one,
// and 1.1 times what is scheduled until then fit.
func (l LookAhead) Admits(now time.Time) bool {
	if l.counting(now)+1 > l.Room {
		return false
	}
	for i, due := range l.coming(now) {
		if l.counting(due)+1+int(math.Ceil(scheduledMargin*float64(i+1)-1e-9)) > l.Room {
			return false
		}
	}
	return true
}

// AdmitsAt is the next instant after now at which a use expires and a backfill
// export is admitted; false where none is known.
func (l LookAhead) AdmitsAt(now time.Time) (time.Time, bool) {
	tried := 0
	for _, use := range l.Uses {
		at := use.Add(quotaWindow)
		if !at.After(now) {
			continue
		}
		if l.Admits(at) {
			return at, true
		}
		if tried++; tried >= aheadLooks {
			break
		}
	}
	return time.Time{}, false
}

// counting is how many uses still count at an instant.
func (l LookAhead) counting(at time.Time) int {
	expired, _ := slices.BinarySearchFunc(l.Uses, at.Add(-quotaWindow), func(use, then time.Time) int {
		if use.After(then) {
			return 1
		}
		return -1
	})
	return len(l.Uses) - expired
}

// coming are the scheduled instants after now and within the window.
func (l LookAhead) coming(now time.Time) []time.Time {
	first := 0
	for first < len(l.Due) && !l.Due[first].After(now) {
		first++
	}
	last := first
	for last < len(l.Due) && l.Due[last].Before(now.Add(quotaWindow)) {
		last++
	}
	return l.Due[first:last]
}

// ahead is the look-ahead of the account. Scheduled exports that wait already
// count as uses of now, and so does what holds a slot without a record.
func (d *decision) ahead() LookAhead {
	if d.Budget.Quota < 0 || !d.Budget.Known() {
		return LookAhead{Room: math.MaxInt}
	}
	l := LookAhead{Room: d.Budget.Quota - d.Policy.KeepQuota, Uses: slices.Clone(d.QuotaUses), Due: d.Scheduled}
	l.Room -= d.othersUse(l)
	for i := range d.Exports {
		e := &d.Exports[i]
		if e.State == weir.Planned && e.Rank == weir.RankScheduled {
			l.Uses = append(l.Uses, d.now)
		}
	}
	for range d.inDoubt() {
		l.Uses = append(l.Uses, d.now)
	}
	return l
}

// othersUse is what of the used quota weir has no record of.
func (d *decision) othersUse(l LookAhead) int {
	b := d.Budget
	if b.QuotaFree < 0 {
		return 0
	}
	known := 0
	for _, use := range l.Uses {
		if !use.After(b.ReadAt) && use.Add(quotaWindow).After(b.ReadAt) {
			known++
		}
	}
	return max(0, b.Quota-b.QuotaFree-known)
}

// quotaFreesAfter is when the next use of the quota that weir knows of expires
// after an instant; zero when it knows none.
func (d *decision) quotaFreesAfter(t time.Time) time.Time {
	for _, use := range d.QuotaUses {
		if at := use.Add(quotaWindow); at.After(t) {
			return at
		}
	}
	return d.QuotaFreesAt
}

func (d *decision) quotaFreesAt() time.Time { return d.quotaFreesAfter(d.now) }

func (d *decision) standForQuota(ready []*weir.Export) {
	frees := d.quotaFreesAt()
	text := fmt.Sprintf("the export quota of %d per 30 days is used up", d.Budget.Quota)
	if d.Policy.KeepQuota > 0 && d.Budget.QuotaFree > 0 {
		text = fmt.Sprintf("only %d exports of the quota are left and %d are kept for people", d.Budget.QuotaFree, d.Policy.KeepQuota)
	}
	if frees.After(d.now) {
		text += "; the next one frees at " + frees.UTC().Format(time.RFC3339)
	}
	d.standAll(ready, weir.Wait{Code: weir.WaitQuota, Text: text}, d.limitsStaleAt(), frees)
}

// standForScheduled says that the rest of the quota is spoken for.
func (d *decision) standForScheduled(ready []*weir.Export) {
	until, known := d.ahead().AdmitsAt(d.now)
	text := fmt.Sprintf("what is left of the export quota of %d is kept for the exports scheduled in the next 30 days", d.Budget.Quota)
	if known {
		text += "; there is room at " + until.UTC().Format(time.RFC3339)
	}
	look := d.limitsStaleAt()
	if known && until.Before(look) {
		look = until
	}
	d.standAll(ready, weir.Wait{Code: weir.WaitQuota, Text: text}, look, until)
}
