package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/weirhq/weir/web/door"
)

const (
	// maxStreams bounds how many pages are kept up to date at once.
	maxStreams = 256
	// streamLife ends a stream, so that a login that ended does not go on looking;
	// browsers come again by themselves.
	streamLife = 30 * time.Minute
	// heartbeat keeps what stands between from closing an idle stream.
	heartbeat = 15 * time.Second
	// slowest is how long a write to a browser may take.
	slowest = 10 * time.Second
)

// hub keeps one making of each page for all who look at it.
type hub struct {
	mu     sync.Mutex
	topics map[string]*topic
	// streams counts those who look.
	streams int
}

// topic is one page that somebody looks at.
type topic struct {
	make  func(context.Context) (sheet, error)
	every time.Duration

	mu      sync.Mutex
	last    sheet
	lookers map[chan struct{}]bool
	stop    context.CancelFunc
}

// join adds a looker; leave takes it away and, with the last, the topic.
func (h *hub) join(key string, every time.Duration, first sheet, make func(context.Context) (sheet, error), failed func(error)) (t *topic, changed chan struct{}, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.streams >= maxStreams {
		return nil, nil, false
	}
	h.streams++
	t = h.topics[key]
	if t == nil {
		ctx, stop := context.WithCancel(context.Background())
		t = &topic{make: make, every: every, last: first, lookers: map[chan struct{}]bool{}, stop: stop}
		h.topics[key] = t
		go t.run(ctx, failed)
	}
	changed = madeChan()
	t.mu.Lock()
	t.lookers[changed] = true
	t.mu.Unlock()
	return t, changed, true
}

func madeChan() chan struct{} { return make(chan struct{}, 1) }

func (h *hub) leave(key string, t *topic, changed chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.streams--
	t.mu.Lock()
	delete(t.lookers, changed)
	left := len(t.lookers)
	t.mu.Unlock()
	if left == 0 {
		t.stop()
		delete(h.topics, key)
	}
}

// run makes the page again and again, never more often than a tenth of the time
// that making it takes allows.
func (t *topic) run(ctx context.Context, failed func(error)) {
	rest := t.every
	for {
		timer := time.NewTimer(rest)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		begin := time.Now()
		sh, err := t.make(ctx)
		rest = max(t.every, 10*time.Since(begin))
		if err != nil {
			if ctx.Err() == nil {
				failed(err)
			}
			continue
		}
		t.tell(sh)
	}
}

// tell keeps the page and wakes who looks.
func (t *topic) tell(sh sheet) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last = sh
	for looker := range t.lookers {
		select {
		case looker <- struct{}{}:
		default: // it has not read the one before yet
		}
	}
}

func (t *topic) now() sheet {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last
}

// live streams the changes of a page.
func (s *Server) live(w http.ResponseWriter, r *http.Request, make maker) {
	q, err := s.asked(r)
	if err == nil {
		var first sheet
		if first, err = make(r.Context(), q); err == nil && first.every > 0 {
			s.stream(w, r, first, make, q)
			return
		}
	}
	if err != nil {
		s.apiError(w, r, err)
		return
	}
	http.NotFound(w, r)
}

func (s *Server) stream(w http.ResponseWriter, r *http.Request, first sheet, make maker, q query) {
	values := r.URL.Query()
	have := values.Get("have")
	values.Del("have")
	key := r.URL.EscapedPath() + "?" + values.Encode()
	again := func(ctx context.Context) (sheet, error) {
		fresh, err := s.asked(r.WithContext(ctx))
		if err != nil {
			return sheet{}, err
		}
		return make(ctx, fresh)
	}
	t, changed, ok := s.hub.join(key, first.every, first, again, func(err error) { s.config.Log.Warn("make page again", "page", r.URL.Path, "error", err) })
	if !ok {
		http.Error(w, "too many pages are open; close some", http.StatusServiceUnavailable)
		return
	}
	defer s.hub.leave(key, t, changed)
	out := &stream{w: w, control: http.NewResponseController(w), csrf: door.VisitorOf(r.Context()).CSRF}
	if out.begin() != nil {
		return
	}
	if have != first.version() {
		if out.send(whole(first)) != nil {
			return
		}
	}
	follow(r.Context(), out, t, changed, first)
}

// follow sends what changes until the browser leaves.
func follow(ctx context.Context, out *stream, t *topic, changed <-chan struct{}, shown sheet) {
	life, stop := context.WithTimeout(ctx, streamLife)
	defer stop()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		var err error
		select {
		case <-life.Done():
			return
		case <-beat.C:
			err = out.write(": still here\n\n")
		case <-changed:
			now := t.now()
			if change := difference(shown, now); change != nil {
				err = out.send(change)
			}
			shown = now
		}
		if err != nil {
			return
		}
	}
}

// stream writes server-sent events to one browser.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	csrf    string
}

func (s *stream) begin() error {
	_ = s.control.SetReadDeadline(time.Time{}) // it lasts longer than a request may
	s.w.Header().Set("Content-Type", "text/event-stream")
	s.w.Header().Set("X-Accel-Buffering", "no")
	return s.write("retry: 2000\n\n")
}

func (s *stream) send(u *update) error {
	text, err := json.Marshal(u)
	if err != nil {
		return fmt.Errorf("encode update: %w", err)
	}
	return s.write("data: " + strings.ReplaceAll(string(text), csrfMark, s.csrf) + "\n\n")
}

func (s *stream) write(text string) error {
	_ = s.control.SetWriteDeadline(time.Now().Add(slowest))
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.control.Flush()
}
