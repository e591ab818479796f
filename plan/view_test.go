package plan_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/plan"
)

// noon is the instant at which tests decide.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return noon.Add(-d) }

func forecast(tab, period string) weir.Request {
	return weir.Request{Kind: weir.Forecast, ForecastID: tab, Period: weir.Period(period)}
}

// jobID is an id whose first digits show its creation.
func jobID(created time.Time, n int) string { return fmt.Sprintf("%08x%016x", created.Unix(), n) }

func fileName(tab, period string) string {
	return fmt.Sprintf("clari_export_%s_%s_20261123_115900.json", tab, period)
}

func planned(id int64, tab, period string) weir.Export {
	return weir.Export{
		ID: id, Request: forecast(tab, period), State: weir.Planned, Rank: weir.RankAsked,
		AsOf: ago(time.Hour), CreatedAt: ago(time.Hour), JobsAllowed: 3,
	}
}

func running(id int64, tab, period string, since time.Duration) weir.Export {
	e := planned(id, tab, period)
	e.State, e.SubmittedAt, e.JobID, e.Jobs = weir.Running, ago(since), jobID(ago(since), int(id)), 1
	return e
}

func lost(id int64, tab, period string, since time.Duration) weir.Export {
	e := planned(id, tab, period)
	e.State, e.SubmittedAt, e.LostAt, e.Settle = weir.Unknown, ago(since+time.Second), ago(since), plan.SettleOwn
	if since <= 2*time.Second { // after the reading of told began
		e.LostIn = 1
	}
	return e
}

// told is a fresh reading with so many slots, all free, and plenty of quota.
func told(slots int) weir.Budget {
	return weir.Budget{
		Reading: 1, Source: weir.Told, ReadStartedAt: ago(2 * time.Second), ReadAt: ago(time.Second),
		Slots: slots, SlotsFree: slots, Quota: 1000, QuotaFree: 900,
	}
}

// calm is a view in which a planned export would be posted at once.
func calm(exports ...weir.Export) plan.View {
	v := plan.View{
		Account: weir.Account{Name: "default", CreatedAt: ago(24 * time.Hour)}, Policy: plan.Adaptive(),
		Exports: exports, Jobs: map[string]weir.Job{}, Budget: told(3),
		Listing: plan.Listing{At: ago(time.Second), StartedAt: ago(2 * time.Second)},
	}
	for _, e := range exports {
		if e.JobID != "" {
			v.Jobs[e.JobID] = weir.Job{
				ID: e.JobID, ExportID: e.ID, Status: weir.JobRunning, RawStatus: "STARTED", StartedAt: e.SubmittedAt,
				FirstSeen: e.SubmittedAt, ListedAt: ago(time.Second), Seq: e.ID,
			}
		}
	}
	return v
}

func (m mutation) of(v plan.View) plan.View { m(&v); return v }

type mutation func(*plan.View)

func verbs(p plan.Plan) []plan.Verb {
	var all []plan.Verb
	for _, a := range p.Actions {
		all = append(all, a.Do)
	}
	return all
}

// chance makes random views that a ledger could hold.
type chance struct{ *rand.Rand }

func (c chance) span(most time.Duration) time.Duration { return time.Duration(c.Int64N(int64(most))) }

// before is an instant up to so long ago, sometimes the zero time.
func (c chance) before(most time.Duration) time.Time {
	if c.IntN(4) == 0 {
		return time.Time{}
	}
	return ago(c.span(most))
}

func (c chance) around(most time.Duration) time.Time {
	if c.IntN(2) == 0 {
		return time.Time{}
	}
	return noon.Add(c.span(2*most) - most)
}

func (c chance) yes(oneIn int) bool { return c.IntN(oneIn) == 0 }

func (c chance) export(id int64) weir.Export {
	e := planned(id, []string{"net_arr", "new_logo"}[c.IntN(2)], []string{"2026_Q1", "2026_Q2"}[c.IntN(2)])
	if c.yes(6) {
		e.Request = weir.Request{Kind: weir.Activity, Since: "2026-01-01", Until: "2026-01-31"}
	}
	e.State = []weir.State{weir.Planned, weir.Planned, weir.Submitting, weir.Unknown, weir.Running, weir.Running, weir.Ready}[c.IntN(7)]
	e.Rank = weir.Rank(c.IntN(3))
	e.NoAdopt, e.Fresh = c.yes(3), c.span(time.Hour)
	if c.yes(4) {
		e.NotBefore, e.Wait = c.around(time.Minute), weir.Wait{Code: weir.WaitRetry, Text: "x"}
	}
	if c.yes(8) {
		e.CancelRequestedAt, e.CancelForced = c.before(time.Minute), c.yes(2)
	}
	if e.State != weir.Planned {
		e.SubmittedAt, e.IntentSeq, e.Jobs = ago(c.span(3*time.Hour)), int64(c.IntN(6)), 1
	} else if c.yes(4) {
		e.PresumedAbsentAt, e.AbsentSeq = c.before(30*time.Hour), int64(c.IntN(6))
	}
	return c.inFlight(e)
}

