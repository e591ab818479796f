package rule

import (
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/weirhq/weir"
)

// Outcome has the fields of the ledger's Outcome.
type Outcome struct {
	Manifest   string
	Rows       int64
	SnapshotAt time.Time
	State      weir.DeliveryState
	Failure    *weir.Failure
	NotBefore  time.Time
	Free       bool
}

// errOutcome marks a state in which no landing can end.
var errOutcome = errors.New("no outcome of a landing")

// Finish is the claimed delivery after its landing ended so at `at`. Every end
// but a free one has used up an attempt.
func Finish(d weir.Delivery, o Outcome, at time.Time) (weir.Delivery, error) {
	if !o.Free {
		d.Attempts++
	}
	d.State, d.NotBefore, d.Failure = o.State, time.Time{}, o.Failure
	switch o.State {
	case weir.DeliveryLanded:
		d.Manifest, d.Rows, d.SnapshotAt, d.LandedAt = o.Manifest, o.Rows, o.SnapshotAt, at
		d.Failure = nil
	case weir.DeliveryOpen:
		d.Owner, d.ClaimedAt, d.NotBefore = "", time.Time{}, o.NotBefore
	case weir.DeliveryRejected, weir.DeliveryFailed:
	default:
		return d, fmt.Errorf("state %q: %w", string(o.State), errOutcome)
	}
	return Delivery(d), nil
}

// Holds reports whether the claim is still the one that the delivery is under.
func Holds(d, claim weir.Delivery) bool {
	return d.State == weir.DeliveryLanding && d.Generation == claim.Generation && d.Owner == claim.Owner
}

// Claim is an open delivery in the hands of owner.
func Claim(d weir.Delivery, owner string, at time.Time) weir.Delivery {
	d.State, d.Owner, d.ClaimedAt = weir.DeliveryLanding, owner, Instant(at)
	d.Generation++
	return d
}

// Unclaim is a delivery whose worker has no right to it any more.
func Unclaim(d weir.Delivery) weir.Delivery {
	d.State, d.Owner, d.ClaimedAt = weir.DeliveryOpen, "", time.Time{}
	return d
}

// Lost is a landed delivery whose files are gone: wanted again from the start.
func Lost(d weir.Delivery) weir.Delivery {
	d.State, d.Owner, d.ClaimedAt, d.NotBefore = weir.DeliveryOpen, "", time.Time{}, time.Time{}
	d.Attempts, d.Manifest, d.Rows = 0, "", 0
	d.SnapshotAt, d.LandedAt = time.Time{}, time.Time{}
	return d
}

// errAmended marks a change that only a transition, or nothing, may make.
var errAmended = errors.New("an amendment must not touch id, account, request, fingerprint, state or creation")

// Amend calls change on a copy of e and refuses what only a transition may do.
func Amend(e weir.Export, change func(*weir.Export)) (weir.Export, error) {
	after := Export(e)
	change(&after)
	after = Export(after)
	kept := after.ID == e.ID && after.Account == e.Account && after.State == e.State &&
		after.Fingerprint == e.Fingerprint && after.CreatedAt.Equal(e.CreatedAt) &&
		reflect.DeepEqual(after.Request, e.Request)
	if !kept {
		return e, fmt.Errorf("amend export %d: %w", e.ID, errAmended)
	}
	return after, nil
}
