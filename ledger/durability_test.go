package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

// contents is all that a ledger tells of its default account.
type contents struct {
	Salt       []byte
	Accounts   []weir.Account
	Exports    []weir.Export
	Deliveries [][]weir.Delivery
	History    [][]weir.Event
	Jobs       []weir.Job
	Listed     []string
	Uses       []time.Time
	Durations  map[string][]time.Duration
	Gate       string
	Budget     weir.Budget
	Holder     weir.Lease
}

func read(t *testing.T, l *ledger.Store) (c contents) {
	t.Helper()
	ctx, now := t.Context(), time.Now()
	var err error
	keep := func(next error) { err = errors.Join(err, next) }
	var failed error
	c.Salt, failed = l.Salt(ctx)
	keep(failed)
	c.Accounts, failed = l.ListAccounts(ctx)
	keep(failed)
	c.Exports, failed = l.ListExports(ctx, ledger.Filter{})
	keep(failed)
	for _, e := range c.Exports {
		deliveries, failed := l.DeliveriesOf(ctx, e.ID)
		keep(failed)
		history, failed := l.History(ctx, e.ID)
		keep(failed)
		c.Deliveries, c.History = append(c.Deliveries, deliveries), append(c.History, history)
	}
	c.Jobs, failed = l.Jobs(ctx, "default")
	keep(failed)
	c.Listed, failed = l.ListedBefore(ctx, "default", now)
	keep(failed)
	c.Uses, failed = l.QuotaUses(ctx, "default", time.Time{})
	keep(failed)
	c.Durations, failed = l.Durations(ctx, "default", 10)
	keep(failed)
	c.Gate, failed = l.Gate(ctx, "default")
	keep(failed)
	c.Budget, failed = l.Budget(ctx, "default")
	keep(failed)
	c.Holder, _, failed = l.Holder(ctx, "default")
	keep(failed)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fill writes something of every kind.
func fill(t *testing.T, l *ledger.Store) {
	t.Helper()
	ctx, now := t.Context(), time.Now()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	account(t, l)
	e := wish(t, l, "2026_Q1")
	_, err := l.Move(ctx, weir.Lease{}, e.ID, weir.Submit(weir.Cause{At: now, Why: "a slot is free"}, 1))
	must(err)
	must(l.BindJob(ctx, "default", e.ID, "6073683781a6da229df71e00", now))
	must(l.SeeJobs(ctx, "default", []weir.Job{{ID: "6073683781a6da229df71e01", Status: weir.JobRunning}}, now, true))
	must(l.SaveDuration(ctx, "default", "forecast net_arr", "6073683781a6da229df71e00", now, time.Second))
	must(l.SaveGate(ctx, "default", "{}"))
	must(l.ChangeBudget(ctx, "default", func(weir.Budget) weir.Budget { return weir.Budget{Slots: 3, ReadAt: now} }))
	_, _, err = l.Acquire(ctx, "default", "conductor", time.Hour, false)
	must(err)
}

func account(t testing.TB, l ledger.Ledger) {
	t.Helper()
	if _, err := l.OpenAccount(t.Context(), weir.Account{Name: "default", BaseURL: "https://api.clari.com/v4", KeyFingerprint: "abc"}); err != nil {
		t.Fatal(err)
	}
}

func wish(t testing.TB, l ledger.Ledger, p weir.Period) weir.Export {
	t.Helper()
	granted, err := l.Wish(t.Context(), time.Now(), []ledger.Wish{wishFor(p)})
	if err != nil {
		t.Fatal(err)
	}
	return granted[0].Export
}

func wishFor(p weir.Period) ledger.Wish {
	return ledger.Wish{
		Account: "default", Request: weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: p},
		AsOf: time.Now(), JobsAllowed: 3, Destination: "/data", Formats: []string{"parquet"},
	}
}

func TestReopenKeepsEverything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weir.db")
	first, err := ledger.Open(t.Context(), path, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, first)
	want := read(t, first)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, read(t, open(t, path, ledger.Options{}))); diff != "" {
		t.Errorf("not the same after closing (-before +after):\n%s", diff)
	}
}

