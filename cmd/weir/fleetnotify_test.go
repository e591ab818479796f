package main_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/internal/servertest"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/notify"
)

// letter is one arrival of a message at a receiver.
type letter struct {
	notify.Payload
	by     string // whose key signed it
	status int    // what was answered; 0 is nothing yet
}

// inbox is a receiver of webhooks. Every server signs with its own key, so that
// the signature tells who sent what.
type inbox struct {
	*testing.T
	server *httptest.Server
	answer func(nth int, r *http.Request) int // nth is 1 for the first arrival

	mu      sync.Mutex
	letters []letter
}

// newInbox is a receiver that listens at once, or where l is not nil there and
// then.
func newInbox(t *testing.T, l net.Listener, answer func(nth int, r *http.Request) int) *inbox {
	t.Helper()
	i := &inbox{T: t, answer: answer}
	i.server = httptest.NewUnstartedServer(i)
	if l != nil {
		_ = i.server.Listener.Close()
		i.server.Listener = l
	}
	i.server.Start()
	t.Cleanup(i.server.Close)
	return i
}

func takes(int, *http.Request) int { return http.StatusNoContent }

// ServeHTTP writes down what comes before it answers.
func (i *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	l := letter{}
	if err != nil || json.Unmarshal(body, &l.Payload) != nil || r.Header.Get(notify.HeaderID) != l.ID {
		i.Errorf("a webhook that is none came: %q, %v", body, err)
	}
	signed := slices.IndexFunc(fleetKeys(), func(key string) bool {
		return notify.Verify(key, r.Header, body, time.Now(), time.Hour) == nil
	})
	if signed < 0 {
		i.Errorf("nobody signed %s", body)
		return
	}
	l.by = fleetKeys()[signed]
	i.mu.Lock()
	i.letters = append(i.letters, l)
	nth := len(i.letters)
	i.mu.Unlock()
	status := i.answer(nth, r)
	i.mu.Lock()
	i.letters[nth-1].status = status
	i.mu.Unlock()
	w.WriteHeader(status)
}

func (i *inbox) of(kind string) []letter {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(i.letters), func(l letter) bool { return l.Kind != kind })
}

// took are those of a kind that were answered with success.
func (i *inbox) took(kind string) []letter {
	return slices.DeleteFunc(i.of(kind), func(l letter) bool { return l.status/100 != 2 })
}

// placeholder is an address on loopback that refuses connections until listen.
func placeholder(t *testing.T) (address string, listen func() net.Listener) {
	t.Helper()
	syscall.ForkLock.RLock()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err == nil {
		err = syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}})
	}
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "placeholder")
	t.Cleanup(func() { _ = file.Close() })
	bound, err := syscall.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", bound.(*syscall.SockaddrInet4).Port), func() net.Listener {
		l, err := net.Listener(nil), syscall.Listen(fd, 16)
		if err == nil {
			l, err = net.FileListener(file)
		}
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
}

// failing is a rig of one account whose first n exports have failed, before
// anybody was there to be told.
func failing(t *testing.T, program string, database *servertest.Postgres, n int) (*fleetRig, []int64) {
	t.Helper()
	r := newFleetRig(t, program, database, 1, 200*time.Millisecond, func(c *emulator.Config) {
		c.Scenario = &emulator.Scenario{Jobs: []emulator.JobRule{
			{Match: emulator.JobMatch{When: emulator.When{Nth: 1, Times: n}}, Outcome: emulator.OutcomeFailed},
		}}
	})
	r.config("")
	before := r.start("key-c", r.state)
	r.wishAtMost(n, 1)
	var failed []int64
	r.until(2*time.Minute, "all have failed", func() bool {
		failed = nil
		exports, err := r.store.ListExports(t.Context(), ledger.Filter{})
		for _, e := range exports {
			if e.State == weir.Failed {
				failed = append(failed, e.ID)
			}
		}
		return err == nil && len(failed) == n
	})
	before.signal(syscall.SIGTERM)
	r.until(time.Minute, "the server that nobody listens to has ended", before.hasEnded)
	return r, failed
}

// notifying is the part of the configuration that names receivers.
func notifying(urls map[string]string) string {
	text := "notifications:\n"
	for name, url := range urls {
		text += fmt.Sprintf("  %s: {webhook: {url: %q, secret: {env: FLEET_KEY}}}\n", name, url)
	}
	return text
}

