package plan_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/plan"
)

func TestFreeSlots(t *testing.T) {
	old := running(1, "net_arr", "2026_Q1", time.Minute)
	young := running(2, "net_arr", "2026_Q2", time.Second)
	since := []weir.Job{{ID: young.JobID, ExportID: 2, Status: weir.JobQueued}} // seen after the reading began
	ofAnother := []weir.Job{{ID: "theirs", ExportID: 7, Status: weir.JobRunning}}
	over := []weir.Job{{ID: "theirs", ExportID: 7, Status: weir.JobDone}}
	posting := func(since time.Duration) []weir.Export {
		return []weir.Export{{ID: 8, State: weir.Submitting, SubmittedAt: ago(since)}}
	}
	inFlight := func(free int, ids ...string) weir.Budget {
		b := told(3)
		b.SlotsFree, b.InFlight = free, ids
		return b
	}
	ended := map[string]weir.Job{old.JobID: {ID: old.JobID, ExportID: 1, Status: weir.JobDone}}
	abandoned := map[string]weir.Job{"left": {ID: "left", ExportID: 9, Status: weir.JobRunning}}
	learned := func(ceiling, accepts int) weir.Budget {
		return weir.Budget{Forbidden: true, Source: weir.Learned, Ceiling: ceiling, Accepts: accepts}
	}
	cases := map[string]struct {
		budget  weir.Budget
		exports []weir.Export
		jobs    map[string]weir.Job
		want    int
		since   []weir.Job
		beside  []weir.Export
	}{
		"nothing runs":                         {told(3), nil, nil, 3, nil, nil},
		"ours as told":                         {inFlight(2, old.JobID), []weir.Export{old}, nil, 2, nil, nil},
		"posted since the reading":             {inFlight(2, old.JobID), []weir.Export{old, young}, nil, 1, since, nil},
		"named by the reading, seen since":     {inFlight(1, old.JobID, young.JobID), []weir.Export{old, young}, nil, 1, since, nil},
		"posted since, less was told free":     {inFlight(1), []weir.Export{young}, nil, 0, since, nil},
		"ended since the reading":              {inFlight(2, old.JobID), nil, ended, 3, nil, nil},
		"one ended, one posted since":          {inFlight(2, old.JobID), []weir.Export{young}, ended, 2, since, nil},
		"others hold two":                      {inFlight(1, "x", "y"), nil, nil, 1, nil, nil},
		"others' jobs told twice over":         {inFlight(3, "x", "y"), nil, nil, 1, nil, nil},
		"a job that nobody waits for any more": {inFlight(3, "left"), nil, abandoned, 2, nil, nil},
		"an unknown fate holds a slot":         {told(1), []weir.Export{lost(1, "net_arr", "2026_Q1", time.Second)}, nil, 0, nil, nil},
		"another account posted since":         {told(3), nil, nil, 2, ofAnother, nil},
		"and its job is over":                  {told(3), nil, nil, 3, over, nil},
		"another account is posting":           {told(3), nil, nil, 2, nil, posting(time.Second)},
		"it was, long before the reading":      {told(3), nil, nil, 3, nil, posting(10 * time.Minute)},
		"nobody may read: others of ours run":  {learned(3, 0), []weir.Export{old}, nil, 1, nil, []weir.Export{young}},
		"more than the limit":                  {told(1), []weir.Export{old, young}, nil, 0, nil, nil},
		"nothing known: one":                   {weir.Budget{}, nil, nil, 1, nil, nil},
		"nothing known and one runs":           {weir.Budget{}, []weir.Export{old}, nil, 0, nil, nil},
		"learning: one more each":              {learned(0, 2), []weir.Export{old, young}, nil, 1, nil, nil},
		"learned":                              {learned(2, -8), []weir.Export{old, young}, nil, 0, nil, nil},
		"learned, time to try one more":        {learned(2, 2), []weir.Export{old, young}, nil, 1, nil, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := (plan.View{Budget: c.budget, Exports: c.exports, Jobs: c.jobs, BoughtSince: c.since, Beside: c.beside}).FreeSlots(); got != c.want {
				t.Errorf("free slots = %d, want %d", got, c.want)
			}
		})
	}
}

