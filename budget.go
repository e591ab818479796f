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
	// Forbidden marks that the key may not read limits; asked again after an hour.
	Forbidden bool `json:"forbidden,omitempty"`

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

// Known reports whether the numbers came from the server.
func (b Budget) Known() bool { return b.Source == Told && !b.ReadAt.IsZero() }

// Holds reports whether the organisation's reading counts the job as in flight.
func (b Budget) Holds(jobID string) bool { return slices.Contains(b.InFlight, jobID) }
