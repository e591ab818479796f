//go:build unix

package cli

import (
	"os/signal"
	"syscall"
)

// surviveFileLimits makes a write beyond the limit on file sizes (ulimit -f) an
// error like a full disk, where the signal would end the process in a crash.
func surviveFileLimits() { signal.Ignore(syscall.SIGXFSZ) }