// More told is never less free, and what is posted never exceeds what was told.
func TestFreeSlotsIsMonotone(t *testing.T) {
	for seed := range uint64(2000) {
		v := chance{rand.New(rand.NewPCG(seed, 2))}.view()
		v.Budget.Source = weir.Told
		v.Budget.ReadAt = ago(0)
		before := v.FreeSlots()
		if before < 0 || before > max(0, v.Budget.SlotsFree+len(v.Budget.InFlight)) {
			t.Fatalf("seed %d: %d free of %+v", seed, before, v.Budget)
		}
		more := v.Budget
		more.Slots++
		freer := v.Budget
		freer.SlotsFree++
		for _, b := range []weir.Budget{more, freer} {
			told := v
			told.Budget = b
			if after := told.FreeSlots(); after < before || after > before+1 {
				t.Fatalf("seed %d: %d free became %d with one more told", seed, before, after)
			}
		}
		another := v
		another.Exports = append(slices.Clone(v.Exports), running(99, "z", "2026_Q1", 0))
		if after := another.FreeSlots(); after > before {
			t.Fatalf("seed %d: %d free became %d with one more in flight", seed, before, after)
		}
	}
}

// A refusal is explained by asking; where the limits show room, POSTs wait
// longer each time, but they do go on.
func TestRefusalIsExplained(t *testing.T) {
	room := plan.LimitReading{Slots: 3, SlotsFree: 2, Quota: 100, QuotaFree: 50}
	for name, c := range map[string]struct {
		reading plan.LimitReading
		ours    int
		hold    time.Duration
	}{
		"no slot":             {plan.LimitReading{Slots: 3, SlotsFree: 0, Quota: 100, QuotaFree: 50}, 1, 0},
		"no quota":            {plan.LimitReading{Slots: 3, SlotsFree: 2, Quota: 100, QuotaFree: 0}, 0, 0},
		"room, ours run":      {room, 1, 5 * time.Second},
		"room, none of ours":  {room, 0, time.Minute},
		"quota not said":      {plan.LimitReading{Slots: 3, SlotsFree: 2, Quota: -1, QuotaFree: -1}, 1, 5 * time.Second},
		"slots free not said": {plan.LimitReading{Slots: 1, SlotsFree: -1, Quota: 9, QuotaFree: 9, Running: []string{"x"}}, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := plan.Refused(told(3), c.ours, noon)
			v := calm(planned(1, "net_arr", "2026_Q1"))
			v.Budget = b
			if got := verbs(plan.Next(v, noon)); !slices.Equal(got, []plan.Verb{plan.ReadLimits}) {
				t.Fatalf("after a refusal: %v, want to ask which limit it was", got)
			}
			c.reading.Number = 2
			b = plan.ToldLimits(b, c.reading, c.ours, noon, noon)
			if hold := max(0, b.HoldUntil.Sub(noon)); hold != c.hold {
				t.Errorf("POSTs held for %s, want %s", hold, c.hold)
			}
		})
	}
}

func TestRefusalsNeverLoopAndNeverStop(t *testing.T) {
	room := plan.LimitReading{Slots: 3, SlotsFree: 3, Quota: 100, QuotaFree: 50}
	v := calm(planned(1, "net_arr", "2026_Q1"))
	now, posts, reads := noon, 0, 0
	var gaps []time.Duration
	last := noon
	for range 200 {
		v.Listing.StartedAt = now
		p := plan.Next(v, now)
		switch {
		case len(p.Actions) == 0:
			now = p.LookAgain
		case p.Actions[0].Do == plan.ReadLimits:
			reads++
			room.Number++
			v.Budget = plan.ToldLimits(v.Budget, room, 0, now, now)
		case p.Actions[0].Do == plan.Post:
			posts++
			gaps = append(gaps, now.Sub(last))
			last = now
			v.Budget = plan.Refused(v.Budget, 0, now)
		}
	}
	want := []time.Duration{0, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 32 * time.Minute, time.Hour, time.Hour}
	if len(gaps) < len(want) || !slices.Equal(gaps[:len(want)], want) {
		t.Errorf("POSTs came after %v, want %v", gaps, want)
	}
	if reads > 2*posts+1 {
		t.Errorf("%d readings for %d POSTs", reads, posts)
	}
}

