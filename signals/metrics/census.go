package metrics

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/pace"
)

const (
	// MaxSnapshots is how many tabs and periods of one account are told of.
	MaxSnapshots = 200
	// MaxSeries is how many are of all accounts together.
	MaxSeries = 5000

	censusLife = 5 * time.Second
	// endedLife is how often ended exports are counted, or less often: counting
	// may take one part in endedShare of the time.
	endedLife  = time.Minute
	endedShare = 1000
	censusTime = 5 * time.Second
)

// census reads the ledger when somebody scrapes, and not again for a while.
type census struct {
	from   ledger.Census
	policy pace.Policy
	log    *slog.Logger

	mu      sync.Mutex
	at      time.Time
	err     error
	counted []ledger.Counted
	latest  []ledger.Latest
	recount time.Time // not before
	ended   map[string]map[weir.State]int
}

// read brings what is kept up to date. The first error ends it.
func (c *census) read() error {
	now := time.Now()
	if now.Sub(c.at) < censusLife {
		return c.err
	}
	ctx, cancel := context.WithTimeout(context.Background(), censusTime)
	defer cancel()
	c.at = now
	if c.counted, c.err = c.from.CountAccounts(ctx); c.err != nil {
		return c.err
	}
	if c.latest, c.err = c.from.LatestSnapshots(ctx, MaxSnapshots); c.err != nil {
		return c.err
	}
	if now.Before(c.recount) {
		return nil
	}
	if c.ended, c.err = c.from.CountEnded(ctx); c.err == nil {
		c.recount = now.Add(max(endedLife, endedShare*time.Since(now)))
	}
	return c.err
}

// ledgerNames are the metrics that this collector makes.
func ledgerNames() []string {
	var names []string
	for _, m := range Reference() {
		if m.From == fromLedger {
			names = append(names, m.Name)
		}
	}
	return names
}

// Describe implements prometheus.Collector.
func (c *census) Describe(to chan<- *prometheus.Desc) {
	for _, name := range ledgerNames() {
		to <- desc(name)
	}
}

// Collect implements prometheus.Collector.
func (c *census) Collect(to chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := gauges{to: to, descs: map[string]*prometheus.Desc{}}
	if err := c.read(); err != nil {
		c.log.Warn("read ledger for metrics", "error", err)
		g.set("weir_ledger_up", 0)
		return
	}
	g.set("weir_ledger_up", 1)
	now := time.Now()
	for _, one := range c.counted {
		c.account(g, one, now)
	}
	for i, s := range c.latest {
		if i >= MaxSeries {
			break
		}
		labels := []string{label(s.Account), label(s.ForecastID), label(string(s.Period))}
		g.set("weir_snapshot_age_seconds", max(0, now.Sub(s.SnapshotAt).Seconds()), labels...)
		g.set("weir_snapshot_rows", float64(s.Rows), labels...)
	}
}

// account tells how one account stands. Numbers that nobody told are left out.
func (c *census) account(g gauges, one ledger.Counted, now time.Time) {
	account := label(one.Account.Name)
	if b := one.Budget; b.Known() {
		for name, n := range map[string]int{
			"weir_slots": b.Slots, "weir_slots_free": b.SlotsFree, "weir_quota_limit": b.Quota, "weir_quota_available": b.QuotaFree,
		} {
			if n >= 0 {
				g.set(name, float64(n), account)
			}
		}
		g.set("weir_budget_observed_timestamp_seconds", float64(b.ReadAt.UnixMilli())/1000, account)
	}
	if state, err := pace.ParseState(one.Gate); err == nil && one.Gate != "" {
		g.set("weir_gate_rate_hertz", c.policy.RateOf(state), account)
		g.set("weir_gate_closed_seconds", max(0, state.ClosedUntil.Sub(now).Seconds()), account)
	}
	for _, state := range []weir.State{weir.Planned, weir.Submitting, weir.Unknown, weir.Running, weir.Ready} {
		g.set("weir_exports", float64(one.Open[state]), account, string(state))
	}
	ended := c.ended[one.Account.Name]
	for _, state := range []weir.State{weir.Landed, weir.Rejected, weir.Failed, weir.Cancelled} {
		g.set("weir_exports", float64(ended[state]), account, string(state))
	}
}

// gauges sends values, each under its description.
type gauges struct {
	to    chan<- prometheus.Metric
	descs map[string]*prometheus.Desc
}

func (g gauges) set(name string, value float64, labels ...string) {
	if g.descs[name] == nil {
		g.descs[name] = desc(name)
	}
	g.to <- prometheus.MustNewConstMetric(g.descs[name], prometheus.GaugeValue, value, labels...)
}
