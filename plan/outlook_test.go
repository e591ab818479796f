package plan_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/plan"
)

// outlookView is an account with a quota, so many of it used at an instant, two
// slots, and waiting exports of one rank whose like run for a minute.
func outlookView(quota, used int, at time.Time, waiting int, rank weir.Rank) plan.View {
	v := plan.View{
		Policy: plan.Adaptive(),
		Budget: weir.Budget{
			Source: weir.Told, ReadStartedAt: ago(time.Second), ReadAt: ago(time.Second),
			Slots: 2, SlotsFree: 2, Quota: quota, QuotaFree: quota - used,
		},
		QuotaUses: times(used, at, 0),
		History:   map[string][]time.Duration{},
	}
	for i := range waiting {
		e := planned(int64(i+1), "net_arr", fmt.Sprintf("2%03d_Q1", i))
		e.Rank = rank
		v.Exports = append(v.Exports, e)
		v.History[plan.HistoryKey(e.Request)] = []time.Duration{time.Minute, time.Minute, time.Minute, time.Minute}
	}
	return v
}

func TestLookOutFinish(t *testing.T) {
	day := 24 * time.Hour
	for name, test := range map[string]struct {
		view    plan.View
		atLeast time.Duration
		atMost  time.Duration // 0: no finish can be told
	}{
		"nothing waits":              {outlookView(100, 0, noon, 0, weir.RankAsked), 0, 0},
		"two at once":                {outlookView(100, 0, noon, 2, weir.RankAsked), 50 * time.Second, 70 * time.Second},
		"six in three rounds":        {outlookView(100, 0, noon, 6, weir.RankBackfill), 150 * time.Second, 210 * time.Second},
		"the quota comes back":       {outlookView(3, 3, ago(20*day), 2, weir.RankAsked), 10 * day, 10*day + 2*time.Minute},
		"twice around":               {outlookView(2, 2, ago(29*day), 4, weir.RankBackfill), 31 * day, 31*day + 3*time.Minute},
		"others used it, never ours": {outlookView(3, 0, noon, 4, weir.RankAsked), 30 * day, 30*day + 3*time.Minute},
	} {
		got := plan.LookOut(test.view, noon).FinishAt
		switch left := got.Sub(noon); {
		case test.atMost == 0 && !got.IsZero():
			t.Errorf("%s: finish at %s, want none", name, got)
		case test.atMost != 0 && (left < test.atLeast || left > test.atMost):
			t.Errorf("%s: finish in %s, want %s to %s", name, left, test.atLeast, test.atMost)
		}
	}
}

// What is scheduled keeps its room: a backfill waits for more to come back, and
// where the schedules take it whole, no finish can be told.
func TestLookOutLeavesScheduled(t *testing.T) {
	v := outlookView(10, 5, ago(10*24*time.Hour), 4, weir.RankBackfill)
	free := plan.LookOut(v, noon).FinishAt
	v.Scheduled = times(2, noon.Add(time.Hour), time.Hour)
	held := plan.LookOut(v, noon).FinishAt
	if free.Sub(noon) > time.Hour || held.Sub(noon) < 19*24*time.Hour {
		t.Errorf("finish %s without schedules, %s with", free.Sub(noon), held.Sub(noon))
	}
	v.Scheduled = times(20, noon.Add(time.Hour), time.Hour)
	if got := plan.LookOut(v, noon).FinishAt; !got.IsZero() {
		t.Errorf("finish at %s although the schedules need everything", got)
	}
}

func TestLookOutQuotaShort(t *testing.T) {
	v := outlookView(10, 8, ago(29*24*time.Hour), 0, weir.RankAsked)
	v.Scheduled = times(12, noon.Add(time.Hour), 2*time.Hour)
	if got, want := plan.LookOut(v, noon).QuotaShortAt, noon.Add(5*time.Hour); !got.Equal(want) {
		t.Errorf("short at %s, want the third run, %s", got, want)
	}
	v.Scheduled = v.Scheduled[:2]
	if got := plan.LookOut(v, noon).QuotaShortAt; !got.IsZero() {
		t.Errorf("short at %s although two are left for two", got)
	}
	v = outlookView(10, 10, ago(time.Hour), 1, weir.RankAsked)
	if got := plan.LookOut(v, noon).QuotaShortAt; !got.Equal(noon) {
		t.Errorf("short at %s, want now: one waits and nothing is left", got)
	}
	v.Budget.Source = weir.Assumed
	if got := plan.LookOut(v, noon).QuotaShortAt; !got.IsZero() {
		t.Errorf("short at %s by a quota that nobody told", got)
	}
}
