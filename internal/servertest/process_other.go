//go:build !linux

package servertest

import "os/exec"

func detach(*exec.Cmd) {}

// unprivileged trusts that tests do not run as root here.
func unprivileged(*exec.Cmd, string) error { return nil }
