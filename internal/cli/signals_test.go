package cli

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptToken opens every service that a script starts.
const scriptToken = "script-token-4d1f9b2c7a"

// signalCommands are:
//
//	scrape NAME REGEXP         the metrics of a service in the background, asked
//	                           until they match; a second REGEXP must not match
func signalCommands() map[string]scriptCommand {
	return map[string]scriptCommand{"scrape": cmdScrape}
}

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
