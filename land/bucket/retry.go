package bucket

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"
)

// tries is how often a request is made that met a passing failure; the waits
// between grow from 0.1 s to 1.6 s. The clients' own repetitions are switched
// off: they rewind a body that the transport of the request before, if that was
// answered early, may still be reading.
const tries = 6

// repeat makes a request until it succeeds, fails for good, or was made often
// enough. The context ends it with its cause.
func repeat(ctx context.Context, passing func(error) bool, request func() error) error {
	for try := 1; ; try++ {
		err := request()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case try == tries || !passing(err):
			return err
		}
		if err := pause(ctx, time.Duration(50<<try)*time.Millisecond); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// passingStatus says whether a server that answered so may do better in a moment.
func passingStatus(status int) bool {
	return status == http.StatusRequestTimeout || status == http.StatusTooManyRequests ||
		status >= 500 && status != http.StatusNotImplemented
}

// passingFault says whether a request that got no answer may do better.
func passingFault(err error) bool {
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	return !errors.As(err, &authority) && !errors.As(err, &host) && !errors.As(err, &invalid)
}

// outgoing is the body of one request over memory that is used again. Once it
// is closed nothing reads it any more.
type outgoing struct {
	mu     sync.Mutex
	bytes  *bytes.Reader
	closed bool
}

func newOutgoing(body []byte) *outgoing { return &outgoing{bytes: bytes.NewReader(body)} }

var errBodyClosed = errors.New("the request has ended")

// Read reads, unless the request has ended.
func (o *outgoing) Read(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return 0, errBodyClosed
	}
	return o.bytes.Read(p)
}

// Seek is for clients that measure or hash what they send.
func (o *outgoing) Seek(offset int64, whence int) (int64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.bytes.Seek(offset, whence)
}

// Close waits for the Read that is under way.
func (o *outgoing) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	return nil
}

var _ io.ReadSeekCloser = (*outgoing)(nil)
