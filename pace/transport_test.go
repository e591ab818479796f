package pace_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/pace"
)

// server answers requests in memory.
type server func(*http.Request) (*http.Response, error)

func (s server) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	return s(r)
}

func reply(status int, pairs ...string) *http.Response {
	return &http.Response{StatusCode: status, Header: headers(pairs...), Body: io.NopCloser(strings.NewReader("body"))}
}

// until200 calls until the answer is 200, as a sequential program would.
func until200(t *testing.T, g *pace.Gate, base http.RoundTripper) {
	t.Helper()
	client := &http.Client{Transport: &pace.Transport{Base: base, Gate: g}}
	for {
		response, err := client.Get("http://api.example/export/jobs")
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode == 200 {
			return
		}
	}
}

func calls(seconds ...float64) []entry {
	var all []entry
	for _, s := range seconds {
		all = append(all, entry{"call", s})
	}
	return all
}

// TestSequential is one call after another without jitter, in virtual time.
func TestSequential(t *testing.T) {
	date := func() string { return time.Now().Add(90 * time.Second).UTC().Format(http.TimeFormat) }
	told := func(text string) func() string { return func() string { return text } }
	tests := map[string]struct {
		retryAfter func() string
		refusals   int
		want       []entry
	}{
		"no header":     {told(""), 9, calls(0, 5, 12.5, 23.75, 40.625, 65.9375, 103.90625, 160.859375, 220.859375, 280.859375)},
		"seconds":       {told("30"), 2, calls(0, 30, 60)},
		"half a second": {told("0.5"), 1, calls(0, 0.5)},
		"a date":        {date, 2, calls(0, 90, 180)},
		"negative":      {told("-1"), 2, calls(0, 5, 12.5)},
		"no time":       {told("tomorrow"), 1, calls(0, 5)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, g := newLog(), pace.NewGate(pace.Config{Policy: exact()}, pace.State{})
				until200(t, g, server(func(*http.Request) (*http.Response, error) {
					l.add("call")
					if test.refusals--; test.refusals >= 0 {
						return reply(429, "Retry-After", test.retryAfter()), nil
					}
					return reply(200), nil
				}))
				l.want(t, test.want...)
			})
		})
	}
}

func TestTransportReturnsThe429(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := reply(429, "Retry-After", "9", "X-Other", "kept")
		n := 0
		tr := &pace.Transport{Gate: pace.NewGate(pace.Config{}, pace.State{}), Base: server(func(*http.Request) (*http.Response, error) {
			n++
			return sent, nil
		})}
		r, _ := http.NewRequestWithContext(t.Context(), "GET", "http://api.example/", nil)
		got, err := tr.RoundTrip(r)
		if got != sent || err != nil || n != 1 {
			t.Fatalf("%p, %v after %d calls; want %p, unrepeated", got, err, n, sent)
		}
		if body, _ := io.ReadAll(got.Body); string(body) != "body" {
			t.Errorf("body %q was touched", body)
		}
	})
}

func TestTransportPriorities(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, l := pace.NewGate(pace.Config{Policy: pace.Policy{Rate: 1, Burst: 1}}, pace.State{}), newLog()
		client := &http.Client{Transport: &pace.Transport{Gate: g, Base: server(func(r *http.Request) (*http.Response, error) {
			l.add(r.Method + r.URL.Path)
			return reply(200), nil
		})}}
		take(t, g, pace.List)
		send := func(ctx context.Context, method, path string) {
			r, _ := http.NewRequestWithContext(ctx, method, "http://api.example"+path, nil)
			go client.Do(r)
			synctest.Wait()
		}
		send(pace.WithPriority(t.Context(), pace.Download), "GET", "/results")
		send(t.Context(), "GET", "/jobs")
		send(t.Context(), "PATCH", "/jobs")
		send(pace.WithPriority(t.Context(), pace.List), "POST", "/search")
		time.Sleep(time.Minute)
		l.want(t, entry{"PATCH/jobs", 1}, entry{"GET/jobs", 2}, entry{"POST/search", 3}, entry{"GET/results", 4})
	})
}

