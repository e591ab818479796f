// Package signals lets others watch an account at work without the engine
// knowing of them. It stands between the engine and what the engine uses: the
// server, the ledger, the receiver of results. Everything passes through
// unchanged; a Watcher is told afterwards.
//
// Package metrics counts what it is told, package tracing makes spans of it.
// Neither is needed: without a watcher nothing is put in between, and nothing
// is paid.
//
// What a watcher is told holds ids, states and times. Errors and texts of the
// server are hostile and may hold names: a watcher that shows them escapes them,
// one that sends them elsewhere leaves them out.
package signals
