//go:build race

package web

// Under the race detector a load of 100,000 takes half a minute to make and its
// cost says nothing: the same is done with less, and `make test` measures the
// whole of it without.
const (
	loadRunning  = 50
	loadFinished = 2_000
	slower       = 20
)
