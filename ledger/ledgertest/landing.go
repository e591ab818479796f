package ledgertest

import (
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

func landingCases() []testCase {
	return []testCase{
		{"a landing is kept with what it wrote", landingKept},
		{"an export ends as its deliveries do", landingTable},
		{"a landing to be tried again counts attempts, a free one none", landingAgain},
		{"a landing ends in no other state", landingOutcomes},
		{"an export that gives up closes its open deliveries", closeDeliveries},
		{"a person's retry opens what was closed, and only that", retryOpens},
		{"landing again opens what was rejected", landAgainOpens},
	}
}

// ready is a ready export with one delivery per format.
func (f *fixture) ready(formats ...string) weir.Export {
	f.Helper()
	w := f.wishFor(f.request())
	w.Formats = formats
	return f.bring(f.grant(w).Export, weir.Ready)
}

func landingKept(f *fixture) {
	e := f.ready("parquet")
	claim := f.claim(f.deliveries(e)[0].ID)
	f.advance(time.Second)
	after := f.finish(claim, f.landed())
	want := claim
	want.State, want.Attempts, want.Manifest, want.Rows = weir.DeliveryLanded, 1, "_manifests/a.json", 42
	want.SnapshotAt, want.LandedAt = f.now(), f.now()
	f.equal(f.deliveries(e)[0], want)
	f.equal([]any{after.State, after.ChangedAt}, []any{weir.Landed, f.now()})
	f.equal(f.export(e.ID), after)
	history, err := f.l.History(f.ctx, e.ID)
	f.ok(err)
	f.equal(history[len(history)-1].Why, "landing ended")
	_, err = f.l.FinishDelivery(f.ctx, claim, f.landed(), f.cause("twice"))
	f.is(err, ledger.ErrStale)
}

func landingTable(f *fixture) {
	const (
		landed, rejected = weir.DeliveryLanded, weir.DeliveryRejected
		failed, open     = weir.DeliveryFailed, weir.DeliveryOpen
	)
	formats := []string{"parquet", "csv", "jsonl"}
	for _, test := range []struct {
		ends    []weir.DeliveryState
		want    weir.State
		failure string
	}{
		{[]weir.DeliveryState{landed, landed, landed}, weir.Landed, ""},
		{[]weir.DeliveryState{landed, open, landed}, weir.Ready, ""},
		{[]weir.DeliveryState{rejected, open, failed}, weir.Ready, ""},
		{[]weir.DeliveryState{landed, failed, landed}, weir.Failed, "failed 1"},
		{[]weir.DeliveryState{failed, failed, failed}, weir.Failed, "failed 0"},
		{[]weir.DeliveryState{failed, landed, rejected}, weir.Rejected, "rejected 2"},
		{[]weir.DeliveryState{rejected, rejected, landed}, weir.Rejected, "rejected 0"},
	} {
		e := f.ready(formats...)
		for i, d := range f.deliveries(e) {
			if test.ends[i] == open {
				continue
			}
			o := f.landed()
			o.State = test.ends[i]
			if o.State != landed {
				o.Failure = &weir.Failure{Code: string(o.State) + " " + string(rune('0'+i)), Message: "a message"}
			}
			f.finish(f.claim(d.ID), o)
		}
		after := f.export(e.ID)
		code := ""
		if after.Failure != nil {
			code = after.Failure.Code
		}
		f.equal([]any{after.State, code}, []any{test.want, test.failure})
	}
}

func landingAgain(f *fixture) {
	e := f.ready("parquet")
	id := f.deliveries(e)[0].ID
	later := f.now().Add(time.Minute)
	failure := &weir.Failure{Code: weir.CodeDestination, Message: "it is full"}
	f.equal(f.finish(f.claim(id), ledger.Outcome{State: weir.DeliveryOpen, NotBefore: later, Failure: failure}), e)
	d := f.deliveries(e)[0]
	f.equal([]any{d.State, d.Attempts, d.NotBefore, d.Failure, d.Owner}, []any{weir.DeliveryOpen, 1, later, failure, ""})
	f.finish(f.claim(id), ledger.Outcome{State: weir.DeliveryOpen, NotBefore: later, Free: true})
	f.equal(f.deliveries(e)[0].Attempts, 1)
	f.equal(f.finish(f.claim(id), f.landed()).State, weir.Landed)
	d = f.deliveries(e)[0]
	f.equal([]any{d.Attempts, d.NotBefore, d.Failure}, []any{2, time.Time{}, (*weir.Failure)(nil)})
}

func landingOutcomes(f *fixture) {
	e := f.ready("parquet")
	claim := f.claim(f.deliveries(e)[0].ID)
	for _, s := range []weir.DeliveryState{"", weir.DeliveryLanding, weir.DeliveryDropped} {
		if _, err := f.l.FinishDelivery(f.ctx, claim, ledger.Outcome{State: s}, f.cause("x")); err == nil {
			f.Errorf("a landing ended as %q", s)
		}
	}
	f.equal(f.deliveries(e)[0], claim)
}

func closeDeliveries(f *fixture) {
	failure := weir.Failure{Code: "code", Message: "a message"}
	for _, test := range []struct {
		from weir.State
		move weir.Transition
		want weir.DeliveryState
	}{
		{weir.Planned, weir.Drop(f.cause("not wanted")), weir.DeliveryDropped},
		{weir.Running, weir.Stop(f.cause("x"), failure), weir.DeliveryDropped},
		{weir.Submitting, weir.RefuseRequest(f.cause("x"), failure), weir.DeliveryFailed},
		{weir.Running, weir.GiveUpJob(f.cause("x"), failure), weir.DeliveryFailed},
		{weir.Ready, weir.GiveUpLanding(f.cause("x"), failure), weir.DeliveryFailed},
		{weir.Ready, weir.Reject(f.cause("x"), failure), weir.DeliveryRejected},
	} {
		e := f.move(f.in(test.from), test.move)
		d := f.deliveries(e)[0]
		f.equal([]any{d.State, d.Failure}, []any{test.want, e.Failure})
	}
	e := f.ready("parquet")
	claim := f.claim(f.deliveries(e)[0].ID)
	f.move(e, weir.GiveUpLanding(f.cause("expired"), failure))
	_, err := f.l.FinishDelivery(f.ctx, claim, f.landed(), f.cause("too late"))
	f.is(err, ledger.ErrStale)
	f.equal(f.export(e.ID).State, weir.Failed)
}

func retryOpens(f *fixture) {
	e := f.ready("parquet", "csv")
	both := f.deliveries(e)
	f.finish(f.claim(both[0].ID), f.landed())
	f.finish(f.claim(both[1].ID), ledger.Outcome{State: weir.DeliveryFailed, Failure: &weir.Failure{Code: "code"}})
	landed := f.deliveries(e)[0]
	f.move(e, weir.Retry(f.cause("retry"), weir.Failed, 3, ""))
	after := f.deliveries(e)
	f.equal(after[0], landed)
	f.equal([]any{after[1].State, after[1].Failure, after[1].Attempts}, []any{weir.DeliveryOpen, (*weir.Failure)(nil), 0})

	dropped := f.in(weir.Cancelled)
	f.move(dropped, weir.Retry(f.cause("retry"), weir.Cancelled, 3, ""))
	f.equal(f.deliveries(dropped)[0].State, weir.DeliveryOpen)
}

func landAgainOpens(f *fixture) {
	e := f.in(weir.Rejected)
	f.equal(f.deliveries(e)[0].State, weir.DeliveryRejected)
	e = f.move(e, weir.LandAgain(f.cause("a person looked")))
	f.equal(f.deliveries(e)[0].State, weir.DeliveryOpen)
	f.equal(f.land(e).State, weir.Landed)
}
