package bucket

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// Fault is a request that an object store did not do.
type Fault struct {
	Op   string // "read", "write", "publish", ...
	Path string // relative to the place
	Err  error
}

// Error is one line. The URL of a request, which may be signed, is not in it.
func (f *Fault) Error() string {
	err := f.Err
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err
	}
	return fmt.Sprintf("%s %s: %s", f.Op, f.Path, printable(err.Error()))
}

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.Err }

func fault(op, path string, err error) error {
	if err == nil {
		return nil
	}
	return &Fault{Op: op, Path: path, Err: err}
}

// printable makes text that a server wrote safe to show: one line, at most 300
// bytes.
func printable(text string) string {
	const most = 300
	text = strings.Map(func(r rune) rune {
		if isControl(r) {
			return ' '
		}
		return r
	}, text)
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}
