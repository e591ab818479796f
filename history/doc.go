// Package history compares the snapshots of a forecast, and says which of them
// may go.
//
// # What changed
//
// [Compare] reads two snapshots in any order and gives every row that differs:
// by person, field, time frame and period, from, to and by how much, in order.
// [Summary] is what it comes to: rows that changed, appeared and vanished, exact
// totals of each field, and people. Who vanished has no row any more and left the
// forecast; who went to zero still has rows and no number other than zero in
// them. [NewWriter] writes it as CSV, JSON or Parquet.
//
// # Which numbers are compared
//
// Decimals, never doubles: 1.50 equals 1.5, and 0.3 less 0.1 is 0.2. A CSV and a
// JSONL hold each literal as it came; in Parquet and in a database the literal is
// the shortest decimal that names the double, or stands in _extra where no double
// names it ([Of]). So every format that a snapshot landed in shows the same
// changes. A missing id and an empty one are the same, because a CSV cannot tell
// them apart.
//
// # Memory
//
// Both snapshots are dealt out to parts by a hash of the user, in files that are
// gone when their process is; each part is compared in memory, and the changes of
// all parts are merged. Memory does not grow with the snapshots.
//
// # Which snapshots
//
// [When] reads what a person means by "since yesterday", [Since] and [Named] find
// the snapshots, and [Alike] refuses what cannot be compared: snapshots of another
// forecast, period or kind of request. [Retention.Doomed] says which may be
// pruned; the latest of each question never may.
//
// All of that is pure. What touches disk is in spool.go; places are behind
// [land.Archive].
package history
