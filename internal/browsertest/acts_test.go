package browsertest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirhq/weir/emulator"
)

// slow is an account whose jobs last, but for two tabs: one that the server
// refuses with a text that would like to be a script, and one of people whose
// names would.
const slow = `
accounts:
  acme: {key: {env: KEY}, base_url: "%s"}
destinations:
  lake: {to: lake, formats: [parquet]}
exports:
  - {name: long, account: acme, forecasts: [net_arr], periods: [current], destinations: [lake]}
  - {name: hostile, account: acme, forecasts: [new_logo], periods: [current], destinations: [lake]}
  - {name: people, account: acme, forecasts: [people], periods: [current], destinations: [lake]}
schedules:
  long: {exports: [long], cron: "0 0 1 1 *"}
  hostile: {exports: [hostile], cron: "0 0 1 1 *"}
  people: {exports: [people], cron: "0 0 1 1 *"}
`

const hostile = `<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">`

func slowStage(t *testing.T, program string, flags ...string) *Stage {
	return Play(t, program, emulator.Config{Seed: 3, ForecastIDs: []string{"net_arr", "new_logo", "people"}, Duration: func(forecast, _ string, _ int) time.Duration {
		if forecast == "people" {
			return time.Second
		}
		return 10 * time.Minute
	}, Scenario: scenario(t, `
rules:
  - match: {method: POST, forecast: new_logo}
    status: 400
    code: bad_request
    message: "`+hostile+`"
`)}, slow, hostileNames, flags...)
}

// hostileNames gives everybody and every field in a result a name that would
// like to be a script, and every value another one each time.
func hostileNames(api http.Handler) http.Handler {
	name := regexp.MustCompile(`("(?:name|fieldName)":\s?)"(?:[^"\\]|\\.)*"`)
	value := regexp.MustCompile(`("(?:forecastValue|quotaValue)":\s?)-?[0-9][0-9.e+-]*`)
	text, err := json.Marshal(strings.ReplaceAll(hostile, `\"`, `"`))
	var times atomic.Int64
	return rewriting(api, func(body []byte) []byte {
		if err != nil {
			return body
		}
		body = name.ReplaceAll(body, append([]byte("$1"), text...))
		return value.ReplaceAll(body, fmt.Appendf(nil, "${1}%d", 1000*times.Add(1)))
	})
}

// rewriting changes every result on its way.
func rewriting(api http.Handler, change func([]byte) []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/results") {
			api.ServeHTTP(w, r)
			return
		}
		r.Header.Del("Accept-Encoding")
		answer := httptest.NewRecorder()
		api.ServeHTTP(answer, r)
		for header, values := range answer.Header() {
			if header != "Content-Length" {
				w.Header()[header] = values
			}
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(change(answer.Body.Bytes()))
	})
}

// acts does on the pages what people do there.
func acts(t *testing.T, s *Stage, b *Tab) {
	b.Go(s.Link)
	b.Shows("h1", "Now")
	b.Shows("#live-state", "live")

	// What begins elsewhere appears by itself, and so does what becomes of it.
	id := s.Wish("acme", "long")[0]
	row := fmt.Sprintf("#export-%d", id)
	b.Shows(row, "running")
	b.Quiet("live")

	// A button cancels the job on the server.
	b.Go(fmt.Sprintf("%s/exports/%d", s.Base, id))
	b.Shows("#export .badge", "running")
	b.Click("#act-cancel summary")
	b.Click("#act-cancel button")
	b.Shows("#note", "recorded")
	b.Shows("#export .badge", "cancelled")
	if e := s.Await(id, "cancelled"); e.Job == nil {
		t.Errorf("the cancelled export has no job: %+v", e)
	}
	cancelled := 0
	for _, r := range s.Emulator.RequestLog() {
		if r.Method == http.MethodPatch {
			cancelled++
		}
	}
	if cancelled == 0 {
		t.Error("nobody asked the server to cancel")
	}
	b.Quiet("cancel")

	// Text of the server stays text, wherever it is shown.
	bad := s.Wish("acme", "hostile")[0]
	s.Await(bad, "failed")
	for _, path := range []string{fmt.Sprintf("/exports/%d", bad), "/exports", "/timeline?minutes=5"} {
		harmless(t, s, b, path)
	}
	b.Go(fmt.Sprintf("%s/exports/%d", s.Base, bad))
	b.Shows("#export", "<script>document.title='owned'</script>")
	b.Quiet("hostile text")

	// The keyboard reaches everything; the first stop skips to the content.
	keyboard(t, b)

	// Without its cookie the browser is nobody.
	b.Click(".tools button.plain")
	b.Shows("button.main", "Log in")
	b.Enter(s)
}

