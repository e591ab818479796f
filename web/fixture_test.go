package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/history"
	"github.com/weirhq/weir/land"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/plan"
	"github.com/weirhq/weir/web/door"
)

const (
	token   = "a-token-of-the-tests"
	address = "127.0.0.1:8120"
)

// office is a keeper that does what the ledger can do and remembers what it was
// asked for.
type office struct {
	asked  []string
	refuse error
	// spool is where comparisons keep what they must, comparing is called while
	// one is made, many is how many people more appear in it.
	spool     string
	comparing func(context.Context)
	many      int
	// read counts manifests read for the list; gone says that none stand.
	read atomic.Int64
	gone bool
}

func (o *office) ask(format string, args ...any) error {
	o.asked = append(o.asked, fmt.Sprintf(format, args...))
	return o.refuse
}

func (o *office) Desk(account string) Desk {
	return Desk{Configured: account == "acme", Policy: plan.Adaptive(), Rate: 5, When: map[string]string{"nightly": "at night"}, Scheduled: []time.Time{time.Now().Add(time.Hour)}}
}

func (o *office) Cancel(_ context.Context, id int64, force bool) error {
	return o.ask("cancel %d %t", id, force)
}
func (o *office) Retry(_ context.Context, id int64) error { return o.ask("retry %d", id) }
func (o *office) Resolve(_ context.Context, id int64, job string) error {
	return o.ask("resolve %d %q", id, job)
}
func (o *office) LandAgain(_ context.Context, id int64) error { return o.ask("reland %d", id) }
func (o *office) RunNow(_ context.Context, account, schedule string) ([]int64, error) {
	return []int64{1}, o.ask("run %s %s", account, schedule)
}
func (o *office) Pause(_ context.Context, account, schedule string, paused bool) error {
	return o.ask("pause %s %s %t", account, schedule, paused)
}

func (o *office) Manifests(_ context.Context, e weir.Export, d weir.Delivery) ([]land.Manifest, error) {
	m := land.Manifest{Path: d.Manifest, Request: e.Request, SnapshotAt: d.SnapshotAt, Checks: someChecks(),
		Totals: []land.Total{{FieldID: "commit", Column: "forecast_value", Rows: 3, Sum: "1234.50"}}, Tables: []land.ManifestTable{{Name: "forecast_entries", Rows: 7}}}
	older := m
	m.Snapshot, older.Snapshot = "newer", "older"
	older.Path, older.SnapshotAt = "_manifests/older.json", d.SnapshotAt.Add(-time.Hour)
	return []land.Manifest{m, older}, nil
}

func (o *office) Manifest(_ context.Context, _ weir.Request, _, path string) (land.Manifest, error) {
	o.read.Add(1)
	if o.gone {
		return land.Manifest{}, history.ErrNoSnapshot
	}
	return land.Manifest{Path: path, Checks: someChecks()}, nil
}

// someChecks are a check that passed, one that noted something, one that saw nothing.
func someChecks() []land.Check {
	return []land.Check{{Name: "period", Outcome: land.Passed}, {Name: "lookups", Outcome: land.Noted}, {Name: "length", Outcome: land.NotShown}}
}

// hostile is a name that would like to be a script.
const hostile = `<script>document.title='owned'</script>`

// Compare compares two snapshots that are made up, by the room that compares
// all others.
func (o *office) Compare(ctx context.Context, e weir.Export, d weir.Delivery, from string, each func(*history.Change) error) (history.About, history.Summary, error) {
	about := history.About{
		From: land.Manifest{Snapshot: from, Request: e.Request, SnapshotAt: d.SnapshotAt.Add(-time.Hour)},
		To:   land.Manifest{Snapshot: "newer", Request: e.Request, SnapshotAt: d.SnapshotAt},
	}
	if o.comparing != nil {
		o.comparing(ctx)
	}
	if err := ctx.Err(); err != nil {
		return about, history.Summary{}, err
	}
	if from != "older" {
		return about, history.Summary{}, history.ErrNoSnapshot
	}
	before := made{"ann": "100.10", "bob": "7", hostile: "5", "zoe": "9"}
	after := made{"ann": "1100.20", hostile: "6", "zoe": "0", "new": "3"}
	for i := range o.many {
		after[fmt.Sprintf("one of many %d", i)] = fmt.Sprint(10_000 + i)
	}
	s, err := history.Compare(ctx, before.rows, after.rows, history.Options{Dir: o.spool}, each)
	return about, s, err
}

// made is a snapshot: a value for each user.
type made map[string]string

func (m made) rows(each func(*history.Row) error) error {
	for user, value := range m {
		n, _ := history.Parse([]byte(value))
		r := history.Row{IDs: [4][]byte{[]byte(user), []byte("commit"), []byte("w1"), []byte("q")}, UserName: []byte(user), FieldName: []byte("Commit")}
		r.Values[0] = n
		if err := each(&r); err != nil {
			return err
		}
	}
	return nil
}

// scene is a server over a real ledger.
type scene struct {
	t      testing.TB
	file   string // of the ledger
	ledger ledger.Ledger
	office *office
	*Server
}

