package metrics_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/weirhq/weir/pace"
	"github.com/weirhq/weir/signals/metrics"
)

// Every query of the dashboard finds something among the metrics of a service to
// which everything has happened: its names, its labels and its values of labels
// are those that are exported.
func TestEveryPanelShowsSomething(t *testing.T) {
	m := metrics.New(metrics.Config{Ledger: landed(t, "net_arr", 1), Policy: pace.Policy{}, Version: "1.2.3"})
	everything(m, throttled(""))
	type sample struct {
		Labels string  `json:"labels"`
		Value  float64 `json:"value"`
	}
	type ask struct {
		Expr    string   `json:"expr"`
		At      string   `json:"eval_time"`
		Samples []sample `json:"exp_samples"`
	}
	type group struct {
		Interval string              `json:"interval"`
		Series   []map[string]string `json:"input_series"`
		Asks     []ask               `json:"promql_expr_test"`
	}
	g := group{Interval: "15s", Series: scraped(t, m.Gatherer())}
	for _, expr := range panelQueries(t) {
		// How many series it gives, as a test must say what it expects to the letter.
		g.Asks = append(g.Asks, ask{"count(" + expr + ") > bool 0", "2h", []sample{{"{}", 1}}})
	}
	text, err := json.Marshal(map[string]any{"evaluation_interval": "15s", "tests": []group{g}}) // JSON is YAML
	must(t, err)
	file := filepath.Join(t.TempDir(), "panels.yml")
	must(t, os.WriteFile(file, text, 0o600))
	promtool(t, "test", "rules", file)
}

// panelQueries are the queries of all panels, with Grafana's variables filled in.
func panelQueries(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(dashboard)
	must(t, err)
	var board struct {
		Panels []struct {
			Targets []struct{ Expr string }
		}
	}
	must(t, json.Unmarshal(text, &board))
	var all []string
	for _, p := range board.Panels {
		for _, target := range p.Targets {
			all = append(all, strings.NewReplacer("$__rate_interval", "5m", "$account", "acme").Replace(target.Expr))
		}
	}
	if len(all) < 20 {
		t.Fatalf("the dashboard has %d queries", len(all))
	}
	return all
}

// scraped are two hours of what is gathered, as promtool takes it: what counts
// goes on counting, what stands stays.
func scraped(t *testing.T, g prometheus.Gatherer) []map[string]string {
	t.Helper()
	families, err := g.Gather()
	must(t, err)
	all := []map[string]string{oneSeries("process_resident_memory_bytes", `instance="a",job="weir"`, "1000x480")}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "weir_") {
			continue
		}
		for _, m := range f.GetMetric() {
			pairs := []string{`instance="a"`, `job="weir"`}
			for _, l := range m.GetLabel() {
				pairs = append(pairs, l.GetName()+"="+strconv.Quote(l.GetValue()))
			}
			labels := strings.Join(pairs, ",")
			switch {
			case m.Histogram != nil:
				for _, b := range m.GetHistogram().GetBucket() {
					bound := fmt.Sprintf(`,le="%g"`, b.GetUpperBound())
					all = append(all, oneSeries(f.GetName()+"_bucket", labels+bound, fmt.Sprintf("0+%dx480", b.GetCumulativeCount())))
				}
				all = append(all, oneSeries(f.GetName()+"_bucket", labels+`,le="+Inf"`, fmt.Sprintf("0+%dx480", m.GetHistogram().GetSampleCount())))
			case m.Counter != nil:
				all = append(all, oneSeries(f.GetName(), labels, "0+1x480"))
			default:
				all = append(all, oneSeries(f.GetName(), labels, fmt.Sprintf("%gx480", m.GetGauge().GetValue())))
			}
		}
	}
	return all
}

func oneSeries(name, labels, values string) map[string]string {
	return map[string]string{"series": name + "{" + labels + "}", "values": values}
}
