// Package metrics tells Prometheus how the accounts stand. It is a
// [signals.Watcher] and a collector.
//
// # Two sources
//
// Gauges of what the ledger knows (slots, quota, exports by state, snapshot age)
// are read from it when somebody scrapes, at most once in a few seconds, and are
// the same whichever of several servers is asked: take max, not sum. Counters
// and histograms are of this process: take sum. Gauges of a plan (what waits and
// why, the projected finish) are there only where the account is conducted,
// which is one process at a time.
//
// # What it costs
//
// A scrape reads a row for each account, an index entry for each open export,
// and once a minute one for each ended export. No label names a job, an export,
// a person or a value. Tabs and periods are labels of the newest snapshot alone,
// at most [MaxSnapshots] for each account and MaxSeries in all.
//
// # Names
//
// All are in [Reference], from which the documentation is written.
package metrics
