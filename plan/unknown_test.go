package plan_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/plan"
)

// stray is a job that no export has, first seen after every intent.
func stray(n int, created time.Time, status weir.JobStatus, name string) weir.Job {
	return weir.Job{
		ID: jobID(created, n), Status: status, RawStatus: strings.ToUpper(string(status)), FileName: name,
		StartedAt: created, FirstSeen: created, LastSeen: ago(time.Second), Seq: 100 + int64(n),
	}
}

func with(v plan.View, jobs ...weir.Job) plan.View {
	for _, j := range jobs {
		v.Jobs[j.ID] = j
	}
	return v
}

func TestLostPostIsLookedFor(t *testing.T) {
	e := lost(1, "net_arr", "2026_Q1", 20*time.Second)
	posted := e.SubmittedAt
	name := fileName("net_arr", "2026_Q1")
	known := stray(1, posted, weir.JobRunning, name)
	known.Seq = e.IntentSeq
	owned := stray(2, posted, weir.JobRunning, name)
	owned.ExportID = 7
	bound := stray(3, posted, weir.JobQueued, "")
	bound.ExportID = 1
	cases := map[string]struct {
		jobs []weir.Job
		want plan.Verb
		job  string
	}{
		"a match is adopted":             {[]weir.Job{stray(4, posted, weir.JobRunning, name)}, plan.AdoptJob, jobID(posted, 4)},
		"the nearest after the POST":     {[]weir.Job{stray(4, posted.Add(9*time.Second), weir.JobRunning, name), stray(5, posted.Add(time.Second), weir.JobRunning, name), stray(6, posted.Add(-time.Second), weir.JobRunning, name)}, plan.AdoptJob, jobID(posted.Add(time.Second), 5)},
		"a match beside one who can say": {[]weir.Job{stray(4, posted, weir.JobRunning, name), stray(5, posted, weir.JobDone, "odd.json")}, plan.AdoptJob, jobID(posted, 4)},
		"named by an answer":             {[]weir.Job{bound}, plan.AdoptJob, bound.ID},
		"known before the intent":        {[]weir.Job{known}, plan.CountAbsent, ""},
		"another export's":               {[]weir.Job{owned}, plan.CountAbsent, ""},
		"another forecast":               {[]weir.Job{stray(4, posted, weir.JobRunning, fileName("new_logo", "2026_Q1"))}, plan.CountAbsent, ""},
		"another period":                 {[]weir.Job{stray(4, posted, weir.JobRunning, fileName("net_arr", "2026_Q2"))}, plan.CountAbsent, ""},
		"an odd name":                    {[]weir.Job{stray(4, posted, weir.JobRunning, "odd.json")}, plan.AskPerson, ""},
		"ended without a name":           {[]weir.Job{stray(4, posted, weir.JobFailed, "")}, plan.AskPerson, ""},
		"too young for a name":           {[]weir.Job{stray(4, posted, weir.JobQueued, "")}, "", ""},
		"nothing":                        {nil, plan.CountAbsent, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := plan.Next(with(calm(e), c.jobs...), noon)
			if c.want == "" {
				if slices.ContainsFunc(p.Actions, func(a plan.Action) bool { return !a.Do.Sends() }) {
					t.Fatalf("decided %+v, want to look on", p.Actions)
				}
				return
			}
			if len(p.Actions) == 0 || p.Actions[0].Do != c.want || p.Actions[0].JobID != c.job {
				t.Errorf("planned %+v, want %s %s", p.Actions, c.want, c.job)
			}
		})
	}
}

// An activity's job cannot be told by its name, but a forecast's is none.
func TestLostActivityIsNotAForecast(t *testing.T) {
	e := lost(1, "", "", 20*time.Second)
	e.Request = weir.Request{Kind: weir.Activity, Since: "2026-01-01", Until: "2026-01-31"}
	p := plan.Next(with(calm(e), stray(1, e.SubmittedAt, weir.JobDone, fileName("net_arr", "2026_Q1"))), noon)
	if got := verbs(p); !slices.Equal(got, []plan.Verb{plan.CountAbsent}) {
		t.Errorf("beside a forecast's job: %v", got)
	}
	p = plan.Next(with(calm(e), stray(1, e.SubmittedAt, weir.JobDone, "clari_export_activity_20261123_115900.json")), noon)
	if got := verbs(p); !slices.Equal(got, []plan.Verb{plan.AskPerson}) {
		t.Errorf("beside an activity's job: %v", got)
	}
}

