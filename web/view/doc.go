// Package view says what a page or an answer of the API shows, and nothing of how
// it looks. It is pure: rows of the ledger, a plan and an instant go in, plain
// values come out, the same for the same.
//
// The values are the bodies of the JSON API too, so what a page shows a program
// can read. Instants are RFC 3339 in UTC and left out where there is none; a
// number that nobody knows is -1; spans of time are seconds.
package view
