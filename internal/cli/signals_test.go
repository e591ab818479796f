package cli

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	people "github.com/weirhq/weir/notify"
)

// scriptToken opens every service that a script starts.
const scriptToken = "script-token-4d1f9b2c7a"

// signalCommands are:
//
//	scrape NAME REGEXP         the metrics of a service in the background, asked
//	                           until they match; a second REGEXP must not match
//	collector                  collect traces: OTEL_EXPORTER_OTLP_ENDPOINT becomes its address
//	traced N SPAN...           so many traces have spans of all these names
//	hook VARIABLE              listen for webhooks; VARIABLE becomes the URL
//	hooked REGEXP [NEVER]      wait for a webhook, signed by the script's secret,
//	                           whose body matches; none of its body may match NEVER
func signalCommands() map[string]scriptCommand {
	return map[string]scriptCommand{
		"scrape": cmdScrape, "hook": cmdHook, "hooked": cmdHooked, "collector": cmdCollector, "traced": cmdTraced,
	}
}

// scriptHookSecret signs every webhook of a script.
const scriptHookSecret = "script-hook-secret-8e2a"

// hooks keeps the webhooks that came.
type hooks struct {
	server *httptest.Server

	mu     sync.Mutex
	bodies []string
	bad    error
}

func cmdHook(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 1, "hook VARIABLE")
	h := &hooks{}
	h.server = httptest.NewServer(h)
	ts.Defer(h.server.Close)
	stageOf(ts).hooks = h
	ts.Setenv(args[0], h.server.URL+"/hook")
}

func (h *hooks) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err == nil {
		err = people.Verify(scriptHookSecret, r.Header, body, time.Now(), time.Minute)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.bodies, h.bad = append(h.bodies, string(body)), errors.Join(h.bad, err)
	w.WriteHeader(http.StatusNoContent)
}

func cmdHooked(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && (len(args) == 1 || len(args) == 2), "hooked REGEXP [NEVER]")
	h, want := stageOf(ts).hooks, regexp.MustCompile(args[0])
	came := func() (string, bool) {
		h.mu.Lock()
		defer h.mu.Unlock()
		ts.Check(h.bad)
		all := strings.Join(h.bodies, "\n")
		return all, want.MatchString(all)
	}
	for range hookTries {
		if _, ok := came(); ok {
			break
		}
		time.Sleep(scrapePause)
	}
	all, ok := came()
	if !ok || len(args) == 2 && regexp.MustCompile(args[1]).MatchString(all) || strings.Contains(all, scriptKey) {
		ts.Fatalf("the webhooks are:\n%s", all)
	}
}

// hookTries times scrapePause is how long a script waits for a webhook: news is
// looked for every few seconds, and gathers for as long.
const hookTries = 300

// opened is the line that tells where a service is reached.
var opened = regexp.MustCompile(`(?m)^open (http://[0-9.:]+)/`)

// serviceOf is the address of a service that was started in the background.
func serviceOf(ts *testscript.TestScript, name string) string {
	p := processOf(ts, name)
	if !p.out.await(opened.MatchString, p.ended) {
		said, _ := p.err.shows()
		ts.Fatalf("%s does not serve:\n%s", name, said)
	}
	text, _ := p.out.shows()
	return opened.FindStringSubmatch(text)[1]
}

// scrapeTries times scrapePause is how long a script waits for a metric.
const (
	scrapeTries = 150
	scrapePause = 200 * time.Millisecond
)

func cmdScrape(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && (len(args) == 2 || len(args) == 3), "scrape NAME REGEXP [NEVER]")
	url := serviceOf(ts, args[0]) + "/metrics"
	if status, _ := get(ts, url, ""); status == http.StatusOK {
		ts.Fatalf("without a token: status %d", status)
	}
	want, text := regexp.MustCompile("(?m)"+args[1]), ""
	for range scrapeTries {
		status, body := get(ts, url, scriptToken)
		if text = body; status == http.StatusOK && want.MatchString(body) {
			break
		}
		time.Sleep(scrapePause)
	}
	if !want.MatchString(text) {
		ts.Fatalf("the metrics never matched %q:\n%s", args[1], text)
	}
	if len(args) == 3 && regexp.MustCompile("(?m)"+args[2]).MatchString(text) || strings.Contains(text, scriptKey) {
		ts.Fatalf("the metrics show what they must not:\n%s", text)
	}
}

func get(ts *testscript.TestScript, url, token string) (int, string) {
	request, err := http.NewRequest(http.MethodGet, url, nil)
	ts.Check(err)
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	ts.Check(err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	ts.Check(err)
	return response.StatusCode, string(text)
}