// prover plays a server that answers every look, and counts them.
type prover struct {
	v     plan.View
	now   time.Time
	looks map[plan.Verb]int
	lists []time.Duration // since the loss, of complete lists
}

func (pr *prover) run(t *testing.T, until time.Duration) plan.Action {
	t.Helper()
	start := pr.now
	pr.looks = map[plan.Verb]int{}
	for range 10000 {
		if pr.now.Sub(start) > until {
			return plan.Action{}
		}
		p := plan.Next(pr.v, pr.now)
		if len(p.Actions) == 0 {
			pr.now = p.LookAgain
			continue
		}
		a := p.Actions[0]
		pr.looks[a.Do]++
		if a.Do == plan.JudgeAbsent || a.Do == plan.AskPerson || a.Do == plan.AdoptJob {
			return a
		}
		pr.answer(a)
	}
	t.Fatalf("never ends: %v", pr.looks)
	return plan.Action{}
}

func (pr *prover) answer(a plan.Action) {
	e := &pr.v.Exports[0]
	switch a.Do {
	case plan.ListJobs:
		pr.v.Listing.StartedAt, pr.v.Listing.At = pr.now, pr.now
		pr.lists = append(pr.lists, pr.now.Sub(e.LostAt))
	case plan.ReadLimits:
		pr.v.Budget.Reading++
		pr.v.Budget.ReadStartedAt, pr.v.Budget.ReadAt = pr.now, pr.now
	case plan.CountAbsent:
		e.AbsentListings++
		e.AbsentListedAt = pr.now
	case plan.ReadJob:
		j := pr.v.Jobs[a.JobID]
		j.LastSeen = pr.now
		j.ID, j.Status = a.JobID, weir.JobRunning
		if j.FileName == "" {
			j.FileName = fileName("other", "2026_Q1")
		}
		pr.v.Jobs[a.JobID] = j
	}
}

func TestAbsenceTakesThreeCompleteListings(t *testing.T) {
	for name, c := range map[string]struct {
		settle time.Duration
		want   []time.Duration
	}{
		"own loss": {plan.SettleOwn, []time.Duration{10 * time.Second, 15 * time.Second, 20 * time.Second}},
		"takeover": {plan.SettleTakeover, []time.Duration{60 * time.Second, 65 * time.Second, 70 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			e := lost(1, "net_arr", "2026_Q1", 0)
			e.Settle = c.settle
			pr := &prover{v: calm(e), now: noon}
			if a := pr.run(t, time.Hour); a.Do != plan.JudgeAbsent {
				t.Fatalf("ended with %+v", a)
			}
			if !slices.Equal(pr.lists, c.want) || pr.looks[plan.ReadLimits] != 1 {
				t.Errorf("listed at %v with %d readings of limits, want %v and one", pr.lists, pr.looks[plan.ReadLimits], c.want)
			}
		})
	}
}

func TestAbsenceIsNotProvedBySpoiledListings(t *testing.T) {
	old := jobID(ago(time.Hour), 50)
	cases := map[string]struct {
		change mutation
		want   plan.Verb
		within time.Duration
	}{
		"an id is missing":               {func(v *plan.View) { v.Missing = []string{old} }, plan.AskPerson, 2 * time.Hour},
		"the missing id is really gone":  {func(v *plan.View) { v.Missing, v.Unreadable = []string{old}, map[string]bool{old: true} }, plan.JudgeAbsent, time.Minute},
		"an id in flight is unexplained": {func(v *plan.View) { v.Budget.InFlight = []string{"0123"} }, plan.JudgeAbsent, time.Minute},
		"it is somebody else's":          {func(v *plan.View) { v.Budget.InFlight, v.Unreadable = []string{"0123"}, map[string]bool{"0123": true} }, plan.JudgeAbsent, time.Minute},
		"a job is too young to tell": {func(v *plan.View) {
			j := stray(1, noon, weir.JobQueued, "")
			v.Jobs[j.ID] = j
		}, plan.AskPerson, 2 * time.Hour},
		"limits forbidden": {func(v *plan.View) { v.Budget = plan.LimitsForbidden(v.Budget, "default", noon, noon) }, plan.JudgeAbsent, time.Minute},
		"no list at all":   {func(v *plan.View) { v.Listing = plan.Listing{Absent: true} }, plan.JudgeAbsent, time.Minute},
		"neither": {func(v *plan.View) {
			v.Listing = plan.Listing{Absent: true}
			v.Budget = plan.LimitsForbidden(v.Budget, "default", noon, noon)
		}, plan.AskPerson, time.Minute},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			pr := &prover{v: c.change.of(calm(lost(1, "net_arr", "2026_Q1", 0))), now: noon}
			a := pr.run(t, c.within)
			if a.Do != c.want {
				t.Fatalf("ended with %+v after %s, want %s", a, pr.now.Sub(noon), c.want)
			}
			if looks := pr.looks[plan.ListJobs] + pr.looks[plan.ReadLimits] + pr.looks[plan.ReadJob]; looks > 150 {
				t.Errorf("%d looks in %s", looks, pr.now.Sub(noon))
			}
		})
	}
}

