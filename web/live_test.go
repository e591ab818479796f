package web

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger/inmem"
	"github.com/weirhq/weir/web/door"
)

// listener is a browser that listens: it keeps the latest events.
type listener struct {
	mu     sync.Mutex
	header http.Header
	events []update
	count  int
}

func (l *listener) Header() http.Header { return l.header }
func (l *listener) WriteHeader(int)     {}
func (l *listener) Flush()              {}

func (l *listener) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if data, ok := bytes.CutPrefix(p, []byte("data: ")); ok {
		var u update
		if err := json.Unmarshal(data, &u); err != nil {
			return 0, err
		}
		l.count++
		l.events = append(l.events, u)
		l.events = l.events[max(0, len(l.events)-20):]
	}
	return len(p), nil
}

func (l *listener) last() update {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.events) == 0 {
		return update{}
	}
	return l.events[len(l.events)-1]
}

// listen opens a stream; it ends with the context.
func (s *scene) listen(ctx context.Context, target string) *listener {
	l := &listener{header: http.Header{}}
	r := httptest.NewRequestWithContext(ctx, "GET", "/live"+target, nil)
	r.Host, r.RemoteAddr = address, "127.0.0.1:4000"
	r.Header.Set("Authorization", "Bearer "+token)
	go s.Handler().ServeHTTP(l, r)
	return l
}

func inMemory(t *testing.T) *scene {
	return newSceneOn(t, inmem.New(inmem.Options{Clock: time.Now}))
}

func TestChangesAreStreamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inMemory(t)
		s.account("acme")
		e := s.wish("acme", "net_arr", "2026_Q1")
		ctx, leave := context.WithCancel(t.Context())
		l := s.listen(ctx, "/?have=other")
		synctest.Wait()
		if first := l.last(); len(first.Regions) != 1 || first.Regions[0].Frame == nil || len(first.Regions[0].Order) != 1 {
			t.Errorf("the first event is not the whole page: %+v", first)
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if l.count != 1 {
			t.Errorf("nothing changed, and %d events came", l.count)
		}
		s.run(e)
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		change := l.last().Regions
		if len(change) != 1 || !strings.Contains(change[0].Rows[fmt.Sprintf("export-%d", e.ID)], "running") {
			t.Errorf("the row does not say that it runs: %+v", change)
		}
		leave()
		synctest.Wait()
		if s.hub.streams != 0 || len(s.hub.topics) != 0 {
			t.Errorf("after the last browser left, %d streams and %d topics are there", s.hub.streams, len(s.hub.topics))
		}
	})
}

// Forms of a stream are the visitor's own.
func TestStreamsKeepFormsApart(t *testing.T) {
	s := everything(t)
	page := s.read("/schedules")
	if !strings.Contains(page, `name="csrf"`) || strings.Contains(page, csrfMark) {
		t.Error("the page has no form, or forms that nobody can send")
	}
}

func TestMemoryStaysFlat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := inMemory(t)
		s.account("acme")
		var ids []int64
		for range 6 {
			ids = append(ids, s.wish("acme", "net_arr", weir.Period(fmt.Sprintf("20%02d_Q1", len(ids)+10))).ID)
		}
		ctx, leave := context.WithCancel(t.Context())
		defer leave()
		heap := func() int64 {
			runtime.GC()
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return int64(m.HeapAlloc)
		}
		var begin int64
		var l *listener
		for second := range 3600 {
			if second%int(streamLife.Seconds()) == 0 { // browsers come again by themselves
				l = s.listen(ctx, "/")
			}
			_, err := s.ledger.Amend(ctx, weir.Lease{}, ids[second%6], weir.Planned, func(e *weir.Export) {
				e.NotBefore, e.Wait = time.Now().Add(time.Hour), weir.Wait{Code: weir.WaitRetry, Text: fmt.Sprintf("try %d", second)}
			})
			s.ok(err)
			time.Sleep(time.Second)
			if second == 600 {
				begin = heap()
			}
		}
		synctest.Wait()
		grown := heap() - begin
		t.Logf("%d events in the last half hour; the heap grew by %d kB in fifty minutes", l.count, grown>>10)
		if l.count < 1000 {
			t.Errorf("only %d events came", l.count)
		}
		if grown > 2<<20 {
			t.Errorf("the heap grew by %d bytes", grown)
		}
	})
}

