//go:build race

package web

// slower is how much longer everything takes under the race detector, at most.
const slower = 20
