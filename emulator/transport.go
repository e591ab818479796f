package emulator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"syscall"
)

// RoundTripper calls the emulator without a network, so that a client can be
// tried in a testing/synctest bubble. Cuts become the errors that a socket
// would give; of the hooks of net/http/httptrace it calls GetConn and, unless
// the connection is refused, GotConn, WroteHeaders, WroteRequest and
// GotFirstResponseByte. It follows the request's context. Results flow through
// a pipe: their body must be read to the end or closed.
func (e *Emulator) RoundTripper() http.RoundTripper { return transport{e} }

type transport struct{ e *Emulator }

// RoundTrip implements [http.RoundTripper].
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	ctx := r.Context()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	trace := traceOf(ctx)
	trace.GetConn(r.URL.Host)
	inner, err := incoming(r)
	if err != nil {
		return nil, fmt.Errorf("read request body: %w", err)
	}
	v := t.e.arrive(inner)
	if v.refused() {
		v.leave(CutRefused)
		return nil, broken("dial", syscall.ECONNREFUSED)
	}
	trace.GotConn(httptrace.GotConnInfo{})
	trace.WroteHeaders()
	trace.WroteRequest(httptrace.WroteRequestInfo{})
	response, err := answerTo(v, r)
	if err == nil {
		trace.GotFirstResponseByte()
	}
	return response, err
}

// answerTo serves a visit: documents at once, results through a pipe.
func answerTo(v *visit, r *http.Request) (*http.Response, error) {
	if v.target.route == RouteResults || v.target.route == RouteForecast {
		return piped(v, r)
	}
	out := &outgoing{header: http.Header{}, opened: make(chan struct{})}
	var body bytes.Buffer
	out.body = &body
	cut := v.serve(out)
	v.leave(cut)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if cut != "" && cut != CutBody {
		return nil, broken("read", syscall.ECONNRESET)
	}
	var reader io.Reader = &body
	if cut == CutBody {
		reader = io.MultiReader(&body, failing{io.ErrUnexpectedEOF})
	}
	return out.response(r, io.NopCloser(out.declared(reader))), nil
}

// piped serves in a goroutine that ends when the body is closed, read to its
// end, or the context ends.
func piped(v *visit, r *http.Request) (*http.Response, error) {
	reader, writer := io.Pipe()
	out := &outgoing{header: http.Header{}, opened: make(chan struct{}), body: writer}
	ended := make(chan struct{})
	release := context.AfterFunc(r.Context(), func() { _ = writer.CloseWithError(r.Context().Err()) })
	go func() {
		cut := v.serve(out)
		v.leave(cut)
		var end error
		if cut != "" {
			end = io.ErrUnexpectedEOF
		}
		_ = writer.CloseWithError(end) // it always returns nil
		close(ended)
	}()
	select {
	case <-out.opened:
	case <-ended:
	}
	if out.isOpen() {
		return out.response(r, &pipedBody{Reader: out.declared(reader), pipe: reader, release: release}), nil
	}
	release()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return nil, broken("read", syscall.ECONNRESET)
}

// pipedBody is a body whose closing ends its writer.
type pipedBody struct {
	io.Reader
	pipe    *io.PipeReader
	release func() bool
}

// Close implements [io.Closer].
func (b *pipedBody) Close() error {
	b.release()
	return b.pipe.Close()
}

// incoming is the request as a server gets it.
func incoming(r *http.Request) (*http.Request, error) {
	inner := r.Clone(r.Context())
	body := []byte(nil)
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	inner.Body = io.NopCloser(bytes.NewReader(body))
	if inner.Host == "" {
		inner.Host = r.URL.Host
	}
	return inner, nil
}

// outgoing is the writer of one answer.
type outgoing struct {
	header http.Header
	status int
	opened chan struct{} // closed once the status is known
	body   io.Writer
}

// Header implements [http.ResponseWriter].
func (o *outgoing) Header() http.Header { return o.header }

// WriteHeader implements [http.ResponseWriter].
func (o *outgoing) WriteHeader(status int) {
	if o.status == 0 {
		o.status = status
		close(o.opened)
	}
}

// Write implements [http.ResponseWriter].
func (o *outgoing) Write(p []byte) (int, error) {
	o.WriteHeader(http.StatusOK)
	return o.body.Write(p)
}

// isOpen reports whether an answer has begun.
func (o *outgoing) isOpen() bool {
	select {
	case <-o.opened:
		return true
	default:
		return false
	}
}

func (o *outgoing) response(r *http.Request, body io.ReadCloser) *http.Response {
	length := int64(-1)
	if n, err := strconv.ParseInt(o.header.Get("Content-Length"), 10, 64); err == nil {
		length = n
	}
	return &http.Response{
		Status: strconv.Itoa(o.status) + " " + http.StatusText(o.status), StatusCode: o.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: o.header.Clone(), Body: body, ContentLength: length, Request: r,
	}
}

// declared holds a body to the length that the answer declared: more is not
// seen, less is an unexpected end.
func (o *outgoing) declared(body io.Reader) io.Reader {
	n, err := strconv.ParseInt(o.header.Get("Content-Length"), 10, 64)
	if err != nil {
		return body
	}
	return &exactly{body: body, left: n}
}

type exactly struct {
	body io.Reader
	left int64
}

// Read implements [io.Reader].
func (x *exactly) Read(p []byte) (int, error) {
	if x.left == 0 {
		return 0, io.EOF
	}
	n, err := x.body.Read(p[:min(int64(len(p)), x.left)])
	x.left -= int64(n)
	if errors.Is(err, io.EOF) && x.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

type failing struct{ err error }

// Read implements [io.Reader].
func (f failing) Read([]byte) (int, error) { return 0, f.err }

// broken is the error of a connection that broke.
func broken(op string, cause error) error {
	return &net.OpError{Op: op, Net: "tcp", Err: cause}
}

// traceOf is the request's trace with every hook that is used set.
func traceOf(ctx context.Context) httptrace.ClientTrace {
	trace := httptrace.ClientTrace{}
	if set := httptrace.ContextClientTrace(ctx); set != nil {
		trace = *set
	}
	if trace.GetConn == nil {
		trace.GetConn = func(string) {}
	}
	if trace.GotConn == nil {
		trace.GotConn = func(httptrace.GotConnInfo) {}
	}
	if trace.WroteHeaders == nil {
		trace.WroteHeaders = func() {}
	}
	if trace.WroteRequest == nil {
		trace.WroteRequest = func(httptrace.WroteRequestInfo) {}
	}
	if trace.GotFirstResponseByte == nil {
		trace.GotFirstResponseByte = func() {}
	}
	return trace
}
