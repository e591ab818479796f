package clari

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// maxRedirects bounds how many redirects a GET follows.
const maxRedirects = 5

// call is one request to make.
type call struct {
	op     string // verb and object, fit for a terminal
	method string
	route  string // the path with its ids left open
	url    string
	body   []byte
	// plain asks for an answer without compression, so that its length can be
	// checked against Content-Length.
	plain bool
}

// exchange is one call under way: the request, its answer, and the body until
// it is closed.
type exchange struct {
	client *Client
	call   call
	parent context.Context // the caller's
	ctx    context.Context // the parent, ended by the watch as well
	cancel context.CancelCauseFunc
	watch  *watch
	trace  sendTrace

	resp    *http.Response
	body    io.Reader // decoded; reading it is watched
	read    int64     // bytes of the body as they came
	foreign bool      // a redirect led to another origin
	broken  error     // why the body ended early
}

// open sends the call and returns once an answer with a status below 300 is
// there; anything else is an *Error and leaves nothing open.
func (c *Client) open(ctx context.Context, what call) (*exchange, error) {
	x := &exchange{client: c, call: what, parent: ctx}
	x.ctx, x.cancel = context.WithCancelCause(ctx)
	if what.method == http.MethodGet {
		x.watch = watchIdle(c.idleTimeout, x.cancel)
	} else {
		x.watch = watchTotal(c.postTimeout, x.cancel)
	}
	x.trace.asked = x.watch.restart
	if err := x.send(); err != nil {
		x.close()
		return nil, err
	}
	return x, nil
}

func (x *exchange) send() error {
	if err := x.parent.Err(); err != nil {
		x.trace.refused.Store(true)
		return x.fail(outcome{err: err})
	}
	target, err := url.Parse(x.call.url)
	if err != nil {
		x.trace.refused.Store(true)
		return x.fail(outcome{err: errors.New("unreadable address")})
	}
	for hop := 0; ; hop++ {
		if err := x.roundTrip(target); err != nil {
			return x.fail(outcome{err: err})
		}
		if !x.redirected() {
			return x.accept()
		}
		if target, err = x.follow(target, hop); err != nil {
			return x.fail(outcome{status: x.resp.StatusCode, flaw: unreadable, err: err})
		}
	}
}

// roundTrip sends the request once and keeps the answer.
func (x *exchange) roundTrip(target *url.URL) error {
	req, err := x.request(target)
	if err != nil {
		x.trace.refused.Store(true)
		return err
	}
	resp, err := x.client.transport.RoundTrip(req)
	x.watch.pause()
	if err != nil {
		return err
	}
	if resp == nil || resp.Body == nil {
		return errors.New("the transport returned no answer")
	}
	x.resp, x.body, x.read = resp, x.reader(resp), 0
	return nil
}

func (x *exchange) request(target *url.URL) (*http.Request, error) {
	var body io.Reader
	if x.call.body != nil {
		body = bytes.NewReader(x.call.body)
	}
	req, err := http.NewRequestWithContext(x.trace.attach(x.ctx), x.call.method, target.String(), body)
	if err != nil {
		return nil, errors.New("unreadable address")
	}
	x.foreign = x.foreign || origin(target) != origin(x.client.base)
	if !x.foreign {
		req.Header.Set("apikey", x.client.key.reveal())
	}
	req.Header.Set("User-Agent", x.client.userAgent)
	req.Header.Set("Accept", "application/json, */*;q=0.5")
	if x.call.plain {
		req.Header.Set("Accept-Encoding", "identity")
	}
	if x.call.method != http.MethodGet {
		req.Header.Set("Content-Type", "application/json")
		req.GetBody = nil // without it net/http cannot send the body twice
		req.Close = true
	}
	return req, nil
}

