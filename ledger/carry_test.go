package ledger_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

// A carried ledger is the same ledger: exports with their history, deliveries,
// jobs in their order, the salt; and new ids go on where the old ones ended.
func TestCarry(t *testing.T) {
	ctx := t.Context()
	from := open(t, filepath.Join(t.TempDir(), "a.db"), ledger.Options{})
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	if _, err := from.OpenAccount(ctx, weir.Account{Name: "acme", BaseURL: "https://x.test", KeyFingerprint: "k"}); err != nil {
		t.Fatal(err)
	}
	wish := ledger.Wish{Account: "acme", Request: weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: "2026_Q1"},
		AsOf: now, JobsAllowed: 3, Destination: "/data", Formats: []string{"parquet", "csv"}}
	granted, err := from.Wish(ctx, now, []ledger.Wish{wish})
	if err != nil {
		t.Fatal(err)
	}
	id := granted[0].Export.ID
	if _, err := from.Move(ctx, weir.Lease{}, id, weir.Submit(weir.Cause{At: now, Why: "test"}, 1)); err != nil {
		t.Fatal(err)
	}
	if err := from.BindJob(ctx, "acme", id, "6b04c9a7b22e07a0e18bfafd", now); err != nil {
		t.Fatal(err)
	}
	to := open(t, filepath.Join(t.TempDir(), "b.db"), ledger.Options{})
	for _, s := range []*ledger.Store{from, to} {
		if _, err := s.Salt(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := ledger.Carry(ctx, from, to); err != nil || n != 1 {
		t.Fatalf("carried %d exports: %v", n, err)
	}
	for name, read := range map[string]func(*ledger.Store) (any, error){
		"salt":       func(s *ledger.Store) (any, error) { return s.Salt(ctx) },
		"accounts":   func(s *ledger.Store) (any, error) { return s.ListAccounts(ctx) },
		"exports":    func(s *ledger.Store) (any, error) { return s.ListExports(ctx, ledger.Filter{}) },
		"deliveries": func(s *ledger.Store) (any, error) { return s.DeliveriesOf(ctx, id) },
		"history":    func(s *ledger.Store) (any, error) { return s.History(ctx, id) },
		"jobs":       func(s *ledger.Store) (any, error) { return s.Jobs(ctx, "acme") },
	} {
		want, err1 := read(from)
		got, err2 := read(to)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-from +to):\n%s", name, diff)
		}
	}
	wish.Request.Period = "2026_Q2"
	more, err := to.Wish(ctx, now, []ledger.Wish{wish})
	if err != nil || more[0].Export.ID != id+1 {
		t.Errorf("the next export: %+v, %v", more, err)
	}
	if _, err := ledger.Carry(ctx, from, to); !errors.Is(err, ledger.ErrNotEmpty) {
		t.Errorf("carried into a full ledger: %v", err)
	}
}
