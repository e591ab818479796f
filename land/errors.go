package land

import (
	"errors"
	"fmt"
)

// What can end a landing. Every error of this package that is not a
// cancellation or a programming mistake is one of the three.
var (
	// ErrTransfer marks a download that was cut or came short. Asking for the
	// same result again may help; nothing is known against the result itself.
	ErrTransfer = errors.New("download incomplete")
	// ErrRefused marks a result that arrived whole and is not what was asked.
	// Asking again gives the same bytes: a person has to look.
	ErrRefused = errors.New("verification refused the result")
	// ErrDestination marks a spool or a destination that could not be written.
	ErrDestination = errors.New("could not be written")
)

// Refusal is a result that verification refused. It Is [ErrRefused].
type Refusal struct {
	// Check names the check that refused, one of the names in [Manifest.Checks].
	Check string
	// Detail says what was seen, in one line without control characters.
	Detail string
	// Kept is where the bytes stand as they came, zstd-compressed; empty when
	// they could not be kept (KeepErr says why).
	Kept    string
	KeepErr error
}

func (r *Refusal) Error() string {
	text := fmt.Sprintf("verify result: %s: %s", r.Check, r.Detail)
	if r.Kept != "" {
		return text + " (kept as " + r.Kept + ")"
	}
	if r.KeepErr != nil {
		return fmt.Sprintf("%s (not kept: %v)", text, r.KeepErr)
	}
	return text
}

// Is makes every refusal an [ErrRefused].
func (r *Refusal) Is(target error) bool { return target == ErrRefused }

// WriteError is a write that failed, in the spool or at the destination. It Is
// [ErrDestination].
type WriteError struct {
	Op   string // "stage", "publish", "spool", ...
	Path string
	Err  error
}

func (e *WriteError) Error() string { return fmt.Sprintf("%s %s: %v", e.Op, e.Path, e.Err) }

// Unwrap gives the cause.
func (e *WriteError) Unwrap() error { return e.Err }

// Is makes every write error an [ErrDestination].
func (e *WriteError) Is(target error) bool { return target == ErrDestination }

func writeError(op, path string, err error) error {
	var known *WriteError
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &WriteError{Op: op, Path: path, Err: err}
}

func transferError(detail string, cause error) error {
	if cause == nil {
		return fmt.Errorf("receive result: %s: %w", detail, ErrTransfer)
	}
	return fmt.Errorf("receive result: %s: %w: %w", detail, ErrTransfer, cause)
}

func refuse(check, format string, args ...any) *Refusal {
	return &Refusal{Check: check, Detail: fmt.Sprintf(format, args...)}
}

// shown quotes text from outside for a message: no control characters, and
// no more of it than a line can hold.
func shown[T ~string | ~[]byte](text T) string {
	const most = 80
	if len(text) > most {
		return fmt.Sprintf("%q...", string(text[:most]))
	}
	return fmt.Sprintf("%q", string(text))
}

// named is how a message calls a row by its id. Of people the id is not told: it
// may be an e-mail address.
func (t Table) named(id string) string {
	if t.column("email") >= 0 {
		return "the id of one person"
	}
	return "the id " + shown(id)
}
