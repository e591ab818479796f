package sim

import (
	"fmt"
	"math"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/plan"
)

// Scenario is a server, an organisation and what is wanted of them.
type Scenario struct {
	Name string
	Text string
	// Exports are wanted at once, spread over tabs of eight periods each.
	Exports int
	// Slots is the concurrent limit, queued and running together; Running is how
	// many of them run at once, all of them if 0.
	Slots, Running int
	// Jobs run log-normally around Median with spread Sigma. The part Persist of
	// it belongs to what is exported and comes again with it.
	Median  time.Duration
	Sigma   float64
	Persist float64
	// Past runs of each export are known; HistoryOff is the factor by which the
	// server has become faster or slower since, half of the exports each; 0 is 1.
	Past       int
	HistoryOff float64
	// Stuck jobs run ten times as long, Failing ones end with FAILED; as parts of
	// all jobs.
	Stuck, Failing float64
	Limiter        Limiter
	// Forbidden keeps GET /admin/limits from everybody.
	Forbidden bool
	// Foreign is the mean distance of jobs that other people try to start; 0 is
	// none. A job of theirs runs like ours.
	Foreign time.Duration
	// Quota is the rolling limit of jobs in 30 days; 0 stands for 100,000.
	Quota int
	// PerDay exports are scheduled every day of Days; then Exports are backfill.
	PerDay, Days int
	// PollMin is weir's --poll-min; 0 is its default.
	PollMin time.Duration
	// Again plays the scenario a second time, an hour later and with what the
	// first time taught about the pace, and measures that.
	Again bool
}

const periods = 8

// request is the n-th export: tabs in turn, then their periods.
func (s Scenario) request(n int) weir.Request {
	tabs := max(1, (s.Exports+periods-1)/periods)
	quarter := weir.Period(fmt.Sprintf("20%02d_Q%d", 24+(n/tabs)/4, (n/tabs)%4+1))
	return weir.Request{Kind: weir.Forecast, ForecastID: fmt.Sprintf("tab%02d", n%tabs), Period: quarter}
}

// fate is what the server does with one job of an export.
type fate struct {
	runs  time.Duration
	fails bool
}

// fate of the attempt-th job of the n-th export, the same for every policy.
func (s Scenario) fate(d draw, n, attempt int) fate {
	r := d.of("job", n, attempt)
	f := fate{runs: s.length(d, n, r.NormFloat64())}
	if r.Float64() < s.Stuck {
		f.runs *= 10
	}
	if r.Float64() < s.Failing {
		f.fails = true
		f.runs = time.Duration(float64(f.runs) * r.Float64())
	}
	return f
}

func (s Scenario) length(d draw, n int, z float64) time.Duration {
	own := d.of("key", n).NormFloat64()
	spread := s.Persist*own + math.Sqrt(1-s.Persist*s.Persist)*z
	return time.Duration(float64(s.Median) * math.Exp(s.Sigma*spread))
}

// past are the durations of earlier runs by what is asked.
func (s Scenario) past(d draw) map[string][]time.Duration {
	history := map[string][]time.Duration{}
	for n := range s.Exports {
		factor := 1.0
		if s.HistoryOff > 0 {
			factor = s.HistoryOff
			if d.of("off", n).IntN(2) == 0 {
				factor = 1 / factor
			}
		}
		key := plan.HistoryKey(s.request(n))
		for k := range s.Past {
			ran := s.length(d, n, d.of("past", n, k).NormFloat64())
			history[key] = append(history[key], time.Duration(float64(ran)*factor))
		}
	}
	return history
}

func (s Scenario) quota() int {
	if s.Quota > 0 {
		return s.Quota
	}
	return 100_000
}

func (s Scenario) running() int {
	if s.Running > 0 {
		return s.Running
	}
	return s.Slots
}

// Scenarios are the standing ones, in order of their names.
func Scenarios() []Scenario {
	usual := Scenario{Exports: 48, Slots: 3, Median: 45 * time.Second, Sigma: 0.75, Persist: 0.8, Past: 5}
	make := func(name, text string, change func(*Scenario)) Scenario {
		s := usual
		s.Name, s.Text = name, text
		change(&s)
		return s
	}
	harsh := func(kind LimiterKind, charged, again bool) func(*Scenario) {
		return func(s *Scenario) {
			s.Limiter = Limiter{Kind: kind, PerMinute: 20, Burst: 20, Charged: charged}
			s.Again = again
		}
	}
	return []Scenario{
		make("S1", "48 exports, 3 slots, 45 s, five past runs of each", func(s *Scenario) {}),
		make("S1 new", "the same without history", func(s *Scenario) { s.Past = 0 }),
		make("S1 dark", "S1, limits forbidden", func(s *Scenario) { s.Forbidden = true }),
		make("S2", "48 exports, 10 slots, 8 s, --poll-min 1s", func(s *Scenario) { s.Slots, s.Median, s.PollMin = 10, 8*time.Second, time.Second }),
		make("S3", "48 exports, 3 slots, 300 s", func(s *Scenario) { s.Median = 300 * time.Second }),
		make("S4", "12 exports, 1 slot, 45 s", func(s *Scenario) { s.Exports, s.Slots = 12, 1 }),
		make("S5", "200 exports, 10 slots, 45 s, sigma 1", func(s *Scenario) { s.Exports, s.Slots, s.Sigma = 200, 10, 1 }),
		make("S6 bucket", "S1 behind 20 requests a minute, a bucket, no Retry-After", harsh(Bucket, false, false)),
		make("S6 window", "the same, full minutes", harsh(Window, false, false)),
		make("S6 charged", "the same, any minute, refusals charged", harsh(Sliding, true, false)),
		make("S6 bucket+", "S6 bucket, remembered", harsh(Bucket, false, true)),
		make("S6 window+", "S6 window, remembered", harsh(Window, false, true)),
		make("S6 charged+", "S6 charged, remembered", harsh(Sliding, true, true)),
		make("S7", "48 exports, 5 slots shared with others, limits forbidden", func(s *Scenario) { s.Slots, s.Forbidden, s.Foreign = 5, true, time.Minute }),
		make("S7 told", "the same, limits readable", func(s *Scenario) { s.Slots, s.Foreign = 5, time.Minute }),
		make("S8", "history off by 2 and 1/2, 2 % stuck x10, 10 % FAILED, 5 slots of which 2 run", func(s *Scenario) {
			s.Slots, s.Running, s.HistoryOff, s.Stuck, s.Failing = 5, 2, 2, 0.02, 0.1
		}),
		make("S9", "quota 100, two scheduled a day, backfill of 96", func(s *Scenario) {
			s.Exports, s.Quota, s.PerDay, s.Days = 96, 100, 2, 75
		}),
	}
}
