package sim_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/weirhq/weir/sim"
)

func scenario(t *testing.T, name string) sim.Scenario {
	t.Helper()
	all := sim.Scenarios()
	i := slices.IndexFunc(all, func(s sim.Scenario) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("no scenario %q", name)
	}
	return all[i]
}

func policy(t *testing.T, name string) sim.Policy {
	t.Helper()
	all := sim.Policies()
	i := slices.IndexFunc(all, func(p sim.Policy) bool { return p.Name == name })
	if i < 0 {
		t.Fatalf("no policy %q", name)
	}
	return all[i]
}

// The figures of the whole table, asserted with few seeds; weir simulate prints
// them with many.
func TestFiguresAreReached(t *testing.T) {
	names := []string{"S1", "S1 new", "S1 dark", "S2", "S3", "S4", "S6 bucket", "S6 window", "S6 charged", "S7", "S9"}
	var scenarios []sim.Scenario
	for _, name := range names {
		scenarios = append(scenarios, scenario(t, name))
	}
	rows := sim.Table(scenarios, []sim.Policy{sim.Weir()}, 8)
	rows = append(rows, sim.Table(scenarios[:1], []sim.Policy{policy(t, "loop 5s")}, 8)...)
	figures := sim.Figures(rows)
	if len(figures) != 11 {
		t.Errorf("%d figures judged, want 11", len(figures))
	}
	for _, f := range figures {
		if !f.Reached {
			t.Errorf("%s: %s, want %s", f.Name, f.Measured, f.Reach)
		}
	}
}

// What one run learned of the pace spares the next most of its refusals.
func TestPaceIsRemembered(t *testing.T) {
	for _, name := range []string{"S6 bucket", "S6 window", "S6 charged"} {
		rows := sim.Table([]sim.Scenario{scenario(t, name), scenario(t, name+"+")}, []sim.Policy{sim.Weir()}, 6)
		if first, later := rows[0].ThrottledPer1000, rows[1].ThrottledPer1000; later >= first || later > 2 {
			t.Errorf("%s: %.1f refusals in a thousand at first, %.1f later", name, first, later)
		}
	}
}

func TestRunIsDeterministic(t *testing.T) {
	s := scenario(t, "S8")
	for _, p := range sim.Policies() {
		a, b := sim.Run(s, p, 3), sim.Run(s, p, 3)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("%s: two runs of one seed differ: %+v and %+v", p.Name, a, b)
		}
		if c := sim.Run(s, p, 4); a.Makespan == c.Makespan {
			t.Errorf("%s: another seed gave the same makespan", p.Name)
		}
	}
}

// Nobody who does everything undercuts the clairvoyant by more than its
// schedule may be off, and weir always does everything.
func TestNobodyUndercutsTheBound(t *testing.T) {
	for _, s := range sim.Scenarios() {
		if s.PerDay > 0 || s.Exports > 48 {
			continue
		}
		for _, p := range sim.Policies() {
			r := sim.Run(s, p, 1)
			if r.Err != nil {
				t.Errorf("%s in %s: %v", p.Name, s.Name, r.Err)
			}
			if r.Failed == 0 && r.Ratio() < 0.985 {
				t.Errorf("%s in %s: %.3f of the bound", p.Name, s.Name, r.Ratio())
			}
			if r.Landed+r.Failed != s.Exports {
				t.Errorf("%s in %s: %d landed and %d failed of %d", p.Name, s.Name, r.Landed, r.Failed, s.Exports)
			}
			if strings.HasPrefix(p.Name, "weir") && (r.Landed != s.Exports && s.Failing == 0 || r.Wasted > 0) {
				t.Errorf("%s in %s: %d landed of %d, %d wasted", p.Name, s.Name, r.Landed, s.Exports, r.Wasted)
			}
			if least := 3 * r.Landed; r.Requests < least && p.Name != "weir" && p.Name != "weir greedy" {
				t.Errorf("%s in %s: %d requests for %d exports: POST, look and download are three each", p.Name, s.Name, r.Requests, r.Landed)
			}
		}
	}
}

// Scheduled exports go short where the backfill takes all there is.
func TestLookAheadKeepsTheSchedule(t *testing.T) {
	s := scenario(t, "S9")
	if r := sim.Run(s, sim.Weir(), 5); r.Missed > 0 || r.Failed > 0 {
		t.Errorf("weir missed %d scheduled exports, %d failed", r.Missed, r.Failed)
	}
	if r := sim.Run(s, sim.Greedy(), 5); r.Missed == 0 {
		t.Error("without the look-ahead nothing was missed: the scenario proves nothing")
	}
}

// The models do what their sources say.
func TestRivals(t *testing.T) {
	calm := scenario(t, "S1")
	calm.Exports, calm.Sigma, calm.Slots = 6, 0, 1 // every job runs 45 s
	for name, looks := range map[string]int{
		"script":   5, // after 5, 12.5, 23.75, 40.6 and 66 s
		"30s x 5":  3, // at once, after 30 and 60 s
		"15s x 60": 4, // at once, after 15, 30 and 45 s: by a hair, or one more
	} {
		r := sim.Run(calm, policy(t, name), 0)
		if got := r.Requests - 2*r.Exports; r.Landed != 6 || got < looks*6 || got > (looks+1)*6 {
			t.Errorf("%s: %d landed with %d looks, want %d each", name, r.Landed, got, looks)
		}
	}
	slow := calm
	slow.Median *= 4 // 180 s, beyond the fifth look
	if r := sim.Run(slow, policy(t, "30s x 5"), 0); r.Landed != 0 || r.Failed != 6 {
		t.Errorf("30s x 5 landed %d jobs of 180 s", r.Landed)
	}
	if r := sim.Run(calm, policy(t, "loop 5s double"), 0); r.Refused == 0 {
		t.Error("a loop configured too wide was never refused")
	}
	if r := sim.Run(calm, policy(t, "parallel"), 0); r.Refused == 0 {
		t.Error("everything at once was never refused")
	}
}

func TestWrite(t *testing.T) {
	small := scenario(t, "S4")
	rows := sim.Table([]sim.Scenario{small}, sim.Policies(), 1)
	var text strings.Builder
	if err := sim.Write(&text, rows); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"S4: 12 exports, 1 slot", "weir sequential", "loop 5s", "gitlab-data/analytics", "S4 makespan / bound", "reached"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the report does not show %q", want)
		}
	}
	if strings.Contains(text.String(), "weir greedy  0") {
		t.Error("greedy is shown where nothing is scheduled")
	}
}
