package engine_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/plan"
)

// The reserve is kept by weir's own count of what it bought since the limits
// were read, wherever the server's clock or the store's stands, and whatever
// has ended meanwhile.
func TestReserveIsKeptUnderAnyClock(t *testing.T) {
	for _, ahead := range []time.Duration{0, -7 * time.Minute, 7 * time.Minute} {
		for _, jump := range []time.Duration{0, -time.Hour, 20 * time.Minute} {
			t.Run(fmt.Sprintf("server %s, store %s", ahead, jump), func(t *testing.T) { keepsReserve(t, ahead, jump) })
		}
	}
}

func keepsReserve(t *testing.T, ahead, jump time.Duration) {
	s := &scene{
		policy: plan.Adaptive(), names: []string{"default"},
		accounts: map[string]accountScene{"default": {key: "key-one", user: 1, ahead: ahead}},
		servers:  []emulator.Config{{Quota: 10, Slots: 3, JobTime: 2 * time.Second}},
	}
	onScene(t, s, func(b *bench) {
		b.want("2025_Q1", "2025_Q2")
		b.run(engine.AllEnded, 0, time.Minute)
		b.w.skew.Add(int64(jump))
		s.policy.KeepQuota = 7
		b.want("2026_Q1", "2026_Q2", "2026_Q3", "2026_Q4")
		b.run(engine.QuotaUsed, 0, time.Minute)
		if made := b.w.servers[0].Counters().JobsMade(); made != 3 {
			t.Errorf("%d jobs, want 3: 7 of 10 are kept", made)
		}
	})
}

// orgOfTwo is two accounts, each with a key and a user of its own, of one
// organisation that the ledger knows them to be.
func orgOfTwo(c emulator.Config) *scene {
	c.OtherKeys = map[string]int64{"key-two": 2}
	return &scene{
		policy: plan.Adaptive(), names: []string{"default", "second"},
		accounts: map[string]accountScene{"default": {key: "key-one", user: 1}, "second": {key: "key-two", user: 2}},
		servers:  []emulator.Config{c},
	}
}

// beside is another account's bench in the same world.
func (b *bench) beside(account string) *bench {
	return &bench{T: b.T, w: b.w, account: account, own: map[int64]bool{}}
}

// named lets both accounts land one export each, after which their organisation
// is known.
func (b *bench) named(other *bench) {
	b.Helper()
	for _, each := range []*bench{b, other} {
		each.want("2024_Q1")
		each.run(engine.AllEnded, 0, 5*time.Minute)
	}
	org, err := b.w.store.Organisation(b.Context(), b.account)
	if err != nil || !org.Shared {
		b.Fatalf("the accounts are not of one organisation: %+v %v", org, err)
	}
}

// both runs the commands of two accounts at once.
func (b *bench) both(other *bench, want engine.Verdict, most time.Duration) {
	b.Helper()
	var running sync.WaitGroup
	for _, each := range []*bench{b, other} {
		running.Go(func() { each.run(want, 0, most) })
	}
	running.Wait()
}

func years(from, n int) []weir.Period {
	var periods []weir.Period
	for i := range n {
		periods = append(periods, weir.Period(fmt.Sprintf("%d_Q%d", from+i/4, i%4+1)))
	}
	return periods
}

// Accounts of one organisation never take more slots together than there are:
// nothing is refused, and every slot is used.
func TestAccountsOfOneOrganisationShareItsSlots(t *testing.T) {
	for slots := 1; slots <= 3; slots++ {
		t.Run(fmt.Sprint(slots), func(t *testing.T) {
			onScene(t, orgOfTwo(emulator.Config{Slots: slots, JobTime: 20 * time.Second, JobSigma: 0.4}), func(b *bench) {
				other := b.beside("second")
				b.named(other)
				b.want(years(2020, 8)...)
				other.want(years(2020, 8)...)
				b.both(other, engine.AllEnded, time.Hour)
				c := b.w.servers[0].Counters()
				if c.RefusedForRoom > 0 || c.MostJobs != slots || c.JobsMade() != 18 {
					t.Errorf("%d refused, at most %d at once, %d jobs; want none, %d and 18", c.RefusedForRoom, c.MostJobs, c.JobsMade(), slots)
				}
			})
		})
	}
}