func (c chance) inFlight(e weir.Export) weir.Export {
	switch e.State {
	case weir.Running, weir.Ready:
		e.JobID = jobID(e.SubmittedAt, int(e.ID))
		e.Polls, e.PollFailures = c.IntN(70), c.IntN(12)
		e.PolledAt, e.Adopted = c.before(2*time.Minute), c.yes(5)
	case weir.Unknown:
		e.LostAt, e.Settle, e.LostIn = ago(c.span(2*time.Hour)), plan.SettleOwn, int64(c.IntN(4))
		e.AbsentListings, e.AbsentListedAt = c.IntN(4), c.before(time.Minute)
		if c.yes(5) {
			e.NeedsPerson = "somebody must look"
		}
		if c.yes(5) {
			e.JobID = jobID(e.SubmittedAt, int(e.ID))
		}
	}
	return e
}

func (c chance) job(n int, exports []weir.Export) weir.Job {
	statuses := []weir.JobStatus{weir.JobQueued, weir.JobRunning, weir.JobDone, weir.JobFailed, weir.JobCancelled, weir.JobUnrecognised}
	names := []string{"", "what.json", fileName("net_arr", "2026_Q1"), fileName("new_logo", "2026_Q2")}
	created := ago(c.span(48 * time.Hour))
	j := weir.Job{
		ID: jobID(created, 1000+n), Status: statuses[c.IntN(len(statuses))], RawStatus: "WORD", FileName: names[c.IntN(len(names))],
		StartedAt: created, FirstSeen: created, LastSeen: c.before(time.Minute), Seq: int64(c.IntN(10)), ListedAt: c.before(time.Hour),
	}
	if len(exports) > 0 && c.yes(3) {
		e := exports[c.IntN(len(exports))]
		if e.JobID != "" {
			j.ID, j.ExportID = e.JobID, e.ID
		}
	}
	return j
}

func (c chance) view() plan.View {
	v := calm()
	if c.yes(3) {
		v.Policy = plan.Sequential()
	}
	v.Policy.KeepQuota = c.IntN(3)
	for id := range c.IntN(7) {
		v.Exports = append(v.Exports, c.export(int64(id+1)))
	}
	for n := range c.IntN(8) {
		j := c.job(n, v.Exports)
		v.Jobs[j.ID] = j
		if c.yes(5) {
			v.Missing = append(v.Missing, j.ID)
		}
		if c.yes(3) {
			v.Budget.InFlight = append(v.Budget.InFlight, j.ID)
		}
	}
	c.spoil(&v)
	return v
}

// besides gives the organisation another account.
func (c chance) besides(v *plan.View) {
	for _, j := range v.Jobs {
		if j.ExportID != 0 && c.yes(3) {
			v.BoughtSince = append(v.BoughtSince, j)
		}
	}
	if v.Shared = c.yes(3); !v.Shared {
		return
	}
	for id := range c.IntN(3) {
		if e := c.export(int64(50 + id)); e.State.HoldsSlot() {
			v.Beside = append(v.Beside, e)
		}
		v.BoughtSince = append(v.BoughtSince, weir.Job{ID: jobID(noon, 2000+id), ExportID: 60, Status: []weir.JobStatus{weir.JobRunning, weir.JobDone}[c.IntN(2)]})
	}
}

// spoil takes the calm out of a view.
func (c chance) spoil(v *plan.View) {
	b := &v.Budget
	b.SlotsFree, b.QuotaFree = c.IntN(4), []int{-1, 0, 1, 5, 900}[c.IntN(5)]
	b.Reading, b.ReadStartedAt = int64(c.IntN(4)), c.before(2*time.Minute)
	c.besides(v)
	b.ReadAt = b.ReadStartedAt.Add(time.Second)
	switch c.IntN(4) {
	case 0:
		*b = weir.Budget{Forbidden: true, Source: weir.Learned, Quota: -1, QuotaFree: -1, Accepts: c.IntN(9) - 4, Ceiling: c.IntN(4), ReadAt: c.before(time.Hour)}
	case 1:
		b.Refusals, b.HoldUntil = c.IntN(3), c.around(time.Minute)
		if c.yes(2) {
			b.HoldWhy = weir.Wait{Code: weir.WaitSlot, Text: "x"}
		}
	}
	v.Listing.StartedAt = c.before(2 * time.Minute)
	v.Listing.At = v.Listing.StartedAt
	v.Listing.Absent, v.Listing.Heavy = c.yes(6), c.yes(6)
	v.Limits.NotBefore, v.List.NotBefore = c.around(time.Minute), c.around(time.Minute)
	v.Limits.InARow, v.List.InARow = c.IntN(12), c.IntN(12)
	v.LastEndAt, v.LastTerminalAt = c.before(time.Minute), c.before(time.Minute)
	v.ServerAhead = c.span(time.Minute) - 30*time.Second
	v.History = map[string][]time.Duration{plan.HistoryKey(forecast("net_arr", "2026_Q1")): {c.span(time.Hour), c.span(time.Minute)}}
	for range c.IntN(5) {
		v.QuotaUses = append(v.QuotaUses, ago(c.span(30*24*time.Hour)))
		v.Scheduled = append(v.Scheduled, noon.Add(c.span(30*24*time.Hour)))
	}
	if c.yes(6) {
		v.GateOpensAt, v.GateWhy = c.around(time.Minute), weir.Wait{Code: weir.WaitThrottled, Text: "x"}
	}
}
