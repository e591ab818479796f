package rule

import (
	"time"

	"github.com/weirhq/weir"
)

// Follow is what a transition does to one delivery of the export, which is e
// afterwards. It reports whether anything changed.
func Follow(t weir.Transition, e weir.Export, d weir.Delivery) (weir.Delivery, bool) {
	switch {
	case closed(t.To) && d.Open():
		d.State, d.Failure, d.NotBefore = endOf(t.To), Failure(e.Failure), time.Time{}
		return d, true
	case closed(t.From) && !closed(t.To) && gaveUp(d.State):
		d.State, d.Failure, d.NotBefore, d.Attempts = weir.DeliveryOpen, nil, time.Time{}, 0
		return d, true
	}
	return d, false
}

// Follows reports whether the transition has to do with deliveries, so that
// otherwise a store need not read them.
func Follows(t weir.Transition) bool { return t.To == weir.Landed || closed(t.To) || closed(t.From) }

func closed(s weir.State) bool {
	return s == weir.Failed || s == weir.Cancelled || s == weir.Rejected
}

func gaveUp(s weir.DeliveryState) bool {
	return s == weir.DeliveryFailed || s == weir.DeliveryRejected || s == weir.DeliveryDropped
}

func endOf(s weir.State) weir.DeliveryState {
	switch s {
	case weir.Rejected:
		return weir.DeliveryRejected
	case weir.Cancelled:
		return weir.DeliveryDropped
	}
	return weir.DeliveryFailed
}

// Settle is the transition of a ready export whose deliveries stand so, or
// false while one is open. Any rejected one rejects the export, any failed one
// fails it; dropped ones do not count.
func Settle(c weir.Cause, deliveries []weir.Delivery) (weir.Transition, bool) {
	var rejected, failed *weir.Delivery
	for i, d := range deliveries {
		switch {
		case d.Open():
			return weir.Transition{}, false
		case d.State == weir.DeliveryRejected && rejected == nil:
			rejected = &deliveries[i]
		case d.State == weir.DeliveryFailed && failed == nil:
			failed = &deliveries[i]
		}
	}
	switch {
	case rejected != nil:
		return weir.Reject(c, reason(rejected, weir.CodeRefused)), true
	case failed != nil:
		return weir.GiveUpLanding(c, reason(failed, weir.CodeExhausted)), true
	}
	return weir.Land(c), true
}

func reason(d *weir.Delivery, code string) weir.Failure {
	if d.Failure != nil {
		return *d.Failure
	}
	return weir.Failure{Code: code, Message: "landing at " + d.Destination + " ended without a cause"}
}

// AnyOpen reports whether a delivery still waits to land.
func AnyOpen(deliveries []weir.Delivery) bool {
	for _, d := range deliveries {
		if d.Open() {
			return true
		}
	}
	return false
}

// HasPrimary reports whether one of the deliveries has the plain place under
// the destination.
func HasPrimary(deliveries []weir.Delivery, destination string) bool {
	for _, d := range deliveries {
		if d.Destination == destination && d.Primary {
			return true
		}
	}
	return false
}

// At finds the delivery at that place in that format.
func At(deliveries []weir.Delivery, destination, format string) (weir.Delivery, bool) {
	for _, d := range deliveries {
		if d.Destination == destination && d.Format == format {
			return d, true
		}
	}
	return weir.Delivery{}, false
}

// Want is a new delivery beside those that the export has. At most one at each
// destination is primary: the first format asked for there.
func Want(exportID int64, have []weir.Delivery, destination, format string, csvSafe bool) weir.Delivery {
	return weir.Delivery{
		ExportID: exportID, Destination: destination, Format: format, CSVSafe: csvSafe,
		Primary: !HasPrimary(have, destination), State: weir.DeliveryOpen,
	}
}

// OneMore is why a landed export becomes ready again for a further place.
func OneMore(destination string, at time.Time) weir.Cause {
	return weir.Cause{At: at, Why: "also wanted at " + destination}
}