// redirected reports whether the answer is a redirect that a GET may follow.
func (x *exchange) redirected() bool {
	if x.call.method != http.MethodGet {
		return false
	}
	switch x.resp.StatusCode {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

func (x *exchange) follow(from *url.URL, hop int) (*url.URL, error) {
	if hop >= maxRedirects {
		return nil, fmt.Errorf("more than %d redirects: %w", maxRedirects, ErrOrigin)
	}
	target, err := redirectTarget(from, x.resp.Header.Get("Location"))
	if err != nil {
		return nil, err
	}
	return target, x.resp.Body.Close()
}

// accept passes an answer with a status of 200 to 299 and turns any other into
// an *Error.
func (x *exchange) accept() error {
	status := x.resp.StatusCode
	switch {
	case status >= 200 && status < 300:
		return nil
	case status < 400:
		return x.fail(outcome{status: status, flaw: unreadable, err: fmt.Errorf("unexpected redirect: %w", ErrOrigin)})
	}
	body, _ := io.ReadAll(io.LimitReader(x.body, maxErrorBody))
	o := outcome{status: status, err: x.broken}
	if x.broken != nil {
		o.flaw = cut
	}
	return x.refuse(o, parseErrorBody(body))
}

// load reads the whole body, at most maxAnswer bytes.
func (x *exchange) load() ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(x.body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, x.misread(err)
	case len(body) > maxAnswer:
		return nil, x.misread(fmt.Errorf("more than %d bytes: %w", maxAnswer, ErrTooLarge))
	}
	return body, nil
}

// misread is the error for a body that could not be read or decoded.
func (x *exchange) misread(err error) error {
	o := outcome{status: x.resp.StatusCode, flaw: unreadable, err: err}
	switch {
	case x.broken != nil:
		o.flaw, o.err = cut, x.broken
	case errors.Is(err, ErrTooLarge):
		o.flaw = oversized
	}
	return x.fail(o)
}

func (x *exchange) fail(o outcome) *Error { return x.refuse(o, refusal{}) }

// refuse builds the error of this call; the classifier decides what it was.
func (x *exchange) refuse(o outcome, said refusal) *Error {
	o.method, o.code, o.foreign = x.call.method, said.code, x.foreign
	o.sent = o.status != 0 || x.trace.maybeSent(o.err)
	o.err = x.ended(o.err)
	kind := classify(o)
	e := &Error{
		Kind: kind, Op: x.client.key.blank(x.call.op), Method: x.call.method, Route: x.call.route,
		Status: o.status, Sent: o.sent, Hint: hint(kind),
		Code:    x.word(said.code),
		Message: x.shown(said.message, maxMessageBytes),
		ErrorID: x.word(said.errorID), RequestID: x.word(said.requestID), OrgID: x.word(said.orgID),
		Err: x.client.cause(kind, o.err),
	}
	if x.resp != nil && o.status != 0 {
		e.Date = serverDate(x.resp.Header)
		e.RetryAfter = x.word(x.resp.Header.Get("Retry-After"))
		if e.RequestID == "" {
			e.RequestID = x.requestID()
		}
	}
	return e
}

// ended says why a call ended, where its context did: the caller's own reason,
// or the watch's.
func (x *exchange) ended(err error) error {
	if err == nil || x.ctx.Err() == nil {
		return err
	}
	if why := x.parent.Err(); why != nil {
		if errors.Is(err, why) {
			return err
		}
		return fmt.Errorf("%w: %w", why, err)
	}
	if why := context.Cause(x.ctx); errors.Is(why, ErrTimeout) {
		return why
	}
	return err
}

// cause is what an error may unwrap to. A text that holds the key is replaced;
// and an error of unknown fate must not be found as one that was not sent.
func (c *Client) cause(kind Kind, err error) error {
	switch {
	case err == nil:
		return nil
	case c.key.in(err.Error()):
		return newOpaque(c.key.blank(err.Error()), err)
	case kind != KindNotSent && errors.Is(err, ErrNotSent):
		return newOpaque(err.Error(), err)
	}
	return err
}

func (x *exchange) shown(text string, limit int) string {
	return show(x.client.key.blank(text), limit)
}

func (x *exchange) word(text string) string { return x.shown(text, maxWordBytes) }

// requestID is the gateway's or a proxy's name for the request.
func (x *exchange) requestID() string {
	for _, name := range []string{"X-Kong-Request-Id", "X-Request-Id"} {
		if id := x.resp.Header.Get(name); id != "" {
			return x.word(id)
		}
	}
	return ""
}

func (x *exchange) date() time.Time { return serverDate(x.resp.Header) }

// close ends the exchange; what was not read is thrown away.
func (x *exchange) close() {
	if x.resp != nil {
		_ = x.resp.Body.Close() // whatever it says, the connection is gone
	}
	x.watch.stop()
	x.cancel(context.Canceled)
}

func serverDate(header http.Header) time.Time {
	at, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}
