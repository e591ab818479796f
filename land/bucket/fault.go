package bucket

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"
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

// Hint says what the operator should do, if that is known.
func (f *Fault) Hint() string {
	var s3 minio.ErrorResponse
	var azure *azureAnswer
	var google *googleAnswer
	status, code := 0, ""
	switch {
	case errors.As(f.Err, &s3):
		status, code = s3.StatusCode, s3.Code
	case errors.As(f.Err, &azure):
		status, code = azure.status, azure.code
	case errors.As(f.Err, &google):
		status = google.status
	case errors.Is(f.Err, errNoCredentials), errors.Is(f.Err, errNoGoogleLogin):
		return "give credentials as docs/destinations.md says"
	case isUnreachable(f.Err):
		return "see that the store runs and can be reached from here"
	}
	switch {
	case code == minio.NoSuchBucket || code == "ContainerNotFound":
		return "make the bucket, or name another one"
	case status == http.StatusUnauthorized || status == http.StatusForbidden || code == "InvalidAccessKeyId":
		return "check the credentials and what they may do there: get, put, list and delete objects"
	}
	return ""
}

func isUnreachable(err error) bool {
	var dial *net.OpError
	var name *net.DNSError
	return errors.As(err, &dial) || errors.As(err, &name)
}

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
