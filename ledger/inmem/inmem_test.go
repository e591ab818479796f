package inmem_test

import (
	"testing"
	"time"

	"github.com/weirhq/weir/ledger/inmem"
	"github.com/weirhq/weir/ledger/ledgertest"
)

func TestContract(t *testing.T) {
	ledgertest.Run(t, func(t *testing.T) ledgertest.Harness {
		now := time.Date(2026, 11, 23, 12, 0, 0, 123e6, time.UTC)
		l := inmem.New(inmem.Options{Clock: func() time.Time { return now }})
		return ledgertest.Harness{Ledger: l, Advance: func(d time.Duration) { now = now.Add(d) }}
	})
}
