package engine_test

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// The seeds of a simulation. Every scenario is drawn from its seed alone.
var (
	firstSeed = flag.Uint64("seed", 1, "the first seed to simulate")
	seedCount = flag.Int("seeds", 0, "how many seeds to simulate; 0 chooses by the time there is")
	firstOnly = flag.Bool("first", false, "stop at the first seed that fails")
	showTrace = flag.Bool("steps", false, "show every step of a seed, also when it holds")
)

// TestSimulation runs the whole engine in virtual time, one random scenario for
// each seed. To replay one: go test ./engine -run TestSimulation -seed 123 -seeds 1
func TestSimulation(t *testing.T) {
	seeds := *seedCount
	if seeds == 0 {
		seeds = defaultSeeds
	}
	began := time.Now()
	var next atomic.Uint64
	next.Store(*firstSeed)
	var simulated atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for seed := next.Add(1) - 1; seed < *firstSeed+uint64(seeds); seed = next.Add(1) - 1 {
				if *firstOnly && t.Failed() {
					return
				}
				t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
					simulated.Add(int64(report(t, seed)))
				})
			}
		})
	}
	workers.Wait()
	took := time.Since(began)
	t.Logf("%d seeds in %s (%.1f/s), %.0f simulated hours", seeds, took.Round(time.Second),
		float64(seeds)/took.Seconds(), time.Duration(simulated.Load()).Hours())
}

func report(t *testing.T, seed uint64) time.Duration {
	began := time.Now()
	r := simulate(t, seed)
	t.Logf("%s simulated in %s, %d exports and %d jobs pruned", r.lasted.Round(time.Second), time.Since(began).Round(time.Millisecond), r.pruned.Exports, r.pruned.Jobs)
	if len(r.faults) > 0 || *showTrace {
		trace := r.trace
		if !*showTrace && len(trace) > 60 {
			trace = trace[len(trace)-60:]
		}
		fmt.Fprintln(os.Stderr, strings.Join(trace, "\n"))
	}
	if len(r.faults) > 0 {
		t.Errorf("seed %d:\n%s\nreplay: go test ./engine -run 'TestSimulation$' -seed %d -seeds 1 -steps",
			seed, strings.Join(r.faults, "\n"), seed)
	}
	return r.lasted
}
