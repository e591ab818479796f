package emulator_test

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/emulator"
)

// documented lists the scenarios of SCENARIOS.md.
func documented(t testing.TB) []string {
	t.Helper()
	page, err := os.ReadFile("SCENARIOS.md")
	if err != nil {
		t.Fatal(err)
	}
	var blocks []string
	for _, match := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(page, -1) {
		blocks = append(blocks, string(match[1]))
	}
	return blocks
}

func TestDocumentedScenariosAreValid(t *testing.T) {
	blocks := documented(t)
	if len(blocks) < 10 {
		t.Fatalf("only %d examples", len(blocks))
	}
	for _, block := range blocks {
		if _, err := emulator.ParseScenario([]byte(block)); err != nil {
			t.Errorf("%v\n%s", err, block)
		}
	}
}

func TestEveryFieldIsDocumented(t *testing.T) {
	page, err := os.ReadFile("SCENARIOS.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("scenario.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range regexp.MustCompile("`yaml:\"([a-z_]+)\"`").FindAllSubmatch(source, -1) {
		if !strings.Contains(string(page), string(tag[1])+":") {
			t.Errorf("%s has no example", tag[1])
		}
	}
}

func TestParseScenario(t *testing.T) {
	s := scenario(t, `
rules:
  - match: {method: POST, route: export.forecast, nth: 2, times: 3, from: 1m}
    status: 503
    retry_after: 30
    delay: 1500ms
    headers: {X-A: b}
jobs:
  - match: {period: 2026_Q1, every: 2}
    stuck: 2.5
foreign:
  - {at: -1h, count: 2}
`)
	rule := s.Rules[0]
	if rule.Match.Method != "POST" || rule.Match.Nth != 2 || rule.Match.Times != 3 || rule.Match.From != time.Minute ||
		rule.Status != 503 || rule.RetryAfter != "30" || rule.Delay != 1500*time.Millisecond || rule.Headers["X-A"] != "b" {
		t.Errorf("rule %+v", rule)
	}
	if job := s.Jobs[0]; job.Match.Period != "2026_Q1" || job.Match.Every != 2 || job.Stuck != 2.5 {
		t.Errorf("job %+v", job)
	}
	if f := s.Foreign[0]; f.At != -time.Hour || f.Count != 2 {
		t.Errorf("foreign %+v", f)
	}
}

func TestUnknownKeysAreRefusedWithTheirLine(t *testing.T) {
	for text, line := range map[string]string{
		"rules:\n  - status: 500\n    statsu: 400\n": "[3:",
		"rules:\n  - match:\n      nht: 1\n":         "[3:",
		"foreign:\n\n  - at: 1s\n    lasst: 3s\n":    "[4:",
		"rulez: []\n": "[1:",
		"jobs:\n  - match: {nth: 1, forcast: x}\n":          "[2:",
		"rules:\n  - status: 500\n  - delay: tomorrow\n":    "",
		"rules:\n  - status: 500\n    status: 400\n":        "[3:",
		"rules: [{match: {nth: many}}]\n":                   "",
		"rules:\n  - {status: 500\n":                        "",
		"limits:\n  - at: 1s\n    slots: [1]\n    x: {\n\n": "",
	} {
		_, err := emulator.ParseScenario([]byte(text))
		if !errors.Is(err, emulator.ErrConfig) || !strings.Contains(err.Error(), line) {
			t.Errorf("%q: %v, want line %s", text, err, line)
		}
	}
}

func TestImpossibleScenariosAreRefused(t *testing.T) {
	for text, where := range map[string]string{
		"rules: [{match: {nth: 1, every: 2}}]":                      "rules[0]",
		"rules: [{}, {cut: sideways}]":                              "rules[1]",
		"rules: [{status: 42}]":                                     "status 42",
		"rules: [{match: {probability: 1.5}}]":                      "probability",
		"rules: [{match: {route: '['}}]":                            "route",
		"rules: [{act_late: 3s}]":                                   "act_late",
		"rules: [{delay: -3s}]":                                     "delay",
		"rules: [{truncate: -3}]":                                   "bytes",
		"rules: [{match: {from: 3s, until: 2s}}]":                   "until",
		"jobs: [{outcome: eaten}]":                                  "outcome",
		"jobs: [{truncated: columns}]":                              "truncation",
		"jobs: [{wrong_period: Q1}]":                                "wrong_period",
		"jobs: [{wrong_currency: XXX}]":                             "currency",
		"jobs: [{stuck: -1}]":                                       "stuck",
		"jobs: [{takes: -1s}]":                                      "length",
		"foreign: [{every: 1ms}]":                                   "every",
		"foreign: [{count: 1000000}]":                               "count",
		"keys: [{revoke_at: 2s, restore_at: 1s}]":                   "keys[0]",
		"limits: [{slots: -1}]":                                     "limits[0]",
		"{rules: [{status: 42}], jobs: [{outcome: eaten}]}":         "jobs[0]",
		"foreign: [{at: -100000h}]":                                 "400 days",
		"rules: [{match: {nth: -1}}, {match: {times: -1}}, {}, {}]": "rules[1]",
	} {
		if _, err := emulator.ParseScenario([]byte(text)); !errors.Is(err, emulator.ErrConfig) || !strings.Contains(err.Error(), where) {
			t.Errorf("%s: %v, want %s", text, err, where)
		}
	}
}

func TestLoadScenario(t *testing.T) {
	name := filepath.Join(t.TempDir(), "s.yaml")
	if _, err := emulator.LoadScenario(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(name, []byte("rules: [{status: 500}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := emulator.LoadScenario(name); err != nil || s.Rules[0].Status != 500 {
		t.Errorf("%+v %v", s, err)
	}
}

func TestWhichRequestsAreStruck(t *testing.T) {
	for match, want := range map[string]string{
		"nth: 2":                       ".x......",
		"nth: 2, times: 3":             ".xxx....",
		"every: 3":                     "..x..x..",
		"every: 3, times: 1":           "..x.....",
		"times: 2":                     "xx......",
		"from: 2s, until: 5s":          "..xxx...",
		"from: 2s, times: 1":           "..x.....",
		"method: POST":                 "........",
		"route: 'l*', nth: 1":          "x.......",
		"route: jobs.get":              "........",
		"forecast: net_arr":            "........",
		"probability: 1, times: 4":     "xxxx....",
		"probability: 0.0000001":       "........",
		"route: limits, method: 'GET'": "xxxxxxxx",
	} {
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t, emulator.Config{Scenario: scenario(t, "rules: [{match: {"+match+"}, status: 503}]")})
			got := ""
			for range 8 {
				if l.get("/admin/limits").status == 503 {
					got += "x"
				} else {
					got += "."
				}
				time.Sleep(time.Second)
			}
			if got != want {
				t.Errorf("%s: got %s, want %s", match, got, want)
			}
		})
	}
}

