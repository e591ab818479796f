package clari

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Client calls the API under one base URL with one key. It is safe for
// concurrent use and holds no state but connections.
type Client struct {
	base        *url.URL
	prefix      string // the base URL as text, without a trailing slash
	key         Key
	transport   http.RoundTripper
	userAgent   string
	postTimeout time.Duration
	idleTimeout time.Duration
}

type settings struct {
	transport   http.RoundTripper
	userAgent   string
	insecure    bool
	postTimeout time.Duration
	idleTimeout time.Duration
}

// Option changes a client under construction.
type Option func(*settings)

// WithTransport sends every request through transport; default [NewTransport].
// An [http.Transport] is split like the default one, see [SplitTransport]; any
// other RoundTripper is used as it is, so one that wraps should wrap
// [NewTransport]. A RoundTripper that refuses a request before sending it
// returns an error that wraps [ErrNotSent].
func WithTransport(transport http.RoundTripper) Option {
	return func(s *settings) { s.transport = transport }
}

// WithUserAgent sets the User-Agent header; default "weir".
func WithUserAgent(name string) Option {
	return func(s *settings) { s.userAgent = name }
}

// WithInsecureBaseURL allows a plain http base URL to any host. The key then
// travels in the clear.
func WithInsecureBaseURL() Option {
	return func(s *settings) { s.insecure = true }
}

// WithPostTimeout bounds a POST or PATCH; default 60 s. It counts from the call
// and, so that a transport may wait for its turn, anew from the moment a
// connection is asked for, until the answer has been read.
func WithPostTimeout(d time.Duration) Option {
	return func(s *settings) { s.postTimeout = d }
}

// WithIdleTimeout bounds how long a GET may go without a byte received; default
// 60 s. It counts from the moment a connection is asked for; the total is
// bounded by the caller's context alone. Time during which nobody reads a
// [Result] does not count.
func WithIdleTimeout(d time.Duration) Option {
	return func(s *settings) { s.idleTimeout = d }
}

// New makes a client. An empty baseURL means [DefaultBaseURL]; a trailing slash
// is tolerated. It reports all faults together: [ErrBaseURL], [ErrKey], and
// options out of range. It sends nothing.
func New(baseURL string, key Key, opts ...Option) (*Client, error) {
	s := settings{userAgent: "weir", postTimeout: time.Minute, idleTimeout: time.Minute}
	for _, opt := range opts {
		opt(&s)
	}
	base, err := parseBaseURL(baseURL, s.insecure)
	if err := errors.Join(err, checkKey(key), s.check()); err != nil {
		return nil, err
	}
	return &Client{
		base:        base,
		prefix:      base.String(),
		key:         key,
		transport:   s.roundTripper(),
		userAgent:   s.userAgent,
		postTimeout: s.postTimeout,
		idleTimeout: s.idleTimeout,
	}, nil
}

// BaseURL is where the client sends, without a trailing slash.
func (c *Client) BaseURL() string { return c.prefix }

// CloseIdleConnections closes connections that are kept for the next read, if
// the transport can.
func (c *Client) CloseIdleConnections() {
	if closer, ok := c.transport.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

func (s settings) check() error {
	var faults []error
	if hasControl(s.userAgent) {
		faults = append(faults, errors.New("set user agent: it holds control characters"))
	}
	if s.postTimeout <= 0 {
		faults = append(faults, fmt.Errorf("set post timeout: %v is not positive", s.postTimeout))
	}
	if s.idleTimeout <= 0 {
		faults = append(faults, fmt.Errorf("set idle timeout: %v is not positive", s.idleTimeout))
	}
	return errors.Join(faults...)
}

func (s settings) roundTripper() http.RoundTripper {
	switch transport := s.transport.(type) {
	case nil:
		return NewTransport()
	case *http.Transport:
		return SplitTransport(transport)
	}
	return s.transport
}

func checkKey(key Key) error {
	if key.IsZero() {
		return fmt.Errorf("use API key: it was never set: %w", ErrKey)
	}
	return nil
}

// address joins the base URL, a path whose ids are already escaped, and a query.
func (c *Client) address(path string, query url.Values) string {
	var b strings.Builder
	b.WriteString(c.prefix)
	b.WriteString(path)
	if len(query) > 0 {
		b.WriteString("?" + query.Encode())
	}
	return b.String()
}