func TestNothingLikeAnUnknownIsPosted(t *testing.T) {
	doubt := lost(1, "net_arr", "2026_Q1", time.Second)
	p := plan.Next(calm(doubt, planned(2, "net_arr", "2026_Q1"), planned(3, "net_arr", "2026_Q2")), noon)
	if p.Stands[2].Wait.Code != weir.WaitTwin {
		t.Errorf("the like one stands for %q", p.Stands[2].Wait.Code)
	}
	if len(p.Actions) == 0 || p.Actions[0].Do != plan.Post || p.Actions[0].Export != 3 {
		t.Errorf("planned %+v, want to post the other", p.Actions)
	}
}

func TestAPersonIsWaitedFor(t *testing.T) {
	e := lost(1, "net_arr", "2026_Q1", time.Hour)
	e.NeedsPerson = "job x appeared"
	p := plan.Next(calm(e), noon)
	if len(p.Actions) > 0 || p.Stands[1].Wait.Code != weir.WaitPerson || !p.Stands[1].ActsAt.IsZero() {
		t.Errorf("planned %v, stand %+v", verbs(p), p.Stands[1])
	}
	if !strings.Contains(p.Stands[1].Wait.Text, "weir resolve 1") {
		t.Errorf("does not say how to decide: %s", p.Stands[1].Wait.Text)
	}
}

func TestUnreadableJobIsTakenUpAgain(t *testing.T) {
	e := lost(1, "net_arr", "2026_Q1", time.Minute)
	e.JobID, e.NeedsPerson = jobID(ago(time.Hour), 1), "the server no longer knows it"
	j := weir.Job{ID: e.JobID, ExportID: 1, Status: weir.JobRunning, LastSeen: ago(time.Second)}
	if got := plan.Next(with(calm(e), j), noon).Actions; len(got) != 1 || got[0].Do != plan.AdoptJob {
		t.Errorf("planned %+v, want to take it up", got)
	}
	j.LastSeen = ago(time.Hour)
	if got := plan.Next(with(calm(e), j), noon).Actions; len(got) != 0 {
		t.Errorf("planned %+v on what was known before the loss", got)
	}
}

func TestIntentsOfTheDead(t *testing.T) {
	e := planned(1, "net_arr", "2026_Q1")
	e.State, e.SubmittedAt, e.IntentSeq = weir.Submitting, ago(time.Minute), 4
	if got := plan.Next(calm(e), noon).Actions; len(got) != 1 || got[0].Do != plan.LoseIntent {
		t.Errorf("planned %+v, want to lose it", got)
	}
	bound := weir.Job{ID: "x", ExportID: 1, Seq: 5, Status: weir.JobQueued}
	if got := plan.Next(with(calm(e), bound), noon).Actions; len(got) != 1 || got[0].Do != plan.AdoptJob || got[0].JobID != "x" {
		t.Errorf("planned %+v, want the job that was named", got)
	}
	bound.Seq = 4 // of an earlier intent
	if got := plan.Next(with(calm(e), bound), noon).Actions; len(got) != 1 || got[0].Do != plan.LoseIntent {
		t.Errorf("planned %+v, want to lose it", got)
	}
}

