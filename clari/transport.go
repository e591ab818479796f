package clari

import (
	"crypto/tls"
	"net"
	"net/http"
	"slices"
	"time"
)

// split sends writes and reads through different transports.
type split struct{ reads, writes *http.Transport }

// NewTransport is the default transport: HTTP/2 and kept connections for reads;
// for every POST and PATCH an HTTP/1.1 connection of its own. It obeys the
// proxy environment variables, dials within 15 s and asks for TLS 1.2 at least.
// Wrap it to pace requests.
func NewTransport() http.RoundTripper {
	dialer := &net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}
	return SplitTransport(&http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    15 * time.Second,
		ExpectContinueTimeout:  time.Second,
		ForceAttemptHTTP2:      true,
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
	})
}

// SplitTransport uses transport for reads, and for POST and PATCH a copy of it
// that never keeps or reuses a connection and speaks HTTP/1.1. net/http repeats
// a request by itself only on a reused connection, and a reset of an idle one
// cannot be told from a lost answer.
func SplitTransport(transport *http.Transport) http.RoundTripper {
	writes := transport.Clone()
	writes.DisableKeepAlives = true
	writes.ForceAttemptHTTP2 = false
	writes.Protocols = new(http.Protocols)
	writes.Protocols.SetHTTP1(true)
	// The original may have been set up for HTTP/2 already, and a copy inherits
	// what it offers in the handshake.
	if config := writes.TLSClientConfig; config != nil {
		config.NextProtos = slices.DeleteFunc(slices.Clone(config.NextProtos), func(name string) bool { return name == "h2" })
	}
	return &split{reads: transport, writes: writes}
}

// RoundTrip sends the request; safe for concurrent use.
func (s *split) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Method == http.MethodGet {
		return s.reads.RoundTrip(req)
	}
	return s.writes.RoundTrip(req)
}

// CloseIdleConnections closes connections kept for the next read.
func (s *split) CloseIdleConnections() {
	s.reads.CloseIdleConnections()
	s.writes.CloseIdleConnections()
}
