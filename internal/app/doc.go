// Package app ties the rooms together: it opens a state, an account, a gate, a
// client and a conductor as one [Session], and does what the commands ask for
// with it. It knows nothing of flags, terminals or exit codes beyond the
// [Fault] that says which code a problem deserves.
package app
