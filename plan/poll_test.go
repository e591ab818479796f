package plan_test

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/plan"
)

// The mission's plain rule: 5 s × 1.5^k to 60 s, 60 answers.
func TestSequentialPolling(t *testing.T) {
	e := running(1, "net_arr", "2026_Q1", 0)
	v := calm(e)
	v.Policy = plan.Sequential()
	now := noon
	var gaps []time.Duration
	for v.Exports[0].Polls < 60 {
		p := plan.Next(v, now)
		if len(p.Actions) == 0 {
			gaps = append(gaps, p.LookAgain.Sub(now))
			now = p.LookAgain
			continue
		}
		if got := verbs(p); !slices.Equal(got, []plan.Verb{plan.ReadJob}) {
			t.Fatalf("planned %v, want one read of the job", got)
		}
		v.Exports[0].Polls++
		v.Exports[0].PolledAt = now
	}
	for k, gap := range gaps {
		if want := min(5*math.Pow(1.5, float64(k)), 60); math.Abs(gap.Seconds()-want) > 1e-6 {
			t.Fatalf("poll %d after %s, want %.3f s", k+1, gap, want)
		}
	}
	p := plan.Next(v, now)
	if len(p.Actions) > 0 || p.Stands[1].Wait.Code != weir.WaitTimeout || !p.Stands[1].ActsAt.IsZero() {
		t.Errorf("after 60 answers: %v, stand %+v", verbs(p), p.Stands[1])
	}
}

// A poll comes when expected idle time has paid for it: never before the floor
// nor a minute after the last, and sooner where more jobs may have ended.
func TestListIsPolledWhenIdleTimePaysForIt(t *testing.T) {
	steady := map[string][]time.Duration{"forecast/net_arr/2026_Q1": slices.Repeat([]time.Duration{45 * time.Second}, 5)}
	at := func(age time.Duration, jobs int, history map[string][]time.Duration) time.Duration {
		var exports []weir.Export
		for id := range jobs {
			exports = append(exports, running(int64(id+1), "net_arr", "2026_Q1", age))
		}
		v := calm(exports...)
		v.Listing = plan.Listing{At: noon, StartedAt: noon}
		v.History = history
		return plan.Next(v, noon).LookAgain.Sub(noon)
	}
	early, due, none := at(time.Second, 1, steady), at(44*time.Second, 1, steady), at(time.Second, 1, nil)
	if early < 15*time.Second {
		t.Errorf("a job of 45 s is looked at after %s", early)
	}
	if due > 12*time.Second {
		t.Errorf("a job about to end is looked at after %s", due)
	}
	if none > 10*time.Second {
		t.Errorf("a job of which nothing is known is looked at after %s", none)
	}
	for _, age := range []time.Duration{0, time.Second, 20 * time.Second, 44 * time.Second, time.Hour} {
		one, ten := at(age, 1, steady), at(age, 10, steady)
		if ten > one {
			t.Errorf("at age %s ten jobs are looked at after %s, one after %s", age, ten, one)
		}
		if min(one, ten) < 2*time.Second || max(one, ten) > time.Minute {
			t.Errorf("at age %s looked at after %s and %s", age, one, ten)
		}
	}
}

func TestPollFloors(t *testing.T) {
	soon := map[string][]time.Duration{"forecast/net_arr/2026_Q1": slices.Repeat([]time.Duration{10 * time.Second}, 5)}
	cases := map[string]struct {
		change mutation
		want   time.Duration
	}{
		"two seconds":             {func(v *plan.View) {}, 2 * time.Second},
		"as asked":                {func(v *plan.View) { v.Policy.PollMin = time.Second }, time.Second},
		"three requests' worth":   {func(v *plan.View) { v.Policy.Rate = 0.3 }, 10 * time.Second},
		"a fast rate is no floor": {func(v *plan.View) { v.Policy.Rate = 20 }, 2 * time.Second},
		"by id every 5 s":         {func(v *plan.View) { v.Listing.Absent = true }, 5 * time.Second},
		"a heavy list":            {func(v *plan.View) { v.Listing.Heavy = true }, 5 * time.Second},
		"lists fail":              {func(v *plan.View) { v.List.InARow = 10 }, 5 * time.Second},
		"the list backs off":      {func(v *plan.View) { v.List.NotBefore = noon.Add(9 * time.Second) }, 9 * time.Second},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			e := running(1, "net_arr", "2026_Q1", 10*time.Second)
			e.PolledAt = noon
			v := calm(e)
			v.Budget.Slots, v.Budget.SlotsFree = 20, 20
			v.Listing.At, v.Listing.StartedAt = noon, noon
			v.History = soon
			v = c.change.of(v)
			v.Exports = append(v.Exports, waitingForSlot()...)
			v.Budget.HoldUntil, v.Budget.HoldWhy = noon.Add(time.Hour), weir.Wait{Code: weir.WaitSlot, Text: "x"}
			if got := plan.Next(v, noon).Stands[1].Until.Sub(noon); (got - c.want).Abs() > 200*time.Millisecond {
				t.Errorf("looks again after %s, want %s", got, c.want)
			}
		})
	}
}

func waitingForSlot() []weir.Export { return []weir.Export{planned(50, "other", "2026_Q1")} }

func TestQueuedJobsAreNotPolledFor(t *testing.T) {
	e := running(1, "net_arr", "2026_Q1", 30*time.Second)
	v := calm(e)
	j := v.Jobs[e.JobID]
	j.Status, j.StartedAt = weir.JobQueued, time.Time{}
	v.Jobs[e.JobID] = j
	if got := plan.Next(v, noon).Stands[1].Until.Sub(v.Listing.StartedAt); got < 59*time.Second {
		t.Errorf("a queued job is looked at after %s", got)
	}
}

