package weir

import "slices"

// State is where an export stands. Waiting is no state: it is
// [Export.NotBefore] with a reason.
type State string

// The states of an export.
const (
	Planned    State = "planned"    // wanted; nothing asked of the server
	Submitting State = "submitting" // the intent is committed; the POST may have been sent
	Unknown    State = "unknown"    // the POST's fate, or the job's, is not known
	Running    State = "running"    // a job serves it, queued or running
	Ready      State = "ready"      // the job is done; deliveries are open
	Landed     State = "landed"     // every delivery has landed
	Rejected   State = "rejected"   // verification refused the result; the raw file is kept
	Failed     State = "failed"     // given up with a cause
	Cancelled  State = "cancelled"  // ended by a person or by anyone on the server
)

// Open reports whether weir still has something to do for the export.
func (s State) Open() bool {
	switch s {
	case Planned, Submitting, Unknown, Running, Ready:
		return true
	}
	return false
}

// HoldsSlot reports whether the export counts against slots and quota in
// flight. submitting and unknown do: their job may exist.
func (s State) HoldsSlot() bool {
	return s == Submitting || s == Unknown || s == Running
}

// Move is one legal change of state and who may cause it.
type Move struct {
	From, To State
	// ByPerson marks a move that only a person's command may make.
	ByPerson bool
}

// Moves lists every legal move; there are no others.
func Moves() []Move {
	return []Move{
		{From: Planned, To: Submitting},
		{From: Planned, To: Running}, // adopted
		{From: Planned, To: Cancelled, ByPerson: true},
		{From: Submitting, To: Running},
		{From: Submitting, To: Planned}, // throttled, refused, or never sent
		{From: Submitting, To: Failed},  // a definite 4xx
		{From: Submitting, To: Unknown}, // the answer was lost
		{From: Unknown, To: Running},    // found and adopted
		{From: Unknown, To: Planned},    // proved absent
		{From: Running, To: Ready},
		{From: Running, To: Planned}, // the server's FAILED, retries left
		{From: Running, To: Failed},
		{From: Running, To: Cancelled},
		{From: Running, To: Unknown}, // the job became unreadable
		{From: Ready, To: Landed},
		{From: Ready, To: Rejected},
		{From: Ready, To: Failed},
		{From: Rejected, To: Ready, ByPerson: true},
		{From: Failed, To: Planned, ByPerson: true},
		{From: Cancelled, To: Planned, ByPerson: true},
		{From: Landed, To: Ready}, // files lost, or one more delivery
	}
}

// CanMove reports whether the move from one state to another is legal.
func CanMove(from, to State) bool {
	return slices.ContainsFunc(Moves(), func(m Move) bool { return m.From == from && m.To == to })
}