func TestProbabilityIsAShare(t *testing.T) {
	l := newLab(t, emulator.Config{Scenario: scenario(t, "rules: [{match: {probability: 0.2}, status: 503}]")})
	struck := 0
	for range 2000 {
		if l.get("/admin/limits").status == 503 {
			struck++
		}
	}
	if struck < 330 || struck > 470 {
		t.Errorf("%d of 2000 at a probability of 0.2", struck)
	}
}

func TestTheFirstRuleActsAndAllCount(t *testing.T) {
	l := newLab(t, emulator.Config{Scenario: scenario(t, `
rules:
  - {match: {nth: 1}, status: 500}
  - {match: {nth: 1}, status: 501}
  - {match: {nth: 2}, status: 502}
  - {match: {job: 2}, status: 504}
`)})
	for _, want := range []int{500, 502, 200} {
		l.want(want, "GET", "/admin/limits", "")
	}
	one, two := l.start("2026_Q1"), l.start("2026_Q2")
	l.want(200, "GET", "/export/jobs/"+one, "")
	l.want(504, "GET", "/export/jobs/"+two, "")
}

func TestConfigsAreCheckedTogether(t *testing.T) {
	_, err := emulator.New(emulator.Config{
		Dialect: "klingon", RetryAfter: "soon", RateKind: "leaky", Slots: -1, Rate: math.NaN(), Speed: -1, FiscalStartMonth: 13,
		Currency: "XXX", Users: -1, JobSigma: 9, Scenario: &emulator.Scenario{Jobs: []emulator.JobRule{{Outcome: "eaten"}}},
	})
	if !errors.Is(err, emulator.ErrConfig) {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{"klingon", "soon", "leaky", "slots", "rate", "speed", "fiscal", "XXX", "size", "sigma", "eaten"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("nothing said of %s: %v", want, err)
		}
	}
}

// A scenario that is accepted must play, whatever it says.
func FuzzParseScenario(f *testing.F) {
	for _, block := range documented(f) {
		f.Add([]byte(block))
	}
	f.Add([]byte("rules: [{match: {nth: 1}, &a status: *a}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := emulator.ParseScenario(text)
		if err != nil {
			if !errors.Is(err, emulator.ErrConfig) {
				t.Errorf("an error of another kind: %v", err)
			}
			return
		}
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t, emulator.Config{Scenario: s})
			l.post("/export/forecast/net_arr", "{}")
			time.Sleep(time.Minute)
			for _, id := range l.JobIDs() {
				l.get("/export/jobs/" + id + "/results")
			}
			l.Counters()
		})
	})
}
