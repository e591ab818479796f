package ledger_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/servertest"
	"github.com/weirhq/weir/ledger"
)

func TestPruneKeepsWhatRulesNeed(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	pruneKeeps(t, open(t, filepath.Join(t.TempDir(), "weir.db"), ledger.Options{Clock: func() time.Time { return now }}), &now)
}

func prunePostgres(t *testing.T, server *servertest.Postgres) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	pruneKeeps(t, open(t, server.Schema(t), ledger.Options{Clock: func() time.Time { return now }}), &now)
}

// history is a ledger with a past, for pruning.
type history struct {
	*testing.T
	l   *ledger.Store
	now *time.Time
}

// land makes an export whose job is named after it, and lands it.
func (h history) land(period weir.Period, job string) weir.Export {
	h.Helper()
	e := h.run(period, job)
	h.must(h.l.SeeJobs(h.Context(), "a", []weir.Job{{ID: job, Status: weir.JobDone, RawStatus: "DONE", ExpiresAt: h.now.Add(24 * time.Hour)}}, *h.now, true))
	_, err := h.l.Move(h.Context(), weir.Lease{}, e.ID, weir.Finish(h.cause()))
	h.must(err)
	all, err := h.l.DeliveriesOf(h.Context(), e.ID)
	h.must(err)
	claim, err := h.l.Claim(h.Context(), all[0].ID, "w", *h.now)
	h.must(err)
	e, err = h.l.FinishDelivery(h.Context(), claim, ledger.Outcome{State: weir.DeliveryLanded, Manifest: "m", SnapshotAt: *h.now}, h.cause())
	h.must(err)
	return e
}

// run makes an export whose job runs.
func (h history) run(period weir.Period, job string) weir.Export {
	h.Helper()
	granted, err := h.l.Wish(h.Context(), *h.now, []ledger.Wish{{
		Account: "a", Request: weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: period}, AsOf: *h.now,
		JobsAllowed: 3, Destination: "/d", Formats: []string{"csv"},
	}})
	h.must(err)
	e, err := h.l.Move(h.Context(), weir.Lease{}, granted[0].Export.ID, weir.Submit(h.cause(), 1))
	h.must(err)
	h.must(h.l.BindJob(h.Context(), "a", e.ID, job, *h.now))
	e, err = h.l.Move(h.Context(), weir.Lease{}, e.ID, weir.Accept(h.cause(), job))
	h.must(err)
	return e
}

func (h history) cause() weir.Cause { return weir.Cause{At: *h.now, Why: "test"} }

func (h history) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h history) exports() (ids []int64) {
	h.Helper()
	all, err := h.l.ListExports(h.Context(), ledger.Filter{})
	h.must(err)
	for _, e := range all {
		ids = append(ids, e.ID)
	}
	return ids
}

func (h history) jobs() (ids []string) {
	h.Helper()
	all, err := h.l.Jobs(h.Context(), "a")
	h.must(err)
	for _, j := range all {
		ids = append(ids, j.ID)
	}
	return ids
}

func pruneKeeps(t *testing.T, l *ledger.Store, now *time.Time) {
	h := history{t, l, now}
	_, err := l.OpenAccount(t.Context(), weir.Account{Name: "a", BaseURL: "https://api.clari.com/v4", KeyFingerprint: "k"})
	h.must(err)
	first := h.land("2026_Q1", "job1")
	second := h.land("2026_Q1", "job2") // like the first, and newer
	only := h.land("2026_Q2", "job3")
	open := h.run("2026_Q3", "job4")
	for i := range 60 {
		h.must(l.SaveDuration(t.Context(), "a", "like", fmt.Sprint("d", i), now.Add(time.Duration(i)*time.Second), time.Second))
	}
	*now = now.Add(100 * 24 * time.Hour)
	recent := h.land("2026_Q1", "job5") // whose list holds no other job
	before := now.Add(-90 * 24 * time.Hour)

	p, err := l.Prune(t.Context(), before, 1)
	h.must(err)
	if p.Exports != 1 || p.Durations != 1 {
		t.Errorf("a batch of one deleted %+v", p)
	}
	for p.Any() {
		p, err = l.Prune(t.Context(), before, 100)
		h.must(err)
	}
	if got, want := h.exports(), []int64{only.ID, open.ID, recent.ID}; !slices.Equal(got, want) {
		t.Errorf("exports %v are left, want %v: not %d and %d, which a newer one of their kind replaced", got, want, first.ID, second.ID)
	}
	if got, want := h.jobs(), []string{"job4", "job5"}; !slices.Equal(got, want) {
		t.Errorf("jobs %v are left, want %v: the open export's, and the last one", got, want)
	}
	durations, err := l.Durations(t.Context(), "a", 100)
	h.must(err)
	if len(durations["like"]) != 50 {
		t.Errorf("%d durations are left, want 50", len(durations["like"]))
	}
	history, err := l.History(t.Context(), first.ID)
	h.must(err)
	if len(history) > 0 {
		t.Errorf("the history of a deleted export is still there: %v", history)
	}
	granted, err := l.Wish(t.Context(), *now, []ledger.Wish{{
		Account: "a", Request: only.Request, AsOf: *now, Fresh: 200 * 24 * time.Hour, JobsAllowed: 3, Destination: "/d", Formats: []string{"csv"},
	}})
	h.must(err)
	if granted[0].Export.ID != only.ID {
		t.Errorf("a wish for a fresh snapshot is served by export %d, want %d, which landed", granted[0].Export.ID, only.ID)
	}
}

// A job that the server lists stays, however old it is: forgotten, it would look
// like the job of a lost POST.
func TestPruneKeepsListedJobs(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	l := open(t, filepath.Join(t.TempDir(), "weir.db"), ledger.Options{Clock: func() time.Time { return now }})
	h := history{t, l, &now}
	_, err := l.OpenAccount(t.Context(), weir.Account{Name: "a", BaseURL: "https://api.clari.com/v4", KeyFingerprint: "k"})
	h.must(err)
	foreign := []weir.Job{{ID: "listed", Status: weir.JobDone, RawStatus: "DONE"}, {ID: "vanished", Status: weir.JobDone, RawStatus: "DONE"}}
	h.must(l.SeeJobs(t.Context(), "a", foreign, now, true))
	h.must(l.SeeJobs(t.Context(), "a", foreign[:1], now.Add(time.Minute), true))
	now = now.Add(365 * 24 * time.Hour)
	for range 2 {
		_, err := l.Prune(t.Context(), now.Add(-90*24*time.Hour), 100)
		h.must(err)
	}
	if got, want := h.jobs(), []string{"listed"}; !slices.Equal(got, want) {
		t.Errorf("jobs %v are left, want %v", got, want)
	}
}
