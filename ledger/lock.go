package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/gofrs/flock"
)

// Lock is a mutual exclusion that ends with its holder's process, however that
// process ends.
type Lock interface {
	// TryLock takes the lock without waiting and reports whether it did. Whoever
	// gets it has proved any earlier holder dead.
	TryLock() (bool, error)
	// Unlock gives it back; giving back one that is not held is no error.
	Unlock() error
}

// Locker is implemented by ledgers whose owners can be proved dead: those that
// all live on one machine. A ledger that is none has only its leases.
type Locker interface {
	// ConductorLock returns the lock of the account's conductor, not yet taken.
	ConductorLock(account string) (Lock, error)
}

// FileLock is an operating-system lock on a file beside the database. The
// file stays when the lock is given back: removing it could let two in.
type FileLock struct{ file *flock.Flock }

// ConductorLock returns the lock of the account's conductor: the file
// <database>.<account>.lock, mode 0600.
func (s *Store) ConductorLock(account string) (Lock, error) {
	if s.path == "" {
		return nil, nil // a server's clock judges, and nothing proves an owner dead
	}
	return newFileLock(s.path + "." + escape(account) + ".lock"), nil
}

func newFileLock(path string) *FileLock {
	return &FileLock{flock.New(path, flock.SetPermissions(fileMode))}
}

// TryLock takes the lock without waiting and reports whether it did.
func (l *FileLock) TryLock() (bool, error) {
	got, err := l.file.TryLock()
	if err != nil {
		return false, fmt.Errorf("lock %s: %w", l.file.Path(), unwritable(err))
	}
	return got, nil
}

// Unlock gives the lock back.
func (l *FileLock) Unlock() error {
	if err := l.file.Unlock(); err != nil {
		return fmt.Errorf("unlock %s: %w", l.file.Path(), err)
	}
	return nil
}

// unwritable names what the file system will not let us write; nil stays nil.
func unwritable(err error) error {
	if errors.Is(err, fs.ErrPermission) || isFull(err) {
		return fmt.Errorf("%w: %w", ErrUnwritable, err)
	}
	return err
}

// maxEscaped leaves room, in a file name of 255 bytes, for the database's name.
const maxEscaped = 120

// escape makes one file name of any account name: bytes outside [a-z0-9_-]
// become %XX, and a long one ends in a hash. Capitals are escaped too: where
// file names do not tell case apart, two accounts must not share a lock.
func escape(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		if plain(c) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if b.Len() <= maxEscaped {
		return b.String()
	}
	sum := sha256.Sum256([]byte(name))
	return b.String()[:maxEscaped-17] + "-" + hex.EncodeToString(sum[:8])
}

func plain(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}
