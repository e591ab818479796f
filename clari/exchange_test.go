package clari

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/weirhq/weir"
)

var anExport = weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: "2026_Q1"}

// roundTrip is a transport made of a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// listen serves each connection on loopback with a function; it gives the base
// URL and counts connections.
func listen(t testing.TB, each func(n int64, conn net.Conn, r *bufio.Reader)) (string, *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	var conns atomic.Int64
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			n := conns.Add(1)
			go func() {
				defer func() { _ = conn.Close() }()
				each(n, conn, bufio.NewReader(conn))
			}()
		}
	}()
	return "http://" + l.Addr().String(), &conns
}

// readRequest reads one request whole.
func readRequest(r *bufio.Reader) (*http.Request, error) {
	req, err := http.ReadRequest(r)
	if err == nil {
		_, err = io.Copy(io.Discard, req.Body)
	}
	return req, err
}

func assertKind(t *testing.T, what string, err error, want Kind, sent bool) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%s: got %v", what, err)
	}
	if e.Kind != want || e.Sent != sent {
		t.Errorf("%s: %v: kind %s, sent %v; want %s, %v", what, err, e.Kind, e.Sent, want, sent)
	}
	return e
}

// A write whose answer is lost is sent once, over a connection of its own, and
// its fate is unknown. Kept connections serve reads only.
func TestWritesAreNeverRepeated(t *testing.T) {
	var posts atomic.Int64
	base, conns := listen(t, func(_ int64, conn net.Conn, r *bufio.Reader) {
		for {
			req, err := readRequest(r)
			if err != nil {
				return
			}
			if req.Method != http.MethodGet {
				posts.Add(1)
				return // closes without an answer
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
		}
	})
	c := clientFor(t, base)
	for range 3 {
		if _, err := c.Jobs(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("three reads took %d connections", n)
	}
	_, err := c.Start(t.Context(), anExport)
	assertKind(t, "start", err, KindAmbiguous, true)
	_, err = c.Cancel(t.Context(), "a")
	assertKind(t, "cancel", err, KindAmbiguous, true)
	if posts.Load() != 2 || conns.Load() != 3 {
		t.Errorf("two writes were sent %d times over %d connections", posts.Load(), conns.Load()-1)
	}
}

// Writes that succeed do not share a connection either, nor does what a wrapper
// of another kind receives allow it.
func TestWritesShareNoConnection(t *testing.T) {
	base, conns := listen(t, func(_ int64, conn net.Conn, r *bufio.Reader) {
		for {
			if _, err := readRequest(r); err != nil {
				return
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n"+`{"jobId":"a"}`)
		}
	})
	plain := &http.Client{Transport: NewTransport()}
	for range 2 {
		resp, err := plain.Post(base, "application/json", strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	if n := conns.Load(); n != 2 {
		t.Errorf("two writes took %d connections", n)
	}
	c := clientFor(t, base, WithTransport(roundTrip(func(r *http.Request) (*http.Response, error) {
		if !r.Close || r.GetBody != nil {
			t.Errorf("close %v, body to be had again %v", r.Close, r.GetBody != nil)
		}
		return plain.Transport.RoundTrip(r)
	})))
	if _, err := c.Start(t.Context(), anExport); err != nil {
		t.Error(err)
	}
}

// Writes speak HTTP/1.1, also over a transport of the caller's that has spoken
// HTTP/2 before.
func TestWritesOverHTTP1(t *testing.T) {
	var protocols []string
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protocols = append(protocols, fmt.Sprint(r.Method, " ", r.Proto, " ", r.Close))
		_, _ = io.WriteString(w, `{"jobId":"a","jobs":[]}`)
	}))
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	transport := server.Client().Transport.(*http.Transport)
	if _, err := (&http.Client{Transport: transport}).Get(server.URL); err != nil {
		t.Fatal(err)
	}
	c := clientFor(t, server.URL, WithTransport(transport))
	if _, err := c.Jobs(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Start(t.Context(), anExport); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(protocols[1:], ", "); got != "GET HTTP/2.0 false, POST HTTP/1.1 true" {
		t.Error(got)
	}
}

// Where no byte can have been written, a write was not sent.
func TestNotSent(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	strange := httptest.NewUnstartedServer(http.NotFoundHandler())
	strange.Config.ErrorLog = log.New(io.Discard, "", 0)
	strange.StartTLS()
	defer strange.Close()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	lookup := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "api.clari.example", IsNotFound: true}
	}}
	closedGate := roundTrip(func(*http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("wait for a turn: %w: %w", context.DeadlineExceeded, ErrNotSent)
	})
	for _, tt := range []struct {
		name  string
		ctx   context.Context
		c     *Client
		cause error
	}{
		{"connection refused", t.Context(), clientFor(t, "http://"+closed.Addr().String()), syscall.ECONNREFUSED},
		{"certificate not trusted", t.Context(), clientFor(t, strange.URL), nil},
		{"no such host", t.Context(), clientFor(t, "", WithTransport(lookup)), nil},
		{"context over", ended, clientFor(t, ""), context.Canceled},
		{"refused by a wrapper", t.Context(), clientFor(t, "", WithTransport(closedGate)), context.DeadlineExceeded},
	} {
		_, err := tt.c.Start(tt.ctx, anExport)
		assertKind(t, tt.name, err, KindNotSent, false)
		if tt.cause != nil && !errors.Is(err, tt.cause) {
			t.Errorf("%s: %v lost its cause", tt.name, err)
		}
	}
	c := clientFor(t, "http://"+closed.Addr().String())
	_, err = c.Jobs(t.Context())
	assertKind(t, "list over a refused connection", err, KindTransient, false)
	_, err = clientFor(t, "", WithTransport(closedGate)).Jobs(t.Context())
	assertKind(t, "list refused by a wrapper", err, KindNotSent, false)
	_, err = clientFor(t, "").Jobs(ended)
	assertKind(t, "list after the end", err, KindInterrupted, false)
}

