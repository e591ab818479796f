package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/plan"
)

// A landing that cannot be written down is not tried again at every step, and
// one that nothing mends is told.
func TestPoolLeavesAFailedLandingAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := fmt.Errorf("claim delivery 1: %w", ledger.ErrUnwritable)
		fails, tries, told := full, 0, []error(nil)
		pool := &engine.Pool{
			Deliver: func(context.Context, int64, time.Time) error { tries++; return fails },
			Done:    func() {}, Fail: func(err error) { told = append(told, err) }, Log: slog.New(slog.DiscardHandler),
		}
		offer := func(n int) {
			for range n {
				pool.Offer(t.Context(), []weir.Delivery{{ID: 1, ExportID: 1}}, time.Now())
				pool.Drain(t.Context())
			}
		}
		offer(100)
		if tries != 1 || len(told) != 1 || !errors.Is(told[0], ledger.ErrUnwritable) {
			t.Fatalf("%d tries, told %v", tries, told)
		}
		time.Sleep(6 * time.Second)
		fails = nil
		offer(1)
		if tries != 2 {
			t.Errorf("%d tries after the rest", tries)
		}
	})
}

// A ledger that fills while a result lands ends the command; when there is room
// again another one lands it, and nothing is bought again.
func TestLedgerFillsDuringLanding(t *testing.T) {
	onBench(t, plan.Adaptive(), emulator.Config{JobTime: 2 * time.Second}, emulator.Scenario{}, func(b *bench) {
		b.want("2025_Q1")
		b.w.broken.Store("Claim")
		began := time.Now()
		_, err := b.w.spawn("default", fate{}).work(b.Context(), b.exports, b.own)
		if took := time.Since(began); !errors.Is(err, ledger.ErrUnwritable) || took > 10*time.Second {
			t.Errorf("ended after %s with %v", took, err)
		}
		b.w.broken.Store("")
		b.run(engine.AllEnded, 0, time.Minute)
		if made := b.w.servers[0].Counters().JobsMade(); made != 1 {
			t.Errorf("%d jobs", made)
		}
	})
}
