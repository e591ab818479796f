package metrics_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/clari"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/inmem"
	"github.com/weirhq/weir/pace"
	"github.com/weirhq/weir/plan"
	"github.com/weirhq/weir/signals"
	"github.com/weirhq/weir/signals/metrics"
)

// must ends the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// landed is a ledger with one account, one landed export of a tab, and so many
// planned ones.
func landed(t *testing.T, tab string, plannedToo int) *inmem.Ledger {
	t.Helper()
	ctx, l := t.Context(), inmem.New(inmem.Options{})
	_, err := l.OpenAccount(ctx, weir.Account{Name: "acme", BaseURL: "https://x.test", KeyFingerprint: "k"})
	must(t, err)
	now, err := l.Now(ctx)
	must(t, err)
	wish := func(tab, period string) weir.Export {
		granted, err := l.Wish(ctx, now, []ledger.Wish{{
			Account: "acme", Request: weir.Request{Kind: weir.Forecast, ForecastID: tab, Period: weir.Period(period)},
			AsOf: now, JobsAllowed: 1, Destination: "/data", Formats: []string{"parquet"},
		}})
		must(t, err)
		return granted[0].Export
	}
	e, why := wish(tab, "2026_Q1"), weir.Cause{At: now, Why: "test"}
	for _, move := range []weir.Transition{weir.Submit(why, 1), weir.Accept(why, "6b04c9a7b22e07a0e18bfafd"), weir.Finish(why)} {
		_, err := l.Move(ctx, weir.Lease{}, e.ID, move)
		must(t, err)
	}
	deliveries, err := l.DeliveriesOf(ctx, e.ID)
	must(t, err)
	claim, err := l.Claim(ctx, deliveries[0].ID, "me", now)
	must(t, err)
	_, err = l.FinishDelivery(ctx, claim, ledger.Outcome{State: weir.DeliveryLanded, Manifest: "m", Rows: 42, SnapshotAt: now.Add(-time.Hour)}, why)
	must(t, err)
	for i := range plannedToo {
		wish(fmt.Sprintf("%s_%d", tab, i), "2026_Q2")
	}
	must(t, l.ChangeBudget(ctx, "acme", func(weir.Budget) weir.Budget {
		return weir.Budget{Source: weir.Told, ReadAt: now, Slots: 3, SlotsFree: 1, Quota: 100, QuotaFree: 40}
	}))
	must(t, l.SaveGate(ctx, "acme", `{"version":1,"rate":2.5}`))
	return l
}

// everything tells of each thing once.
func everything(m *metrics.Metrics, refused error) {
	e := weir.Export{Account: "acme", State: weir.Landed}
	for _, name := range signals.Calls() {
		m.Called(signals.Call{Account: "acme", Name: name, Took: time.Second})
	}
	m.Called(signals.Call{Account: "acme", Name: signals.Start, Err: refused})
	for range 2 {
		m.Planned(signals.Planned{
			Account: "acme", At: time.Now(),
			View: plan.View{
				Policy: plan.Adaptive(), Exports: []weir.Export{{ID: 1, State: weir.Planned}}, QuotaUses: []time.Time{time.Now().Add(-time.Hour)},
				Budget: weir.Budget{Source: weir.Told, Slots: 1, SlotsFree: 1, Quota: 1, QuotaFree: 0, ReadAt: time.Now()},
			},
			Plan: plan.Plan{Stands: map[int64]plan.Stand{1: {Wait: weir.Wait{Code: weir.WaitQuota}}}},
		})
	}
	m.Moved(signals.Move{Export: e, From: weir.Ready})
	m.Ran(signals.Run{Account: "acme", Took: time.Minute, Unseen: time.Second})
	at := time.Now()
	m.Received(signals.Transfer{Export: e, At: at, Downloaded: at.Add(time.Second), End: at.Add(2 * time.Second), Bytes: 1000})
	m.Published(signals.Publication{Export: e, Delivery: weir.Delivery{Destination: "s3://b/p"}, At: at, End: at.Add(time.Second), Rows: 42})
	m.Delivered(signals.Delivered{Account: "acme", State: weir.DeliveryLanded})
	m.Notified("failed", "sent")
}

func throttled(retryAfter string) error {
	return &clari.Error{Kind: clari.KindThrottled, Status: 429, RetryAfter: retryAfter}
}

// series are the values of weir's own metrics, by name and labels, and the
// labels' names of each metric.
func series(t *testing.T, g prometheus.Gatherer) (map[string]float64, map[string]metrics.Metric) {
	t.Helper()
	families, err := g.Gather()
	must(t, err)
	values, seen := map[string]float64{}, map[string]metrics.Metric{}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "weir_") {
			continue
		}
		for _, m := range f.GetMetric() {
			var names, pairs []string
			for _, l := range m.GetLabel() {
				names = append(names, l.GetName())
				pairs = append(pairs, l.GetName()+"="+l.GetValue())
			}
			slices.Sort(names)
			seen[f.GetName()] = metrics.Metric{Name: f.GetName(), Type: strings.ToLower(f.GetType().String()), Labels: names, Help: f.GetHelp()}
			value := m.GetGauge().GetValue() + m.GetCounter().GetValue() + m.GetHistogram().GetSampleSum()
			values[f.GetName()+"{"+strings.Join(pairs, ",")+"}"] = value
		}
	}
	return values, seen
}

