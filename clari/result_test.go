package clari

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestResults(t *testing.T) {
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write([]byte("hello"))
	_ = z.Close()
	for _, tt := range []struct {
		name, answer string
		length       int64
		body         string
		cut          bool
	}{
		{"whole", "Content-Length: 5\r\n\r\nhello", 5, "hello", false},
		{"empty", "Content-Length: 0\r\n\r\n", 0, "", false},
		{"chunked", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", -1, "hello", false},
		{"cut", "Content-Length: 9\r\n\r\nhello", 9, "hello", true},
		{"chunked and cut", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", -1, "hello", true},
		{"zipped unasked", fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", zipped.Len(), zipped.String()), -1, "hello", false},
		{"zipped and cut", fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", zipped.Len()-8, zipped.String()[:zipped.Len()-8]), -1, "hello", true},
		{"until the connection closes", "\r\nhello", -1, "hello", false},
	} {
		base, _ := listen(t, func(_ int64, conn net.Conn, r *bufio.Reader) {
			if _, err := readRequest(r); err == nil {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json\r\n"+tt.answer)
			}
		})
		result, err := clientFor(t, base).Results(t.Context(), "a")
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		body, err := io.ReadAll(result.Body)
		if result.Length != tt.length || string(body) != tt.body || result.ContentType != "application/json" || (err != nil) != tt.cut {
			t.Errorf("%s: %d bytes announced, got %q, %v", tt.name, result.Length, body, err)
		}
		if _, again := result.Body.Read(make([]byte, 1)); tt.cut && again != err || !tt.cut && again != io.EOF {
			t.Errorf("%s: reading on gave %v after %v", tt.name, again, err)
		}
		if tt.cut {
			assertKind(t, tt.name, err, KindTransient, true)
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%s: %v lost its cause", tt.name, err)
			}
		}
		_ = result.Body.Close()
	}
}

// A transport other than net/http may end a body early without saying so.
func TestLengthIsChecked(t *testing.T) {
	for announced, want := range map[int64]bool{5: true, 6: false, 4: false, -1: true} {
		c := clientFor(t, "", WithTransport(roundTrip(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader("hello")), ContentLength: announced}, nil
		})))
		if err := drain(c.Results(t.Context(), "a")); (err == nil) != want {
			t.Errorf("5 bytes of %d: %v", announced, err)
		}
	}
}

// piped is a transport whose every connection ends in a function; it works
// inside a bubble of virtual time.
func piped(serve func(conn net.Conn, r *bufio.Reader)) *http.Transport {
	return &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		near, far := net.Pipe()
		go func() {
			defer func() { _ = far.Close() }()
			serve(far, bufio.NewReader(far))
		}()
		return near, nil
	}}
}

const loopback = "http://127.0.0.1/v4"

func TestResultsMayBeSlowButNotSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := piped(func(conn net.Conn, r *bufio.Reader) {
			_, _ = readRequest(r)
			time.Sleep(59 * time.Second)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
			for range 20 {
				time.Sleep(59 * time.Second)
				_, _ = io.WriteString(conn, "x")
			}
			_, _ = r.ReadByte() // silent until the client hangs up
		})
		began := time.Now()
		result, err := clientFor(t, loopback, WithTransport(transport)).Results(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(result.Body, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour) // the reader is busy elsewhere
		body, err := io.ReadAll(result.Body)
		if len(body) != 19 || !errors.Is(err, ErrTimeout) {
			t.Errorf("%d bytes, %v", len(body), err)
		}
		assertKind(t, "silence", err, KindTransient, true)
		// 59 s to the answer and to each byte, but for one that came while the
		// reader was away, then the minute of silence.
		if want := time.Hour + 20*59*time.Second + time.Minute; time.Since(began) != want {
			t.Errorf("took %v, want %v", time.Since(began), want)
		}
		_ = result.Body.Close()
	})
}

func TestReadsWithoutAnAnswerEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		mute := piped(func(_ net.Conn, r *bufio.Reader) { _, _ = io.Copy(io.Discard, r) })
		_, err := clientFor(t, loopback, WithTransport(mute), WithIdleTimeout(7*time.Second)).Jobs(t.Context())
		assertKind(t, "list", err, KindTransient, true)
		if !errors.Is(err, ErrTimeout) || errors.Is(err, context.Canceled) || time.Since(began) != 7*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

func TestWritesWithoutAnAnswerEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		drip := "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n|{|"
		for name, answer := range map[string]string{"no answer": "", "a dripping answer": drip + strings.Repeat("1|", 98)} {
			mute := piped(func(conn net.Conn, r *bufio.Reader) {
				_, _ = readRequest(r)
				for part := range strings.SplitSeq(answer, "|") {
					if _, err := io.WriteString(conn, part); err != nil {
						return
					}
					time.Sleep(7 * time.Second)
				}
				_, _ = r.ReadByte()
			})
			began := time.Now()
			_, err := clientFor(t, loopback, WithTransport(mute)).Start(t.Context(), anExport)
			assertKind(t, name, err, KindAmbiguous, true)
			if !errors.Is(err, ErrTimeout) || time.Since(began) != time.Minute {
				t.Errorf("%s: %v after %v", name, err, time.Since(began))
			}
			time.Sleep(7 * time.Second) // the server sees that the client hung up
		}
	})
}

// Also where a transport only says that its context is over.
func TestTimeoutIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mute := roundTrip(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		_, err := clientFor(t, loopback, WithTransport(mute), WithPostTimeout(time.Second)).Start(t.Context(), anExport)
		assertKind(t, "start", err, KindAmbiguous, true)
		if !errors.Is(err, ErrTimeout) || errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

// A wrapper that waits for its turn does not use up the time of the request.
func TestWaitingForATurnIsNotCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := SplitTransport(piped(func(conn net.Conn, r *bufio.Reader) {
			_, _ = readRequest(r)
			time.Sleep(50 * time.Second)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 23\r\n\r\n"+`{"jobId":"a","jobs":[]}`)
		}))
		gate := roundTrip(func(r *http.Request) (*http.Response, error) {
			time.Sleep(50 * time.Second)
			return slow.RoundTrip(r)
		})
		c := clientFor(t, loopback, WithTransport(gate))
		if _, err := c.Start(t.Context(), anExport); err != nil {
			t.Error(err)
		}
		list, err := c.Jobs(t.Context())
		if err != nil || list.Took != 50*time.Second {
			t.Errorf("took %v, %v", list.Took, err)
		}
	})
}

// The caller's deadline is the caller's: it shows as such.
func TestCallersDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		mute := piped(func(_ net.Conn, r *bufio.Reader) { _, _ = io.Copy(io.Discard, r) })
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		_, err := clientFor(t, loopback, WithTransport(mute)).Jobs(ctx)
		assertKind(t, "list", err, KindTransient, true)
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrTimeout) {
			t.Error(err)
		}
	})
}

// Closing ends a read that waits.
func TestCloseEndsARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := piped(func(conn net.Conn, r *bufio.Reader) {
			_, _ = readRequest(r)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
			_, _ = r.ReadByte()
		})
		result, err := clientFor(t, loopback, WithTransport(transport)).Results(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		go func() {
			time.Sleep(time.Second)
			_ = result.Body.Close()
		}()
		if _, err := result.Body.Read(make([]byte, 1)); err == nil || time.Since(began) > time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}