func newScene(t testing.TB, change ...func(*door.Config)) *scene {
	t.Helper()
	file := filepath.Join(t.TempDir(), "weir.db")
	store, err := ledger.Open(context.Background(), file, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	s := newSceneOn(t, store, change...)
	s.file = file
	return s
}

func newSceneOn(t testing.TB, l ledger.Ledger, change ...func(*door.Config)) *scene {
	t.Helper()
	c := door.Config{Token: token, Listen: address}
	for _, f := range change {
		f(&c)
	}
	d, err := door.New(c)
	if err != nil {
		t.Fatal(err)
	}
	o := &office{spool: t.TempDir()}
	s, err := New(Config{Door: d, Ledger: l, Keeper: o})
	if err != nil {
		t.Fatal(err)
	}
	return &scene{t: t, ledger: l, office: o, Server: s}
}

func (s *scene) ok(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// account opens an account with limits that the server told.
func (s *scene) account(name string) {
	s.t.Helper()
	ctx := context.Background()
	_, err := s.ledger.OpenAccount(ctx, weir.Account{Name: name, BaseURL: "https://api.example/v4", KeyFingerprint: "k" + name})
	s.ok(err)
	now := time.Now()
	told := weir.Budget{ReadStartedAt: now, ReadAt: now, Source: weir.Told, Slots: 3, SlotsFree: 1, Quota: 100, QuotaFree: 60}
	s.ok(s.ledger.ChangeBudget(ctx, name, func(weir.Budget) weir.Budget { return told }))
}

// wish makes an export of a tab.
func (s *scene) wish(account, tab string, period weir.Period) weir.Export {
	s.t.Helper()
	w := ledger.Wish{Account: account, Request: weir.Request{Kind: weir.Forecast, ForecastID: tab, Period: period}, Rank: weir.RankAsked, AsOf: time.Now(), JobsAllowed: 3, Destination: "/data", Formats: []string{"parquet"}}
	granted, err := s.ledger.Wish(context.Background(), time.Now(), []ledger.Wish{w})
	s.ok(err)
	return granted[0].Export
}

func (s *scene) move(id int64, t weir.Transition) {
	s.t.Helper()
	_, err := s.ledger.Move(context.Background(), weir.Lease{}, id, t)
	s.ok(err)
}

func cause(why, request string) weir.Cause {
	return weir.Cause{At: time.Now(), Why: why, Request: request}
}

// run brings an export to running.
func (s *scene) run(e weir.Export) string {
	s.t.Helper()
	job := fmt.Sprintf("%08x%016x", time.Now().Unix(), e.ID)
	ctx := context.Background()
	s.move(e.ID, weir.Submit(cause("a slot is free", ""), 1))
	s.ok(s.ledger.BindJob(ctx, e.Account, e.ID, job, time.Now()))
	s.ok(s.ledger.SeeJobs(ctx, e.Account, []weir.Job{{ID: job, Status: weir.JobRunning, RawStatus: "STARTED", StartedAt: time.Now()}}, time.Now(), false))
	s.move(e.ID, weir.Accept(cause("the server took it", "POST /export/forecast/x: 200"), job))
	return job
}

// land brings an export to landed.
func (s *scene) land(e weir.Export) int64 {
	s.t.Helper()
	ctx := context.Background()
	s.run(e)
	s.move(e.ID, weir.Finish(cause("the server says DONE", "GET /export/jobs: 200")))
	deliveries, err := s.ledger.DeliveriesOf(ctx, e.ID)
	s.ok(err)
	claim, err := s.ledger.Claim(ctx, deliveries[0].ID, "test", time.Now())
	s.ok(err)
	_, err = s.ledger.FinishDelivery(ctx, claim, ledger.Outcome{State: weir.DeliveryLanded, Manifest: fmt.Sprintf("_manifests/%d.json", e.ID), Rows: 7, SnapshotAt: time.Now()}, cause("landed", ""))
	s.ok(err)
	return claim.ID
}

// ask sends one request with the token; headers are "Name: value".
func (s *scene) ask(method, target, body string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host, r.RemoteAddr = address, "127.0.0.1:4000"
	r.Header.Set("Authorization", "Bearer "+token)
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w.Result()
}

// read is the body of a GET that must succeed.
func (s *scene) read(target string) string {
	s.t.Helper()
	answer := s.ask("GET", target, "")
	body, err := io.ReadAll(answer.Body)
	s.ok(err)
	if answer.StatusCode != http.StatusOK {
		s.t.Fatalf("GET %s answers %d: %s", target, answer.StatusCode, body)
	}
	return string(body)
}

var errMade = errors.New("made up")

// everything is a ledger with an export in each state.
func everything(t testing.TB) *scene {
	s := newScene(t)
	s.account("acme")
	s.land(s.wish("acme", "net_arr", "2025_Q4"))
	s.run(s.wish("acme", "net_arr", "2026_Q1"))
	s.wish("acme", "net_arr", "2026_Q2")
	lost := s.wish("acme", "new_logo", "2026_Q1")
	s.move(lost.ID, weir.Submit(cause("a slot is free", ""), 1))
	s.move(lost.ID, weir.Lose(cause("the answer was lost", "POST /export/forecast/new_logo: "), time.Second))
	failed := s.wish("acme", "new_logo", "2026_Q2")
	s.move(failed.ID, weir.Submit(cause("a slot is free", ""), 1))
	s.move(failed.ID, weir.PutBack(cause("the server said 429", "POST /export/forecast/new_logo: 429"), time.Now(), weir.Wait{Code: weir.WaitThrottled, Text: "the server said 429"}))
	s.move(failed.ID, weir.Submit(cause("a slot is free", ""), 1))
	s.move(failed.ID, weir.RefuseRequest(cause("refused", "POST /export/forecast/new_logo: 400"), weir.Failure{Code: "bad_request", Message: "no <b>such</b> thing", Hint: "ask otherwise"}))
	_, err := s.ledger.ArmSchedule(context.Background(), ledger.Schedule{Account: "acme", Name: "nightly", Spec: "x", NextRunAt: time.Now().Add(time.Hour)})
	s.ok(err)
	return s
}
