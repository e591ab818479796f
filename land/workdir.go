package land

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"
)

// workdir is a private directory of one run. A lock file beside it is held for
// as long as its process lives, so that a sweep removes what dead runs left and
// nothing else.
type workdir struct {
	path string
	lock *flock.Flock
}

const (
	workPrefix = "run-"
	lockSuffix = ".lock"
)

// newWorkdir makes a directory of mode 0700 below parent, which is made too.
func newWorkdir(parent string) (*workdir, error) {
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return nil, writeError("make directory", parent, err)
	}
	path := filepath.Join(parent, workPrefix+strings.ToLower(rand.Text()))
	lock, err := holdLock(path + lockSuffix)
	if err != nil {
		return nil, writeError("lock", path+lockSuffix, err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		return nil, errors.Join(writeError("make directory", path, err), dropLock(lock))
	}
	return &workdir{path: path, lock: lock}, nil
}

// holdLock takes a new lock file. A sweep may remove the file between its
// creation and the lock, hence the look afterwards.
func holdLock(path string) (*flock.Flock, error) {
	for range 10 {
		lock := flock.New(path, flock.SetPermissions(0o600))
		held, err := lock.TryLock()
		if err != nil {
			return nil, err
		}
		if held && stillNamed(lock) {
			return lock, nil
		}
		if err := lock.Close(); err != nil {
			return nil, err
		}
	}
	return nil, errors.New("lock file keeps disappearing")
}

// stillNamed reports whether the file that is locked is the one that has its
// name: another sweep may have removed it and a third made a new one.
func stillNamed(lock *flock.Flock) bool {
	named, err := os.Lstat(lock.Path())
	if err != nil {
		return false
	}
	locked, err := lock.Stat()
	return err == nil && os.SameFile(named, locked)
}

// dropLock removes the lock file while it is held, or after where open files
// cannot be removed. One that another sweep removed is gone as it should be.
func dropLock(lock *flock.Flock) error {
	removed := os.Remove(lock.Path())
	closed := lock.Close()
	if removed != nil {
		removed = os.Remove(lock.Path())
	}
	if errors.Is(removed, fs.ErrNotExist) {
		removed = nil
	}
	return errors.Join(removed, closed)
}

// create makes a file of mode 0600 in the directory.
func (w *workdir) create(name string) (*os.File, error) {
	path := filepath.Join(w.path, name)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	return file, writeError("create", path, err)
}

// close removes the directory and everything in it.
func (w *workdir) close() error {
	return errors.Join(os.RemoveAll(w.path), dropLock(w.lock))
}

// SweepSpool removes what dead runs left in a spool directory: half-received
// results of a process that was killed. It is called at start; runs that are
// alive, here or in another process of this machine, are left alone. A
// directory that does not exist needs no sweeping.
func SweepSpool(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return writeError("sweep", dir, err)
	}
	var failed []error
	for _, entry := range entries {
		run := strings.TrimSuffix(entry.Name(), lockSuffix)
		if strings.HasPrefix(run, workPrefix) {
			failed = append(failed, sweepRun(filepath.Join(dir, run)))
		}
	}
	return writeError("sweep", dir, errors.Join(failed...))
}

// sweepRun removes one run's directory if nobody holds its lock.
func sweepRun(path string) error {
	lock := flock.New(path+lockSuffix, flock.SetPermissions(0o600))
	held, err := lock.TryLock()
	if err != nil || !held {
		return errors.Join(err, lock.Close())
	}
	return errors.Join(os.RemoveAll(path), dropLock(lock))
}
