package sim

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"time"
)

// Row is how a policy did in a scenario, over all seeds.
type Row struct {
	Scenario, Policy string
	Seeds            int
	// Ratio is the mean of makespan over bound, and Makespan the mean makespan.
	Ratio    float64
	Makespan time.Duration
	// RequestsPerExport, ThrottledPer1000 (429 of requests) and RefusedPer100 (400
	// of exports) are means.
	RequestsPerExport, ThrottledPer1000, RefusedPer100 float64
	DetectMean, DetectP99                              time.Duration
	// Exports, Failed, Wasted and Missed are sums.
	Exports, Failed, Wasted, Missed int
	// BackfillEnd is the latest; zero where nothing is scheduled.
	BackfillEnd time.Duration
	// Err is the first error of a run.
	Err error
}

// Table plays every scenario with every policy and the seeds 0 to seeds-1, as
// many at once as there are processors. Rows come in the order of scenarios,
// then of policies. [Greedy] is left out where nothing is scheduled: it is weir.
func Table(scenarios []Scenario, policies []Policy, seeds int) []Row {
	var cells []*cell
	for _, s := range scenarios {
		for _, p := range policies {
			if p.Name != Greedy().Name || s.PerDay > 0 {
				cells = append(cells, &cell{s, p, make([]Result, seeds)})
			}
		}
	}
	playAll(cells, seeds)
	rows := make([]Row, len(cells))
	for i, c := range cells {
		rows[i] = c.row()
	}
	return rows
}

type cell struct {
	scenario Scenario
	policy   Policy
	results  []Result
}

// playAll shares nothing but the list of what is to be played; every result has
// its own place.
func playAll(cells []*cell, seeds int) {
	type task struct{ cell, seed int }
	tasks := make(chan task)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for t := range tasks {
				c := cells[t.cell]
				c.results[t.seed] = Run(c.scenario, c.policy, uint64(t.seed))
			}
		})
	}
	for i := range cells {
		for seed := range seeds {
			tasks <- task{i, seed}
		}
	}
	close(tasks)
	workers.Wait()
}

func (c *cell) row() Row {
	row := Row{Scenario: c.scenario.Name, Policy: c.policy.Name, Seeds: len(c.results)}
	n := float64(len(c.results))
	var detection []time.Duration
	for _, r := range c.results {
		row.Ratio += r.Ratio() / n
		row.Makespan += r.Makespan / time.Duration(len(c.results))
		row.RequestsPerExport += float64(r.Requests) / float64(r.Exports) / n
		row.ThrottledPer1000 += 1000 * float64(r.Throttled) / float64(r.Requests) / n
		row.RefusedPer100 += 100 * float64(r.Refused) / float64(r.Exports) / n
		row.Exports += r.Exports
		row.Failed += r.Failed
		row.Wasted += r.Wasted
		row.Missed += r.Missed
		if c.scenario.PerDay > 0 {
			row.BackfillEnd = max(row.BackfillEnd, r.BackfillEnd)
		}
		row.Err = cmp.Or(row.Err, r.Err)
		detection = append(detection, r.Detection...)
	}
	row.DetectMean, row.DetectP99 = meanAndP99(detection)
	return row
}

func meanAndP99(all []time.Duration) (mean, p99 time.Duration) {
	if len(all) == 0 {
		return 0, 0
	}
	slices.Sort(all)
	sum := 0.0
	for _, d := range all {
		sum += d.Seconds()
	}
	mean = time.Duration(sum / float64(len(all)) * float64(time.Second))
	return mean, all[(len(all)*99+99)/100-1]
}
