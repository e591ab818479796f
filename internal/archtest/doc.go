// Package archtest executes the architecture of weir: which package may import
// which, where third parties are let in, which packages must stay pure, and
// what no package may contain. [Standing] is the table, [Check] the checker;
// the test of this package applies the one to the other.
//
// The checker is a pure function from syntax trees and a table to findings, so
// its own tests break every rule on synthetic trees (testdata) and see it fail.
//
// # The rules
//
//   - order: a package imports only its own room and rooms above it in the
//     table. Every package belongs to the room with the longest matching path;
//     a package without a room is a finding. Tests may also import what the
//     row of their room names.
//   - test-only: a package whose name ends in "test" is named in the row of its
//     room and imported by tests and other such packages alone.
//   - apart: two rooms that must not know each other, tests included.
//   - third-party: a module outside the standard library is imported only where
//     its row says. cgo is let in nowhere: the program is one static binary.
//   - pure: rooms that decide import nothing that does I/O and read no clock.
//   - state: no init functions, and no package-level variable that could
//     change. Sentinel errors, compiled expressions, embedded files and
//     unexported tables that nothing in the package writes to are constants
//     in all but name.
//   - doc: every package has a doc.go whose package comment says what it is.
//   - drawer: no folder, package or file is named for having no subject.
//   - stale: a row that names a room, package or module that is not there (or
//     no longer needed) is a finding, and so is a room marked as not built that
//     exists. A rule cannot die unseen.
package archtest
