package rule

import (
	"slices"
	"time"

	"github.com/weirhq/weir"
)

// Instant is t as a ledger keeps it: UTC, whole milliseconds, no monotonic
// reading. The Unix epoch itself reads back as "not", as the zero time does.
func Instant(t time.Time) time.Time { return FromMillis(Millis(t)) }

// Millis is t in Unix milliseconds, 0 for the zero time.
func Millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// FromMillis is the inverse of [Millis].
func FromMillis(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

// Export is e as a ledger keeps it, sharing no memory with e.
func Export(e weir.Export) weir.Export {
	for _, t := range []*time.Time{
		&e.AsOf, &e.CreatedAt, &e.ChangedAt, &e.SubmittedAt, &e.PostedAt, &e.LostAt, &e.AbsentListedAt,
		&e.PresumedAbsentAt, &e.NotBefore, &e.PolledAt, &e.DoneAt, &e.CancelRequestedAt, &e.CancelSentAt,
	} {
		*t = Instant(*t)
	}
	e.Settle, e.Fresh = e.Settle.Truncate(time.Millisecond), e.Fresh.Truncate(time.Millisecond)
	e.Request.Types = words(e.Request.Types)
	e.Failure = Failure(e.Failure)
	return e
}

// Delivery is d as a ledger keeps it, sharing no memory with d.
func Delivery(d weir.Delivery) weir.Delivery {
	for _, t := range []*time.Time{&d.ClaimedAt, &d.NotBefore, &d.SnapshotAt, &d.LandedAt} {
		*t = Instant(*t)
	}
	d.Failure = Failure(d.Failure)
	return d
}

// Job is j as a ledger keeps it.
func Job(j weir.Job) weir.Job {
	for _, t := range []*time.Time{&j.StartedAt, &j.EndedAt, &j.ExpiresAt, &j.FirstSeen, &j.LastSeen, &j.ListedAt} {
		*t = Instant(*t)
	}
	return j
}

// Account is a as a ledger keeps it.
func Account(a weir.Account) weir.Account {
	a.CreatedAt, a.NotBefore = Instant(a.CreatedAt), Instant(a.NotBefore)
	return a
}

// Budget is b as a ledger keeps it, sharing no memory with b.
func Budget(b weir.Budget) weir.Budget {
	for _, t := range []*time.Time{&b.ReadStartedAt, &b.ReadAt, &b.HoldUntil} {
		*t = Instant(*t)
	}
	b.InFlight, b.Submitted = words(b.InFlight), words(b.Submitted)
	return b
}

// Failure copies f.
func Failure(f *weir.Failure) *weir.Failure {
	if f == nil {
		return nil
	}
	c := *f
	return &c
}

// words copies s; an empty list is none, as it is after a round trip through
// a store.
func words(s []string) []string {
	if len(s) == 0 {
		return nil
	}
	return slices.Clone(s)
}
