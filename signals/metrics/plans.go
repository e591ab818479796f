package metrics

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/plan"
	"github.com/weirhq/weir/signals"
)

const (
	// planLife is how long a plan is taken for that of a conductor at work,
	// which plans at least once a second.
	planLife = 10 * time.Second
	// mostWait bounds the wait that lies between two plans: a process that stood
	// still has not seen what waited.
	mostWait = 5 * time.Second
	// lookOutEvery is how often the finish is projected anew.
	lookOutEvery = 30 * time.Second
)

// plans keeps what the newest plan of each account says. Time that exports wait
// is added up from plan to plan.
type plans struct {
	mu       sync.Mutex
	accounts map[string]*planned
	descs    planDescs
}

type planned struct {
	at       time.Time
	waiting  map[weir.WaitCode]int
	waited   map[weir.WaitCode]time.Duration
	outlook  plan.Outlook
	lookedAt time.Time
}

type planDescs struct{ conducting, waiting, waited, finish, short *prometheus.Desc }

func newPlans() *plans {
	return &plans{accounts: map[string]*planned{}, descs: planDescs{
		conducting: desc("weir_conducting"), waiting: desc("weir_exports_waiting"), waited: desc("weir_wait_seconds_total"),
		finish: desc("weir_backfill_finish_timestamp_seconds"), short: desc("weir_quota_short_timestamp_seconds"),
	}}
}

func (p *plans) take(s signals.Planned) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	a := p.accounts[s.Account]
	if a == nil {
		a = &planned{waited: map[weir.WaitCode]time.Duration{}}
		p.accounts[s.Account] = a
	}
	passed := min(max(0, now.Sub(a.at)), mostWait)
	for code, n := range a.waiting {
		a.waited[code] += time.Duration(n) * passed
	}
	a.at, a.waiting = now, map[weir.WaitCode]int{}
	for _, stand := range s.Plan.Stands {
		if stand.Wait.Code != weir.WaitNone {
			a.waiting[stand.Wait.Code]++
		}
	}
	if now.Sub(a.lookedAt) >= lookOutEvery {
		a.lookedAt, a.outlook = now, plan.LookOut(s.View, s.At)
	}
}

// Describe implements prometheus.Collector.
func (p *plans) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{p.descs.conducting, p.descs.waiting, p.descs.waited, p.descs.finish, p.descs.short} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (p *plans) Collect(to chan<- prometheus.Metric) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, a := range p.accounts {
		account := label(name)
		for code, waited := range a.waited {
			to <- prometheus.MustNewConstMetric(p.descs.waited, prometheus.CounterValue, waited.Seconds(), account, string(code))
		}
		if now.Sub(a.at) > planLife {
			continue
		}
		to <- prometheus.MustNewConstMetric(p.descs.conducting, prometheus.GaugeValue, 1, account)
		for code, n := range a.waiting {
			to <- prometheus.MustNewConstMetric(p.descs.waiting, prometheus.GaugeValue, float64(n), account, string(code))
		}
		instant(to, p.descs.finish, a.outlook.FinishAt, account)
		instant(to, p.descs.short, a.outlook.QuotaShortAt, account)
	}
}

// instant tells a point in time; one that is not known is not told.
func instant(to chan<- prometheus.Metric, d *prometheus.Desc, at time.Time, labels ...string) {
	if !at.IsZero() {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(at.UnixMilli())/1000, labels...)
	}
}
