package weir

import (
	"slices"
	"time"
)

// Source is how weir came to know a number.
type Source string

// Told by the server, learned from its refusals, or assumed for want of both.
const (
	Told    Source = "told"
	Learned Source = "learned"
	Assumed Source = "assumed"
)

// Budget is what the organisation's limits were when last observed. Counts are
// of export jobs.
type Budget struct {
	// Reading numbers the reading of limits that the numbers come from: the
	// ledger draws it before the request is sent. What carries a higher count of
	// begun readings, or the same, happened after this one began, whatever any
	// clock says. 0 is before the first.
	Reading int64 `json:"reading,omitempty"`
	// ReadStartedAt is when the reading began and ReadAt when its answer came:
	// a POST in between may or may not be part of the numbers.
	ReadStartedAt time.Time `json:"read_started_at"`
	ReadAt        time.Time `json:"read_at"`
	Source        Source    `json:"source"`
	// Slots is the concurrent limit, queued and running together; SlotsFree
	// what was left of it.
	Slots     int `json:"slots"`
	SlotsFree int `json:"slots_free"`
	// Quota is the limit of jobs per rolling 30 days; QuotaFree what was left.
	// Both are -1 when not known.
	Quota     int `json:"quota"`
	QuotaFree int `json:"quota_free"`
	// InFlight are the running and submitted job ids of the whole organisation.
	InFlight []string `json:"in_flight,omitempty"`
	// Submitted are the submitted ids alone.
	Submitted []string `json:"submitted,omitempty"`
	// Forbidden marks that the key of the account ForbiddenTo may not read limits;
	// asked again after an hour, by it. Other accounts ask for themselves.
	Forbidden   bool   `json:"forbidden,omitempty"`
	ForbiddenTo string `json:"forbidden_to,omitempty"`

	// Learning, used while limits cannot be read: Accepts counts POSTs accepted
	// since the last refusal and Refusals the refusals in a row.
	Accepts  int `json:"accepts,omitempty"`
	Refusals int `json:"refusals,omitempty"`
	// Ceiling is what was in flight when a POST was first refused; 0 before.
	Ceiling int `json:"ceiling,omitempty"`
	// HoldUntil holds every POST back after a refusal.
	HoldUntil time.Time `json:"hold_until,omitzero"`
	HoldWhy   Wait      `json:"hold_why,omitzero"`
}

// Names reports whether the reading knew of the job: then its numbers count it.
func (b Budget) Names(jobID string) bool {
	return slices.Contains(b.InFlight, jobID) || slices.Contains(b.Submitted, jobID)
}

// Organisation is who shares slots and quota: the accounts of one ledger that
// the server named with one organisation id at one base URL. An account that it
// has not named yet is an organisation of its own.
type Organisation struct {
	Budget Budget
	// Readings counts the readings of limits that have begun.
	Readings int64
	// Version grows with every committed intent and every change of the budget.
	// A decision to post rests on one version and is refused on a later one, so
	// that no two accounts take the same slot.
	Version int64
	// Shared says that more than one account belongs to it.
	Shared bool
}

// Known reports whether the numbers came from the server.
func (b Budget) Known() bool { return b.Source == Told && !b.ReadAt.IsZero() }
