package engine_test

import (
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/ledger/inmem"
)

// A server whose lease the ledger has given to another may send nothing from its
// next renewal on, well before the lease would have been too old, and never again
// while the other has it.
func TestFencedServerSendsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := inmem.New(inmem.Options{})
		playOn(t, store, scenario{org: emulator.Config{JobTime: time.Minute}, play: func(s *stage) {
			p := s.process()
			c := p.open()
			c.Crew = &engine.Crew{Ledger: store, Owner: p.owner, Log: slog.New(slog.DiscardHandler)}
			var all sync.WaitGroup
			all.Go(func() { _ = c.Crew.Run(p.ctx) })
			all.Go(func() { _ = c.Run(p.ctx) })
			s.Cleanup(func() { p.end(nil); all.Wait() })
			e := s.want("2026_Q1")[0]
			s.until("its job runs", func() bool { return s.stateOf(e) == weir.Running })
			if err := c.Fence(); err != nil {
				s.Fatalf("it conducts and may send nothing: %v", err)
			}
			if _, _, err := store.Acquire(s.Context(), "default", "another", time.Hour, true); err != nil {
				s.Fatal(err)
			}
			time.Sleep(engine.LeaseRenewal + 100*time.Millisecond)
			sent := len(s.org.RequestLog())
			for range 30 {
				if c.Fence() == nil {
					s.Fatal("it may send although another has its lease")
				}
				time.Sleep(time.Second)
			}
			if more := len(s.org.RequestLog()) - sent; more > 0 {
				s.Errorf("it sent %d requests although another has its lease", more)
			}
		}})
	})
}