// The reference is the whole truth: what is gathered is what it lists, with the
// same type, labels and words, and the linter has nothing to say.
func TestReference(t *testing.T) {
	m := metrics.New(metrics.Config{Ledger: landed(t, "net_arr", 1), Policy: pace.Policy{}, Version: "1.2.3"})
	everything(m, throttled(""))
	_, got := series(t, m.Gatherer())
	want := map[string]metrics.Metric{}
	for _, one := range metrics.Reference() {
		one.From = ""
		slices.Sort(one.Labels)
		want[one.Name] = one
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("reference and registry differ (-reference +registry):\n%s", diff)
	}
	problems, err := testutil.GatherAndLint(m.Gatherer())
	must(t, err)
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// What the ledger knows is the same whichever server is asked; what a process
// did is its own.
func TestTwoServers(t *testing.T) {
	l := landed(t, "net_arr", 7)
	one, two := metrics.New(metrics.Config{Ledger: l}), metrics.New(metrics.Config{Ledger: l})
	everything(one, throttled("30"))
	first, _ := series(t, one.Gatherer())
	second, _ := series(t, two.Gatherer())
	for name, want := range map[string]float64{
		"weir_slots{account=acme}": 3, "weir_slots_free{account=acme}": 1,
		"weir_quota_limit{account=acme}": 100, "weir_quota_available{account=acme}": 40,
		"weir_exports{account=acme,state=planned}": 7, "weir_exports{account=acme,state=landed}": 1,
		"weir_exports{account=acme,state=running}": 0, "weir_gate_rate_hertz{account=acme}": 2.5,
		"weir_snapshot_rows{account=acme,forecast=net_arr,period=2026_Q1}": 42, "weir_ledger_up{}": 1,
	} {
		if first[name] != want || second[name] != want {
			t.Errorf("%s is %v and %v, want %v", name, first[name], second[name], want)
		}
	}
	age := "weir_snapshot_age_seconds{account=acme,forecast=net_arr,period=2026_Q1}"
	if first[age] < 3600 || first[age] > 3700 {
		t.Errorf("the snapshot of an hour ago is %v s old", first[age])
	}
	for _, name := range []string{"weir_throttled_total{account=acme,reason=retry_after}", "weir_requests_total{account=acme,call=start,outcome=429}"} {
		if _, leaked := second[name]; first[name] != 1 || leaked {
			t.Errorf("%s is %v in one process, there in the other: %v", name, first[name], leaked)
		}
	}
}

// Not one series more for a thousand exports more.
func TestSeriesAreBounded(t *testing.T) {
	few, _ := series(t, metrics.New(metrics.Config{Ledger: landed(t, "net_arr", 1)}).Gatherer())
	many, _ := series(t, metrics.New(metrics.Config{Ledger: landed(t, "net_arr", 1000)}).Gatherer())
	if diff := cmp.Diff(slices.Sorted(maps.Keys(few)), slices.Sorted(maps.Keys(many))); diff != "" {
		t.Errorf("more exports, more series:\n%s", diff)
	}
}

// Hostile names stay values of labels.
func TestHostileNames(t *testing.T) {
	tab := "x\"} 1\nweir_slots{account=\"\xff"
	m := metrics.New(metrics.Config{Ledger: landed(t, tab, 0)})
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 || strings.Count(w.Body.String(), "\nweir_slots{") != 1 {
		t.Errorf("status %d:\n%s", w.Code, w.Body)
	}
	if _, err := testutil.GatherAndLint(m.Gatherer()); err != nil {
		t.Error(err)
	}
}

// A ledger that cannot be read is told, and takes nothing else along.
func TestLedgerDown(t *testing.T) {
	l := inmem.New(inmem.Options{Fault: func(method string) error {
		if method == "LatestSnapshots" {
			return errors.New("the database is gone")
		}
		return nil
	}})
	m := metrics.New(metrics.Config{Ledger: l})
	everything(m, context.Canceled)
	values, _ := series(t, m.Gatherer())
	if up, told := values["weir_ledger_up{}"]; !told || up != 0 || values["weir_landed_rows_total{account=acme,place=s3}"] != 42 {
		t.Errorf("up %v (told %v); %v", up, told, values)
	}
}

// Time that exports wait adds up by reason, over exports; a process that stood
// still does not count what it did not see.
func TestWaitSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := metrics.New(metrics.Config{})
		waits := func(codes ...weir.WaitCode) {
			stands := map[int64]plan.Stand{}
			for i, code := range codes {
				stands[int64(i)] = plan.Stand{Wait: weir.Wait{Code: code}}
			}
			m.Planned(signals.Planned{Account: "acme", Plan: plan.Plan{Stands: stands}, At: time.Now()})
		}
		waits(weir.WaitSlot, weir.WaitSlot, weir.WaitJob)
		time.Sleep(time.Second)
		waits(weir.WaitSlot, weir.WaitNone)
		time.Sleep(3 * time.Second)
		waits(weir.WaitQuota)
		time.Sleep(time.Hour)
		waits()
		values, _ := series(t, m.Gatherer())
		want := map[string]float64{"slot": 5, "job": 1, "quota": 5}
		for reason, seconds := range want {
			if got := values["weir_wait_seconds_total{account=acme,reason="+reason+"}"]; got != seconds {
				t.Errorf("waited %v s for %s, want %v", got, reason, seconds)
			}
		}
		if values["weir_conducting{account=acme}"] != 1 {
			t.Error("the account is not conducted")
		}
		time.Sleep(time.Minute)
		values, _ = series(t, m.Gatherer())
		if _, told := values["weir_conducting{account=acme}"]; told {
			t.Error("an account without a plan for a minute is still conducted")
		}
	})
}