func TestSecondHandleSeesEverything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weir.db")
	first, second := open(t, path, ledger.Options{}), open(t, path, ledger.Options{})
	fill(t, first)
	if diff := cmp.Diff(read(t, first), read(t, second)); diff != "" {
		t.Errorf("the handles differ (-first +second):\n%s", diff)
	}
	if _, _, err := second.Acquire(t.Context(), "default", "another", time.Second, false); !errors.Is(err, ledger.ErrHeld) {
		t.Errorf("the second handle acquired a held lease: %v", err)
	}
}

func TestHandlesTakeTurns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weir.db")
	stores := []*ledger.Store{open(t, path, ledger.Options{}), open(t, path, ledger.Options{})}
	account(t, stores[0])
	failed := make(chan error)
	for _, l := range stores {
		go func() {
			var err error
			for i := range 50 {
				_, next := l.Wish(t.Context(), time.Now(), []ledger.Wish{wishFor(weir.Period(fmt.Sprintf("%d_Q1", 1900+i)))})
				err = errors.Join(err, next)
			}
			failed <- err
		}()
	}
	for range stores {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	all, err := stores[0].ListExports(t.Context(), ledger.Filter{})
	if err != nil || len(all) != 50 {
		t.Errorf("%d exports (%v), want each of 50 once", len(all), err)
	}
}

func TestBusy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weir.db")
	first := open(t, path, ledger.Options{})
	second := open(t, path, ledger.Options{BusyTimeout: time.Millisecond})
	account(t, first)
	if err := first.Exec(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if err := second.SaveGate(t.Context(), "default", "x"); !errors.Is(err, ledger.ErrBusy) {
		t.Errorf("a write beside another's is %v, want ErrBusy", err)
	}
	if _, err := second.Gate(t.Context(), "default"); err != nil {
		t.Errorf("reading beside a write: %v", err)
	}
	if err := first.Exec(t.Context(), "COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := second.SaveGate(t.Context(), "default", "x"); err != nil {
		t.Error(err)
	}
}

func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weir.db")
	l := open(t, path, ledger.Options{MaxPages: 200})
	account(t, l)
	kept, err := 0, error(nil)
	for ; err == nil && kept < 10_000; kept++ {
		w := wishFor("2026_Q1")
		w.Request.ForecastID = fmt.Sprint("tab ", kept, strings.Repeat("x", 500))
		_, err = l.Wish(t.Context(), time.Now(), []ledger.Wish{w})
	}
	kept--
	if !errors.Is(err, ledger.ErrUnwritable) {
		t.Fatalf("writing to a full file is %v, want ErrUnwritable", err)
	}
	all, err := l.ListExports(t.Context(), ledger.Filter{})
	if err != nil || len(all) != kept {
		t.Errorf("%d exports (%v), want the %d that were granted", len(all), err, kept)
	}
	larger := open(t, path, ledger.Options{})
	wish(t, larger, "2026_Q2")
}

func TestReadOnly(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "weir.db"), ledger.Options{})
	account(t, l)
	// The error code is the one of a read-only file or mount, which the
	// superuser, as whom tests may run, would not meet.
	if err := l.Exec(t.Context(), "PRAGMA query_only = ON"); err != nil {
		t.Fatal(err)
	}
	if err := l.SaveGate(t.Context(), "default", "x"); !errors.Is(err, ledger.ErrUnwritable) {
		t.Errorf("writing is %v, want ErrUnwritable", err)
	}
}

func TestCorruptPages(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weir.db")
	l, err := ledger.Open(t.Context(), path, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	fill(t, l)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096; i < len(data); i++ {
		data[i] = 0xa5
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	l, err = ledger.Open(t.Context(), path, ledger.Options{})
	if err == nil {
		_, err = l.ListExports(t.Context(), ledger.Filter{})
		l.Close()
	}
	if !errors.Is(err, ledger.ErrNotALedger) {
		t.Errorf("reading damaged pages is %v, want ErrNotALedger", err)
	}
}

func TestContextEndsAWait(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "weir.db"), ledger.Options{})
	account(t, l)
	why := errors.New("the person pressed Ctrl-C")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(why)
	for name, err := range map[string]error{
		"write": func() error { _, err := l.Wish(ctx, time.Now(), []ledger.Wish{wishFor("2026_Q1")}); return err }(),
		"read":  func() error { _, err := l.ListExports(ctx, ledger.Filter{}); return err }(),
	} {
		if !errors.Is(err, why) {
			t.Errorf("%s on an ended context is %v, want its cause", name, err)
		}
	}
}
