package ledger

import (
	"errors"
	"fmt"
)

// ErrPlace marks a location on which no SQLite file is safe: a symbolic link,
// which gives one database two names and two locks, or a network file system,
// whose locks do not hold.
var ErrPlace = errors.New("not a safe place for a ledger")

// ErrBusy marks a write that another process kept waiting for longer than
// [Options.BusyTimeout]. Nothing was written; trying again may help.
var ErrBusy = errors.New("another process is writing the ledger")

// OpenError is why a ledger cannot be opened. Err wraps a sentinel of this
// package where one fits.
type OpenError struct {
	Location string // as given; never one with a password
	Err      error
	Hint     string // what to do about it, may be empty
}

// Error is "open ledger LOCATION: cause".
func (e *OpenError) Error() string { return fmt.Sprintf("open ledger %s: %v", e.Location, e.Err) }

// Unwrap returns the cause.
func (e *OpenError) Unwrap() error { return e.Err }

func openError(location string, err error) error {
	return &OpenError{Location: location, Err: err, Hint: hintFor(err)}
}

func hintFor(err error) string {
	var placed *placeError
	switch {
	case errors.As(err, &placed):
		return placed.hint
	case errors.Is(err, ErrPassword):
		return "leave the password out of the URL and set PGPASSWORD, or use a password file (PGPASSFILE)"
	case errors.Is(err, ErrNotALedger):
		return "name another file with --state, or move this one away; weir never overwrites it"
	case errors.Is(err, ErrNewerSchema):
		return "run the weir that wrote it, or a newer one"
	case errors.Is(err, ErrUnwritable):
		return "check free space, the owner and the permissions of the file and its directory"
	}
	return ""
}

// placeError is an unsafe place with the reason and the way out.
type placeError struct{ reason, hint string }

func (e *placeError) Error() string { return e.reason + ": " + ErrPlace.Error() }
func (e *placeError) Unwrap() error { return ErrPlace }