func TestDifference(t *testing.T) {
	at := func(rows ...row) sheet {
		return sheet{Regions: []region{{ID: "r", frame: "<i>" + rowsMark + "</i>", rows: rows}}}
	}
	a, b, c := row{"a", "A"}, row{"b", "B"}, row{"c", "C"}
	for _, test := range []struct {
		name          string
		before, after sheet
		order         []string
		rows          map[string]string
		empty, frame  bool
	}{
		{"a row changes", at(a, b), at(a, row{"b", "B2"}), nil, map[string]string{"b": "B2"}, false, false},
		{"a row comes", at(a, b), at(a, b, c), []string{"a", "b", "c"}, map[string]string{"c": "C"}, false, false},
		{"a row goes", at(a, b), at(b), []string{"b"}, nil, false, false},
		{"rows change places", at(a, b), at(b, a), []string{"b", "a"}, nil, false, false},
		{"the last row goes", at(a), at(), nil, nil, true, false},
		{"a new page", sheet{}, at(a), []string{"a"}, map[string]string{"a": "A"}, false, true},
	} {
		u := difference(test.before, test.after)
		if u == nil || len(u.Regions) != 1 {
			t.Errorf("%s: %+v", test.name, u)
			continue
		}
		got := u.Regions[0]
		if !slices.Equal(got.Order, test.order) || fmt.Sprint(got.Rows) != fmt.Sprint(test.rows) || got.Empty != test.empty || (got.Frame != nil) != test.frame {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
	if u := difference(at(a, b), at(a, b)); u != nil {
		t.Errorf("nothing changed: %+v", u)
	}
}

// Every page answers in every state of things, and for nobody.
func TestPages(t *testing.T) {
	for name, s := range map[string]*scene{"everything": everything(t), "nothing": newScene(t)} {
		for _, path := range []string{"/", "/timeline", "/quota", "/snapshots", "/exports", "/schedules", "/exports?state=failed&before=3"} {
			if page := s.read(path); strings.Contains(page, "ZgotmplZ") || strings.Contains(page, "<no value>") {
				t.Errorf("%s: %s holds what a template could not make", name, path)
			}
		}
	}
	s := everything(t)
	for id := range 5 {
		s.read(fmt.Sprintf("/exports/%d", id+1))
	}
	if page := s.read("/exports/5"); strings.Contains(page, "<b>such</b>") || !strings.Contains(page, "&lt;b&gt;such&lt;/b&gt;") {
		t.Error("the server's text is not shown as text")
	}
	for path, want := range map[string]int{"/exports/99": 404, "/snapshots/99": 404, "/nowhere": 404, "/exports/x": 404} {
		if got := s.ask("GET", path, "").StatusCode; got != want {
			t.Errorf("%s answers %d", path, got)
		}
	}
}

func TestReadOnlyHasNoForms(t *testing.T) {
	s := newScene(t, func(c *door.Config) { c.ReadOnly = true })
	s.account("acme")
	s.wish("acme", "net_arr", "2026_Q1")
	if page := s.read("/exports/1"); strings.Contains(page, `method="post" action="/exports`) {
		t.Error("a read-only page has forms")
	}
	if got := s.ask("POST", "/api/v1/exports/1/cancel", "").StatusCode; got != http.StatusForbidden || len(s.office.asked) != 0 {
		t.Errorf("a read-only server answers %d and asks %q", got, s.office.asked)
	}
}
