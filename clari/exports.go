package clari

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/weirhq/weir"
)

// ForecastExport asks for one forecast tab in one quarter. Only ForecastID is
// needed; what is empty is left to the server's default.
type ForecastExport struct {
	ForecastID string
	// Period is the quarter; empty: the current one. A quarter that the server
	// does not know silently yields the current one, so check the result.
	Period   weir.Period
	Types    []string // see [weir.ForecastTypes]; empty: forecast and forecast_updated
	ScopeID  string   // root of the hierarchy
	Currency string   // three letters
	// Historical asks for every week of the quarter, not only the latest.
	Historical   bool
	ExportFormat string // "JSON" or "CSV"; empty: JSON
}

// ActivityExport asks for activities. Of both instants only the date and the
// zone count; both days are included. Zero instants are left out.
type ActivityExport struct {
	Types      []string // MEETING, EMAIL_SENT, EMAIL_RECEIVED, ATTACHMENT_SENT, ATTACHMENT_RECEIVED
	Start, End time.Time
}

// AuditExport asks for audit events between two instants, each an RFC 3339
// instant or a date; empty: 30 days ago, and now.
type AuditExport struct{ From, To string }

// Started is a job that the server accepted.
type Started struct {
	JobID     string
	RawStatus string    // the server's word, often empty
	RequestID string    // the gateway's name for the request, often empty
	Date      time.Time // the server's clock; zero: not said
}

type forecastBody struct {
	TimePeriod   string   `json:"timePeriod,omitempty"`
	Types        []string `json:"typesToExport,omitempty"`
	ScopeID      string   `json:"scopeId,omitempty"`
	Currency     string   `json:"currency,omitempty"`
	Schedule     string   `json:"schedule"`
	Historical   bool     `json:"includeHistorical"`
	ExportFormat string   `json:"exportFormat,omitempty"`
}

type activityBody struct {
	Types     []string `json:"activityTypes,omitempty"`
	StartDate string   `json:"startDate,omitempty"`
	EndDate   string   `json:"endDate,omitempty"`
}

type auditBody struct {
	DateFrom string `json:"dateFrom,omitempty"`
	DateTo   string `json:"dateTo,omitempty"`
}

// StartForecastExport starts a job, POST /export/forecast/{forecastId}. It asks
// the server never to retry the job by itself (schedule NONE). A job may exist
// after [ErrAmbiguous], and after no other error.
func (c *Client) StartForecastExport(ctx context.Context, e ForecastExport) (Started, error) {
	what := call{
		op:    "start export " + show(strings.TrimSpace(e.ForecastID+" "+string(e.Period)), maxWordBytes),
		route: "/export/forecast/{forecastId}",
		url:   c.address("/export/forecast/"+escape(e.ForecastID), nil),
	}
	if err := e.check(); err != nil {
		return Started{}, c.invalid(what, err)
	}
	return c.start(ctx, what, forecastBody{
		TimePeriod: string(e.Period), Types: e.Types, ScopeID: e.ScopeID, Currency: e.Currency,
		Schedule: "NONE", Historical: e.Historical, ExportFormat: e.ExportFormat,
	})
}

func (e ForecastExport) check() error {
	if strings.TrimSpace(e.ForecastID) == "" {
		return fmt.Errorf("empty forecast id: %w", weir.ErrRequest)
	}
	if e.Period == "" {
		return nil
	}
	_, err := weir.ParsePeriod(string(e.Period))
	return err
}

// StartActivityExport starts a job, POST /export/activity.
func (c *Client) StartActivityExport(ctx context.Context, e ActivityExport) (Started, error) {
	what := call{op: "start activity export", route: "/export/activity", url: c.address("/export/activity", nil)}
	if !e.Start.IsZero() && !e.End.IsZero() && e.End.Before(e.Start) {
		return Started{}, c.invalid(what, fmt.Errorf("it ends before it starts: %w", weir.ErrRequest))
	}
	return c.start(ctx, what, activityBody{Types: e.Types, StartDate: offsetDate(e.Start), EndDate: offsetDate(e.End)})
}

