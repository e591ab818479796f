// Package plan decides. It is pure: from exports, budget, history and an
// instant it says what to do next, why in words a person can read, and when to
// look again. Nothing in it blocks, reads a clock, or fails.
package plan
