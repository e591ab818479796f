package bucket_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/weirhq/weir/land"
)

// noise gives n bytes that tell when one is lost, doubled or misplaced.
func noise(n int) []byte {
	text := make([]byte, n)
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(text)
	return text
}

// writeIn writes in pieces that are no divisor of a part.
func writeIn(w io.Writer, text []byte) error {
	const piece = 100_003
	for len(text) > 0 {
		n := min(piece, len(text))
		if _, err := w.Write(text[:n]); err != nil {
			return err
		}
		text = text[n:]
	}
	return nil
}

// s3Part is the smallest part that S3 takes.
const s3Part = 5 << 20

// large publishes files around the bounds of parts, and one in the way of
// another.
func large(t *testing.T, s land.Store, part int) {
	for name, size := range map[string]int{"one": part, "two": 2 * part, "three": 2*part + 1, "odd": part - 1} {
		text := noise(size)
		file, err := s.Create(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(writeIn(file, text), file.Publish(t.Context(), false), file.Discard()); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		equal(t, s, name, text)
	}
	file, err := s.Create(t.Context(), "one")
	if err != nil {
		t.Fatal(err)
	}
	other := noise(part + 7)
	if err := writeIn(file, other); err != nil {
		t.Fatal(err)
	}
	if err := file.Publish(t.Context(), false); !errors.Is(err, fs.ErrExist) {
		t.Errorf("published over a file: %v", err)
	}
	equal(t, s, "one", noise(part))
	if err := errors.Join(file.Publish(t.Context(), true), file.Discard()); err != nil {
		t.Errorf("replacing: %v", err)
	}
	equal(t, s, "one", other)
}

func equal(t *testing.T, s land.Store, name string, want []byte) {
	t.Helper()
	file, err := s.Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(file)
	if err := errors.Join(err, file.Close()); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s: %d bytes of %d, %v", name, len(got), len(want), err)
	}
}

func TestS3Links(t *testing.T) {
	room := newS3Room(t)
	t.Run("large", func(t *testing.T) { large(t, open(t, room.server.Address, room.name()).WithParts(s3Part), s3Part) })
	t.Run("failing upload", func(t *testing.T) { failingUpload(t, room) })
	t.Run("passing fault", func(t *testing.T) { passingFault(t, room) })
	t.Run("slow link", func(t *testing.T) { slowLink(t, room) })
	t.Run("answers lost", func(t *testing.T) { answersLost(t, room) })
	t.Run("no conditions", func(t *testing.T) { noConditions(t, room) })
	t.Run("wrong credentials", func(t *testing.T) { wrongCredentials(t, room) })
	t.Run("bucket gone", func(t *testing.T) { bucketGone(t, room) })
	t.Run("bounded memory", func(t *testing.T) { boundedMemory(t, room) })
}

// requests counts what passes by method and whether it belongs to an upload.
func isPart(r *http.Request) bool {
	return r.Method == http.MethodPut && r.URL.Query().Has("uploadId")
}

// An upload that fails is aborted, so that nothing of it stays.
func failingUpload(t *testing.T, room *s3Room) {
	var parts, aborted atomic.Int64
	address := room.behind(t, func(w http.ResponseWriter, r *http.Request, on http.Handler) {
		switch {
		case isPart(r) && parts.Add(1) == 2:
			http.Error(w, "no", http.StatusForbidden)
			return
		case r.Method == http.MethodDelete && r.URL.Query().Has("uploadId"):
			aborted.Add(1)
		}
		on.ServeHTTP(w, r)
	})
	s := open(t, address, room.name()).WithParts(s3Part)
	file, err := s.Create(t.Context(), "f")
	if err != nil {
		t.Fatal(err)
	}
	failed := errors.Join(writeIn(file, noise(3*s3Part)), file.Publish(t.Context(), false))
	if failed == nil {
		t.Error("published")
	}
	if err := file.Discard(); err != nil || aborted.Load() != 1 {
		t.Errorf("discard: %v, %d aborts", err, aborted.Load())
	}
	if _, err := s.Open(t.Context(), "f"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("something is there: %v", err)
	}
}

