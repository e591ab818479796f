package metrics_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/weirhq/weir/signals/metrics"
)

var (
	opsDir    = filepath.Join("..", "..", "ops")
	dashboard = filepath.Join(opsDir, "grafana", "weir.json")
	rules     = filepath.Join(opsDir, "prometheus", "alerts.yml")

	metricName = regexp.MustCompile(`\bweir_[a-z_]+\b`)
	histograms = regexp.MustCompile(`_(bucket|sum|count)$`)
)

// promtool runs Prometheus' own checker.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	path, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatal("promtool is not there: run internal/servertest/install.sh, or install the package prometheus")
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = filepath.Dir(rules)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// The alert rules load, and fire when they should and not before.
func TestAlertRules(t *testing.T) {
	promtool(t, "check", "rules", "--lint=all", "--lint-fatal", filepath.Base(rules))
	promtool(t, "test", "rules", "alerts_test.yml")
}

// Every alert has a test of its own that sees it fire, and stands in the docs
// with its severity.
func TestEveryAlertIsTested(t *testing.T) {
	text, err := os.ReadFile(rules)
	must(t, err)
	tests, err := os.ReadFile(filepath.Join(filepath.Dir(rules), "alerts_test.yml"))
	must(t, err)
	docs, err := os.ReadFile(filepath.Join("..", "..", "docs", "signals.md"))
	must(t, err)
	alerts := regexp.MustCompile(`(?s)- alert: (\w+)\n.*?severity: (\w+)`).FindAllStringSubmatch(string(text), -1)
	if documented := strings.Count(string(docs), "\n| `Weir"); len(alerts) != documented {
		t.Errorf("%d alerts, %d in docs/signals.md", len(alerts), documented)
	}
	for _, alert := range alerts {
		if !strings.Contains(string(docs), "\n| `"+alert[1]+"` | "+alert[2]+" | ") {
			t.Errorf("docs/signals.md does not list %s as %s", alert[1], alert[2])
		}
		if !strings.Contains(string(tests), "- alertname: "+alert[1]+"\n") {
			t.Errorf("no test sees %s fire", alert[1])
		}
	}
}

// Dashboard and rules name only metrics that exist, and the dashboard shows all
// of them.
func TestOpsNameMetrics(t *testing.T) {
	known, shown := map[string]bool{}, map[string]bool{}
	for _, m := range metrics.Reference() {
		known[m.Name] = true
	}
	for _, path := range []string{dashboard, rules} {
		text, err := os.ReadFile(path)
		must(t, err)
		for _, name := range metricName.FindAllString(string(text), -1) {
			name = histograms.ReplaceAllString(name, "")
			if !known[name] {
				t.Errorf("%s names %s, which is no metric", path, name)
			}
			shown[name] = shown[name] || path == dashboard
		}
	}
	for name := range known {
		if !shown[name] {
			t.Errorf("the dashboard does not show %s", name)
		}
	}
}

// The dashboard is one that Grafana reads: every panel has a place of its own, a
// title, and queries that Prometheus can parse.
func TestDashboard(t *testing.T) {
	text, err := os.ReadFile(dashboard)
	must(t, err)
	var board struct {
		Title, UID string
		Panels     []struct {
			ID          int
			Type, Title string
			GridPos     struct{ X, Y, W, H int }
			Targets     []struct{ Expr, RefID string }
		}
	}
	must(t, json.Unmarshal(text, &board))
	var queries strings.Builder
	queries.WriteString("groups:\n- name: dashboard\n  rules:\n")
	ids, cells := map[int]bool{}, map[[2]int]string{}
	for _, p := range board.Panels {
		if ids[p.ID] || p.Title == "" || p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %d %q: an id twice, no title, or nothing to show", p.ID, p.Title)
		}
		ids[p.ID] = true
		for x := p.GridPos.X; x < p.GridPos.X+p.GridPos.W; x++ {
			for y := p.GridPos.Y; y < p.GridPos.Y+p.GridPos.H; y++ {
				if cells[[2]int{x, y}] != "" || x >= 24 {
					t.Errorf("%s lies over %s", p.Title, cells[[2]int{x, y}])
				}
				cells[[2]int{x, y}] = p.Title
			}
		}
		for _, target := range p.Targets {
			quoted, err := json.Marshal(strings.ReplaceAll(target.Expr, "$__rate_interval", "5m"))
			must(t, err)
			queries.WriteString("  - record: weir:panel:check\n    expr: " + string(quoted) + "\n")
		}
	}
	if board.UID != "weir" || len(board.Panels) < 20 {
		t.Errorf("%q has %d panels", board.UID, len(board.Panels))
	}
	file := filepath.Join(t.TempDir(), "dashboard.yml")
	must(t, os.WriteFile(file, []byte(queries.String()), 0o600))
	promtool(t, "check", "rules", "--lint=none", file)
}
