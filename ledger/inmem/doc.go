// Package inmem is a ledger in memory: the twin of the durable one, for tests
// and simulations of everything above it. It passes the same suite.
//
// # Crashes
//
// [New] makes the store; [Ledger.Attach] gives each simulated process a handle
// of its own, and [Ledger.Kill] ends one: its locks fall free, as the operating
// system would free them, every later call through its handles is [ErrKilled],
// and what it had committed stays. Its leases stay too, until they expire or
// somebody proves it dead.
//
// # Time
//
// The store's clock is time.Now, which testing/synctest fakes; [Options] replace
// or shift it.
package inmem
