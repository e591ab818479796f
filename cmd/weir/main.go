package main

import (
	"os"
	"runtime/debug"

	"github.com/weirhq/weir/internal/cli"
)

// gcPercent lets the heap grow by half between collections instead of to its
// double. A landing holds tens of MiB whatever it lands, so that collecting more
// often costs no time that could be measured and saves a third of the memory.
// The environment's GOGC goes before.
const gcPercent = 50

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	os.Exit(cli.Main(os.Args[1:]))
}
