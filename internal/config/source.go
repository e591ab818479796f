package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Source says where a secret comes from; exactly one field is set. It never
// holds the secret itself.
type Source struct {
	Env  string
	File string
	// Command is a program and its arguments; no shell reads it.
	Command []string
}

const (
	// sourceTime bounds the reading of a secret, sourceBytes its size.
	sourceTime  = 10 * time.Second
	sourceBytes = 64 << 10
)

// ErrSource marks a source that gave no secret.
var ErrSource = errors.New("no secret came")

// SourceError says which source gave no secret and what to do. It wraps
// [ErrSource] and the cause, and never shows what the source wrote.
type SourceError struct {
	Source Source
	Hint   string
	Cause  error
}

func (e *SourceError) Error() string {
	return fmt.Sprintf("read secret from %s: %v", e.Source, e.Cause)
}

// Unwrap gives the sentinel and the cause.
func (e *SourceError) Unwrap() []error { return []error{ErrSource, e.Cause} }

// IsZero reports whether no source is named.
func (s Source) IsZero() bool { return s.Env == "" && s.File == "" && len(s.Command) == 0 }

// String names the source. Of a command it shows the program alone: arguments
// are nobody's business.
func (s Source) String() string {
	switch {
	case s.Env != "":
		return "variable " + s.Env
	case s.File != "":
		return "file " + s.File
	case len(s.Command) > 0:
		return "command " + s.Command[0]
	}
	return "nowhere"
}

// GoString is String, for %#v.
func (s Source) GoString() string { return s.String() }

// Read fetches the secret anew, without one trailing line break. It takes at
// most 10 s and 64 KiB; errors are [*SourceError]. What a command writes to
// standard error is dropped, and its standard input is empty.
func (s Source) Read(ctx context.Context, getenv func(string) string) (string, error) {
	return s.readWithin(ctx, getenv, sourceTime)
}

func (s Source) readWithin(ctx context.Context, getenv func(string) string, limit time.Duration) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errSlow)
	defer cancel()
	text, err := s.fetch(ctx, getenv)
	text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	switch {
	case err != nil:
	case len(text) > sourceBytes:
		err = errTooLarge
	case text == "":
		err = errEmpty
	default:
		return text, nil
	}
	return "", &SourceError{Source: s, Hint: s.hint(), Cause: err}
}

var (
	errEmpty    = errors.New("it is empty")
	errTooLarge = errors.New("it is larger than 64 KiB")
	errUnset    = errors.New("it is not set")
	errSlow     = fmt.Errorf("it took longer than %s: %w", sourceTime, context.DeadlineExceeded)
)

func (s Source) fetch(ctx context.Context, getenv func(string) string) (string, error) {
	switch {
	case s.Env != "":
		if text := getenv(s.Env); text != "" {
			return text, nil
		}
		return "", errUnset
	case s.File != "":
		return readFile(ctx, s.File)
	case len(s.Command) > 0:
		return runCommand(ctx, s.Command)
	}
	return "", errors.New("none is named")
}

func (s Source) hint() string {
	switch {
	case s.Env != "":
		return "set the variable in the environment of this process"
	case s.File != "":
		return "check the path, and that this user may read it"
	}
	return "run the command by hand: it must write the secret to standard output within 10 s and end with status 0"
}

// readFile gives up with the context even where the path is a pipe that nobody
// writes to: the reading goroutine is then left behind until somebody does.
func readFile(ctx context.Context, path string) (string, error) {
	type answer struct {
		text []byte
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		text, err := readBounded(path)
		done <- answer{text, err}
	}()
	select {
	case a := <-done:
		return string(a.text), a.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// readBounded reads just enough to know that a file is too large: a secret, a
// line break of two bytes, and one byte more.
func readBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, sourceBytes+3))
}

func runCommand(ctx context.Context, argv []string) (string, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.WaitDelay = time.Second // a child that keeps the pipe open does not keep us
	var out boundedBuffer
	cmd.Stdout = &out
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return "", context.Cause(ctx)
	case out.over:
		return "", errTooLarge
	}
	return out.held.String(), err
}

// boundedBuffer refuses what is too large to be a secret, which ends the
// command that writes it.
//
// The buffer is no embedded field: its ReadFrom would go round the bound.
type boundedBuffer struct {
	held bytes.Buffer
	over bool
}

func (b *boundedBuffer) Write(p []byte) (int, error) {
	if b.held.Len()+len(p) > sourceBytes+2 {
		b.over = true
		return 0, errTooLarge
	}
	return b.held.Write(p)
}
