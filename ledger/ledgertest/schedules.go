package ledgertest

import (
	"sync"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

func scheduleCases() []testCase {
	return []testCase{
		{"schedules/a missed run is not lost by arming again", armAgain},
		{"schedules/a run is fired once, with its wishes", fireOnce},
		{"schedules/of many servers one fires", fireRace},
		{"schedules/a paused schedule does not fire", pausedFires},
		{"schedules/wishes that cannot be recorded leave the run due", fireWhole},
		{"accounts/an account can move to another address", rehomeCase},
	}
}

func (f *fixture) armed(name string, next time.Time) ledger.Schedule {
	f.Helper()
	s, err := f.l.ArmSchedule(f.ctx, ledger.Schedule{Account: account, Name: name, Spec: "daily", NextRunAt: next})
	f.ok(err)
	return s
}

func (f *fixture) schedule(name string) ledger.Schedule {
	f.Helper()
	all, err := f.l.ListSchedules(f.ctx, account)
	f.ok(err)
	for _, s := range all {
		if s.Name == name {
			return s
		}
	}
	f.Fatalf("no schedule %q", name)
	return ledger.Schedule{}
}

func armAgain(f *fixture) {
	due := f.now().Add(time.Hour)
	f.armed("nightly", due)
	f.advance(48 * time.Hour)
	again := f.armed("nightly", f.now().Add(time.Hour))
	f.equal(again.NextRunAt.Equal(due), true)
	changed, err := f.l.ArmSchedule(f.ctx, ledger.Schedule{Account: account, Name: "nightly", Spec: "weekly", NextRunAt: due.Add(99 * time.Hour)})
	f.ok(err)
	f.equal(changed.NextRunAt.Equal(due.Add(99*time.Hour)), true)
	f.ok(f.l.DisarmSchedule(f.ctx, account, "nightly"))
	f.ok(f.l.DisarmSchedule(f.ctx, account, "nightly"))
	all, err := f.l.ListSchedules(f.ctx, account)
	f.ok(err)
	f.equal(len(all), 0)
	_, err = f.l.ArmSchedule(f.ctx, ledger.Schedule{Account: "nobody", Name: "x", Spec: "y", NextRunAt: due})
	f.is(err, ledger.ErrNotFound)
}

func fireOnce(f *fixture) {
	due := f.armed("nightly", f.now())
	f.advance(time.Hour)
	next, now := due.NextRunAt.Add(24*time.Hour), f.now()
	granted, err := f.l.FireSchedule(f.ctx, due, next, now, []ledger.Wish{f.wishFor(f.request()), f.wishFor(f.request())})
	f.ok(err)
	f.equal(len(granted), 2)
	after := f.schedule("nightly")
	f.equal(after.NextRunAt.Equal(next), true)
	f.equal(after.LastDueAt.Equal(due.NextRunAt), true)
	f.equal(after.LastRunAt.Equal(now), true)
	_, err = f.l.FireSchedule(f.ctx, due, next, now, []ledger.Wish{f.wishFor(f.request())})
	f.is(err, ledger.ErrStale)
	exports, err := f.l.ListExports(f.ctx, ledger.Filter{Account: account})
	f.ok(err)
	f.equal(len(exports), 2)
}

func fireRace(f *fixture) {
	due := f.armed("nightly", f.now())
	wish := f.wishFor(f.request())
	var fired sync.Map
	var servers sync.WaitGroup
	for i := range 8 {
		servers.Go(func() {
			_, err := f.l.FireSchedule(f.ctx, due, due.NextRunAt.Add(time.Hour), due.NextRunAt, []ledger.Wish{wish})
			fired.Store(i, err == nil)
		})
	}
	servers.Wait()
	winners := 0
	fired.Range(func(_, won any) bool {
		if won.(bool) {
			winners++
		}
		return true
	})
	f.equal(winners, 1)
}

func pausedFires(f *fixture) {
	due := f.armed("nightly", f.now())
	f.ok(f.l.PauseSchedule(f.ctx, account, "nightly", true))
	_, err := f.l.FireSchedule(f.ctx, due, due.NextRunAt.Add(time.Hour), f.now(), nil)
	f.is(err, ledger.ErrStale)
	f.equal(f.schedule("nightly").Paused, true)
	f.ok(f.l.PauseSchedule(f.ctx, account, "nightly", false))
	_, err = f.l.FireSchedule(f.ctx, due, due.NextRunAt.Add(time.Hour), f.now(), nil)
	f.ok(err)
	f.is(f.l.PauseSchedule(f.ctx, account, "weekly", true), ledger.ErrNotFound)
}

func fireWhole(f *fixture) {
	due := f.armed("nightly", f.now())
	bad := f.wishFor(f.request())
	bad.Account = "nobody"
	_, err := f.l.FireSchedule(f.ctx, due, due.NextRunAt.Add(time.Hour), f.now(), []ledger.Wish{f.wishFor(f.request()), bad})
	f.is(err, ledger.ErrNotFound)
	f.equal(f.schedule("nightly").NextRunAt.Equal(due.NextRunAt), true)
	exports, err := f.l.ListExports(f.ctx, ledger.Filter{Account: account})
	f.ok(err)
	f.equal(len(exports), 0)
}

// rehomeCase: an account that never had a job may move to another address.
func rehomeCase(f *fixture) {
	f.ok(f.l.Rehome(f.ctx, account, "https://example.test/v4"))
	_, err := f.l.OpenAccount(f.ctx, weir.Account{Name: account, BaseURL: "https://example.test/v4", KeyFingerprint: "key of " + account})
	f.ok(err)
	f.is(f.l.Rehome(f.ctx, "nobody", "x"), ledger.ErrNotFound)
}