// harmless visits a page that shows hostile text.
func harmless(t *testing.T, s *Stage, b *Tab, path string) {
	t.Helper()
	b.Go(s.Base + path)
	b.Until("the page is drawn", `document.querySelector("h1") && document.readyState === "complete"`)
	if title := Eval[string](b, "document.title"); title == "owned" {
		t.Errorf("%s: the server's text ran as a script", path)
	}
	if n := Eval[int](b, "document.querySelectorAll('main script, main img').length"); n != 0 {
		t.Errorf("%s: the server's text became %d elements", path, n)
	}
}

// names lands results in which everybody's name would like to be a script, and
// looks at them, and at what changed from one to the next.
func names(t *testing.T, s *Stage, b *Tab) {
	b.Enter(s)
	first := s.Await(s.Wish("acme", "people")[0], "landed")
	second := s.Await(s.Wish("acme", "people")[0], "landed")
	var opened struct{ Manifest struct{ Snapshot string } }
	if got := s.Ask("GET", fmt.Sprintf("/snapshots/%d", first.Deliveries[0].ID), "", &opened); got != http.StatusOK {
		t.Fatalf("the snapshot's page in the API answers %d", got)
	}
	at := fmt.Sprintf("/snapshots/%d", second.Deliveries[0].ID)
	harmless(t, s, b, "/snapshots")
	harmless(t, s, b, at)
	harmless(t, s, b, at+"/diff/"+opened.Manifest.Snapshot)
	b.Shows("#diff table", "<script>document.title='owned'</script>")
	b.Quiet("hostile names")
}

func keyboard(t *testing.T, b *Tab) {
	t.Helper()
	first := Eval[string](b, `(() => { const all = [...document.querySelectorAll('a[href], button, summary, select, input')].filter((e) => e.tabIndex >= 0); return all[0].className; })()`)
	if first != "skip" {
		t.Errorf("the first stop of the keyboard is %q", first)
	}
	if n := Eval[int](b, `document.querySelectorAll('[tabindex]:not([tabindex="0"]):not([tabindex="-1"])').length`); n != 0 {
		t.Errorf("%d elements change the order of the keyboard", n)
	}
}

// foreign lets a page of another origin try what it can.
func foreign(t *testing.T, s *Stage, b *Tab) {
	id := s.Wish("acme", "long")[0]
	s.Await(id, "running")
	before := len(s.Emulator.RequestLog())
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><title>evil</title><form method="post" action="%s/exports/%d/cancel"><button>win</button></form>
<iframe src="%s/"></iframe><script>
window.read = fetch("%s/api/v1/exports", {credentials: "include"}).then((r) => r.text(), () => "refused");
window.sent = fetch("%s/api/v1/exports/%d/cancel", {method: "POST", credentials: "include", mode: "no-cors"}).then((r) => r.type, () => "refused");
</script>`, s.Base, id, s.Base, s.Base, s.Base, id)
	}))
	defer evil.Close()
	b.Enter(s)
	b.Go(evil.URL)
	if got := Eval[string](b, "window.read"); got != "refused" {
		t.Errorf("a foreign page reads %q", got)
	}
	Eval[string](b, "window.sent")
	if framed := Eval[int](b, "window.frames[0].length"); framed != 0 {
		t.Error("a foreign page frames ours")
	}
	b.Click("button")
	b.Until("the form was answered", `location.href.startsWith("`+s.Base+`")`)
	b.Until("it was refused", `/refused|log in first/.test(document.body.innerText)`)
	if e := s.Await(id, "running"); e.State != "running" {
		t.Errorf("the export is %s", e.State)
	}
	for _, r := range s.Emulator.RequestLog()[before:] {
		if r.Method == http.MethodPatch {
			t.Error("a foreign page cancelled a job")
		}
	}
}

// readOnly shows everything and offers nothing.
func readOnly(t *testing.T, s *Stage, b *Tab) {
	b.Enter(s)
	b.Shows(".tools", "read-only")
	b.Go(s.Base + "/schedules")
	b.Shows("#schedules", "hostile")
	if n := Eval[int](b, "document.querySelectorAll('main button').length"); n != 0 {
		t.Errorf("a read-only page has %d buttons", n)
	}
	if got := s.Ask("POST", "/accounts/acme/schedules/long/run", "", nil); got != http.StatusForbidden {
		t.Errorf("a read-only server runs a schedule: %d", got)
	}
	b.Quiet("read-only")
}
