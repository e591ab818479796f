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

func bought(n int, status weir.JobStatus) []weir.Job {
	var jobs []weir.Job
	for i := range n {
		jobs = append(jobs, weir.Job{ID: jobID(ago(time.Second), 100+i), ExportID: 99, Status: status})
	}
	return jobs
}

func TestFreeQuota(t *testing.T) {
	runs := running(1, "net_arr", "2026_Q1", time.Second)
	ranSince := []weir.Job{{ID: runs.JobID, ExportID: 1, Status: weir.JobRunning}}
	posting := weir.Export{ID: 2, State: weir.Submitting, SubmittedAt: ago(time.Second)}
	for name, c := range map[string]struct {
		change mutation
		want   int
	}{
		"as told":                    {func(*plan.View) {}, 10},
		"less the reserve":           {func(v *plan.View) { v.Policy.KeepQuota = 7 }, 3},
		"not below nothing":          {func(v *plan.View) { v.Policy.KeepQuota = 70 }, 0},
		"not known":                  {func(v *plan.View) { v.Budget.QuotaFree = -1 }, -1},
		"bought and ended since":     {func(v *plan.View) { v.BoughtSince = bought(2, weir.JobDone) }, 8},
		"bought and cancelled since": {func(v *plan.View) { v.BoughtSince = bought(2, weir.JobCancelled) }, 8},
		"one runs, two have ended": {func(v *plan.View) {
			v.Exports = []weir.Export{runs}
			v.BoughtSince = append(bought(2, weir.JobDone), ranSince...)
		}, 7},
		"runs since before the reading": {func(v *plan.View) { v.Exports = []weir.Export{runs} }, 10},
		"named by the reading": {func(v *plan.View) {
			v.BoughtSince = bought(2, weir.JobDone)
			v.Budget.Submitted = []string{v.BoughtSince[0].ID}
		}, 9},
		"a POST is under way":           {func(v *plan.View) { v.Exports = []weir.Export{posting} }, 9},
		"one of another account":        {func(v *plan.View) { v.Beside = []weir.Export{posting} }, 9},
		"its fate is unknown":           {func(v *plan.View) { v.Exports = []weir.Export{lost(1, "net_arr", "2026_Q1", time.Hour)} }, 9},
		"uses say nothing of a reading": {func(v *plan.View) { v.QuotaUses = times(3, noon.Add(time.Hour), 0) }, 10},
	} {
		t.Run(name, func(t *testing.T) {
			v := calm()
			v.Budget.Quota, v.Budget.QuotaFree = 100, 10
			c.change(&v)
			if got := v.FreeQuota(); got != c.want {
				t.Errorf("%d free, want %d", got, c.want)
			}
		})
	}
}

// What weir itself bought since the reading uses up the quota: the limits are
// asked for before anybody is told to wait.
func TestQuotaThatSeemsUsedUpIsAskedFor(t *testing.T) {
	v := calm(planned(1, "net_arr", "2026_Q1"))
	v.Budget.Quota, v.Budget.QuotaFree, v.Budget.Slots = 100, 2, 1
	v.BoughtSince = bought(2, weir.JobDone)
	if got := verbs(plan.Next(v, noon)); !slices.Equal(got, []plan.Verb{plan.ReadLimits}) {
		t.Fatalf("planned %v, want to ask", got)
	}
	v.Budget.QuotaFree, v.BoughtSince = 0, nil
	p := plan.Next(v, noon)
	if len(p.Actions) > 0 || p.Stands[1].Wait.Code != weir.WaitQuota {
		t.Errorf("planned %v, stand %+v", verbs(p), p.Stands[1])
	}
}

// A reading from the future, of a clock that was set back, is not believed.
func TestReadingFromTheFutureIsOld(t *testing.T) {
	v := calm(planned(1, "net_arr", "2026_Q1"))
	v.Budget.ReadStartedAt, v.Budget.ReadAt = noon.Add(time.Hour), noon.Add(time.Hour)
	if got := verbs(plan.Next(v, noon)); !slices.Equal(got, []plan.Verb{plan.ReadLimits}) {
		t.Errorf("planned %v, want to ask", got)
	}
}
