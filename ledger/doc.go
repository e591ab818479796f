// Package ledger is weir's durable record: what was asked for, what was done,
// and every fact the server ever told.
//
// # Facts and decisions
//
// A fact is what the server said: a job id in an answer, a job's status, a
// budget. Facts are always written, whoever holds the lease, because losing one
// can mean paying for a job twice. A decision is what weir does next: every
// state change. Decisions are fenced: they carry the [weir.Lease] under which
// they were taken and are refused with [ErrFenced] when another owner or
// generation has it. A person's decision (cancel, retry, resolve) carries the
// zero lease and is not fenced; compare-and-set still guards it.
//
// # Time
//
// Instants are UTC and kept as milliseconds. Leases are judged by the store's
// own clock, never by the caller's.
//
// # Transactions
//
// Every method is one transaction. A transition, its event and its consequence
// on deliveries are committed together or not at all.
package ledger