// Where limits may not be read, a server with so many slots is filled, and
// almost never asked for more.
func TestSlotsAreLearnedFromFewRefusals(t *testing.T) {
	for slots := 1; slots <= 12; slots++ {
		b := plan.LimitsForbidden(weir.Budget{}, "default", noon, noon)
		ours, refused, widest := 0, 0, 0
		for range 200 { // one job ends, then whatever fits is posted
			ours = max(0, ours-1)
			for free := 1; free > 0; {
				exports := make([]weir.Export, ours)
				for i := range exports {
					exports[i] = running(int64(i), "a", "2026_Q1", time.Minute)
				}
				if free = (plan.View{Budget: b, Exports: exports}).FreeSlots(); free == 0 {
					break
				}
				if ours == slots {
					refused++
					b = plan.Refused(b, ours, noon)
					break
				}
				b = plan.AcceptedBeside(b, ours)
				ours++
			}
			widest = max(widest, ours)
		}
		if widest != slots {
			t.Errorf("%d slots: filled %d", slots, widest)
		}
		if most := 1 + 200/(slots*5); refused > most {
			t.Errorf("%d slots: %d refusals of 200, want at most %d", slots, refused, most)
		}
	}
}

func TestLearnedWidthFollowsTheServer(t *testing.T) {
	b := weir.Budget{Forbidden: true, Source: weir.Learned, Ceiling: 2, Accepts: 2}
	if b = plan.AcceptedBeside(b, 2); b.Ceiling != 3 {
		t.Fatalf("a taken probe leaves the width at %d, want 3", b.Ceiling)
	}
	three := []weir.Export{running(1, "a", "2026_Q1", 0), running(2, "a", "2026_Q1", 0), running(3, "a", "2026_Q1", 0)}
	if free := (plan.View{Budget: b, Exports: three}).FreeSlots(); free != 1 {
		t.Errorf("%d free after a taken probe, want to try on", free)
	}
	if b = plan.AcceptedBeside(b, 1); b.Ceiling != 3 {
		t.Errorf("a POST within the width moved it to %d", b.Ceiling)
	}
	if b = plan.Refused(b, 3, noon); b.Ceiling != 3 || (plan.View{Budget: b, Exports: three}).FreeSlots() != 0 {
		t.Errorf("after a refusal beside 3: %+v", b)
	}
}

func TestLimitsAreReadBeforeAPost(t *testing.T) {
	base := func() plan.View { return calm(planned(1, "net_arr", "2026_Q1")) }
	foreign := func(v *plan.View) { v.Budget.InFlight, v.Budget.SlotsFree = []string{"x"}, 2 }
	cases := map[string]struct {
		change mutation
		want   []plan.Verb
	}{
		"known":                         {func(v *plan.View) {}, []plan.Verb{plan.Post}},
		"never read":                    {func(v *plan.View) { v.Budget = weir.Budget{} }, []plan.Verb{plan.ReadLimits}},
		"a minute old":                  {func(v *plan.View) { v.Budget.ReadAt = ago(time.Minute) }, []plan.Verb{plan.Post}},
		"a minute old, beside others":   {func(v *plan.View) { foreign(v); v.Budget.ReadAt = ago(time.Minute) }, []plan.Verb{plan.ReadLimits}},
		"five minutes old":              {func(v *plan.View) { v.Budget.ReadAt = ago(5 * time.Minute) }, []plan.Verb{plan.ReadLimits}},
		"an end frees a slot":           {func(v *plan.View) { v.LastTerminalAt = noon }, []plan.Verb{plan.Post}},
		"an end beside others":          {func(v *plan.View) { foreign(v); v.LastTerminalAt = noon }, []plan.Verb{plan.ReadLimits}},
		"an end with the quota nearing": {func(v *plan.View) { v.Budget.QuotaFree = 6; v.LastTerminalAt = noon }, []plan.Verb{plan.ReadLimits}},
		"reading failed just now":       {func(v *plan.View) { v.Budget = weir.Budget{}; v.Limits.NotBefore = noon.Add(time.Second) }, nil},
		"forbidden":                     {func(v *plan.View) { v.Budget = plan.LimitsForbidden(v.Budget, "default", noon, noon) }, []plan.Verb{plan.Post}},
		"forbidden an hour ago": {func(v *plan.View) {
			v.Budget = plan.LimitsForbidden(v.Budget, "default", ago(time.Hour), ago(time.Hour))
		}, []plan.Verb{plan.ReadLimits}},
		"the list is a minute old": {func(v *plan.View) { v.Listing.StartedAt = ago(time.Minute) }, []plan.Verb{plan.ListJobs}},
		"there is no list":         {func(v *plan.View) { v.Listing = plan.Listing{Absent: true} }, []plan.Verb{plan.Post}},
		"no slot":                  {func(v *plan.View) { v.Budget.SlotsFree = 0 }, nil},
		"others hold all":          {func(v *plan.View) { v.Budget.InFlight = []string{"x", "y", "z"} }, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got := verbs(plan.Next(c.change.of(base()), noon)); !slices.Equal(got, c.want) {
				t.Errorf("planned %v, want %v", got, c.want)
			}
		})
	}
}

