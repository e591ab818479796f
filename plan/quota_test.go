package plan_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/plan"
)

const day = 24 * time.Hour

func times(n int, first time.Time, every time.Duration) []time.Time {
	all := make([]time.Time, n)
	for i := range all {
		all[i] = first.Add(time.Duration(i) * every)
	}
	return all
}

func TestLookAhead(t *testing.T) {
	cases := map[string]struct {
		ahead plan.LookAhead
		want  bool
	}{
		"empty quota":                         {plan.LookAhead{Room: 1}, true},
		"used up":                             {plan.LookAhead{Room: 1, Uses: []time.Time{ago(time.Hour)}}, false},
		"the last use expired this instant":   {plan.LookAhead{Room: 1, Uses: []time.Time{ago(30 * day)}}, true},
		"one second before it does":           {plan.LookAhead{Room: 1, Uses: []time.Time{ago(30*day - time.Second)}}, false},
		"one is scheduled":                    {plan.LookAhead{Room: 2, Due: times(1, noon.Add(time.Hour), 0)}, false},
		"one is scheduled, with its margin":   {plan.LookAhead{Room: 3, Due: times(1, noon.Add(time.Hour), 0)}, true},
		"ten are scheduled":                   {plan.LookAhead{Room: 12, Due: times(10, noon.Add(time.Hour), time.Hour)}, true},
		"ten are scheduled, one short":        {plan.LookAhead{Room: 11, Due: times(10, noon.Add(time.Hour), time.Hour)}, false},
		"due now is no longer to come":        {plan.LookAhead{Room: 1, Due: times(1, noon, 0)}, true},
		"beyond the window":                   {plan.LookAhead{Room: 1, Due: times(1, noon.Add(30*day), 0)}, true},
		"a use expires before it is due":      {plan.LookAhead{Room: 3, Uses: []time.Time{ago(29 * day)}, Due: times(1, noon.Add(2*day), 0)}, true},
		"the use expires after it is due":     {plan.LookAhead{Room: 3, Uses: []time.Time{ago(29 * day)}, Due: times(1, noon.Add(time.Hour), 0)}, false},
		"two a day leave a third of hundred":  {plan.LookAhead{Room: 100, Uses: times(32, noon, 0), Due: times(60, noon.Add(time.Hour), 12*time.Hour)}, true},
		"and no more":                         {plan.LookAhead{Room: 100, Uses: times(34, noon, 0), Due: times(60, noon.Add(time.Hour), 12*time.Hour)}, false},
		"others use more than there is":       {plan.LookAhead{Room: -5}, false},
		"scheduled exports alone fill it all": {plan.LookAhead{Room: 60, Due: times(60, noon.Add(time.Hour), 12*time.Hour)}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := c.ahead.Admits(noon); got != c.want {
				t.Errorf("admits = %v, want %v", got, c.want)
			}
		})
	}
}

// What is admitted now leaves room for every scheduled export of the window,
// and what is not is admitted at the instant that AdmitsAt names.
func TestLookAheadKeepsItsPromise(t *testing.T) {
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 3))
		l := plan.LookAhead{Room: r.IntN(40)}
		for range r.IntN(30) {
			l.Uses = append(l.Uses, ago(time.Duration(r.Int64N(int64(35*day)))))
			l.Due = append(l.Due, noon.Add(time.Duration(r.Int64N(int64(35*day)))))
		}
		slices.SortFunc(l.Uses, time.Time.Compare)
		slices.SortFunc(l.Due, time.Time.Compare)
		if l.Admits(noon) {
			fits(t, seed, l)
		}
		at, known := l.AdmitsAt(noon)
		if known && (!at.After(noon) || !l.Admits(at)) {
			t.Fatalf("seed %d: said to be admitted at %s, which it is not", seed, at)
		}
	}
}

func fits(t *testing.T, seed uint64, l plan.LookAhead) {
	t.Helper()
	uses := append(slices.Clone(l.Uses), noon)
	for _, due := range l.Due {
		if !due.Before(noon.Add(30 * day)) {
			continue
		}
		counting := 0
		for _, use := range uses {
			if use.Add(30 * day).After(due) {
				counting++
			}
		}
		if counting >= l.Room {
			t.Fatalf("seed %d: a scheduled export at %s finds %d of %d used", seed, due, counting, l.Room)
		}
		uses = append(uses, due)
	}
}

func TestBackfillLeavesQuotaForSchedules(t *testing.T) {
	backfill := planned(1, "net_arr", "2026_Q1")
	backfill.Rank = weir.RankBackfill
	v := calm(backfill)
	v.Budget.Quota, v.Budget.QuotaFree, v.Budget.ReadAt = 12, 12, ago(30*time.Minute)
	v.Scheduled = times(10, noon.Add(time.Hour), time.Hour)
	v.Budget.ReadAt = ago(time.Second)
	if got := verbs(plan.Next(v, noon)); !slices.Equal(got, []plan.Verb{plan.Post}) {
		t.Fatalf("with room to spare: %v", got)
	}
	v.Policy.KeepQuota = 1
	p := plan.Next(v, noon)
	if len(p.Actions) > 0 || p.Stands[1].Wait.Code != weir.WaitQuota {
		t.Errorf("with the reserve gone: %v, stand %+v", verbs(p), p.Stands[1])
	}
	if p.LookAgain.Before(noon.Add(time.Minute)) {
		t.Errorf("looks again at %s although the quota is spoken for", p.LookAgain)
	}
	asked := backfill
	asked.Rank = weir.RankAsked
	v.Exports = []weir.Export{asked}
	if got := verbs(plan.Next(v, noon)); !slices.Equal(got, []plan.Verb{plan.Post}) {
		t.Errorf("a person asks for it: %v", got)
	}
}

func TestUsedUpQuotaIsLookedAtRarely(t *testing.T) {
	v := calm(planned(1, "net_arr", "2026_Q1"))
	v.Budget.Quota, v.Budget.QuotaFree = 100, 0
	p := plan.Next(v, noon)
	if len(p.Actions) > 0 || !p.Stands[1].ActsAt.IsZero() {
		t.Errorf("%v, stand %+v", verbs(p), p.Stands[1])
	}
	if want := v.Budget.ReadAt.Add(time.Hour); !p.LookAgain.Equal(want) {
		t.Errorf("looks again at %s, want %s", p.LookAgain, want)
	}
	v.QuotaUses = times(3, ago(30*day-10*time.Minute), time.Second)
	p = plan.Next(v, noon)
	if want := noon.Add(10 * time.Minute); !p.LookAgain.Equal(want) || !p.Stands[1].ActsAt.Equal(want) {
		t.Errorf("looks again at %s, stand %+v, want %s", p.LookAgain, p.Stands[1], want)
	}
	if got := verbs(plan.Next(v, noon.Add(10*time.Minute))); !slices.Equal(got, []plan.Verb{plan.ReadLimits}) {
		t.Errorf("when it frees: %v, want to ask", got)
	}
}

func TestFreeQuotaCountsWhatEnded(t *testing.T) {
	v := calm(planned(1, "net_arr", "2026_Q1"))
	v.Budget.Quota, v.Budget.QuotaFree = 100, 2
	v.QuotaUses = times(2, ago(time.Second), time.Millisecond) // bought and ended since the reading
	p := plan.Next(v, noon)
	if slices.Contains(verbs(p), plan.Post) {
		t.Error("posted beyond the quota")
	}
}
