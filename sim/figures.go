package sim

import (
	"fmt"
	"slices"
	"time"
)

// Figure is one of the figures that weir is held to.
type Figure struct {
	Name string
	// Reach and Beyond are the two marks in words; Beyond may be empty.
	Reach, Beyond string
	Measured      string
	// Reached and WentBeyond say which were met.
	Reached, WentBeyond bool
}

// marks is a pair of limits; a zero number limits nothing.
type marks struct{ ratio, requests float64 }

func (m marks) String() string {
	switch {
	case m.ratio == 0:
		return ""
	case m.requests == 0:
		return fmt.Sprintf("<= %g", m.ratio)
	}
	return fmt.Sprintf("<= %g at <= %g", m.ratio, m.requests)
}

func (m marks) met(r Row) bool {
	return m.ratio > 0 && r.Ratio <= m.ratio && (m.requests == 0 || r.RequestsPerExport <= m.requests)
}

// Figures judges the rows of a table that holds at least the cells it needs;
// others are left out.
func Figures(rows []Row) []Figure {
	find := func(scenario, policy string) (Row, bool) {
		i := slices.IndexFunc(rows, func(r Row) bool { return r.Scenario == scenario && r.Policy == policy })
		if i < 0 {
			return Row{}, false
		}
		return rows[i], true
	}
	var all []Figure
	all = append(all, makespans(find)...)
	all = append(all, refusals(find)...)
	all = append(all, scheduled(find)...)
	return append(all, againstLoop(find)...)
}

type finder func(scenario, policy string) (Row, bool)

func makespans(find finder) []Figure {
	var all []Figure
	for _, f := range []struct {
		scenario      string
		reach, beyond marks
	}{
		{"S1", marks{1.06, 6.5}, marks{1.035, 7.6}},
		{"S1 new", marks{1.10, 8}, marks{1.07, 7}},
		{"S2", marks{1.13, 3.3}, marks{1.09, 3.0}},
		{"S3", marks{1.05, 7}, marks{1.02, 9}},
		{"S4", marks{1.06, 0}, marks{1.03, 0}},
	} {
		if r, found := find(f.scenario, "weir"); found {
			all = append(all, Figure{
				Name: f.scenario + " makespan / bound, requests an export", Reach: f.reach.String(), Beyond: f.beyond.String(),
				Measured: fmt.Sprintf("%.4f at %.2f", r.Ratio, r.RequestsPerExport),
				Reached:  f.reach.met(r), WentBeyond: f.beyond.met(r),
			})
		}
	}
	if r, found := find("S1", "weir"); found {
		all = append(all, Figure{
			Name: "S1 detection, mean / p99", Reach: "2.6 / 12 s", Beyond: "1.5 / 5 s at <= 8",
			Measured:   fmt.Sprintf("%.2f / %.1f s at %.2f", r.DetectMean.Seconds(), r.DetectP99.Seconds(), r.RequestsPerExport),
			Reached:    r.DetectMean <= 2600*time.Millisecond && r.DetectP99 <= 12*time.Second,
			WentBeyond: r.DetectMean <= 1500*time.Millisecond && r.DetectP99 <= 5*time.Second && r.RequestsPerExport <= 8,
		})
	}
	return all
}

// refusals are the figures that are counts: none of the named cells may exceed
// them.
func refusals(find finder) []Figure {
	throttled := func(r Row) float64 { return r.ThrottledPer1000 }
	refused := func(r Row) float64 { return r.RefusedPer100 }
	var all []Figure
	for _, f := range []struct {
		name          string
		scenarios     []string
		of            func(Row) float64
		reach, beyond float64
	}{
		{"S6 429s per 1000, first run", []string{"S6 bucket", "S6 window", "S6 charged"}, throttled, 40, 13},
		{"S6 429s per 1000, later runs", []string{"S6 bucket+", "S6 window+", "S6 charged+"}, throttled, 2, 0},
		{"400s per 100 exports, limits known", []string{"S1", "S2", "S3", "S4", "S5"}, refused, 0, 0},
		{"400s per 100 exports, limits learned", []string{"S1 dark", "S7"}, refused, 25, 5},
	} {
		worst, where := 0.0, ""
		for _, scenario := range f.scenarios {
			if r, found := find(scenario, "weir"); found && (where == "" || f.of(r) > worst) {
				worst, where = f.of(r), scenario
			}
		}
		if where != "" {
			all = append(all, Figure{
				Name: f.name + ", the worst", Reach: fmt.Sprintf("<= %g", f.reach), Beyond: fmt.Sprintf("<= %g", f.beyond),
				Measured: fmt.Sprintf("%.1f in %s", worst, where), Reached: worst <= f.reach, WentBeyond: worst <= f.beyond,
			})
		}
	}
	return all
}

func scheduled(find finder) []Figure {
	r, found := find("S9", "weir")
	if !found {
		return nil
	}
	day := int(r.BackfillEnd / (24 * time.Hour))
	return []Figure{{
		Name: "S9 scheduled exports missed; backfill ends on day", Reach: "0; 60, the earliest that misses none",
		Measured: fmt.Sprintf("%d; %d", r.Missed, day), Reached: r.Missed == 0 && day <= 60,
	}}
}

func againstLoop(find finder) []Figure {
	weir, found := find("S1", "weir")
	loop, other := find("S1", "loop 5s")
	if !found || !other {
		return nil
	}
	sooner := 1 - weir.Makespan.Seconds()/loop.Makespan.Seconds()
	requests := weir.RequestsPerExport / loop.RequestsPerExport
	return []Figure{{
		Name: "S1 against the fixed loop: sooner, requests", Reach: ">= 10 %, <= 1/2", Beyond: ">= 12 %, <= 2/5",
		Measured: fmt.Sprintf("%.1f %%, %.2f", 100*sooner, requests),
		Reached:  sooner >= 0.10 && requests <= 0.5, WentBeyond: sooner >= 0.12 && requests <= 0.4,
	}}
}
