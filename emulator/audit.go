package emulator

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// auditKept is how long events are kept.
const auditKept = 30 * 24 * time.Hour

// auditFilter is how both audit calls are narrowed; all of it is optional.
type auditFilter struct {
	ActorID     *int64 `json:"actorId"`
	SessionType string `json:"sessionType"`
	SessionID   string `json:"sessionId"`
	Event       string `json:"event"`
	DateFrom    string `json:"dateFrom"`
	DateTo      string `json:"dateTo"`
}

// AuditEvent is one thing that somebody did. It has no id of its own.
type AuditEvent struct {
	ActorID         string            `json:"actorId"`
	ActorType       string            `json:"actorType"`
	SessionID       string            `json:"sessionId"`
	SessionType     string            `json:"sessionType"`
	Event           string            `json:"event"`
	IPAddress       string            `json:"ipAddress"`
	EventParameters map[string]string `json:"eventParameters"`
	EventTimestamp  string            `json:"eventTimestamp"`
}

// AuditActor is who did it.
type AuditActor struct {
	ActorType string `json:"actorType"`
	ActorID   string `json:"actorId"`
	Name      string `json:"name"`
	Email     string `json:"email"`
}

// span is what a filter covers: both bounds included, a date without a time
// meaning the whole day, nothing older than what is kept.
func (f auditFilter) span(now time.Time) (span, error) {
	from, err := auditBound(f.DateFrom, now.Add(-auditKept), 0)
	if err != nil {
		return span{}, fmt.Errorf("dateFrom: %w", err)
	}
	until, err := auditBound(f.DateTo, now, 24*time.Hour)
	if err != nil {
		return span{}, fmt.Errorf("dateTo: %w", err)
	}
	if f.SessionType != "" && !slices.Contains(sessionTypes(), f.SessionType) {
		return span{}, errors.New("sessionType is invalid")
	}
	if oldest := now.Add(-auditKept); from.Before(oldest) {
		from = oldest
	}
	if until.After(now) {
		until = now
	}
	return span{from: from, until: until, filter: f}, nil
}

func auditBound(text string, absent time.Time, day time.Duration) (time.Time, error) {
	if text == "" {
		return absent, nil
	}
	if at, err := time.Parse(time.DateOnly, text); err == nil {
		return at.Add(day), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is neither a date nor an RFC 3339 instant", clip(text, 40))
	}
	if day > 0 {
		at = at.Add(time.Millisecond) // the bound itself is included
	}
	return at.UTC(), nil
}

func sessionTypes() []string { return []string{"WEB", "IOS", "ANDROID"} }

func (f auditFilter) keeps(e AuditEvent) bool {
	return (f.ActorID == nil || strconv.FormatInt(*f.ActorID, 10) == e.ActorID) &&
		(f.SessionType == "" || f.SessionType == e.SessionType) &&
		(f.SessionID == "" || f.SessionID == e.SessionID) &&
		(f.Event == "" || f.Event == e.Event)
}

// auditItems lists the events of a span, oldest first, with their instants.
func (e *Emulator) auditItems(s span) func(func(time.Time, AuditEvent) bool) {
	return func(yield func(time.Time, AuditEvent) bool) {
		for at, d := range e.moments("audit", s.from, s.until, e.config.AuditPerDay) {
			if event := e.auditEvent(at, d); s.filter.keeps(event) && !yield(at, event) {
				return
			}
		}
	}
}

func (e *Emulator) auditEvent(at time.Time, d draw) AuditEvent {
	events := []string{"api.accessed", "user.login", "forecast.updated", "export.created", "role.changed"}
	return AuditEvent{
		ActorID: userID(d.with(1).below(e.config.Users)), ActorType: "USER",
		SessionID: e.draw.text("session").with(int64(d.with(2).below(50))).uuid(), SessionType: sessionTypes()[d.with(3).below(3)],
		Event: events[d.with(4).below(len(events))], IPAddress: fmt.Sprintf("192.0.2.%d", d.with(5).below(255)),
		EventParameters: map[string]string{"path": fmt.Sprintf("/v4/thing/%d", d.with(6).below(9)), "agent": `client "x", 1`},
		EventTimestamp:  at.Format("2006-01-02T15:04:05.000Z07:00"),
	}
}

func (e *Emulator) actor(id string) AuditActor {
	c := Contents{config: e.config, org: e.draw.text("people")}
	u := c.personByID(id)
	return AuditActor{"USER", id, u.Name, u.Email}
}

