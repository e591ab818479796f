package view

import (
	"time"

	"github.com/weirhq/weir/plan"
)

// QuotaWindow is the span over which the quota rolls.
const QuotaWindow = 30 * 24 * time.Hour

// Quota is the rolling quota with what is known to come.
type Quota struct {
	Account string    `json:"account"`
	At      time.Time `json:"at"`
	Uses    Uses      `json:"uses"`
	ReadAt  time.Time `json:"read_at,omitzero"`
	// Returns is how many of our own uses come back on each day of the next 30.
	Returns []Day `json:"returns"`
	// Used is what stays used of what is used now, others' included, of whom
	// nobody knows when theirs come back; Projected the same with what is planned.
	Used      []Step `json:"used"`
	Projected []Step `json:"projected"`
	// Waiting is how many exports want a job, Scheduled how many more the
	// schedules will want within 30 days.
	Waiting   int `json:"waiting"`
	Scheduled int `json:"scheduled"`
	// FinishAt is when the last export that waits will have had its job, and
	// ShortAt when a schedule finds no quota left.
	FinishAt time.Time `json:"finish_at,omitzero"`
	ShortAt  time.Time `json:"short_at,omitzero"`
}

// Day is a number on a day, in UTC.
type Day struct {
	Date string `json:"date"`
	N    int    `json:"n"`
}

// QuotaOf is the quota of an account at an instant, with what is to be expected.
func QuotaOf(v plan.View, o plan.Outlook, now time.Time) Quota {
	q := Quota{
		Account: v.Account.Name, At: now, Uses: usesOf(v), ReadAt: v.Budget.ReadAt, Scheduled: len(v.Scheduled),
		Returns: returns(v.QuotaUses, now), Used: []Step{}, Projected: []Step{}, FinishAt: o.FinishAt, ShortAt: o.QuotaShortAt,
	}
	for i := range v.Exports {
		if !v.Exports[i].State.HoldsSlot() && v.Exports[i].JobID == "" {
			q.Waiting++
		}
	}
	if q.Uses.Limit < 0 {
		return q
	}
	coming := append(append([]time.Time{}, o.Buys...), v.Scheduled...)
	for hours := 0; hours < 30*24; hours += 6 {
		at := now.Add(time.Duration(hours) * time.Hour)
		used := q.Uses.Others + min(q.Uses.Ours, counting(v.QuotaUses, at))
		q.Used = append(q.Used, Step{at, used})
		q.Projected = append(q.Projected, Step{at, used + counting(coming, at)})
	}
	return q
}

// counting is how many of the uses are made by an instant and count at it.
func counting(uses []time.Time, at time.Time) int {
	n := 0
	for _, use := range uses {
		if !use.After(at) && use.Add(QuotaWindow).After(at) {
			n++
		}
	}
	return n
}

func returns(uses []time.Time, now time.Time) []Day {
	days := make([]Day, 31)
	midnight := now.UTC().Truncate(24 * time.Hour)
	for i := range days {
		days[i].Date = midnight.AddDate(0, 0, i).Format(time.DateOnly)
	}
	for _, use := range uses {
		if day := int(use.Add(QuotaWindow).Sub(midnight) / (24 * time.Hour)); day >= 0 && day < len(days) {
			days[day].N++
		}
	}
	return days
}
