package browsertest

import (
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirhq/weir/emulator"
)

var shots = flag.String("shots", "", "write screenshots of every page into this directory")

// busy is an account with work of every kind: what has landed, what runs, what
// waits, what failed.
const busy = `
accounts:
  acme:
    key: {env: KEY}
    base_url: "%s"
    keep_quota: 10
destinations:
  lake: {to: lake, formats: [parquet]}
exports:
  - {name: calls, account: acme, forecasts: [net_arr], periods: [current, last 2 quarters], destinations: [lake]}
  - {name: history, account: acme, forecasts: [new_logo], periods: [last 8 quarters], destinations: [lake]}
  - {name: slow, account: acme, forecasts: [renewals], periods: [last 6 quarters], destinations: [lake]}
schedules:
  weekly: {exports: [slow], after: week-end}
  workdays: {exports: [calls], cron: "30 6 * * 1-5", time_zone: America/New_York}
  backfill: {exports: [history], at: quarter-close, days_after: [1, 5]}
`

func scenario(t *testing.T, text string) *emulator.Scenario {
	t.Helper()
	s, err := emulator.ParseScenario([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// pacing lets what is looked at afterwards run soon, and something still run then.
func pacing(forecast, _ string, _ int) time.Duration {
	if forecast == "renewals" {
		return 10 * time.Minute
	}
	return time.Second
}

// TestBrowser builds the program and starts a browser, once for everything that
// is looked at.
func TestBrowser(t *testing.T) {
	program, browser := Build(t), Start(t)
	t.Run("pages", func(t *testing.T) { pages(t, program, browser) })
	slow := slowStage(t, program)
	for _, test := range []struct {
		name string
		look func(*testing.T, *Stage, *Tab)
	}{{"acts", acts}, {"names", names}, {"foreign", foreign}} {
		t.Run(test.name, func(t *testing.T) { test.look(t, slow.Of(t), browser.Open(t, slow.Base)) })
	}
	t.Run("read-only", func(t *testing.T) {
		s := slowStage(t, program, "--read-only")
		readOnly(t, s, browser.Open(t, s.Base))
	})
	t.Run("river", func(t *testing.T) { riverPages(t, program, browser) })
}

// moving makes a few values of every result other ones than before, as they are
// from day to day.
func moving(api http.Handler) http.Handler {
	value := regexp.MustCompile(`"forecastValue":\s?[1-9][0-9.]*`)
	var results atomic.Int64
	return rewriting(api, func(body []byte) []byte {
		n, at := results.Add(1), int64(0)
		return value.ReplaceAllFunc(body, func(was []byte) []byte {
			if at++; n < 4 || at%9 != n%9 {
				return was
			}
			number, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimPrefix(string(was), `"forecastValue":`)), 64)
			if err != nil {
				return was
			}
			return fmt.Appendf(nil, `"forecastValue": %.2f`, number*(1+float64(at%7-2)/40))
		})
	})
}

// pages looks at every page as people do: in light and dark, wide and on a
// phone, with axe-core, an eye on the console and on where requests go.
func pages(t *testing.T, program string, browser *Browser) {
	configuration := busy
	if *shots != "" { // pictures show a place that could be anybody's
		lake := filepath.Join(os.TempDir(), "clari-data")
		configuration = strings.Replace(busy, "to: lake", "to: "+lake, 1)
		t.Cleanup(func() { os.RemoveAll(lake) })
	}
	s := Play(t, program, emulator.Config{
		Slots: 3, Quota: 120, QuotaUsed: 34, Seed: 7, Plain: true, Duration: pacing,
		ForecastIDs: []string{"net_arr", "new_logo", "renewals"},
		Scenario: scenario(t, `
rules:
  - match: {method: POST, nth: 3}
    retry_after: "2"
  - match: {method: POST, forecast: new_logo, nth: 2}
    status: 400
    code: type_not_supported
    message: This tenant has no such type.
`),
	}, configuration, moving)
	s.Wish("acme", "workdays")
	s.Settled("landed", 3)
	s.Wish("acme", "workdays")
	s.Wish("acme", "backfill")
	s.Settled("failed", 1)
	s.Settled("landed", 13)
	s.Wish("acme", "weekly")
	s.Settled("running", 3)
	b := browser.Open(t, s.Base)
	b.Enter(s)
	source := axe(t)
	for _, p := range []struct{ name, path string }{
		{"now", "/"}, {"timeline", "/timeline?minutes=5"}, {"quota", "/quota"}, {"snapshots", "/snapshots"}, {"exports", "/exports"},
		{"schedules", "/schedules"}, {"export", s.failedPage()}, {"snapshot", s.snapshotPage()}, {"diff", s.diffPage()},
		{"nothing", "/nothing-here"},
	} {
		look(t, b, s.Base+p.path, p.name, source)
	}
}

// failedPage is that of an export that failed.
func (s *Stage) failedPage() string {
	all := s.Exports()
	at := slices.IndexFunc(all, func(e export) bool { return e.State == "failed" })
	return fmt.Sprintf("/exports/%d", all[at].ID)
}

// snapshotPage is that of the newest snapshot that has an earlier one beside it.
func (s *Stage) snapshotPage() string {
	seen := map[string]int64{}
	for _, e := range s.Exports() { // newest first
		if e.State != "landed" {
			continue
		}
		if newest, again := seen[e.Title]; again {
			return fmt.Sprintf("/snapshots/%d", newest)
		}
		seen[e.Title] = e.Deliveries[0].ID
	}
	s.t.Fatal("no request has landed twice")
	return ""
}

// diffPage says what changed up to that snapshot.
func (s *Stage) diffPage() string {
	var opened struct{ Others []struct{ Snapshot string } }
	at := s.snapshotPage()
	if got := s.Ask("GET", at, "", &opened); got != http.StatusOK || len(opened.Others) == 0 {
		s.t.Fatalf("%s answers %d and names %d earlier ones", at, got, len(opened.Others))
	}
	return at + "/diff/" + opened.Others[0].Snapshot
}

// look shows a page in every guise.
func look(t *testing.T, b *Tab, at, name, source string) {
	t.Helper()
	for _, guise := range []struct {
		name   string
		width  int64
		scheme string
	}{{"light", 1120, "light"}, {"dark", 1120, "dark"}, {"phone", 390, "light"}} {
		what := name + ", " + guise.name
		b.View(guise.width, 740, guise.scheme)
		b.Go(at)
		b.Until("the page is drawn", `document.querySelector("h1") && document.readyState === "complete"`)
		if wide := Eval[float64](b, "document.documentElement.scrollWidth - window.innerWidth"); wide > 0 {
			t.Errorf("%s: the page is %.0f pixels wider than the window", what, wide)
		}
		b.Accessible(what, source)
		if *shots != "" && name != "nothing" {
			file := filepath.Join(*shots, name+"-"+guise.name+".png")
			if err := os.WriteFile(file, b.Picture(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if name != "nothing" { // a page that is not there is an error to the browser
			b.Quiet(what)
		}
	}
	b.mu.Lock()
	b.problems = nil
	b.mu.Unlock()
}
