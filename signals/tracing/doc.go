// Package tracing makes one trace of each export, from the wish until it landed
// or was given up, and sends it to an OpenTelemetry collector. It is a
// [signals.Watcher].
//
// # How a trace stays whole
//
// An export may live for days and through many processes. So nothing of its
// trace is kept open: the trace's id and the ids of its main spans are hashed
// from what the ledger knows of the export, and when it ends, whoever moved it
// there makes the main spans from its history, with the times that the ledger
// kept:
//
//	export                     from the wish to the end
//	├── wait                   planned: waits by reason below it
//	├── POST                   submitting
//	├── in doubt               unknown
//	├── job                    running: polls below it
//	└── land                   ready: downloads, verifications, publications below it
//
// What only a process saw (why something waited, each poll, each step of a
// landing) is sent by that process as children of those spans, whose ids it can
// work out. A process that is killed takes with it the waits and polls of exports
// that had not moved on, and nothing else.
//
// An export that is opened again after it ended has one more span export, below
// the first.
//
// # What it holds
//
// Ids, states, kinds and codes. Never a text of the server, a person's name or
// address, a value, a path or a key.
//
// # When it is on
//
// [Configured] by OpenTelemetry's own environment variables, which also set
// where, how and as which service. Otherwise nobody watches, and nothing is paid.
package tracing
