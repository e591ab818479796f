package ledgertest

import (
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

// states are all states of an export.
func states() []weir.State {
	return []weir.State{
		weir.Planned, weir.Submitting, weir.Unknown, weir.Running, weir.Ready,
		weir.Landed, weir.Rejected, weir.Failed, weir.Cancelled,
	}
}

// transitions are all that the root package can build, one per constructor and
// start.
func (f *fixture) transitions() map[string]weir.Transition {
	c := weir.Cause{At: f.now(), Why: "a test", Request: "POST /export/forecast/net_arr: 200"}
	failure := weir.Failure{Code: "a_code", Message: "a message", Hint: "a hint"}
	wait := weir.Wait{Code: weir.WaitSlot, Text: "no slot is free"}
	later := c.At.Add(time.Minute)
	return map[string]weir.Transition{
		"Submit":          weir.Submit(c, 7),
		"Accept":          weir.Accept(c, "job-a"),
		"PutBack":         weir.PutBack(c, later, wait),
		"RefuseRequest":   weir.RefuseRequest(c, failure),
		"Lose":            weir.Lose(c, 10*time.Second),
		"LoseJob":         weir.LoseJob(c, "somebody must look"),
		"Adopt":           weir.Adopt(c, "job-b"),
		"AdoptInstead":    weir.AdoptInstead(c, "job-c"),
		"PresumeAbsent":   weir.PresumeAbsent(c),
		"Finish":          weir.Finish(c),
		"TryAgain":        weir.TryAgain(c, later, wait),
		"GiveUpJob":       weir.GiveUpJob(c, failure),
		"Stop":            weir.Stop(c, failure),
		"Drop":            weir.Drop(c),
		"Land":            weir.Land(c),
		"Reject":          weir.Reject(c, failure),
		"GiveUpLanding":   weir.GiveUpLanding(c, failure),
		"LandAgain":       weir.LandAgain(c),
		"Retry failed":    weir.Retry(c, weir.Failed, 3, "job-d"),
		"Retry cancelled": weir.Retry(c, weir.Cancelled, 3, ""),
		"Reopen":          weir.Reopen(c),
	}
}

// in makes an export and brings it to a state on the shortest way.
func (f *fixture) in(s weir.State) weir.Export {
	f.Helper()
	return f.bring(f.planned(), s)
}

// bring moves a planned export to a state on the shortest way.
func (f *fixture) bring(e weir.Export, s weir.State) weir.Export {
	f.Helper()
	c, failure := f.cause("on the way"), weir.Failure{Code: "gave_up", Message: "it gave up"}
	switch s {
	case weir.Planned:
		return e
	case weir.Submitting:
		return f.move(e, weir.Submit(c, 1))
	case weir.Unknown:
		return f.move(f.bring(e, weir.Submitting), weir.Lose(c, 10*time.Second))
	case weir.Running:
		return f.move(f.bring(e, weir.Submitting), weir.Accept(c, "job-of-"+e.Fingerprint))
	case weir.Ready:
		return f.move(f.bring(e, weir.Running), weir.Finish(c))
	case weir.Landed:
		return f.land(f.bring(e, weir.Ready))
	case weir.Rejected:
		return f.move(f.bring(e, weir.Ready), weir.Reject(c, failure))
	case weir.Failed:
		return f.move(f.bring(e, weir.Running), weir.GiveUpJob(c, failure))
	case weir.Cancelled:
		return f.move(e, weir.Drop(c))
	}
	f.Fatalf("no way to state %s", s)
	return e
}

// land lands every open delivery of a ready export.
func (f *fixture) land(e weir.Export) weir.Export {
	f.Helper()
	for _, d := range f.deliveries(e) {
		if d.State == weir.DeliveryOpen {
			e = f.finish(f.claim(d.ID), f.landed())
		}
	}
	return e
}

// landed is the outcome of a landing that went well.
func (f *fixture) landed() ledger.Outcome {
	return ledger.Outcome{State: weir.DeliveryLanded, Manifest: "_manifests/a.json", Rows: 42, SnapshotAt: f.now()}
}

// claim claims a delivery.
func (f *fixture) claim(id int64) weir.Delivery {
	f.Helper()
	d, err := f.l.Claim(f.ctx, id, "worker", f.now())
	f.ok(err)
	return d
}

// finish ends a claim.
func (f *fixture) finish(claim weir.Delivery, o ledger.Outcome) weir.Export {
	f.Helper()
	e, err := f.l.FinishDelivery(f.ctx, claim, o, f.cause("landing ended"))
	f.ok(err)
	return e
}