// What met a server in trouble is sent again, also where the server answered
// before it had read the request.
func passingFault(t *testing.T, room *s3Room) {
	var writes atomic.Int64
	address := room.behind(t, func(w http.ResponseWriter, r *http.Request, on http.Handler) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead && writes.Add(1)%2 == 1 {
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		on.ServeHTTP(w, r)
	})
	s := open(t, address, room.name()).WithParts(s3Part)
	for name, size := range map[string]int{"small": 1 << 20, "parts": 2*s3Part + 1} {
		text := noise(size)
		if err := write(t, s, name, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		equal(t, s, name, text)
	}
}

// write publishes a file that nobody may have published.
func write(t *testing.T, s land.Store, name string, text []byte) error {
	t.Helper()
	file, err := s.Create(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return errors.Join(writeIn(file, text), file.Publish(t.Context(), false), file.Discard())
}

// An object whose publication was done and never confirmed is found there: it
// stands, whole, and whoever publishes learns that the place is taken.
func answersLost(t *testing.T, room *s3Room) {
	var lost atomic.Int64
	address := room.behind(t, func(w http.ResponseWriter, r *http.Request, on http.Handler) {
		appears := r.Header.Get("If-None-Match") != ""
		if !appears {
			on.ServeHTTP(w, r)
			return
		}
		on.ServeHTTP(httptest.NewRecorder(), r)
		lost.Add(1)
		panic(http.ErrAbortHandler)
	})
	s := open(t, address, room.name()).WithParts(s3Part)
	for name, size := range map[string]int{"small": 1 << 10, "parts": s3Part + 1} {
		text := noise(size)
		if err := write(t, s, name, text); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v", name, err)
		}
		equal(t, s, name, text)
	}
	if lost.Load() != 2 {
		t.Errorf("%d publications, want one of each", lost.Load())
	}
}

// A link on which nothing moves does not outlive its context.
func slowLink(t *testing.T, room *s3Room) {
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	over := make(chan struct{})
	defer close(over)
	address := room.behind(t, func(w http.ResponseWriter, r *http.Request, on http.Handler) {
		if isPart(r) {
			cancel(why)
			<-over // nothing is read
			return
		}
		on.ServeHTTP(w, r)
	})
	file, err := open(t, address, room.name()).WithParts(s3Part).Create(ctx, "f")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(writeIn(file, noise(4*s3Part)), file.Publish(ctx, false)); err == nil {
		t.Error("published")
	}
	if err := file.Discard(); err != nil {
		t.Errorf("discard: %v", err)
	}
}

// A server without conditional writes is looked at before.
func noConditions(t *testing.T, room *s3Room) {
	address := room.behind(t, func(w http.ResponseWriter, r *http.Request, on http.Handler) {
		if r.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotImplemented)
			_, _ = io.WriteString(w, "<Error><Code>NotImplemented</Code></Error>")
			return
		}
		on.ServeHTTP(w, r)
	})
	s := open(t, address, room.name()).WithParts(s3Part)
	for name, size := range map[string]int{"small": 1 << 10, "parts": s3Part + 1} {
		text := noise(size)
		if err := write(t, s, name, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := write(t, s, name, noise(size+1)); !errors.Is(err, fs.ErrExist) {
			t.Errorf("%s, published again: %v", name, err)
		}
		equal(t, s, name, text)
	}
}

// Credentials that the server refuses are named as such at once, and not shown.
func wrongCredentials(t *testing.T, room *s3Room) {
	const wrong = "wrong-secret-of-the-test"
	t.Setenv("AWS_SECRET_ACCESS_KEY", wrong)
	err := write(t, open(t, room.server.Address, room.name()), "f", []byte("text"))
	var hinted interface{ Hint() string }
	if !errors.As(err, &hinted) || !strings.Contains(hinted.Hint(), "credentials") {
		t.Errorf("no hint: %v", err)
	}
	if err == nil || strings.Contains(err.Error(), wrong) || !strings.Contains(err.Error(), "AccessDenied") {
		t.Errorf("got %v", err)
	}
}

// A bucket that is gone is no empty one.
func bucketGone(t *testing.T, room *s3Room) {
	s := open(t, room.server.Address, "nobucket/p")
	if _, err := s.Open(t.Context(), "f"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("open: %v", err)
	}
	if _, err := s.List(t.Context(), "d"); err == nil {
		t.Error("list: no error")
	}
	file, err := s.Create(t.Context(), "f")
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Publish(t.Context(), false); err == nil || !strings.Contains(err.Error(), "NoSuchBucket") {
		t.Errorf("publish: %v", err)
	}
}

// A file takes the memory of two parts whatever its size.
func boundedMemory(t *testing.T, room *s3Room) {
	const most = 40 << 20
	file, err := open(t, room.server.Address, room.name()).Create(t.Context(), "f")
	if err != nil {
		t.Fatal(err)
	}
	piece := noise(1 << 20)
	peak := uint64(0)
	for range 48 {
		if _, err := file.Write(piece); err != nil {
			t.Fatal(err)
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		peak = max(peak, m.HeapAlloc)
	}
	if err := errors.Join(file.Publish(t.Context(), false), file.Discard()); err != nil {
		t.Fatal(err)
	}
	if peak > most {
		t.Errorf("%d MiB on the heap", peak>>20)
	}
}
