package plan_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/plan"
)

// from are the states from which each verb makes a legal move.
func from() map[plan.Verb][]weir.State {
	return map[plan.Verb][]weir.State{
		plan.Post:         {weir.Planned},
		plan.CancelJob:    {weir.Running},
		plan.ReadJob:      {weir.Running},
		plan.LoseIntent:   {weir.Submitting},
		plan.AdoptJob:     {weir.Planned, weir.Unknown, weir.Submitting},
		plan.CountAbsent:  {weir.Unknown},
		plan.JudgeAbsent:  {weir.Unknown},
		plan.AskPerson:    {weir.Unknown},
		plan.DropExport:   {weir.Planned},
		plan.SettleJob:    {weir.Running},
		plan.ReportTwin:   {weir.Running},
		plan.GiveUpExport: {weir.Running},
	}
}

func FuzzNext(f *testing.F) {
	for seed := range uint64(3000) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		v := chance{rand.New(rand.NewPCG(seed, 1))}.view()
		p := plan.Next(v, noon)
		if again := plan.Next(v, noon); !cmp.Equal(p, again) {
			t.Fatalf("two plans of one view differ:\n%s", cmp.Diff(p, again))
		}
		everyExportHasItsWord(t, v, p)
		everyMoveIsLegal(t, v, p)
		postsOnlyWhatMayBePosted(t, v, p)
		adoptsOnce(t, p)
	})
}

func everyExportHasItsWord(t *testing.T, v plan.View, p plan.Plan) {
	t.Helper()
	if len(p.Actions) == 0 && !p.LookAgain.After(noon) {
		t.Errorf("nothing to do and the next look is not ahead: %s", p.LookAgain)
	}
	subject := map[int64]bool{}
	for _, a := range p.Actions {
		subject[a.Export] = true
		if a.Why == "" {
			t.Errorf("%s without a reason", a.Do)
		}
	}
	for _, e := range v.Exports {
		stand, stands := p.Stands[e.ID]
		if !stands && !subject[e.ID] {
			t.Errorf("export %d (%s) has neither action nor stand", e.ID, e.State)
		}
		if stands && !stand.Until.After(noon) {
			t.Errorf("export %d (%s) stands until %s, which is not ahead", e.ID, e.State, stand.Until)
		}
	}
}

func everyMoveIsLegal(t *testing.T, v plan.View, p plan.Plan) {
	t.Helper()
	states := map[int64]weir.State{}
	for _, e := range v.Exports {
		states[e.ID] = e.State
	}
	for _, a := range p.Actions {
		if a.Export == 0 {
			if a.Do != plan.ReadLimits && a.Do != plan.ListJobs && a.Do != plan.ReadJob {
				t.Errorf("%s of no export", a.Do)
			}
		} else if !slices.Contains(from()[a.Do], states[a.Export]) {
			t.Errorf("%s of export %d, which is %s", a.Do, a.Export, states[a.Export])
		}
	}
}

func postsOnlyWhatMayBePosted(t *testing.T, v plan.View, p plan.Plan) {
	t.Helper()
	posts := 0
	for _, a := range p.Actions {
		if a.Do.Sends() && noon.Before(v.GateOpensAt) {
			t.Errorf("%s while the gate is closed", a.Do)
		}
		if a.Do != plan.Post {
			continue
		}
		posts++
		e := v.Exports[slices.IndexFunc(v.Exports, func(e weir.Export) bool { return e.ID == a.Export })]
		for name, bad := range whyNot(v, e) {
			if bad {
				t.Errorf("POST of export %d although %s", e.ID, name)
			}
		}
	}
	if posts > 1 {
		t.Errorf("%d POSTs at once", posts)
	}
}

func whyNot(v plan.View, e weir.Export) map[string]bool {
	holds := slices.ContainsFunc(v.Exports, func(o weir.Export) bool { return o.State.HoldsSlot() })
	twin := slices.ContainsFunc(v.Exports, func(o weir.Export) bool {
		return o.State == weir.Unknown && o.Request.SameTarget(e.Request)
	})
	return map[string]bool{
		"no slot is free":              v.FreeSlots() == 0,
		"no quota is left":             v.FreeQuota() == 0,
		"POSTs are held":               noon.Before(v.Budget.HoldUntil),
		"it is to be cancelled":        !e.CancelRequestedAt.IsZero(),
		"it waits":                     noon.Before(e.NotBefore),
		"a like one is unknown":        twin,
		"the list is old":              !v.Listing.Absent && noon.Sub(v.Listing.StartedAt) > time.Minute,
		"one runs under sequential":    v.Policy.Sequential && holds,
		"the pause is not over":        v.Policy.Sequential && noon.Before(v.LastEndAt.Add(v.Policy.Delay)),
		"its own job can be had again": e.JobID != "",
	}
}

func adoptsOnce(t *testing.T, p plan.Plan) {
	t.Helper()
	given := map[string]int64{}
	for _, a := range p.Actions {
		if a.Do == plan.AdoptJob {
			if other, twice := given[a.JobID]; twice {
				t.Errorf("job %s given to exports %d and %d", a.JobID, other, a.Export)
			}
			given[a.JobID] = a.Export
		}
	}
}

