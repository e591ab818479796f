package browsertest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/weirhq/weir/emulator"
)

// slow is an account whose jobs last, but for one tab that the server refuses
// with a text that would like to be a script.
const slow = `
accounts:
  acme: {key: {env: KEY}, base_url: "%s"}
destinations:
  lake: {to: lake, formats: [parquet]}
exports:
  - {name: long, account: acme, forecasts: [net_arr], periods: [current], destinations: [lake]}
  - {name: hostile, account: acme, forecasts: [new_logo], periods: [current], destinations: [lake]}
schedules:
  long: {exports: [long], cron: "0 0 1 1 *"}
  hostile: {exports: [hostile], cron: "0 0 1 1 *"}
`

const hostile = `<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">`

func slowStage(t *testing.T, flags ...string) *Stage {
	return Play(t, Build(t), emulator.Config{JobTime: 10 * time.Minute, Seed: 3, Scenario: scenario(t, `
rules:
  - match: {method: POST, forecast: new_logo}
    status: 400
    code: bad_request
    message: "`+hostile+`"
`)}, slow, nil, flags...)
}

// TestActs does on the pages what people do there.
func TestActs(t *testing.T) {
	s := slowStage(t)
	b := Open(t, s.Base)
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
		b.Go(s.Base + path)
		b.Shows("main", "")
		if title := Eval[string](b, "document.title"); title == "owned" {
			t.Errorf("%s: the server's text ran as a script", path)
		}
		if n := Eval[int](b, "document.querySelectorAll('main script, main img').length"); n != 0 {
			t.Errorf("%s: the server's text became %d elements", path, n)
		}
	}
	b.Go(fmt.Sprintf("%s/exports/%d", s.Base, bad))
	b.Shows("#export", "<script>document.title='owned'</script>")
	b.Quiet("hostile text")

	// The keyboard reaches everything; the first stop skips to the content.
	keyboard(t, b)

	// Without its cookie the browser is nobody.
	b.Click(".tools button.plain")
	b.Shows("button.main", "Log in")
	b.Type("#token", Token)
	b.Click("button.main")
	b.Shows("h1", "Now")
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

// TestForeignPage lets a page of another origin try what it can.
func TestForeignPage(t *testing.T) {
	s := slowStage(t)
	id := s.Wish("acme", "long")[0]
	s.Await(id, "running")
	evil := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, `<!doctype html><title>evil</title><form method="post" action="%s/exports/%d/cancel"><button>win</button></form>
<iframe src="%s/"></iframe><script>
window.read = fetch("%s/api/v1/exports", {credentials: "include"}).then((r) => r.text(), () => "refused");
window.sent = fetch("%s/api/v1/exports/%d/cancel", {method: "POST", credentials: "include", mode: "no-cors"}).then((r) => r.type, () => "refused");
</script>`, s.Base, id, s.Base, s.Base, s.Base, id)
	}))
	defer evil.Close()
	b := Open(t, s.Base)
	b.Go(s.Link)
	b.Shows("h1", "Now")
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
	for _, r := range s.Emulator.RequestLog() {
		if r.Method == http.MethodPatch {
			t.Error("a foreign page cancelled a job")
		}
	}
}

// TestReadOnlyPages shows everything and offers nothing.
func TestReadOnlyPages(t *testing.T) {
	s := slowStage(t, "--read-only")
	b := Open(t, s.Base)
	b.Go(s.Link)
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