// A transport that tells nothing of connections may have sent; and what has
// been handed a connection may have, whatever the transport says.
func TestDoubtIsAmbiguous(t *testing.T) {
	silent := roundTrip(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })
	_, err := clientFor(t, "", WithTransport(silent)).Start(t.Context(), anExport)
	assertKind(t, "silent transport", err, KindAmbiguous, true)

	nothing := roundTrip(func(*http.Request) (*http.Response, error) { return nil, nil })
	_, err = clientFor(t, "", WithTransport(nothing)).Start(t.Context(), anExport)
	assertKind(t, "transport without an answer", err, KindAmbiguous, true)

	base, _ := listen(t, func(_ int64, _ net.Conn, r *bufio.Reader) { _, _ = readRequest(r) })
	inner := NewTransport()
	liar := roundTrip(func(r *http.Request) (*http.Response, error) {
		_, err := inner.RoundTrip(r)
		return nil, fmt.Errorf("%w: %w", ErrNotSent, err)
	})
	_, err = clientFor(t, base, WithTransport(liar)).Start(t.Context(), anExport)
	assertKind(t, "lying transport", err, KindAmbiguous, true)
	if errors.Is(err, ErrNotSent) {
		t.Errorf("%v is found as not sent", err)
	}
}

func TestCancelledAfterSending(t *testing.T) {
	got := make(chan struct{})
	base, _ := listen(t, func(_ int64, conn net.Conn, r *bufio.Reader) {
		if _, err := readRequest(r); err == nil {
			got <- struct{}{}
			_, _ = r.ReadByte() // until the client hangs up
		}
	})
	c := clientFor(t, base)
	for name, ask := range map[string]func(context.Context) error{
		"start": func(ctx context.Context) error { _, err := c.Start(ctx, anExport); return err },
		"list":  func(ctx context.Context) error { _, err := c.Jobs(ctx); return err },
	} {
		because := errors.New("the user pressed a key")
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() { <-got; cancel(because) }()
		err := ask(ctx)
		want := KindAmbiguous
		if name == "list" {
			want = KindInterrupted
		}
		assertKind(t, name, err, want, true)
		if !errors.Is(err, context.Canceled) || !errors.Is(err, because) {
			t.Errorf("%s: %v lost its cause", name, err)
		}
	}
}

