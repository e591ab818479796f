package ledgertest

import (
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

func fenceCases() []testCase {
	return []testCase{
		{"decisions of a former conductor are refused, its facts are kept", fenceAfterTakeover},
		{"expiry alone fences nothing", fenceExpiry},
		{"a released lease decides nothing", fenceReleased},
		{"a lease decides for its account only", fenceOtherAccount},
		{"an older generation of the same owner decides nothing", fenceGeneration},
		{"a person is not fenced", fencePerson},
	}
}

// refused requires that no decision passes under the lease and nothing changes.
func (f *fixture) refused(l weir.Lease, e weir.Export) {
	f.Helper()
	before := f.export(e.ID)
	_, err := f.l.Move(f.ctx, l, e.ID, weir.Submit(f.cause("late"), l.Generation))
	f.is(err, ledger.ErrFenced)
	_, err = f.l.Amend(f.ctx, l, e.ID, e.State, func(e *weir.Export) { e.Polls = 99 })
	f.is(err, ledger.ErrFenced)
	f.equal(f.export(e.ID), before)
	history, err := f.l.History(f.ctx, e.ID)
	f.ok(err)
	f.equal(len(history), 0)
}

func fenceAfterTakeover(f *fixture) {
	e := f.planned()
	former := f.lease("a")
	f.advance(ttl)
	current := f.lease("b")
	f.refused(former, e)
	_, err := f.l.SweepClaims(f.ctx, former)
	f.is(err, ledger.ErrFenced)

	f.ok(f.l.BindJob(f.ctx, account, e.ID, "job-1", f.now()))
	f.see(true, weir.Job{ID: "job-2", Status: weir.JobRunning})
	f.keepBudget(account, weir.Budget{Slots: 3})
	f.equal(f.job("job-1").ExportID, e.ID)
	f.equal(f.job("job-2").Status, weir.JobRunning)

	_, err = f.l.Move(f.ctx, current, e.ID, weir.Submit(f.cause("in time"), current.Generation))
	f.ok(err)
}

func fenceExpiry(f *fixture) {
	e := f.planned()
	lease := f.lease("a")
	f.advance(time.Hour)
	_, err := f.l.Move(f.ctx, lease, e.ID, weir.Submit(f.cause("nobody else decides"), lease.Generation))
	f.ok(err)
}

func fenceReleased(f *fixture) {
	e := f.planned()
	lease := f.lease("a")
	f.ok(f.l.Release(f.ctx, lease))
	f.refused(lease, e)
}

func fenceOtherAccount(f *fixture) {
	e := f.planned()
	lease, _, err := f.l.Acquire(f.ctx, other, "a", ttl, false)
	f.ok(err)
	f.refused(lease, e)
	lease.Account = account
	f.refused(lease, e)
}

func fenceGeneration(f *fixture) {
	e := f.planned()
	former := f.lease("a")
	f.lease("a")
	f.refused(former, e)
}

func fencePerson(f *fixture) {
	e := f.planned()
	f.lease("a")
	f.equal(f.move(e, weir.Drop(f.cause("no longer wanted"))).State, weir.Cancelled)
}