// actorsOf collects who did something, each once, in order of appearance.
type actorsOf struct {
	e    *Emulator
	seen map[string]bool
	list []AuditActor
}

func (a *actorsOf) note(event AuditEvent) {
	if a.seen[event.ActorID] {
		return
	}
	if a.seen == nil {
		a.seen = map[string]bool{}
	}
	a.seen[event.ActorID] = true
	a.list = append(a.list, a.e.actor(event.ActorID))
}

// writeAudit writes the document of an audit export.
func (e *Emulator) writeAudit(w io.Writer, s span) error {
	out := &stream{w: w}
	out.text("{")
	out.key("items")
	out.text("[")
	first := true
	actors := actorsOf{e: e, list: []AuditActor{}}
	for _, event := range e.auditItems(s) {
		actors.note(event)
		if err := out.element(&first, event); err != nil {
			return err
		}
	}
	out.text("]")
	list, err := json.Marshal(actors.list)
	if err != nil {
		return err
	}
	out.key("actors")
	out.text(string(list))
	out.text("}\n")
	out.flush()
	return out.err
}

// auditEvents is GET /audit/events, page by page.
func (v *visit) auditEvents() reply {
	asked := v.r.URL.Query()
	filter, limit, err := auditQuery(asked)
	if err != nil {
		return v.refuseAudit(badRequest("audit", err.Error()))
	}
	span, err := filter.span(v.now())
	if err != nil {
		return v.refuseAudit(badRequest("audit", err.Error()))
	}
	token := asked.Get("paginationToken")
	if token != "" {
		if span.from, span.until, err = openToken(token); err != nil {
			return v.refuseAudit(badRequest("audit", err.Error()))
		}
	}
	return v.auditPage(span, limit)
}

func (v *visit) auditPage(s span, limit int) reply {
	items := []AuditEvent{}
	actors := actorsOf{e: v.e, list: []AuditActor{}}
	page := map[string]any{}
	for at, event := range v.e.auditItems(s) {
		if len(items) == limit {
			page["nextLink"] = v.nextLink(at, s.until)
			break
		}
		actors.note(event)
		items = append(items, event)
	}
	page["items"], page["actors"] = items, actors.list
	return jsonReply(http.StatusOK, page)
}

func auditQuery(asked url.Values) (auditFilter, int, error) {
	f := auditFilter{
		SessionType: asked.Get("sessionType"), SessionID: asked.Get("sessionId"), Event: asked.Get("event"),
		DateFrom: asked.Get("dateFrom"), DateTo: asked.Get("dateTo"),
	}
	if text := asked.Get("actorId"); text != "" {
		id, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return f, 0, fmt.Errorf("actorId %q is not a number", clip(text, 40))
		}
		f.ActorID = &id
	}
	limit := 100
	if text := asked.Get("limit"); text != "" {
		number, err := strconv.Atoi(text)
		if err != nil || number < 1 || number > 1000 {
			return f, 0, fmt.Errorf("limit %q is not between 1 and 1000", clip(text, 40))
		}
		limit = number
	}
	return f, limit, nil
}

// nextLink is the absolute address of the page that begins at an instant. The
// end is fixed by the first page, so that new events do not prolong the walk.
func (v *visit) nextLink(from, until time.Time) string {
	next := *v.r.URL
	next.Host, next.Scheme = orDefault(v.r.Host, v.r.URL.Host), "http"
	if v.r.TLS != nil || v.r.URL.Scheme == "https" {
		next.Scheme = "https"
	}
	asked := next.Query()
	asked.Set("paginationToken", sealToken(from, until))
	next.RawQuery = asked.Encode()
	return next.String()
}

func sealToken(from, until time.Time) string {
	text := strconv.FormatInt(from.UnixMilli(), 10) + "." + strconv.FormatInt(until.UnixNano(), 10)
	return base64.RawURLEncoding.EncodeToString([]byte(text))
}

func openToken(token string) (from, until time.Time, err error) {
	bad := errors.New("paginationToken is invalid")
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return from, until, bad
	}
	first, last, found := strings.Cut(string(text), ".")
	millis, err1 := strconv.ParseInt(first, 10, 64)
	nanos, err2 := strconv.ParseInt(last, 10, 64)
	from, until = time.UnixMilli(millis).UTC(), time.Unix(0, nanos).UTC()
	if !found || err1 != nil || err2 != nil || until.Sub(from) > 2*auditKept || from.After(until) {
		return from, until, bad
	}
	return from, until, nil
}