func TestLateJobs(t *testing.T) {
	name := fileName("net_arr", "2026_Q1")
	again := planned(1, "net_arr", "2026_Q1")
	again.PresumedAbsentAt, again.AbsentSeq, again.NoAdopt = ago(time.Hour), 100, true
	late := stray(2, ago(time.Minute), weir.JobRunning, name) // sequence 102
	if got := plan.Next(with(calm(again), late), noon).Actions; len(got) != 1 || got[0].Do != plan.AdoptJob {
		t.Errorf("before it is posted again: %+v, want to adopt", got)
	}
	early := late
	early.Seq = 100 // it was there when the absence was judged
	if got := verbs(plan.Next(with(calm(again), early), noon)); !slices.Equal(got, []plan.Verb{plan.Post}) {
		t.Errorf("beside a job seen before: %v, want a POST", got)
	}
	posted := running(1, "net_arr", "2026_Q1", time.Minute)
	posted.PresumedAbsentAt, posted.AbsentSeq = ago(time.Hour), 100
	if got := plan.Next(with(calm(posted), late), noon).Actions; len(got) != 1 || got[0].Do != plan.ReportTwin || got[0].JobID != late.ID {
		t.Errorf("after it was posted again: %+v, want to report", got)
	}
	posted.Twin = late.ID
	if slices.Contains(verbs(plan.Next(with(calm(posted), late), noon)), plan.ReportTwin) {
		t.Error("reported twice")
	}
	posted.Twin, posted.PresumedAbsentAt = "", ago(25*time.Hour)
	if slices.Contains(verbs(plan.Next(with(calm(posted), late), noon)), plan.ReportTwin) {
		t.Error("reported after a day")
	}
}

func TestAdoptionInsteadOfAPost(t *testing.T) {
	name := fileName("net_arr", "2026_Q1")
	before, after := ago(48*time.Hour), ago(time.Hour) // the ledger is a day old
	ended := func(j weir.Job, at time.Time) weir.Job { j.EndedAt = at; return j }
	fresh := func(e weir.Export) weir.Export { e.Fresh = 72 * time.Hour; return e }
	refuses := func(e weir.Export) weir.Export { e.NoAdopt = true; return e }
	e := planned(1, "net_arr", "2026_Q1")
	own := e
	own.JobID = "own"
	cases := map[string]struct {
		export weir.Export
		job    weir.Job
		adopt  bool
	}{
		"running and older than the ledger":    {e, stray(1, before, weir.JobRunning, name), true},
		"queued and older":                     {e, stray(1, before, weir.JobQueued, name), true},
		"not wanted":                           {refuses(e), stray(1, before, weir.JobRunning, name), false},
		"younger than the ledger":              {e, stray(1, after, weir.JobRunning, name), false},
		"another forecast":                     {e, stray(1, before, weir.JobRunning, fileName("b", "2026_Q1")), false},
		"cannot be told":                       {e, stray(1, before, weir.JobRunning, "x.json"), false},
		"done, and nobody asked for freshness": {e, ended(stray(1, before, weir.JobDone, name), before), false},
		"done within fresh":                    {fresh(e), ended(stray(1, before, weir.JobDone, name), before.Add(time.Minute)), true},
		"done before fresh":                    {fresh(e), ended(stray(1, ago(100*time.Hour), weir.JobDone, name), ago(99*time.Hour)), false},
		"failed":                               {fresh(e), ended(stray(1, before, weir.JobFailed, name), before), false},
		"its own finished job":                 {own, weir.Job{ID: "own", ExportID: 1, Status: weir.JobDone}, true},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p := plan.Next(with(calm(c.export), c.job), noon)
			if got := slices.Contains(verbs(p), plan.AdoptJob); got != c.adopt {
				t.Errorf("adopted: %v, want %v (%+v)", got, c.adopt, p.Actions)
			}
		})
	}
}

// Two exports that ask alike do not get the same job.
func TestOneJobServesOneExport(t *testing.T) {
	name := fileName("net_arr", "2026_Q1")
	other := planned(2, "net_arr", "2026_Q1")
	other.Request.Currency = "EUR"
	p := plan.Next(with(calm(planned(1, "net_arr", "2026_Q1"), other), stray(1, ago(48*time.Hour), weir.JobRunning, name)), noon)
	if got := verbs(p); !slices.Equal(got, []plan.Verb{plan.AdoptJob}) || p.Actions[0].Export != 1 {
		t.Errorf("planned %+v, want one adoption", p.Actions)
	}
}