// StartAuditExport starts a job, POST /export/audit/events.
func (c *Client) StartAuditExport(ctx context.Context, e AuditExport) (Started, error) {
	what := call{op: "start audit export", route: "/export/audit/events", url: c.address("/export/audit/events", nil)}
	return c.start(ctx, what, auditBody{DateFrom: e.From, DateTo: e.To})
}

// Start starts the job that a request describes, after [weir.Request.Validate].
// Dates without a zone are UTC; an audit request until a date includes that day
// to its last millisecond.
func (c *Client) Start(ctx context.Context, r weir.Request) (Started, error) {
	r = r.Normal()
	local := call{op: "start export " + show(r.Title(), maxWordBytes), route: startRoute(r.Kind)}
	if err := r.Validate(); err != nil {
		return Started{}, c.invalid(local, err)
	}
	switch r.Kind {
	case weir.Forecast:
		return c.StartForecastExport(ctx, ForecastExport{
			ForecastID: r.ForecastID, Period: r.Period, Types: r.Types, ScopeID: r.ScopeID,
			Currency: r.Currency, Historical: r.Historical, ExportFormat: r.ExportFormat,
		})
	case weir.Activity:
		start, errStart := parseDay(r.Since)
		end, errEnd := parseDay(r.Until)
		if err := errors.Join(errStart, errEnd); err != nil {
			return Started{}, c.invalid(local, err)
		}
		return c.StartActivityExport(ctx, ActivityExport{Types: r.Types, Start: start, End: end})
	}
	return c.StartAuditExport(ctx, AuditExport{From: dayEdge(r.Since, "T00:00:00Z"), To: dayEdge(r.Until, "T23:59:59.999Z")})
}

func startRoute(kind weir.Kind) string {
	switch kind {
	case weir.Forecast:
		return "/export/forecast/{forecastId}"
	case weir.Activity:
		return "/export/activity"
	}
	return "/export/audit/events"
}

// start posts a body and reads the job id out of the answer. A success without
// a usable id is ambiguous: a job may run under an id that was never told.
func (c *Client) start(ctx context.Context, what call, body any) (Started, error) {
	raw, err := json.Marshal(body)
	if err != nil {
		return Started{}, c.invalid(what, err)
	}
	what.method, what.body = http.MethodPost, raw
	x, err := c.open(ctx, what)
	if err != nil {
		return Started{}, err
	}
	defer x.close()
	answer, err := x.load()
	if err != nil {
		return Started{}, err
	}
	started, err := decodeStarted(answer)
	if err != nil {
		return Started{}, x.misread(err)
	}
	started.RequestID, started.Date = x.requestID(), x.date()
	return started, nil
}

// invalid refuses a call before anything is sent.
func (c *Client) invalid(what call, err error) error {
	method := what.method
	if method == "" {
		method = http.MethodPost
	}
	return &Error{
		Kind: KindBadRequest, Op: c.key.blank(what.op), Method: method, Route: what.route,
		Err: c.cause(KindBadRequest, err), Hint: "nothing was sent; correct the request",
	}
}

const dateOnly = "2006-01-02"

// offsetDate is RFC 3339 with a numeric offset, which every reader of dates
// understands; "Z" is not among those of some.
func offsetDate(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.Format("2006-01-02T15:04:05-07:00")
}

// parseDay reads a date (UTC) or an RFC 3339 instant; empty is the zero time.
func parseDay(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(dateOnly, text); err == nil {
		return at, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%q is neither a date nor an RFC 3339 instant: %w", show(text, maxWordBytes), weir.ErrRequest)
	}
	return at, nil
}

// dayEdge completes a bare date with a time of day; anything else stays.
func dayEdge(text, timeOfDay string) string {
	if _, err := time.Parse(dateOnly, text); err != nil {
		return text
	}
	return text + timeOfDay
}
