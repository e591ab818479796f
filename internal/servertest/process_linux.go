package servertest

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// detach keeps the terminal's Ctrl-C from the server and ends it with the test
// program, however that ends.
func detach(command *exec.Cmd) {
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	command.SysProcAttr.Setpgid = true
	command.SysProcAttr.Pdeathsig = syscall.SIGKILL
}

// unprivileged lets a command run as postgres or nobody when this process is
// root, and gives that user the directory.
func unprivileged(command *exec.Cmd, dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	var uid, gid int
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		if uid, err = strconv.Atoi(found.Uid); err != nil {
			return err
		}
		if gid, err = strconv.Atoi(found.Gid); err != nil {
			return err
		}
		break
	}
	if uid == 0 {
		return fmt.Errorf("run %s: this is root, and there is neither a user postgres nor nobody", command.Path)
	}
	command.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	return os.Chown(dir, uid, gid)
}