// Answers of all statuses to a write and a read, over the wire.
func TestStatuses(t *testing.T) {
	for _, tt := range []struct {
		answer     string
		post, read Kind
	}{
		{"500 Internal Server Error\r\nContent-Length: 0\r\n\r\n", KindAmbiguous, KindTransient},
		{"307 Temporary Redirect\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n", KindAmbiguous, KindUndecodable},
		{"304 Not Modified\r\n\r\n", KindAmbiguous, KindUndecodable},
		{"429 Too Many Requests\r\nContent-Length: 0\r\n\r\n", KindThrottled, KindThrottled},
		{"403 Forbidden\r\nContent-Length: 0\r\n\r\n", KindForbidden, KindForbidden},
		{"405 Method Not Allowed\r\nContent-Length: 0\r\n\r\n", KindNotFound, KindNotFound},
		{"400 Bad Request\r\nContent-Length: 99\r\n\r\n{\"code\":", KindAmbiguous, KindTransient},
		{"429 Too Many Requests\r\nContent-Length: 99\r\n\r\n{\"code\":", KindThrottled, KindThrottled},
		{"200 OK\r\nContent-Length: 99\r\n\r\n{\"jobs\":[{\"jobId\":\"a\"}", KindAmbiguous, KindTransient},
		{"200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[{\"jo", KindAmbiguous, KindTransient},
		{"200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n[]", KindAmbiguous, KindUndecodable},
		{"200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n[]", KindAmbiguous, KindTransient},
		{"banana", KindAmbiguous, KindTransient},
	} {
		base, _ := listen(t, func(_ int64, conn net.Conn, r *bufio.Reader) {
			if _, err := readRequest(r); err == nil {
				_, _ = io.WriteString(conn, "HTTP/1.1 "+tt.answer)
			}
		})
		c := clientFor(t, base)
		_, err := c.Start(t.Context(), anExport)
		assertKind(t, "start: "+tt.answer, err, tt.post, true)
		_, err = c.Jobs(t.Context())
		assertKind(t, "list: "+tt.answer, err, tt.read, true)
	}
}

// crossing is a transport to two hosts that remembers who was given the key.
func crossing(t *testing.T, answers map[string]string) (*Client, *[]string) {
	t.Helper()
	var hops []string
	c := clientFor(t, "https://api.clari.com/v4", WithTransport(roundTrip(func(r *http.Request) (*http.Response, error) {
		hops = append(hops, r.URL.String()+" "+r.Header.Get("apikey"))
		answer, ok := answers[r.URL.String()]
		if !ok {
			return nil, fmt.Errorf("nobody at %s", r.URL)
		}
		code, rest, _ := strings.Cut(answer, " ")
		status, _ := strconv.Atoi(code)
		resp := &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(rest)), ContentLength: int64(len(rest))}
		if status/100 == 3 {
			resp.Header.Set("Location", rest)
		}
		return resp, nil
	})))
	return c, &hops
}

func TestRedirects(t *testing.T) {
	const first, storage = "https://api.clari.com/v4/export/jobs/a/results", "https://storage.example/file"
	for _, tt := range []struct {
		name    string
		answers map[string]string
		want    Kind // empty: success
		hops    []string
	}{
		{"same origin keeps the key", map[string]string{first: "302 /x", "https://api.clari.com/x": "200 {}"}, "",
			[]string{first + " " + testKey, "https://api.clari.com/x " + testKey}},
		{"elsewhere without the key", map[string]string{first: "307 " + storage, storage: "200 {}"}, "",
			[]string{first + " " + testKey, storage + " "}},
		{"and back without it", map[string]string{first: "307 " + storage, storage: "308 https://api.clari.com/x", "https://api.clari.com/x": "200 {}"}, "",
			[]string{first + " " + testKey, storage + " ", "https://api.clari.com/x "}},
		{"never to plain http", map[string]string{first: "302 http://api.clari.com/x"}, KindUndecodable, []string{first + " " + testKey}},
		{"never to user info", map[string]string{first: "302 https://u:p@storage.example/"}, KindUndecodable, []string{first + " " + testKey}},
		{"storage refuses", map[string]string{first: "302 " + storage, storage: "403 "}, KindTransient, []string{first + " " + testKey, storage + " "}},
		{"storage is gone", map[string]string{first: "302 https://gone.example/"}, KindTransient, []string{first + " " + testKey, "https://gone.example/ "}},
		{"five at most", map[string]string{first: "302 " + first}, KindUndecodable,
			strings.Split(strings.TrimSuffix(strings.Repeat(first+" "+testKey+"|", 6), "|"), "|")},
	} {
		c, hops := crossing(t, tt.answers)
		err := drain(c.Results(t.Context(), "a"))
		if tt.want == "" && err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if tt.want != "" {
			assertKind(t, tt.name, err, tt.want, true)
		}
		if got, want := strings.Join(*hops, "\n"), strings.Join(tt.hops, "\n"); got != want {
			t.Errorf("%s: went\n%s\nwant\n%s", tt.name, got, want)
		}
	}
	c, hops := crossing(t, map[string]string{"https://api.clari.com/v4/export/forecast/net_arr": "307 https://api.clari.com/x"})
	_, err := c.Start(t.Context(), anExport)
	if assertKind(t, "write", err, KindAmbiguous, true); len(*hops) != 1 || !errors.Is(err, ErrOrigin) {
		t.Errorf("a write was redirected: %v, %v", *hops, err)
	}
}