// message is the only one of a kind to a receiver.
func (r *fleetRig) message(receiver, kind string) (found ledger.Message) {
	r.Helper()
	all, err := r.store.ListMessages(r.Context(), "", 100)
	if err != nil {
		r.Fatal(err)
	}
	n := 0
	for _, m := range all {
		if m.Receiver == receiver && m.Kind == kind {
			found = m
			n++
		}
	}
	if n > 1 {
		r.Fatalf("%d messages of the kind %s to %s", n, kind, receiver)
	}
	return found
}

// Two servers see the same three failures. Each receiver takes one message of all
// of them: at the second try where the first was refused, and where nobody was
// there once somebody is.
func fleetNotifies(t *testing.T, program string, database *servertest.Postgres) {
	r, failed := failing(t, program, database, 3)
	grumpy := newInbox(t, nil, func(nth int, _ *http.Request) int {
		if nth == 1 {
			return http.StatusInternalServerError
		}
		return http.StatusNoContent
	})
	address, listen := placeholder(t)
	r.config(notifying(map[string]string{"grumpy": grumpy.server.URL, "late": "http://" + address}))
	a, b := r.start("key-a", r.state), r.start("key-b", r.state)
	r.until(2*time.Minute, "the message for the receiver that is down was tried", func() bool {
		return r.message("late", notify.Failed).LastError != ""
	})
	late := newInbox(t, listen(), takes)
	inboxes := map[string]*inbox{"grumpy": grumpy, "late": late}
	for name := range inboxes {
		r.until(4*time.Minute, name+" has taken the message", func() bool { return r.message(name, notify.Failed).State == ledger.MessageSent })
	}

	// What comes of the next news shows that both have looked at the old again.
	now, err := r.store.Now(t.Context())
	if err == nil {
		_, err = r.store.Move(t.Context(), weir.Lease{}, failed[0], weir.Retry(weir.Cause{At: now, Why: "test"}, weir.Failed, 1, ""))
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, i := range inboxes {
		r.until(4*time.Minute, name+" knows that one landed", func() bool { return len(i.took(notify.Recovered)) > 0 })
		told, taken, tries := i.of(notify.Failed), i.took(notify.Failed), r.message(name, notify.Failed).Attempts
		if len(taken) != 1 || taken[0].Count != 3 || len(taken[0].News) != 3 {
			t.Errorf("%s took %+v, want one message of three failures", name, taken)
		}
		if ids := slices.CompactFunc(told, func(a, b letter) bool { return a.ID == b.ID }); len(ids) != 1 {
			t.Errorf("%s was told under several ids: %+v", name, ids)
		}
		if tries < 2 {
			t.Errorf("%s took at try %d what it did not take at first", name, tries)
		}
		if recovered := i.of(notify.Recovered); len(recovered) != 1 {
			t.Errorf("%s was told of one recovery by %+v", name, recovered)
		}
	}
	if a.hasEnded() || b.hasEnded() {
		t.Error("a server has ended")
	}
}

// The server that is in the middle of a delivery is killed. The other delivers,
// and the receiver can tell that it knows the message already.
func fleetMessageOrphaned(t *testing.T, program string, database *servertest.Postgres) {
	r, _ := failing(t, program, database, 1)
	i := newInbox(t, nil, func(nth int, q *http.Request) int {
		if nth == 1 {
			<-q.Context().Done() // the sender is gone
			return http.StatusServiceUnavailable
		}
		return http.StatusNoContent
	})
	r.config(notifying(map[string]string{"slow": i.server.URL}))
	servers := map[string]*serving{"key-a": r.start("key-a", r.state), "key-b": r.start("key-b", r.state)}
	r.until(2*time.Minute, "the message has come", func() bool { return len(i.of(notify.Failed)) > 0 })
	first := i.of(notify.Failed)[0]
	servers[first.by].signal(syscall.SIGKILL)
	r.until(5*time.Minute, "the message is taken", func() bool { return r.message("slow", notify.Failed).State == ledger.MessageSent })
	taken := i.took(notify.Failed)
	if len(taken) != 1 || taken[0].ID != first.ID || taken[0].by == first.by {
		t.Errorf("%s was killed over the message %s, and then %+v was taken", first.by, first.ID, taken)
	}
}
