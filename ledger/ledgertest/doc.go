// Package ledgertest is the contract of a ledger as a test suite: [Run] puts an
// implementation through every promise that the interfaces of package ledger
// make. The SQLite and the in-memory ledger pass the same suite, so that what
// is proved against the one holds on the other.
//
// Nothing in it waits: what needs time asks the [Harness] to pass it.
package ledgertest
