package clari

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir"
)

const testKey = "k-5ecret-0f-the-t3sts"

func keyOf(t testing.TB, text string) Key {
	t.Helper()
	key, err := NewKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func clientFor(t testing.TB, baseURL string, opts ...Option) *Client {
	t.Helper()
	c, err := New(baseURL, keyOf(t, testKey), opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// request is what a server saw.
type request struct{ method, uri, body, key, contentType, encoding string }

// serve starts a server that answers everything alike, and a client of it.
func serve(t testing.TB, status int, answer string, header ...string) (*Client, *request) {
	t.Helper()
	seen := &request{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		*seen = request{
			r.Method, r.RequestURI, string(body), r.Header.Get("apikey"),
			r.Header.Get("Content-Type"), r.Header.Get("Accept-Encoding"),
		}
		w.Header().Set("Date", "Thu, 01 Jan 2026 00:00:10 GMT")
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	return clientFor(t, server.URL+"/v4/"), seen
}

var serverTime = time.Date(2026, 1, 1, 0, 0, 10, 0, time.UTC)

// What is asked, to the letter.
func TestRequests(t *testing.T) {
	day := time.Date(2026, 3, 1, 9, 30, 0, 0, time.FixedZone("", -8*3600))
	for _, tt := range []struct {
		name   string
		answer string
		ask    func(context.Context, *Client) error
		want   request
	}{
		{"forecast export, nothing but the id", `{"jobId":"a"}`, func(ctx context.Context, c *Client) error {
			_, err := c.StartForecastExport(ctx, ForecastExport{ForecastID: "net/arr"})
			return err
		}, request{method: "POST", uri: "/v4/export/forecast/net%2Farr", body: `{"schedule":"NONE","includeHistorical":false}`}},
		{"forecast request", `{"jobId":"a"}`, func(ctx context.Context, c *Client) error {
			_, err := c.Start(ctx, weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: "2026_Q1", Types: []string{"quota", "forecast"},
				ScopeID: `{"a":1}`, Currency: "usd", Historical: true, ExportFormat: "csv"})
			return err
		}, request{method: "POST", uri: "/v4/export/forecast/net_arr",
			body: `{"timePeriod":"2026_Q1","typesToExport":["forecast","quota"],"scopeId":"{\"a\":1}","currency":"USD","schedule":"NONE","includeHistorical":true,"exportFormat":"CSV"}`}},
		{"activity export", `{"jobId":"a"}`, func(ctx context.Context, c *Client) error {
			_, err := c.StartActivityExport(ctx, ActivityExport{Types: []string{"MEETING"}, Start: day, End: day.AddDate(0, 0, 1)})
			return err
		}, request{method: "POST", uri: "/v4/export/activity",
			body: `{"activityTypes":["MEETING"],"startDate":"2026-03-01T09:30:00-08:00","endDate":"2026-03-02T09:30:00-08:00"}`}},
		{"activity request", `{"jobId":"a"}`, func(ctx context.Context, c *Client) error {
			_, err := c.Start(ctx, weir.Request{Kind: weir.Activity, Since: "2026-03-01", Until: "2026-03-02T00:00:00+01:00"})
			return err
		}, request{method: "POST", uri: "/v4/export/activity",
			body: `{"startDate":"2026-03-01T00:00:00+00:00","endDate":"2026-03-02T00:00:00+01:00"}`}},
		{"audit request", `{"jobId":"a"}`, func(ctx context.Context, c *Client) error {
			_, err := c.Start(ctx, weir.Request{Kind: weir.Audit, Since: "2026-03-01", Until: "2026-03-02"})
			return err
		}, request{method: "POST", uri: "/v4/export/audit/events",
			body: `{"dateFrom":"2026-03-01T00:00:00Z","dateTo":"2026-03-02T23:59:59.999Z"}`}},
		{"cancel", `{"status":"CANCELLED","successful":true}`, func(ctx context.Context, c *Client) error {
			_, err := c.Cancel(ctx, jobID)
			return err
		}, request{method: "PATCH", uri: "/v4/export/jobs/" + jobID, body: `{"type":"CANCEL"}`}},
		{"jobs", `[]`, func(ctx context.Context, c *Client) error {
			_, err := c.Jobs(ctx)
			return err
		}, request{method: "GET", uri: "/v4/export/jobs", encoding: "gzip"}},
		{"limits", `{"jobs":{"monthlyQuota":1}}`, func(ctx context.Context, c *Client) error {
			_, err := c.Limits(ctx)
			return err
		}, request{method: "GET", uri: "/v4/admin/limits", encoding: "gzip"}},
		{"results", `{}`, func(ctx context.Context, c *Client) error {
			return drain(c.Results(ctx, jobID))
		}, request{method: "GET", uri: "/v4/export/jobs/" + jobID + "/results", encoding: "identity"}},
		{"forecast", `{}`, func(ctx context.Context, c *Client) error {
			return drain(c.Forecast(ctx, "net_arr", "2026_Q1"))
		}, request{method: "GET", uri: "/v4/forecast/net_arr?timePeriod=2026_Q1", encoding: "identity"}},
		{"opportunities", `[]`, func(ctx context.Context, c *Client) error {
			return drain(c.Opportunities(ctx, []string{"a", "b&c"}))
		}, request{method: "GET", uri: "/v4/opportunity?oppId=a&oppId=b%26c", encoding: "identity"}},
		{"audit events", `{"items":[]}`, func(ctx context.Context, c *Client) error {
			_, err := c.AuditEvents(ctx, AuditQuery{From: "2026-03-01", Limit: 1000})
			return err
		}, request{method: "GET", uri: "/v4/audit/events?dateFrom=2026-03-01&limit=1000", encoding: "gzip"}},
		{"next audit events", `{"items":[]}`, func(ctx context.Context, c *Client) error {
			_, err := c.NextAuditEvents(ctx, "?cursor=x")
			return err
		}, request{method: "GET", uri: "/v4/audit/events?cursor=x", encoding: "gzip"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, seen := serve(t, 200, tt.answer)
			if err := tt.ask(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			tt.want.key = testKey
			if tt.want.body != "" {
				tt.want.contentType, tt.want.encoding = "application/json", "gzip"
			}
			if *seen != tt.want {
				t.Errorf("asked %+v\nwant  %+v", *seen, tt.want)
			}
		})
	}
}

func drain(r *Result, err error) error {
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r.Body)
	return errors.Join(err, r.Body.Close())
}

func TestAnswers(t *testing.T) {
	ctx := t.Context()
	c, _ := serve(t, 202, `{"jobId":"a","status":"SCHEDULED"}`, "X-Kong-Request-Id", "r-1")
	if got, err := c.Start(ctx, weir.Request{Kind: weir.Audit}); err != nil || got != (Started{JobID: "a", RawStatus: "SCHEDULED", RequestID: "r-1", Date: serverTime}) {
		t.Errorf("start: %+v, %v", got, err)
	}
	c, _ = serve(t, 200, `[{"jobId":"a","status":"DONE"}]`)
	if got, err := c.Jobs(ctx); err != nil || len(got.Jobs) != 1 || got.Jobs[0].Status != weir.JobDone || got.Date != serverTime || got.Bytes != 31 || got.Took <= 0 {
		t.Errorf("jobs: %+v, %v", got, err)
	}
	c, _ = serve(t, 200, `{"jobId":"a","status":"DONE"}`)
	if job, date, err := c.Job(ctx, "a"); err != nil || job.ID != "a" || date != serverTime {
		t.Errorf("job: %+v, %v, %v", job, date, err)
	}
	c, _ = serve(t, 200, `{"status":"CANCELLED","successful":true}`)
	if got, err := c.Cancel(ctx, "a"); err != nil || got != (Cancellation{JobID: "a", Status: weir.JobCancelled, RawStatus: "CANCELLED", Successful: true, Date: serverTime}) {
		t.Errorf("cancel: %+v, %v", got, err)
	}
	c, _ = serve(t, 200, `{"jobs":{"concurrentLimit":3}}`)
	if got, err := c.Limits(ctx); err != nil || got.ConcurrentLimit != 3 || got.Date != serverTime {
		t.Errorf("limits: %+v, %v", got, err)
	}
	c, _ = serve(t, 200, `{"items":[{"a":1},2],"actors":[{}],"nextLink":"https://elsewhere.example/x"}`)
	page, err := c.AuditEvents(ctx, AuditQuery{})
	if err != nil || len(page.Items) != 2 || string(page.Items[0]) != `{"a":1}` || len(page.Actors) != 1 || page.Date != serverTime {
		t.Errorf("audit events: %+v, %v", page, err)
	}
	if _, err := c.NextAuditEvents(ctx, page.NextLink); !errors.Is(err, ErrOrigin) || !errors.Is(err, ErrBadRequest) {
		t.Errorf("next audit events: %v", err)
	}
}

// What no server could answer as meant is refused before anything is sent.
func TestRefusedBeforeSending(t *testing.T) {
	ctx := t.Context()
	c, seen := serve(t, 200, `{"jobId":"a"}`)
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	second := func(_ any, err error) error { return err }
	for name, err := range map[string]error{
		"empty forecast id":  second(c.StartForecastExport(ctx, ForecastExport{ForecastID: " "})),
		"no such quarter":    second(c.StartForecastExport(ctx, ForecastExport{ForecastID: "a", Period: "2026_Q5"})),
		"unknown type":       second(c.Start(ctx, weir.Request{Kind: weir.Forecast, ForecastID: "a", Period: "2026_Q1", Types: []string{"x"}})),
		"unknown kind":       second(c.Start(ctx, weir.Request{Kind: "dance"})),
		"no date":            second(c.Start(ctx, weir.Request{Kind: weir.Activity, Since: "soon"})),
		"backwards":          second(c.StartActivityExport(ctx, ActivityExport{Start: day, End: day.Add(-1)})),
		"no opportunity":     second(c.Opportunities(ctx, nil)),
		"101 opportunities":  second(c.Opportunities(ctx, make([]string, 101))),
		"page size 1001":     second(c.AuditEvents(ctx, AuditQuery{Limit: 1001})),
		"results of nothing": second(c.Results(ctx, "")),
		"cancel nothing":     second(c.Cancel(ctx, "")),
		"forecast of none":   second(c.Forecast(ctx, "", "2026_Q1")),
	} {
		var e *Error
		if !errors.Is(err, ErrBadRequest) || !errors.As(err, &e) || e.Sent || e.Status != 0 || *seen != (request{}) {
			t.Errorf("%s: %v, asked %+v", name, err, *seen)
		}
		if !errors.Is(err, weir.ErrRequest) && !errors.Is(err, weir.ErrPeriod) {
			t.Errorf("%s: %v gives no reason", name, err)
		}
	}
}

func TestRefusalsKeepTheServersWords(t *testing.T) {
	c, _ := serve(t, 400, `{"code":"export_monthly_quota_reached","errorId":"e-1","message":"The monthly quota limit of 30\u001b[0m","orgId":"17"}`,
		"X-Request-Id", "r-1", "Retry-After", "-7")
	_, err := c.Start(t.Context(), weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: "2026_Q1"})
	var e *Error
	if !errors.Is(err, ErrRefused) || !errors.As(err, &e) {
		t.Fatal(err)
	}
	got := *e
	got.Hint = ""
	want := Error{
		Kind: KindRefused, Op: "start export net_arr 2026_Q1", Method: "POST", Route: "/export/forecast/{forecastId}", Status: 400,
		Code: "export_monthly_quota_reached", ErrorID: "e-1", Message: `The monthly quota limit of 30\x1b[0m`, OrgID: "17",
		RequestID: "r-1", RetryAfter: "-7", Date: serverTime, Sent: true,
	}
	if got != want || e.Hint == "" {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if text := e.Error(); text != `start export net_arr 2026_Q1: 400 export_monthly_quota_reached: The monthly quota limit of 30\x1b[0m` {
		t.Error(text)
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	for name, answer := range map[string]string{"web page": "<html><title>Sign in</title>", "empty": "", "error object": `{"code":"x"}`} {
		c, _ := serve(t, 200, answer)
		if _, err := c.Jobs(t.Context()); !errors.Is(err, ErrUndecodable) {
			t.Errorf("%s: list: %v", name, err)
		}
		if _, _, err := c.Job(t.Context(), "a"); !errors.Is(err, ErrUndecodable) {
			t.Errorf("%s: job: %v", name, err)
		}
		if _, err := c.Limits(t.Context()); !errors.Is(err, ErrUndecodable) {
			t.Errorf("%s: limits: %v", name, err)
		}
		if _, err := c.AuditEvents(t.Context(), AuditQuery{}); !errors.Is(err, ErrUndecodable) {
			t.Errorf("%s: audit events: %v", name, err)
		}
		if _, err := c.Start(t.Context(), weir.Request{Kind: weir.Audit}); !errors.Is(err, ErrAmbiguous) {
			t.Errorf("%s: start: %v", name, err)
		}
		if _, err := c.Cancel(t.Context(), "a"); !errors.Is(err, ErrAmbiguous) {
			t.Errorf("%s: cancel: %v", name, err)
		}
	}
	c, _ := serve(t, 200, `{"jobId":"a","x":"`+strings.Repeat("x", maxAnswer)+`"}`)
	if _, _, err := c.Job(t.Context(), "a"); !errors.Is(err, ErrTooLarge) {
		t.Errorf("large job: %v", err)
	}
	if _, err := c.Start(t.Context(), weir.Request{Kind: weir.Audit}); !errors.Is(err, ErrAmbiguous) || !errors.Is(err, ErrTooLarge) {
		t.Errorf("large new job: %v", err)
	}
	c, _ = serve(t, 204, "")
	if _, err := c.Results(t.Context(), "a"); !errors.Is(err, ErrUndecodable) {
		t.Errorf("no results: %v", err)
	}
}
