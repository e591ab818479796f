package ledger_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/ledgertest"
)

func TestContractSQLite(t *testing.T) {
	ledgertest.Run(t, func(t *testing.T) ledgertest.Harness {
		now := time.Date(2026, 11, 23, 12, 0, 0, 123e6, time.UTC)
		l := open(t, filepath.Join(t.TempDir(), "weir.db"), ledger.Options{Clock: func() time.Time { return now }})
		return ledgertest.Harness{Ledger: l, Advance: func(d time.Duration) { now = now.Add(d) }}
	})
}

// open opens a ledger for the length of the test.
func open(t testing.TB, path string, opts ledger.Options) *ledger.Store {
	t.Helper()
	l, err := ledger.Open(t.Context(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}