// TestTransportDownloadRuns: the 429 of another request neither stops nor waits
// for a body that is being read.
func TestTransportDownloadRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, l := pace.NewGate(pace.Config{Policy: exact()}, pace.State{}), newLog()
		in, out := io.Pipe()
		client := &http.Client{Transport: &pace.Transport{Gate: g, Base: server(func(r *http.Request) (*http.Response, error) {
			if r.URL.Path == "/results" {
				return &http.Response{StatusCode: 200, Header: http.Header{}, Body: in}, nil
			}
			return reply(429, "Retry-After", "60"), nil
		})}}
		r, _ := http.NewRequestWithContext(pace.WithPriority(t.Context(), pace.Download), "GET", "http://api.example/results", nil)
		download, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			for range 10 {
				time.Sleep(time.Second)
				io.WriteString(out, "x")
			}
			out.Close()
		}()
		if refused, err := client.Get("http://api.example/jobs"); err != nil || refused.StatusCode != 429 {
			t.Fatal(refused, err)
		}
		body, err := io.ReadAll(download.Body)
		l.add(strconv.Itoa(len(body)) + " bytes")
		if err != nil || g.Snapshot().InFlight != 0 {
			t.Errorf("%v; %d in flight", err, g.Snapshot().InFlight)
		}
		l.want(t, entry{"10 bytes", 10})
	})
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

func TestTransportRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := pace.NewGate(pace.Config{}, pace.State{})
		closeFor(t, g, "3600")
		body := &closing{Reader: strings.NewReader("{}")}
		client := &http.Client{Transport: &pace.Transport{Gate: g, Base: server(func(*http.Request) (*http.Response, error) {
			t.Error("sent")
			return nil, errLost
		})}}
		r, _ := http.NewRequestWithContext(pace.WithMaxWait(t.Context(), time.Minute), "POST", "http://api.example/", body)
		_, err := client.Do(r)
		var closed *pace.ClosedError
		if !errors.As(err, &closed) || !body.closed {
			t.Errorf("%v; body closed: %v", err, body.closed)
		}
	})
}

// TestTransportGivesTheProbeBack: by a lost connection, and by a panic in the base.
func TestTransportGivesTheProbeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, l := pace.NewGate(pace.Config{Policy: exact()}, pace.State{}), newLog()
		n := 0
		tr := &pace.Transport{Gate: g, Base: server(func(*http.Request) (*http.Response, error) {
			l.add("call")
			switch n++; n {
			case 1:
				return reply(429), nil
			case 2:
				return nil, errLost
			case 3:
				panic("in the base")
			}
			return reply(200), nil
		})}
		r, _ := http.NewRequestWithContext(t.Context(), "GET", "http://api.example/", nil)
		tr.RoundTrip(r)
		if _, err := tr.RoundTrip(r); !errors.Is(err, errLost) {
			t.Errorf("lost: %v", err)
		}
		func() {
			defer func() { recover() }()
			tr.RoundTrip(r)
		}()
		if response, err := tr.RoundTrip(r); err != nil || response.StatusCode != 200 {
			t.Errorf("at last: %v, %v", response, err)
		}
		l.want(t, calls(0, 5, 5, 5)...)
		if s := g.Snapshot(); s.Closed() || s.InFlight != 0 {
			t.Errorf("in the end %+v", s)
		}
	})
}

func TestTransportWithoutGate(t *testing.T) {
	tr := &pace.Transport{Base: server(func(*http.Request) (*http.Response, error) { return reply(429), nil })}
	r, _ := http.NewRequestWithContext(t.Context(), "GET", "http://api.example/", nil)
	for range 10 {
		if response, err := tr.RoundTrip(r); err != nil || response.StatusCode != 429 {
			t.Fatal(response, err)
		}
	}
	tr.CloseIdleConnections() // the base has none to close
}
