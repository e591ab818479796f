package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/clari"
	"github.com/weirhq/weir/pace"
)

// pages answers GET /audit/events: page n (from 0) with the n-th answer.
type pages struct {
	answers []answer
	asked   []string // the queries
}

type answer struct {
	status int
	body   string
	date   time.Time
}

func (p *pages) RoundTrip(r *http.Request) (*http.Response, error) {
	a := p.answers[min(len(p.asked), len(p.answers)-1)]
	p.asked = append(p.asked, r.URL.RawQuery)
	header := http.Header{"Content-Type": {"application/json"}}
	if !a.date.IsZero() {
		header.Set("Date", a.date.UTC().Format(http.TimeFormat))
	}
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return &http.Response{
		StatusCode: a.status, Header: header, Request: r, ProtoMajor: 1, ProtoMinor: 1,
		Body: io.NopCloser(strings.NewReader(a.body)), ContentLength: int64(len(a.body)),
	}, nil
}

func auditSpan() weir.Request {
	return weir.Request{Kind: weir.Audit, Direct: true, Since: "2026-11-23T10:00:00Z", Until: "2026-11-23T10:59:59.999Z"}
}

// walk reads the document of the answers.
func walk(t *testing.T, p *pages) (string, error) {
	t.Helper()
	key, err := clari.NewKey("a-test-key")
	if err != nil {
		t.Fatal(err)
	}
	client, err := clari.New("https://api.test/v4", key, clari.WithTransport(p))
	if err != nil {
		t.Fatal(err)
	}
	w, err := newAuditWalk(context.Background(), client, auditSpan())
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(w)
	return string(text), errors.Join(err, w.Close())
}

// At a pace of one request in more than a landing may wait for its first, the
// pages are waited for one by one: to begin anew would never come to an end.
func TestAuditWalkAtASlowPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pages{answers: []answer{{body: `{"items":[],"nextLink":"?page=2"}`}, {body: `{"items":[],"nextLink":"?page=3"}`}, {body: `{"items":[]}`}}}
		slow := pace.NewGate(pace.Config{Policy: pace.Policy{Rate: 0.05, Burst: 1}}, pace.State{})
		key, err := clari.NewKey("a-test-key")
		if err != nil {
			t.Fatal(err)
		}
		client, err := clari.New("https://api.test/v4", key, clari.WithTransport(&pace.Transport{Gate: slow, Base: p}))
		if err != nil {
			t.Fatal(err)
		}
		w, err := newAuditWalk(pace.WithMaxWait(t.Context(), gatePatience), client, auditSpan())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(w); err != nil || len(p.asked) != 3 {
			t.Errorf("%v after %d pages", err, len(p.asked))
		}
	})
}

func eventAt(at, name string) string {
	return fmt.Sprintf(`{"eventTimestamp":%q, "event":%q}`, at, name)
}

// The pages become one document: the events of the span alone, to the letter and
// in order, and every actor once.
func TestAuditWalkJoinsPages(t *testing.T) {
	p := &pages{answers: []answer{
		{body: `{"items":[` + eventAt("2026-11-23T09:59:59.999Z", "before") + `,` + eventAt("2026-11-23T10:00:00Z", "first") +
			`],"actors":[{"actorId":"1"}],"nextLink":"https://api.test/v4/audit/events?page=2"}`},
		{body: `{"items":[],"actors":[],"nextLink":"/v4/audit/events?page=3"}`},
		{body: `{"items":[{"eventTimestamp":1795431599999},{"event":"undated"},` + eventAt("2026-11-23T11:00:00Z", "after") +
			`,` + eventAt("2026-11-23T12:59:59.999+02:00", "last") + `],"actors":[{"actorId":"1"},{"actorId":"2"}]}`},
	}}
	got, err := walk(t, p)
	want := `{"items":[` + eventAt("2026-11-23T10:00:00Z", "first") + `,{"eventTimestamp":1795431599999},{"event":"undated"},` +
		eventAt("2026-11-23T12:59:59.999+02:00", "last") + `],"actors":[{"actorId":"1"},{"actorId":"2"}]}` + "\n"
	if err != nil || got != want {
		t.Errorf("got %v\n%s\nwant\n%s", err, got, want)
	}
	asked := strings.Join(p.asked, " ")
	if want := "dateFrom=2026-11-23T09%3A59%3A59.000Z&dateTo=2026-11-23T11%3A00%3A01.000Z&limit=1000 page=2 page=3"; asked != want {
		t.Errorf("asked %s, want %s", asked, want)
	}
}