// A tenant whose submittedJobIds count the whole month must not look full.
func TestSubmittedIDsOfTheWholeMonth(t *testing.T) {
	r := plan.LimitReading{Slots: 3, SlotsFree: 2, Quota: 100, QuotaFree: 50, Running: []string{"a"}, Submitted: []string{"a", "b", "c", "d"}}
	if b := plan.ToldLimits(weir.Budget{}, r, 1, noon, noon); !slices.Equal(b.InFlight, []string{"a"}) {
		t.Errorf("in flight %v, want the running one alone", b.InFlight)
	}
}

func TestOrder(t *testing.T) {
	history := map[string][]time.Duration{
		"forecast/long/2026_Q1":  {time.Minute, time.Minute},
		"forecast/short/2026_Q1": {time.Second, time.Second},
	}
	rank := func(e weir.Export, r weir.Rank) weir.Export { e.Rank = r; return e }
	cases := map[string]struct {
		exports []weir.Export
		first   int64
	}{
		"scheduled before asked for": {[]weir.Export{planned(1, "long", "2026_Q1"), rank(planned(2, "short", "2026_Q1"), weir.RankScheduled)}, 2},
		"asked for before backfill":  {[]weir.Export{rank(planned(1, "long", "2026_Q1"), weir.RankBackfill), planned(2, "short", "2026_Q1")}, 2},
		"longest expected first":     {[]weir.Export{planned(1, "short", "2026_Q1"), planned(2, "long", "2026_Q1")}, 2},
		"first come":                 {[]weir.Export{planned(1, "a", "2026_Q1"), planned(2, "b", "2026_Q1")}, 1},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			v := calm(c.exports...)
			v.History = history
			if p := plan.Next(v, noon); len(p.Actions) != 1 || p.Actions[0].Export != c.first {
				t.Errorf("planned %+v, want a POST of %d", p.Actions, c.first)
			}
		})
	}
}

// One at a time, too, nothing that may not go holds up what may.
func TestSequentialKeepsRanks(t *testing.T) {
	backfill, scheduled := planned(1, "a", "2026_Q1"), planned(2, "b", "2026_Q1")
	backfill.Rank, scheduled.Rank = weir.RankBackfill, weir.RankScheduled
	v := calm(backfill, scheduled, planned(3, "c", "2026_Q1"))
	v.Policy = plan.Sequential()
	v.Budget.Quota, v.Budget.QuotaFree, v.Scheduled = 20, 20, times(18, noon.Add(time.Hour), time.Hour)
	if p := plan.Next(v, noon); len(p.Actions) != 1 || p.Actions[0].Export != 2 {
		t.Errorf("planned %+v, want a POST of the scheduled one", p.Actions)
	}
}

// Tabs take turns where nothing tells their exports apart.
func TestTabsTakeTurns(t *testing.T) {
	open := []weir.Export{planned(1, "a", "2026_Q1"), planned(2, "a", "2026_Q2"), planned(3, "b", "2026_Q1"), planned(4, "b", "2026_Q2")}
	var order []int64
	for range 4 {
		v := calm(open...)
		v.Budget.Slots, v.Budget.SlotsFree = 9, 9
		first := plan.Next(v, noon).Actions[0].Export
		order = append(order, first)
		e := open[first-1]
		open[first-1] = running(e.ID, e.Request.ForecastID, string(e.Request.Period), time.Second)
	}
	if want := []int64{1, 3, 2, 4}; !slices.Equal(order, want) {
		t.Errorf("posted %v, want %v", order, want)
	}
}
