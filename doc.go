// Package weir holds the words of the product and nothing else: no I/O and no
// clock. Every other package speaks in these terms.
//
//   - An account is a named API key with its base URL; the key itself is never
//     part of it, only a keyed fingerprint. Accounts of one organisation share
//     its slots and its quota.
//   - An export is one wanted result (a [Request]) and its life (a [State]).
//     What is asked has a [Request.Fingerprint].
//   - A job is the server-side run that serves an export. What the server said
//     of a job is a fact, and facts are kept whoever asked.
//   - A delivery is an export wanted at one place in one format.
//   - A snapshot is what landed, with the instant it shows.
//   - A budget is slots and quota as last observed, with the instant and the
//     source of each observation.
//
// # The life of an export
//
//	planned ──► submitting ──► running ──► ready ──► landed
//	   ▲            │  │          │          │
//	   │            │  └► unknown ◄┘         ├► rejected (verification)
//	   └────────────┘     │                  └► failed
//	   (not started)      └► running | planned
//
// [Moves] lists every legal move. A [Transition] is one of them with its
// consequence; only the constructors of this package build one, so a ledger
// that executes transitions cannot reach a state by a road that does not exist.
//
// # Who decides
//
// The server owns limits and job states. The ledger owns what weir asked for
// and did. Memory and local clocks may only make weir act later, never more.
package weir