// A 429 or a 5xx on a later page does not begin the walk anew; the first page's
// is the landing's to try again.
func TestAuditWalkTriesAPageAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := answer{body: `{"items":[` + eventAt("2026-11-23T10:00:00Z", "a") + `],"nextLink":"?page=2"}`}
		p := &pages{answers: []answer{first, {status: 429}, {status: 503}, {body: `{"items":[` + eventAt("2026-11-23T10:00:01Z", "b") + `]}`}}}
		got, err := walk(t, p)
		if err != nil || strings.Count(got, "eventTimestamp") != 2 || len(p.asked) != 4 {
			t.Errorf("%v after %q: %s", err, p.asked, got)
		}
		p = &pages{answers: []answer{first, {status: 503}}}
		if _, err := walk(t, p); !errors.Is(err, clari.ErrTransient) || len(p.asked) != 1+pageTries {
			t.Errorf("%v after %d requests", err, len(p.asked))
		}
		p = &pages{answers: []answer{{status: 503}}}
		if _, err := walk(t, p); !errors.Is(err, clari.ErrTransient) || len(p.asked) != 1 {
			t.Errorf("%v after %d requests", err, len(p.asked))
		}
	})
}

func TestAuditWalkRefuses(t *testing.T) {
	circle := answer{body: `{"items":[],"nextLink":"?page=1"}`}
	if _, err := walk(t, &pages{answers: []answer{circle}}); !errors.Is(err, errWalkCircle) {
		t.Errorf("a circle: %v", err)
	}
	foreign := answer{body: `{"items":[],"nextLink":"https://elsewhere.test/v4/audit/events"}`}
	p := &pages{answers: []answer{foreign}}
	if _, err := walk(t, p); !errors.Is(err, clari.ErrOrigin) || len(p.asked) != 1 {
		t.Errorf("a foreign link: %v after %d requests", err, len(p.asked))
	}
	early := answer{body: `{"items":[]}`, date: time.Date(2026, 11, 23, 10, 59, 50, 0, time.UTC)}
	_, err := walk(t, &pages{answers: []answer{early}})
	if !errors.Is(err, errEarly) || earlyBy(err) != 10*time.Second {
		t.Errorf("a span that has not ended: %v", err)
	}
	var plain weir.Export
	plain.Request = auditSpan()
	if o := misfortune(plain, weir.Delivery{}, err, time.Unix(100, 0)); !o.Free || o.NotBefore != time.Unix(111, 0) {
		t.Errorf("waits %+v", o)
	}
}

// FuzzWithin: whatever an event says, it is in exactly one of two spans that
// touch, unless nothing says when it was.
func FuzzWithin(f *testing.F) {
	f.Add([]byte(eventAt("2026-11-23T10:00:00Z", "x")))
	f.Add([]byte(`{"eventTimestamp":1e99}`))
	f.Add([]byte(`{"eventTimestamp":"1795431599999","EVENTTIMESTAMP":null}`))
	f.Fuzz(func(t *testing.T, item []byte) {
		first, middle, end := time.Time{}, time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), time.Date(1e8, 1, 1, 0, 0, 0, 0, time.UTC)
		before, after := within(item, first, middle), within(item, middle, end)
		var event struct {
			At json.RawMessage `json:"eventTimestamp"`
		}
		undated := json.Unmarshal(item, &event) != nil
		if !undated {
			_, dated := eventInstant(event.At)
			undated = !dated
		}
		if before && after && !undated {
			t.Errorf("%s is in both spans", item)
		}
	})
}
