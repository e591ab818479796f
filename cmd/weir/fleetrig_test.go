package main_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/internal/servertest"
	"github.com/weirhq/weir/ledger"
)

// sent is one request as the organisations saw it. Every server of a test has a
// key of its own, of the same user, so that the key tells who sent it.
type sent struct {
	at     time.Time
	key    string
	method string
	path   string
	status int
}

// fleetRig is some organisations, one PostgreSQL schema and the servers that
// share it.
type fleetRig struct {
	testing.TB
	program, dir string
	state        string // the ledger's URL as the test reaches it
	orgs         []*emulator.Emulator
	front        *httptest.Server
	store        *ledger.Store

	mu   sync.Mutex
	seen []sent
}

// fleetKeys are the keys that servers may have.
func fleetKeys() []string { return []string{"key-a", "key-b", "key-c"} }

// newFleetRig makes so many organisations, one account each; shape changes what
// they are like.
func newFleetRig(t testing.TB, program string, database *servertest.Postgres, accounts int, job time.Duration, shape ...func(*emulator.Config)) *fleetRig {
	t.Helper()
	r := &fleetRig{TB: t, program: program, dir: t.TempDir(), state: database.Schema(t)}
	others := map[string]int64{}
	for _, key := range fleetKeys()[1:] {
		others[key] = 1
	}
	for i := range accounts {
		c := emulator.Config{
			Key: fleetKeys()[0], OtherKeys: others, OrgID: int64(1000 + i), Slots: 2, Rate: 20, JobTime: job, Seed: int64(i),
			Users: 2, Fields: 1, Weeks: 1, LogSize: 1000,
		}
		for _, change := range shape {
			change(&c)
		}
		org, err := emulator.New(c)
		if err != nil {
			t.Fatal(err)
		}
		r.orgs = append(r.orgs, org)
	}
	r.front = httptest.NewServer(http.HandlerFunc(r.serve))
	t.Cleanup(r.front.Close)
	r.reopen(r.state)
	return r
}

// reopen lets the test and all servers that start now use that location.
func (r *fleetRig) reopen(state string) {
	r.Helper()
	store, err := ledger.Open(r.Context(), state, ledger.Options{})
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = store.Close() })
	r.state, r.store = state, store
}

// schema is where the ledger's tables are.
func (r *fleetRig) schema() string {
	_, name, _ := strings.Cut(r.state, "search_path=")
	return name
}

// serve hands a request to its organisation, the first part of the path.
func (r *fleetRig) serve(w http.ResponseWriter, q *http.Request) {
	first, rest, _ := strings.Cut(strings.TrimPrefix(q.URL.Path, "/"), "/")
	org, err := strconv.Atoi(first)
	if err != nil || org >= len(r.orgs) {
		http.NotFound(w, q)
		return
	}
	q.URL.Path = "/" + rest
	recorded := &statusOf{ResponseWriter: w, status: http.StatusOK}
	at := time.Now()
	r.orgs[org].ServeHTTP(recorded, q)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, sent{at, q.Header.Get("apikey"), q.Method, q.URL.Path, recorded.status})
}

type statusOf struct {
	http.ResponseWriter
	status int
}

func (w *statusOf) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusOf) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// sentBy are the requests under a key since an instant.
func (r *fleetRig) sentBy(key string, since time.Time) []sent {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []sent
	for _, s := range r.seen {
		if s.key == key && !s.at.Before(since) {
			found = append(found, s)
		}
	}
	return found
}

func accountName(i int) string { return fmt.Sprintf("org%d", i) }

// config writes the configuration that all servers have.
func (r *fleetRig) config(more string) string {
	r.Helper()
	var text strings.Builder
	text.WriteString("accounts:\n")
	for i := range r.orgs {
		fmt.Fprintf(&text, "  %s: {key: {env: FLEET_KEY}, base_url: %q}\n", accountName(i), fmt.Sprintf("%s/%d/v4", r.front.URL, i))
	}
	text.WriteString("policy: {name: adaptive, poll_min: 200ms}\nrate: 10\n" + more)
	path := filepath.Join(r.dir, "weir.yaml")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		r.Fatal(err)
	}
	return path
}

// serving is one weir serve.
type serving struct {
	r      *fleetRig
	key    string
	cmd    *exec.Cmd
	ended  chan struct{}
	mu     sync.Mutex
	output bytes.Buffer
}

// Write keeps what the program says.
func (s *serving) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.output.Write(p)
}

func (s *serving) said() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.output.String()
}

// start starts a server on a state, which may be behind a proxy, and waits
// until it is ready.
func (r *fleetRig) start(key, state string) *serving { return r.startAt(key, state, "debug") }

// startQuiet is a server whose log costs nothing.
func (r *fleetRig) startQuiet(key string) *serving { return r.startAt(key, r.state, "info") }

