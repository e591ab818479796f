package ledgertest

import (
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

const ttl = 4 * time.Second

func leaseCases() []testCase {
	return []testCase{
		{"a lock proves nothing about an owner without it", leaseWithoutLock},
		{"lease keeps others out until it expires", leaseExpires},
		{"lease of a dead owner is taken at once", leaseProvedDead},
		{"every acquisition has a higher generation", leaseGenerations},
		{"renewal extends what is held and tells what is lost", leaseRenew},
		{"renewal saves an expired lease that nobody took", leaseRenewLate},
		{"release frees the lease, and a lost one quietly", leaseRelease},
		{"holder is who holds it now", leaseHolder},
	}
}

// acquire takes a lease and requires whether it was taken over.
func (f *fixture) acquire(owner string, provedDead, wantTakenOver bool) weir.Lease {
	f.Helper()
	lease, takenOver, err := f.l.Acquire(f.ctx, account, owner, ttl, provedDead)
	f.ok(err)
	f.equal([]any{lease.Account, lease.Owner, takenOver}, []any{account, owner, wantTakenOver})
	return lease
}

func leaseExpires(f *fixture) {
	f.acquire("a", false, false)
	f.advance(ttl - time.Millisecond)
	_, _, err := f.l.Acquire(f.ctx, account, "b", ttl, false)
	f.is(err, ledger.ErrHeld)
	_, _, err = f.l.Acquire(f.ctx, other, "b", ttl, false)
	f.ok(err)
	f.advance(time.Millisecond)
	f.acquire("b", false, true)
	_, _, err = f.l.Acquire(f.ctx, account, "a", ttl, false)
	f.is(err, ledger.ErrHeld)
}

func leaseProvedDead(f *fixture) {
	first := f.acquire("a", false, false)
	second := f.acquire("b", true, true)
	if second.Generation <= first.Generation {
		f.Fatalf("generation %d after %d", second.Generation, first.Generation)
	}
}

func leaseGenerations(f *fixture) {
	last := int64(0)
	for range 3 {
		lease := f.acquire("a", false, last != 0)
		if lease.Generation <= last {
			f.Fatalf("generation %d after %d", lease.Generation, last)
		}
		last = lease.Generation
	}
	f.ok(f.l.Release(f.ctx, weir.Lease{Account: account, Owner: "a", Generation: last}))
	if lease := f.acquire("b", false, false); lease.Generation <= last {
		f.Fatalf("generation %d after release of %d", lease.Generation, last)
	}
}

func leaseRenew(f *fixture) {
	mine := f.acquire("a", false, false)
	also, _, err := f.l.Acquire(f.ctx, other, "a", ttl, false)
	f.ok(err)
	f.advance(3 * time.Second)
	held, err := f.l.Renew(f.ctx, "a", ttl)
	f.ok(err)
	f.equal(byAccount(held), map[string]weir.Lease{account: mine, other: also})
	f.advance(3 * time.Second)
	_, _, err = f.l.Acquire(f.ctx, account, "b", ttl, false)
	f.is(err, ledger.ErrHeld)

	f.advance(time.Second)
	f.acquire("b", false, true)
	held, err = f.l.Renew(f.ctx, "a", ttl)
	f.ok(err)
	f.equal(byAccount(held), map[string]weir.Lease{other: also})
	held, err = f.l.Renew(f.ctx, "nobody", ttl)
	f.ok(err)
	f.equal(len(held), 0)
}

func byAccount(leases []weir.Lease) map[string]weir.Lease {
	all := map[string]weir.Lease{}
	for _, l := range leases {
		all[l.Account] = l
	}
	return all
}

func leaseRenewLate(f *fixture) {
	mine := f.acquire("a", false, false)
	f.advance(time.Minute)
	held, err := f.l.Renew(f.ctx, "a", ttl)
	f.ok(err)
	f.equal(byAccount(held), map[string]weir.Lease{account: mine})
	_, _, err = f.l.Acquire(f.ctx, account, "b", ttl, false)
	f.is(err, ledger.ErrHeld)
}

func leaseRelease(f *fixture) {
	first := f.acquire("a", false, false)
	f.ok(f.l.Release(f.ctx, first))
	second := f.acquire("b", false, false)
	f.ok(f.l.Release(f.ctx, first))
	f.ok(f.l.Release(f.ctx, weir.Lease{Account: "nobody", Owner: "a", Generation: 1}))
	third := f.acquire("b", false, true)
	f.ok(f.l.Release(f.ctx, second)) // an older generation of the same owner
	holder, _, err := f.l.Holder(f.ctx, account)
	f.ok(err)
	f.equal(holder, third)
	held, err := f.l.Renew(f.ctx, "a", ttl)
	f.ok(err)
	f.equal(len(held), 0)
	held, err = f.l.Renew(f.ctx, "", ttl)
	f.ok(err)
	f.equal(len(held), 0)
}

func leaseHolder(f *fixture) {
	_, _, err := f.l.Holder(f.ctx, account)
	f.is(err, ledger.ErrNotFound)
	lease := f.acquire("a", false, false)
	holder, until, err := f.l.Holder(f.ctx, account)
	f.ok(err)
	f.equal(holder, lease)
	f.equal(until, f.now().Add(ttl))
	f.advance(ttl)
	_, _, err = f.l.Holder(f.ctx, account)
	f.is(err, ledger.ErrNotFound)
	f.ok(f.l.Release(f.ctx, lease))
	_, _, err = f.l.Holder(f.ctx, account)
	f.is(err, ledger.ErrNotFound)
}

func leaseWithoutLock(f *fixture) {
	last := func(want string) {
		f.Helper()
		owner, err := f.l.LastOwner(f.ctx, account)
		f.ok(err)
		f.equal(owner, want)
	}
	last("")
	f.acquire("frozen", true, false)
	f.advance(ttl)
	last("frozen")
	lease := f.acquire("b"+ledger.WithoutLock, false, true)
	_, _, err := f.l.Acquire(f.ctx, account, "frozen", ttl, true)
	f.is(err, ledger.ErrHeld)
	f.ok(f.l.Release(f.ctx, lease))
	last("")
	f.acquire("frozen", true, false)
}