func TestReadsThatNeverSucceedEndTheExport(t *testing.T) {
	e := running(1, "net_arr", "2026_Q1", time.Minute)
	e.PollFailures = plan.MaxReadTries
	if got := verbs(plan.Next(calm(e), noon)); !slices.Equal(got, []plan.Verb{plan.GiveUpExport}) {
		t.Errorf("planned %v", got)
	}
}

// A job that appears while a like POST is unknown may be that one's: an export
// whose own lost POST is in doubt leaves it alone until that is decided.
func TestUnknownGoesBeforeDoubt(t *testing.T) {
	doubt, e := planned(1, "net_arr", "2026_Q1"), lost(2, "net_arr", "2026_Q1", 20*time.Second)
	doubt.PresumedAbsentAt = ago(time.Minute)
	j := stray(7, ago(15*time.Second), weir.JobRunning, fileName("net_arr", "2026_Q1"))
	got := plan.Next(with(calm(doubt, e), j), noon).Actions
	if len(got) != 1 || got[0].Do != plan.AdoptJob || got[0].Export != 2 {
		t.Errorf("planned %+v, want export 2 to adopt it", got)
	}
}

// Which submitted ids may be a lost POST's is told by the server's clock as it
// was known when it was posted: setting weir's own back hides none.
func TestClockSetBackHidesNoSubmittedJob(t *testing.T) {
	e := lost(1, "net_arr", "2026_Q1", time.Minute)
	e.PostedAt, e.LostIn = e.SubmittedAt, 0
	v := calm(e)
	v.Listing = plan.Listing{Absent: true}
	v.Budget.Submitted = []string{jobID(e.SubmittedAt, 1)}
	back := -26 * time.Minute
	v.ServerAhead = -back
	v.Exports[0].LostAt = noon.Add(back - time.Minute)
	v.Budget.ReadStartedAt, v.Budget.ReadAt = noon.Add(back-time.Second), noon.Add(back)
	got := plan.Next(v, noon.Add(back)).Actions
	if len(got) != 1 || got[0].Do != plan.ReadJob {
		t.Errorf("planned %+v, want to ask whose job that is", got)
	}
}

// While an export of activities is of unknown fate, no other is posted, whatever
// its days; another kind is.
func TestNothingOfTheKindBesideAnUnknown(t *testing.T) {
	unknown := lost(1, "", "", 20*time.Second)
	unknown.Request = weir.Request{Kind: weir.Activity, Since: "2026-01-01", Until: "2026-01-31"}
	unknown.NeedsPerson = "a job does not show what it exports"
	other, audit := planned(2, "", ""), planned(3, "", "")
	other.Request = weir.Request{Kind: weir.Activity, Since: "2026-03-01", Until: "2026-03-31"}
	audit.Request = weir.Request{Kind: weir.Audit, Since: "2026-03-01", Until: "2026-03-31"}
	p := plan.Next(calm(unknown, other, audit), noon)
	if len(p.Actions) != 1 || p.Actions[0].Do != plan.Post || p.Actions[0].Export != 3 || p.Stands[2].Wait.Code != weir.WaitTwin {
		t.Errorf("planned %+v, the other activities %+v", p.Actions, p.Stands[2])
	}
}

// An export without a job is never posted: retried, it goes to its landing.
func TestDirectIsNeverPosted(t *testing.T) {
	for _, state := range []weir.State{weir.Planned, weir.Running} {
		e := planned(1, "net_arr", "")
		e.Request.Direct, e.State = true, state
		if got := verbs(plan.Next(calm(e), noon)); !slices.Equal(got, []plan.Verb{plan.ReadDirect}) {
			t.Errorf("%s: %v", state, got)
		}
	}
	dropped := planned(1, "net_arr", "")
	dropped.Request.Direct, dropped.CancelRequestedAt = true, noon
	if got := verbs(plan.Next(calm(dropped), noon)); !slices.Equal(got, []plan.Verb{plan.DropExport}) {
		t.Errorf("cancelled: %v", got)
	}
}