// The server's clock may be ahead or behind; ages are measured on ours.
func TestAgesAreMeasuredOnOurClock(t *testing.T) {
	look := func(ahead time.Duration) time.Time {
		e := running(1, "net_arr", "2026_Q1", 20*time.Second)
		v := calm(e)
		j := v.Jobs[e.JobID]
		j.StartedAt = e.SubmittedAt.Add(15*time.Second + ahead) // after a while in the queue
		v.Jobs[e.JobID] = j
		v.ServerAhead = ahead
		v.History = map[string][]time.Duration{plan.HistoryKey(e.Request): slices.Repeat([]time.Duration{45 * time.Second}, 5)}
		return plan.Next(v, noon).LookAgain
	}
	for _, ahead := range []time.Duration{-time.Hour, -time.Minute, time.Minute, time.Hour} {
		if a, b := look(0), look(ahead); !a.Equal(b) {
			t.Errorf("a server %s ahead moves the poll from %s to %s", ahead, a, b)
		}
	}
}

// A job that the list should have held is asked for by its id.
func TestMissingJobIsAskedForByID(t *testing.T) {
	for name, change := range map[string]mutation{
		"missing":  func(v *plan.View) { v.Missing = []string{v.Exports[0].JobID} },
		"unlisted": func(v *plan.View) { j := v.Jobs[v.Exports[0].JobID]; j.ListedAt = time.Time{}; v.Jobs[j.ID] = j },
	} {
		t.Run(name, func(t *testing.T) {
			p := plan.Next(change.of(calm(running(1, "net_arr", "2026_Q1", time.Hour-time.Second))), noon)
			if !slices.Equal(verbs(p), []plan.Verb{plan.ReadJob}) || p.Actions[0].Export != 1 {
				t.Errorf("planned %+v, want to read the job", p.Actions)
			}
		})
	}
}

func TestEndlessJobTimesOut(t *testing.T) {
	for name, c := range map[string]struct {
		runs time.Duration
		age  time.Duration
		want weir.WaitCode
	}{
		"within the hour": {time.Second, 59 * time.Minute, weir.WaitJob},
		"over an hour":    {time.Second, 61 * time.Minute, weir.WaitTimeout},
		"long by nature":  {10 * time.Minute, 2 * time.Hour, weir.WaitJob},
	} {
		t.Run(name, func(t *testing.T) {
			v := calm(running(1, "net_arr", "2026_Q1", c.age))
			v.History = map[string][]time.Duration{"forecast/net_arr/2026_Q1": slices.Repeat([]time.Duration{c.runs}, 5)}
			v.Listing = plan.Listing{At: noon, StartedAt: noon}
			if got := plan.Next(v, noon).Stands[1].Wait.Code; got != c.want {
				t.Errorf("stands for %q, want %q", got, c.want)
			}
		})
	}
}

func TestForecast(t *testing.T) {
	const key, sibling, stranger = "forecast/a/2026_Q1", "forecast/a/2026_Q2", "forecast/b/2026_Q1"
	steady := slices.Repeat([]time.Duration{60 * time.Second}, 8)
	drifted := append(slices.Clone(steady), 10*time.Second, 10*time.Second, 10*time.Second)
	if x := plan.Forecast(nil, key); math.Abs(x.Median().Seconds()-10) > 1e-6 || math.Abs(x.S-1.3) > 0.01 {
		t.Errorf("with no history %s, spread %.2f, want 10 s and 1.3", x.Median(), x.S)
	}
	history := map[string][]time.Duration{key: steady}
	own, near, far := plan.Forecast(history, key), plan.Forecast(history, sibling), plan.Forecast(history, stranger)
	if own.Median() < 50*time.Second || own.Median() > 61*time.Second || own.S > 0.4 {
		t.Errorf("after eight runs of 60 s: %s, spread %.2f", own.Median(), own.S)
	}
	if near.Median() < 30*time.Second || near.S <= own.S || far.S < near.S {
		t.Errorf("sibling %s (%.2f), stranger %s (%.2f)", near.Median(), near.S, far.Median(), far.S)
	}
	if x := plan.Forecast(map[string][]time.Duration{key: drifted}, key); x.Median() > 20*time.Second {
		t.Errorf("after three runs of 10 s in a row still %s", x.Median())
	}
	once := append(slices.Clone(steady), 10*time.Second, 60*time.Second)
	if x := plan.Forecast(map[string][]time.Duration{key: once}, key); x.Median() < 35*time.Second {
		t.Errorf("one odd run moved it to %s", x.Median())
	}
	if x := plan.Forecast(map[string][]time.Duration{key: {0, -time.Second}}, key); x != plan.Forecast(nil, key) {
		t.Errorf("runs of no time taught %+v", x)
	}
}

func TestSurvivalIsAProbability(t *testing.T) {
	for _, x := range []plan.Duration{{Mu: 0, S: 0.1}, {Mu: 4, S: 1.3}, {Mu: -3, S: 0.5}} {
		last := 1.0
		for age := -time.Second; age < 10*time.Hour; age = age*3/2 + 2*time.Second {
			s := x.Survival(age)
			if s < 0 || s > last {
				t.Fatalf("%+v: survival %.3f at %s after %.3f", x, s, age, last)
			}
			last = s
		}
	}
}
