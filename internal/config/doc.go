// Package config reads weir.yaml: accounts, what to export, when, to where, and
// what to tell whom.
//
// [Parse] is strict. A key that it does not know, a value of the wrong type or
// out of range, a name that nothing has, and a secret that stands in the file
// are faults, and [Faults] holds all of them at once, each with line, column,
// path and a hint. A text at fault gives no Config at all.
//
// # One description
//
// The format is described once, in describe.go, by shapes that know how a value
// is read, how it is written and what a JSON Schema says about it. [Parse],
// [Config.Text], [Schema] and the reference in docs/configuration.md all come
// from that description, so they cannot drift apart. What no schema can say,
// such as whether an account of that name exists, stands in check.go.
//
// The YAML library is used for its scanner and tree alone. Anchors, aliases,
// merges, tags and spellings of numbers on which YAML's versions differ are
// refused: a file means what it looks like.
//
// # Secrets
//
// A configuration holds no secret, only a [Source] that says where one comes
// from: a variable, a file, or a command. Neither faults nor errors repeat what
// was written where a secret, or a URL that may hold one, belongs.
//
// # Instants
//
// [Periods], [Days] and [NextRun] are pure functions of an instant: every
// process finds the same periods and the same runs.
package config
