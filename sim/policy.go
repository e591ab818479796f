package sim

import (
	"math"
	"time"

	"github.com/weirhq/weir/plan"
)

// Policy is a model of a program that exports.
type Policy struct {
	Name string
	// Text says what it does and Source where that is written.
	Text, Source string
	play         func(*world, *memory) Result
}

// Policies are weir and what people use now, weir first.
func Policies() []Policy {
	return append([]Policy{Weir(), Greedy(), WeirSequential()}, Rivals()...)
}

// Weir is weir itself.
func Weir() Policy {
	return Policy{Name: "weir", Text: "plan and pace of this module, adaptive", Source: "this module", play: playWeir(plan.Adaptive(), false)}
}

// WeirSequential is weir with --policy sequential.
func WeirSequential() Policy {
	return Policy{Name: "weir sequential", Text: "the same with --policy sequential", Source: "this module", play: playWeir(plan.Sequential(), false)}
}

// Greedy is weir that does not know what is scheduled.
func Greedy() Policy {
	return Policy{Name: "weir greedy", Text: "weir without the look-ahead of the quota", Source: "this module", play: playWeir(plan.Adaptive(), true)}
}

// Rivals are models of what people use now.
func Rivals() []Policy {
	const airbyte = "airbytehq/airbyte-python-cdk, AsyncJobOrchestrator"
	orchestrator := func(name, text string, part float64) Policy {
		return Policy{Name: name, Text: "fixed 5 s loop, one read per job, configured concurrency: " + text, Source: airbyte, play: playOrchestrator(part)}
	}
	return []Policy{
		{
			Name: "script", Text: "one after another, 5 s x 1.5 to 60 s, 60 looks, 10 s pause",
			Source: "the polling advice in Clari's guide, clari-api.md section 2", play: missionScript().play,
		},
		{
			Name: "30s x 5", Text: "one after another, a look at once and every 30 s, five in all",
			Source: "gitlab-data/analytics, extract/clari: poll_job_status", play: thirtyByFive().play,
		},
		{
			Name: "15s x 60", Text: "one after another, a look at once and every 15 s, sixty in all",
			Source: "PostHog/posthog, sources/clari/clari.py", play: fifteenBySixty().play,
		},
		orchestrator("loop 5s", "the true one", 1),
		orchestrator("loop 5s half", "half the true one", 0.5),
		orchestrator("loop 5s double", "twice the true one", 2),
		{
			Name: "parallel", Text: "everything at once, a look every 5 s, refusals repeated after 1 s x 2 to 60 s, ten times",
			Source: "a thread pool around any HTTP client with exponential retries", play: parallel().play,
		},
	}
}

// missionScript waits out refusals for pace as its guide says. It starts a job
// only when the last has ended, so a refusal for slots means that others hold
// them, and it waits for those too.
func missionScript() script {
	return script{
		every: func(k int) time.Duration {
			return time.Duration(min(5*math.Pow(1.5, float64(k)), 60) * float64(time.Second))
		},
		looks: 60, pause: 10 * time.Second, refuse: growing(5*time.Second, 1.5, time.Minute, 60, true),
	}
}

// thirtyByFive reads Retry-After from every 429 and fails where it is absent;
// any other refusal raises.
func thirtyByFive() script {
	return script{every: every(30 * time.Second), looks: 5, refuse: func(try int, r reply) (time.Duration, bool) {
		wait, said := told(r)
		return wait, said && try < 3
	}}
}

// fifteenBySixty tries five times with exponential waits from 2 to 90 s on 429
// whatever the server told; any other refusal raises.
func fifteenBySixty() script {
	wait := growing(2*time.Second, 2, 90*time.Second, 4, false)
	return script{every: every(15 * time.Second), looks: 60, refuse: func(try int, r reply) (time.Duration, bool) {
		r.header = nil
		return wait(try, r)
	}}
}

// parallel is what a thread for each export does.
func parallel() swarm {
	return swarm{script{
		every: func(int) time.Duration { return 5 * time.Second }, looks: math.MaxInt,
		refuse: growing(time.Second, 2, time.Minute, 10, true),
	}}
}

// every looks at once and then at even distances.
func every(d time.Duration) func(int) time.Duration {
	return func(k int) time.Duration {
		if k == 0 {
			return 0
		}
		return d
	}
}

// Run plays one scenario with one policy. The same seed gives the same result,
// and every policy meets the same jobs.
func Run(s Scenario, p Policy, seed uint64) Result {
	m := &memory{}
	start := epoch()
	if s.Again {
		first := s
		first.Again = false
		w := newWorld(first, seed, start)
		p.play(w, m)
		start = w.now.Add(time.Hour)
		m.history = nil // the same past: only the pace is remembered
		seed += 1 << 32
	}
	return p.play(newWorld(s, seed, start), m)
}