func (r *fleetRig) startAt(key, state, level string) *serving {
	r.Helper()
	s := &serving{r: r, key: key, ended: make(chan struct{})}
	s.cmd = exec.Command(r.program, "serve", "--config", filepath.Join(r.dir, "weir.yaml"), "--state", state,
		"--listen", "127.0.0.1:0", "--log-format", "json", "--log-level", level)
	s.cmd.Env = append(os.Environ(), "FLEET_KEY="+key, "WEIR_TOKEN=a-long-token-for-this-test-only-0123456789",
		"XDG_STATE_HOME="+filepath.Join(r.dir, key))
	s.cmd.Stdout, s.cmd.Stderr = s, s
	if err := s.cmd.Start(); err != nil {
		r.Fatal(err)
	}
	go func() { defer close(s.ended); _ = s.cmd.Wait() }()
	r.Cleanup(func() {
		s.signal(syscall.SIGKILL)
		<-s.ended
		if r.Failed() {
			r.Logf("%s said:\n%s", key, lastLines(s.said(), 60))
		}
	})
	r.until(2*time.Minute, key+" serves", func() bool { return strings.Contains(s.said(), `"msg":"serving"`) })
	return s
}

func lastLines(text string, n int) string {
	lines := strings.Split(text, "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

func (s *serving) hasEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

func (s *serving) signal(signal syscall.Signal) { _ = s.cmd.Process.Signal(signal) }

// until waits for what must come to hold. The time is a bound for a machine that
// does other things too, and no measurement.
func (r *fleetRig) until(most time.Duration, what string, holds func() bool) {
	r.Helper()
	r.untilEvery(most, 25*time.Millisecond, what, holds)
}

func (r *fleetRig) untilEvery(most, every time.Duration, what string, holds func() bool) {
	r.Helper()
	for end := time.Now().Add(most); time.Now().Before(end); time.Sleep(every) {
		if holds() {
			return
		}
	}
	r.Fatalf("after %s still not: %s", most, what)
}

// wish wants n exports of every account, landed as CSV.
func (r *fleetRig) wish(n int) {
	r.Helper()
	r.wishAtMost(n, 3)
}

// wishAtMost allows so many jobs for each export.
func (r *fleetRig) wishAtMost(n, jobs int) {
	r.Helper()
	now, err := r.store.Now(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	for i := range r.orgs {
		var wishes []ledger.Wish
		period := weir.Period("2026_Q1")
		for range n {
			wishes = append(wishes, ledger.Wish{
				Account: accountName(i), Request: weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: period},
				Rank: weir.RankAsked, AsOf: now, JobsAllowed: jobs, Destination: r.destination(i), Formats: []string{"csv"},
			})
			period = period.Next()
		}
		if _, err := r.store.Wish(r.Context(), now, wishes); err != nil {
			r.Fatal(err)
		}
	}
}

func (r *fleetRig) destination(org int) string { return filepath.Join(r.dir, "data", accountName(org)) }

// holdings counts what a server holds, by the store's clock.
func (s *serving) holdings() int {
	found, err := s.r.store.Survey(s.r.Context(), "", time.Now())
	if err != nil {
		return -1
	}
	pid := fmt.Sprintf("/%d/", s.cmd.Process.Pid)
	for owner, n := range found.Servers {
		if strings.Contains(owner, pid) {
			return n
		}
	}
	return 0
}

// open counts the exports that have not landed.
func (r *fleetRig) open() int {
	exports, err := r.store.ListExports(context.Background(), ledger.Filter{OpenOnly: true})
	if err != nil {
		return -1
	}
	return len(exports)
}

// allLands waits for everything and checks that nothing was bought twice, no
// slot taken too many, nothing refused, and every snapshot landed once.
func (r *fleetRig) allLands(most time.Duration, perAccount int) {
	r.Helper()
	r.untilEvery(most, 100*time.Millisecond, "all has landed", func() bool { return r.open() == 0 })
	for i, org := range r.orgs {
		counts := org.Counters()
		if counts.JobsMade() != perAccount {
			r.Errorf("%s: %d jobs for %d exports", accountName(i), counts.JobsMade(), perAccount)
		}
		if counts.RefusedForRoom > 0 || counts.Throttled > 0 || counts.MostJobs > 2 {
			r.Errorf("%s: %d POSTs refused, %d requests throttled, %d jobs at once", accountName(i), counts.RefusedForRoom, counts.Throttled, counts.MostJobs)
		}
		if manifests := r.manifests(i); len(manifests) != perAccount {
			r.Errorf("%s: %d manifests of %d snapshots: %v", accountName(i), len(manifests), perAccount, manifests)
		}
	}
	landed, err := r.store.ListExports(r.Context(), ledger.Filter{})
	if err != nil {
		r.Fatal(err)
	}
	for _, e := range landed {
		if e.State != weir.Landed {
			r.Errorf("export %d is %s: %+v", e.ID, e.State, e.Failure)
		}
	}
}

// manifests are the snapshots that stand.
func (r *fleetRig) manifests(org int) []string {
	r.Helper()
	var found []string
	err := filepath.WalkDir(filepath.Join(r.destination(org), "_manifests"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			found = append(found, path)
		}
		return err
	})
	if err != nil {
		r.Fatal(err)
	}
	return found
}

// settled waits for a moment in which jobs run and no POST is under way: what a
// kill then leaves behind is certain. After a lost POST a minute passes before
// anybody may look for its job.
func (r *fleetRig) settled() {
	r.Helper()
	r.until(2*time.Minute, "jobs run and no POST is under way", func() bool {
		exports, err := r.store.ListExports(r.Context(), ledger.Filter{OpenOnly: true})
		running := 0
		for _, e := range exports {
			switch e.State {
			case weir.Running:
				running++
			case weir.Submitting, weir.Unknown:
				return false
			}
		}
		return err == nil && running >= 2*len(r.orgs)-1
	})
}
