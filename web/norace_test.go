//go:build !race

package web

// The load that the pages are held to, and how many times as slow as the machine
// that the bounds are for another one may be: what grows with the load is found
// all the same, and the benchmarks measure it.
const (
	loadRunning  = 500
	loadFinished = 100_000
	slower       = 4
)
