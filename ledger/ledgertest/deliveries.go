package ledgertest

import (
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

func deliveryCases() []testCase {
	return []testCase{
		{"deliverable is what may start, nearest to expiry first", deliverable},
		{"a claim is one worker's", claimOnce},
		{"a claim needs an open delivery of a ready export", claimStale},
		{"a sweep opens the claims of others", sweep},
		{"a sweep is the account's own", sweepOwnAccount},
		{"delivery is not found", deliveryMissing},
		{"deliveries are added once", addDeliveries},
		{"an export without a result takes no delivery", addToEnded},
		{"a lost landing is wanted again", reopenDelivery},
	}
}

func (f *fixture) deliverable(at time.Time) []int64 {
	f.Helper()
	all, err := f.l.Deliverable(f.ctx, account, at)
	f.ok(err)
	var ids []int64
	for _, d := range all {
		ids = append(ids, d.ExportID)
	}
	return ids
}

func deliverable(f *fixture) {
	never, late, soon := f.in(weir.Ready), f.in(weir.Ready), f.in(weir.Ready)
	waiting, claimed := f.in(weir.Ready), f.in(weir.Ready)
	f.in(weir.Running)
	f.in(weir.Landed)
	f.in(weir.Rejected)
	f.see(false,
		weir.Job{ID: late.JobID, Status: weir.JobDone, ExpiresAt: f.now().Add(20 * time.Hour)},
		weir.Job{ID: soon.JobID, Status: weir.JobDone, ExpiresAt: f.now().Add(10 * time.Hour)},
		weir.Job{ID: waiting.JobID, Status: weir.JobDone, ExpiresAt: f.now().Add(time.Hour)},
	)
	until := f.now().Add(time.Minute)
	f.finish(f.claim(f.deliveries(waiting)[0].ID), ledger.Outcome{State: weir.DeliveryOpen, NotBefore: until})
	f.claim(f.deliveries(claimed)[0].ID)
	f.equal(f.deliverable(until.Add(-time.Millisecond)), []int64{soon.ID, late.ID, never.ID})
	f.equal(f.deliverable(until), []int64{waiting.ID, soon.ID, late.ID, never.ID})
	theirs, err := f.l.Deliverable(f.ctx, other, until)
	f.ok(err)
	f.equal(len(theirs), 0)
}

func claimOnce(f *fixture) {
	e := f.in(weir.Ready)
	before := f.deliveries(e)[0]
	d, err := f.l.Claim(f.ctx, before.ID, "a", f.now())
	f.ok(err)
	want := before
	want.State, want.Owner, want.ClaimedAt, want.Generation = weir.DeliveryLanding, "a", f.now(), before.Generation+1
	f.equal(d, want)
	f.equal(f.deliveries(e)[0], want)
	_, err = f.l.Claim(f.ctx, before.ID, "b", f.now())
	f.is(err, ledger.ErrStale)
	f.equal(f.deliveries(e)[0], want)
}

func claimStale(f *fixture) {
	for _, s := range states() {
		if s == weir.Ready {
			continue
		}
		_, err := f.l.Claim(f.ctx, f.deliveries(f.in(s))[0].ID, "a", f.now())
		f.is(err, ledger.ErrStale)
	}
}

func sweep(f *fixture) {
	theirs, mine := f.in(weir.Ready), f.in(weir.Ready)
	lost := f.claim(f.deliveries(theirs)[0].ID)
	_, err := f.l.Claim(f.ctx, f.deliveries(mine)[0].ID, "conductor", f.now())
	f.ok(err)
	lease := f.lease("conductor")
	swept, err := f.l.SweepClaims(f.ctx, lease)
	f.ok(err)
	f.equal(swept, 1)
	d := f.deliveries(theirs)[0]
	f.equal([]any{d.State, d.Owner, d.ClaimedAt, d.Attempts}, []any{weir.DeliveryOpen, "", time.Time{}, 0})
	f.equal(f.deliveries(mine)[0].State, weir.DeliveryLanding)

	_, err = f.l.FinishDelivery(f.ctx, lost, f.landed(), f.cause("too late"))
	f.is(err, ledger.ErrStale)
	again := f.claim(lost.ID)
	if again.Generation <= lost.Generation {
		f.Errorf("generation %d after %d", again.Generation, lost.Generation)
	}
	_, err = f.l.FinishDelivery(f.ctx, lost, f.landed(), f.cause("too late"))
	f.is(err, ledger.ErrStale)
	f.equal(f.finish(again, f.landed()).State, weir.Landed)
}

func sweepOwnAccount(f *fixture) {
	e := f.in(weir.Ready)
	f.claim(f.deliveries(e)[0].ID)
	lease, _, err := f.l.Acquire(f.ctx, other, "conductor", ttl, false)
	f.ok(err)
	swept, err := f.l.SweepClaims(f.ctx, lease)
	f.ok(err)
	f.equal(swept, 0)
	f.equal(f.deliveries(e)[0].State, weir.DeliveryLanding)
}

func deliveryMissing(f *fixture) {
	_, err := f.l.Delivery(f.ctx, 4711)
	f.is(err, ledger.ErrNotFound)
	_, err = f.l.Claim(f.ctx, 4711, "a", f.now())
	f.is(err, ledger.ErrNotFound)
	_, err = f.l.FinishDelivery(f.ctx, weir.Delivery{ID: 4711}, f.landed(), f.cause("x"))
	f.is(err, ledger.ErrNotFound)
	f.is(f.l.ReopenDelivery(f.ctx, 4711, f.cause("x")), ledger.ErrNotFound)
	none, err := f.l.DeliveriesOf(f.ctx, 4711)
	f.ok(err)
	f.equal(len(none), 0)
}

func addDeliveries(f *fixture) {
	e := f.in(weir.Landed)
	w := f.wishFor(e.Request)
	landed := f.deliveries(e)
	got, err := f.l.AddDeliveries(f.ctx, e.ID, w, f.now())
	f.ok(err)
	f.equal(got, landed)
	f.equal(f.export(e.ID), e)

	w.Formats = []string{"jsonl", "parquet"}
	got, err = f.l.AddDeliveries(f.ctx, e.ID, w, f.now())
	f.ok(err)
	f.equal([]string{got[0].Format, got[1].Format}, []string{"jsonl", "parquet"})
	f.equal([]any{got[0].State, got[1]}, []any{weir.DeliveryOpen, landed[0]})
	f.equal(f.export(e.ID).State, weir.Ready)
	read, err := f.l.Delivery(f.ctx, got[0].ID)
	f.ok(err)
	f.equal(read, got[0])

	running := f.in(weir.Running)
	_, err = f.l.AddDeliveries(f.ctx, running.ID, w, f.now())
	f.ok(err)
	f.equal(f.export(running.ID), running)
	f.equal(len(f.deliveries(running)), 2)
}

func addToEnded(f *fixture) {
	for _, s := range []weir.State{weir.Rejected, weir.Failed, weir.Cancelled} {
		e := f.in(s)
		w := f.wishFor(e.Request)
		w.Destination = "/elsewhere"
		_, err := f.l.AddDeliveries(f.ctx, e.ID, w, f.now())
		f.is(err, ledger.ErrStale)
		f.equal(len(f.deliveries(e)), 1)
	}
}

func reopenDelivery(f *fixture) {
	e := f.in(weir.Landed)
	before := f.deliveries(e)[0]
	f.ok(f.l.ReopenDelivery(f.ctx, before.ID, f.cause("the files are gone")))
	want := before
	want.State, want.Owner, want.ClaimedAt, want.Attempts = weir.DeliveryOpen, "", time.Time{}, 0
	want.Manifest, want.Rows, want.SnapshotAt, want.LandedAt = "", 0, time.Time{}, time.Time{}
	f.equal(f.deliveries(e)[0], want)
	f.equal(f.export(e.ID).State, weir.Ready)
	f.is(f.l.ReopenDelivery(f.ctx, before.ID, f.cause("twice")), ledger.ErrStale)
	f.equal(f.land(f.export(e.ID)).State, weir.Landed)
}
