package emulator_test

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/emulator"
)

const base = "http://clari.test/v4"

// start is what emulated clocks begin with where the instant matters: a Monday
// in the middle of 2026_Q4.
var start = time.Date(2026, 11, 23, 15, 4, 5, 0, time.UTC)

// lab is an emulator and a client that calls it without a network.
type lab struct {
	*testing.T
	*emulator.Emulator
	client *http.Client
	key    string
}

func newLab(t *testing.T, c emulator.Config) *lab {
	t.Helper()
	if c.Start.IsZero() {
		c.Start = start
	}
	e, err := emulator.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return &lab{T: t, Emulator: e, client: &http.Client{Transport: e.RoundTripper()}, key: "emulated"}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
	err    error // of the call or of its body
}

func (l *lab) call(method, path, body string) answer {
	l.Helper()
	address := path
	if !strings.HasPrefix(path, "http") {
		address = base + path
	}
	r, err := http.NewRequestWithContext(l.Context(), method, address, strings.NewReader(body))
	if err != nil {
		l.Fatal(err)
	}
	if l.key != "" {
		r.Header.Set("apikey", l.key)
	}
	return l.send(r)
}

func (l *lab) send(r *http.Request) answer {
	w, err := l.client.Do(r)
	if err != nil {
		return answer{err: err}
	}
	defer w.Body.Close()
	text, err := io.ReadAll(w.Body)
	return answer{w.StatusCode, w.Header, string(text), err}
}

func (l *lab) get(path string) answer        { l.Helper(); return l.call("GET", path, "") }
func (l *lab) post(path, body string) answer { l.Helper(); return l.call("POST", path, body) }

// want calls and fails unless the status is the wanted one.
func (l *lab) want(status int, method, path, body string) answer {
	l.Helper()
	a := l.call(method, path, body)
	if a.err != nil || a.status != status {
		l.Fatalf("%s %s: got %d %v %.300s, want %d", method, path, a.status, a.err, a.body, status)
	}
	return a
}

// start posts a forecast export and returns its job id.
func (l *lab) start(period string) string {
	l.Helper()
	a := l.want(200, "POST", "/export/forecast/net_arr", `{"timePeriod":"`+period+`"}`)
	return a.object(l)["jobId"].(string)
}

func (l *lab) status(id string) string {
	l.Helper()
	return l.want(200, "GET", "/export/jobs/"+id, "").object(l)["status"].(string)
}

func (l *lab) limits() map[string]any {
	l.Helper()
	return l.want(200, "GET", "/admin/limits", "").object(l)["jobs"].(map[string]any)
}

func (a answer) object(t testing.TB) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(a.body), &object); err != nil {
		t.Fatalf("decode %.300s: %v", a.body, err)
	}
	return object
}

func (a answer) array(t testing.TB) []any {
	t.Helper()
	var array []any
	if err := json.Unmarshal([]byte(a.body), &array); err != nil {
		t.Fatalf("decode %.300s: %v", a.body, err)
	}
	return array
}

func scenario(t testing.TB, text string) *emulator.Scenario {
	t.Helper()
	s, err := emulator.ParseScenario([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}
