package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/clari"
	"github.com/weirhq/weir/pace"
)

const (
	// auditPage is how many events a page is asked for: the API's own bound.
	auditPage = 1000
	// auditBeside is how much more than the span is asked for at each end: whether
	// a bound is included, and how finely it is read, is the server's business.
	auditBeside = time.Second
	// auditKept is about how long the server keeps events: an older bound is left
	// to the server.
	auditKept = 30 * 24 * time.Hour
	// pageTries is how often one page is asked for before the walk begins anew.
	pageTries = 4
	// pagePatience is how long a page after the first may wait at the gate. A walk
	// that gave up sooner would begin anew at its first page, and at a pace of one
	// request in more than gatePatience never see its second.
	pagePatience = 5 * time.Minute
	// maxActors bounds the actors of all pages together, which are remembered so
	// that each is told once.
	maxActors = 64 << 20
)

var (
	errWalkCircle = errors.New("the pages of audit events lead back to an earlier one")
	errManyActors = fmt.Errorf("the actors of the audit events take more than %d MiB", maxActors>>20)
)

// auditWalk reads the audit events of a span page by page, as the one document
// {"items":[..],"actors":[..]} that an export of them has: every event of the
// span to the letter, in order, and no other; every actor once. It holds one page.
type auditWalk struct {
	ctx   context.Context
	api   API
	first time.Time // of the span, included
	end   time.Time // excluded

	next    string // the link to the page after the one at hand
	links   map[string]bool
	actors  map[string]bool
	order   []string
	weight  int
	items   int
	pending bytes.Buffer
	done    bool
}

// newAuditWalk asks for the first page, so that a refusal is known at once.
func newAuditWalk(ctx context.Context, api API, r weir.Request) (*auditWalk, error) {
	first, last := r.Span()
	w := &auditWalk{
		ctx: ctx, api: api, first: first, end: last.Add(time.Millisecond).Truncate(time.Millisecond),
		links: map[string]bool{}, actors: map[string]bool{},
	}
	w.pending.WriteString(`{"items":[`)
	page, err := w.page("")
	if err != nil {
		return nil, err
	}
	if early := w.end.Sub(page.Date); !page.Date.IsZero() && early > 0 {
		return nil, &earlyError{by: early}
	}
	return w, w.take(page)
}

// page asks for a page. Tries that failed for what passes are repeated at the
// gate's pace, so that a long walk need not begin anew for one of them.
func (w *auditWalk) page(link string) (clari.AuditPage, error) {
	for try := 0; ; try++ {
		page, err := w.ask(link)
		passes := link != "" && (errors.Is(err, clari.ErrThrottled) || errors.Is(err, clari.ErrTransient) && reached(err))
		if err == nil || !passes || try+1 >= pageTries {
			return page, err
		}
		if !errors.Is(err, clari.ErrThrottled) { // a 429 is waited for at the gate
			pause(w.ctx, backoff(try))
		}
	}
}

func (w *auditWalk) ask(link string) (clari.AuditPage, error) {
	if link != "" {
		return w.api.NextAuditEvents(pace.WithMaxWait(w.ctx, pagePatience), link)
	}
	const form = "2006-01-02T15:04:05.000Z"
	q := clari.AuditQuery{Limit: auditPage, To: w.end.Add(auditBeside).UTC().Format(form)}
	if from := w.first.Add(-auditBeside); from.After(w.end.Add(-auditKept)) {
		q.From = from.UTC().Format(form)
	}
	return w.api.AuditEvents(w.ctx, q)
}

// take appends what a page brings.
func (w *auditWalk) take(page clari.AuditPage) error {
	for _, item := range page.Items {
		if !within(item, w.first, w.end) {
			continue
		}
		if w.items > 0 {
			w.pending.WriteByte(',')
		}
		w.pending.Write(item)
		w.items++
	}
	for _, actor := range page.Actors {
		if w.actors[string(actor)] {
			continue
		}
		if w.weight += len(actor); w.weight > maxActors {
			return errManyActors
		}
		w.actors[string(actor)] = true
		w.order = append(w.order, string(actor))
	}
	if w.next = page.NextLink; w.next == "" {
		w.finish()
		return nil
	}
	if w.links[w.next] {
		return errWalkCircle
	}
	w.links[w.next] = true
	return nil
}

func (w *auditWalk) finish() {
	w.pending.WriteString(`],"actors":[`)
	for i, actor := range w.order {
		if i > 0 {
			w.pending.WriteByte(',')
		}
		w.pending.WriteString(actor)
	}
	w.pending.WriteString("]}\n")
	w.done = true
}

// Read gives the document; io.EOF only at its end.
func (w *auditWalk) Read(p []byte) (int, error) {
	for w.pending.Len() == 0 && !w.done {
		page, err := w.page(w.next)
		if err == nil {
			err = w.take(page)
		}
		if err != nil {
			return 0, err
		}
	}
	if w.pending.Len() == 0 {
		return 0, io.EOF
	}
	return w.pending.Read(p)
}

// Close ends the walk.
func (w *auditWalk) Close() error {
	w.pending, w.done = bytes.Buffer{}, true
	return nil
}

// within reports whether an event belongs to a span, its end excluded. One that
// does not say when it was belongs to the span in which it was listed.
func within(item json.RawMessage, first, end time.Time) bool {
	var event struct {
		At json.RawMessage `json:"eventTimestamp"`
	}
	if json.Unmarshal(item, &event) != nil {
		return true
	}
	at, ok := eventInstant(event.At)
	return !ok || !at.Before(first) && at.Before(end)
}

// eventInstant reads RFC 3339 or Unix milliseconds, as a number or in a string.
func eventInstant(value json.RawMessage) (time.Time, bool) {
	var text string
	if json.Unmarshal(value, &text) != nil {
		text = string(value)
	}
	if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return at, true
	}
	var ms int64
	if err := json.Unmarshal([]byte(text), &ms); err != nil {
		return time.Time{}, false
	}
	return time.UnixMilli(ms), true
}