// Nor more of the quota than the reserve leaves.
func TestAccountsOfOneOrganisationShareItsQuota(t *testing.T) {
	s := orgOfTwo(emulator.Config{Slots: 3, Quota: 12, JobTime: 5 * time.Second})
	s.policy.KeepQuota = 3
	onScene(t, s, func(b *bench) {
		other := b.beside("second")
		b.named(other)
		b.want(years(2020, 8)...)
		other.want(years(2020, 8)...)
		b.both(other, engine.QuotaUsed, time.Hour)
		if c := b.w.servers[0].Counters(); c.JobsMade() != 9 || c.RefusedForRoom > 0 {
			t.Errorf("%d jobs, %d refused; want 9 and none", c.JobsMade(), c.RefusedForRoom)
		}
	})
}

// An account whose conductor died with its POST under way holds its slot back
// for a while, not for ever.
func TestDeadAccountDoesNotBlockItsOrganisation(t *testing.T) {
	onScene(t, orgOfTwo(emulator.Config{Slots: 1, JobTime: 5 * time.Second}), func(b *bench) {
		other := b.beside("second")
		b.named(other)
		other.want("2025_Q1")
		dies(b, other)
		b.want("2025_Q1")
		b.run(engine.AllEnded, time.Minute, 8*time.Minute)
	})
}

// dies leaves the intent of an account in the ledger that nobody goes on with.
func dies(b, other *bench) {
	b.Helper()
	now, _ := b.w.store.Now(b.Context())
	if _, err := b.w.store.Move(b.Context(), weir.Lease{}, other.exports[1], weir.Submit(weir.Cause{At: now, Why: "and died"}, 1)); err != nil {
		b.Fatal(err)
	}
}

// Two accounts whose keys are of one user list the same jobs: neither takes one
// that serves an export of the other.
func TestAccountsOfOneUserKeepTheirJobs(t *testing.T) {
	s := orgOfTwo(emulator.Config{Slots: 3, JobTime: 10 * time.Second})
	s.accounts["second"] = accountScene{key: "key-two", user: 1}
	s.servers[0].OtherKeys["key-two"] = 1
	s.servers[0].Scenario = &emulator.Scenario{Rules: []emulator.Rule{{
		Match: emulator.Match{Route: "export.forecast", When: emulator.When{Nth: 3}}, Fault: emulator.Fault{Cut: emulator.CutBefore},
	}}}
	onScene(t, s, func(b *bench) {
		other := b.beside("second")
		b.named(other)
		b.want("2025_Q1") // its POST is lost and never acted
		other.want("2025_Q1")
		b.both(other, engine.AllEnded, 5*time.Minute)
		if made := b.w.servers[0].Counters().JobsMade(); made != 4 {
			t.Errorf("%d jobs, want 4: one for each export", made)
		}
		served := map[string]bool{}
		for _, each := range []*bench{b, other} {
			served[each.export(1).JobID] = true
		}
		if len(served) != 2 {
			t.Errorf("one job for two exports: %v", served)
		}
	})
}

// A decision to post is stale once another account of the organisation has taken
// the slot that it saw: here one conductor stands still between the two.
func TestTwoAccountsDoNotTakeOneSlot(t *testing.T) {
	onScene(t, orgOfTwo(emulator.Config{Slots: 1, JobTime: 20 * time.Second}), func(b *bench) {
		other := b.beside("second")
		b.named(other)
		b.want("2025_Q1")
		other.want("2025_Q1")
		var running sync.WaitGroup
		slow := b.w.spawn("default", fate{freezeAt: 1, freezeOn: "Move", freezeFor: 2 * time.Second})
		running.Go(func() { b.runAs(slow, engine.AllEnded, 0, 10*time.Minute) })
		running.Go(func() { time.Sleep(time.Second); other.run(engine.AllEnded, 0, 10*time.Minute) })
		running.Wait()
		if c := b.w.servers[0].Counters(); c.RefusedForRoom > 0 || c.JobsMade() != 4 {
			t.Errorf("%d refused for want of a slot, %d jobs made; want none and 4", c.RefusedForRoom, c.JobsMade())
		}
	})
}