func TestNextPostsWhenEverythingIsKnown(t *testing.T) {
	p := plan.Next(calm(planned(1, "net_arr", "2026_Q1"), planned(2, "net_arr", "2026_Q2")), noon)
	if got := verbs(p); !slices.Equal(got, []plan.Verb{plan.Post}) {
		t.Fatalf("planned %v, want one POST", got)
	}
	if code := p.Stands[2].Wait.Code; code != weir.WaitTurn {
		t.Errorf("the second waits for %q, want its turn", code)
	}
}

func TestNextDecidesBeforeItAsks(t *testing.T) {
	done := running(1, "net_arr", "2026_Q1", time.Minute)
	v := calm(done, planned(2, "net_arr", "2026_Q2"))
	j := v.Jobs[done.JobID]
	j.Status, j.RawStatus = weir.JobDone, "DONE"
	v.Jobs[done.JobID] = j
	p := plan.Next(v, noon)
	if got := verbs(p); !slices.Equal(got, []plan.Verb{plan.SettleJob}) {
		t.Fatalf("planned %v, want to settle first", got)
	}
	if _, stands := p.Stands[2]; !stands {
		t.Error("the other export has no stand meanwhile")
	}
}

func TestCancelWishes(t *testing.T) {
	wish := func(e weir.Export) weir.Export { e.CancelRequestedAt = ago(time.Second); return e }
	adopted := func(e weir.Export) weir.Export { e.Adopted = true; return e }
	forced := func(e weir.Export) weir.Export { e.CancelForced = true; return e }
	sent := func(e weir.Export) weir.Export { e.CancelSentAt = noon; return e }
	run := running(1, "net_arr", "2026_Q1", 10*time.Second)
	cases := map[string]struct {
		export weir.Export
		want   plan.Verb
		wanted bool
	}{
		"planned is dropped unsent":      {wish(planned(1, "net_arr", "2026_Q1")), plan.DropExport, true},
		"running is asked to stop":       {wish(run), plan.CancelJob, true},
		"adopted is left alone":          {adopted(wish(run)), plan.CancelJob, false},
		"adopted is stopped with force":  {forced(adopted(wish(run))), plan.CancelJob, true},
		"it is asked once":               {sent(wish(run)), plan.CancelJob, false},
		"unknown waits for what it is":   {wish(lost(1, "net_arr", "2026_Q1", time.Second)), plan.CancelJob, false},
		"without a wish nothing happens": {run, plan.CancelJob, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := slices.Contains(verbs(plan.Next(calm(c.export), noon)), c.want); got != c.wanted {
				t.Errorf("%s planned: %v, want %v", c.want, got, c.wanted)
			}
		})
	}
}

func TestGateHoldsEveryRequest(t *testing.T) {
	closed := mutation(func(v *plan.View) {
		v.GateOpensAt, v.GateWhy = noon.Add(7*time.Second), weir.Wait{Code: weir.WaitThrottled, Text: "429"}
	})
	held := mutation(func(v *plan.View) {
		v.Account.NotBefore, v.Account.Wait = noon.Add(time.Hour), weir.Wait{Code: weir.WaitKey, Text: "key"}
	})
	for name, c := range map[string]struct {
		view  plan.View
		until time.Time
		code  weir.WaitCode
	}{
		"gate":        {closed.of(calm(planned(1, "a", "2026_Q1"))), noon.Add(7 * time.Second), weir.WaitThrottled},
		"account":     {held.of(calm(planned(1, "a", "2026_Q1"))), noon.Add(time.Hour), weir.WaitKey},
		"later of it": {held.of(closed.of(calm(planned(1, "a", "2026_Q1")))), noon.Add(time.Hour), weir.WaitKey},
	} {
		t.Run(name, func(t *testing.T) {
			p := plan.Next(c.view, noon)
			stand := p.Stands[1]
			if len(p.Actions) > 0 || stand.Wait.Code != c.code || !stand.ActsAt.Equal(c.until) || !p.LookAgain.Equal(c.until) {
				t.Errorf("plan %+v, want to stand for %s until %s", p, c.code, c.until)
			}
		})
	}
}

func TestSequentialTakesOneAtATime(t *testing.T) {
	v := calm(running(1, "net_arr", "2026_Q1", time.Second), planned(2, "net_arr", "2026_Q2"))
	v.Policy = plan.Sequential()
	if p := plan.Next(v, noon); p.Stands[2].Wait.Code != weir.WaitTurn || slices.Contains(verbs(p), plan.Post) {
		t.Errorf("beside a running job: %v, stand %+v", verbs(p), p.Stands[2])
	}
	v = calm(planned(2, "net_arr", "2026_Q2"))
	v.Policy, v.LastEndAt = plan.Sequential(), ago(4*time.Second)
	if p := plan.Next(v, noon); p.Stands[2].Wait.Code != weir.WaitDelay || !p.LookAgain.Equal(noon.Add(6*time.Second)) {
		t.Errorf("4 s after an end: look again %s, stand %+v", p.LookAgain, p.Stands[2])
	}
	v.LastEndAt = ago(10 * time.Second)
	if got := verbs(plan.Next(v, noon)); !slices.Equal(got, []plan.Verb{plan.Post}) {
		t.Errorf("10 s after an end: %v, want a POST", got)
	}
}
