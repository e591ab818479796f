package emulator_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/emulator"
)

func listen(t *testing.T, c emulator.Config) (e *emulator.Emulator, address string, stop func() error) {
	t.Helper()
	e, err := emulator.New(c)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- emulator.Serve(ctx, listener, e) }()
	stop = func() error { cancel(); return <-ended }
	t.Cleanup(cancel)
	return e, emulator.BaseURL(listener.Addr()), stop
}

// both runs a test over the in-process transport and over a socket.
func both(t *testing.T, script string, test func(l *lab, address string)) {
	t.Helper()
	c := emulator.Config{Scenario: scenario(t, script), Start: start, JobTime: time.Nanosecond}
	t.Run("in process", func(t *testing.T) {
		test(newLab(t, c), base)
	})
	t.Run("socket", func(t *testing.T) {
		e, address, _ := listen(t, c)
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		test(&lab{T: t, Emulator: e, client: client, key: "emulated"}, address)
	})
}

func TestCutBeforeAndAfter(t *testing.T) {
	both(t, `
rules:
  - match: {route: export.forecast, nth: 1}
    cut: before
  - match: {route: export.forecast, nth: 2}
    cut: after
`, func(l *lab, address string) {
		for made := range 2 {
			if a := l.post(address+"/export/forecast/net_arr", "{}"); a.err == nil {
				l.Errorf("cut %d answered %d", made, a.status)
			}
			if got := len(l.JobIDs()); got != made {
				l.Errorf("after cut %d: %d jobs", made, got)
			}
		}
		l.want(200, "POST", address+"/export/forecast/net_arr", "{}")
		if c := l.Counters(); c.Cuts[emulator.CutBefore] != 1 || c.Cuts[emulator.CutAfter] != 1 || c.Of(emulator.RouteExportForecast, 0) != 2 {
			l.Errorf("%+v", c)
		}
	})
}

func TestBodyFaults(t *testing.T) {
	both(t, `
rules:
  - {match: {route: forecast, nth: 1}, cut: body, cut_at: 500}
  - {match: {route: forecast, nth: 2}, truncate: 500}
  - {match: {route: forecast, nth: 3}, length_off: -100}
  - {match: {route: forecast, nth: 4}, length_off: 100}
  - {match: {route: forecast, nth: 5}, trailing: "garbage"}
  - {match: {route: forecast, nth: 6}, html: true}
  - {match: {route: forecast, nth: 7}, body: '[{"rows":1}]', headers: {X-Odd: "yes"}}
  - {match: {route: limits}, cut: body, cut_at: 5}
`, func(l *lab, address string) {
		whole := l.Contents(emulator.Query{Forecast: "net_arr", AsOf: start})
		var text strings.Builder
		if err := whole.WriteJSON(&text); err != nil {
			l.Fatal(err)
		}
		full := text.Len()
		rows := []struct {
			length  int
			torn    bool
			endings string
		}{
			{500, true, ""}, {500, false, ""}, {full - 100, false, ""}, {full, true, "}\n"},
			{full + 7, false, "}\ngarbage"}, {-1, false, "</html>\n"}, {12, false, `[{"rows":1}]`},
		}
		for i, row := range rows {
			a := l.get(address + "/forecast/net_arr")
			if a.status != 200 || (a.err != nil) != row.torn || !strings.HasSuffix(a.body, row.endings) {
				l.Errorf("%d: %d, err %v, %d bytes", i+1, a.status, a.err, len(a.body))
			}
			// The current week changes by the hour, by a few digits.
			if off := len(a.body) - row.length; row.length >= 0 && (off > 300 || off < -300) || row.length == 500 && off != 0 {
				l.Errorf("%d: %d bytes, want about %d", i+1, len(a.body), row.length)
			}
		}
		if a := l.get(address + "/admin/limits"); !errors.Is(a.err, io.ErrUnexpectedEOF) || len(a.body) != 5 {
			l.Errorf("limits: %v %q", a.err, a.body)
		}
	})
}

func TestDeclaredLengths(t *testing.T) {
	c := emulator.Config{ContentLength: true, Scenario: scenario(t, "rules: [{match: {nth: 2}, cut: body, cut_at: 1000000}]")}
	l := newLab(t, c)
	whole := l.get("/forecast/net_arr")
	if length := whole.header.Get("Content-Length"); length == "" || whole.err != nil {
		t.Errorf("length %q, %v", length, whole.err)
	}
	if torn := l.get("/forecast/net_arr"); !errors.Is(torn.err, io.ErrUnexpectedEOF) || len(torn.body) == 0 {
		t.Errorf("cut inside the declared length: %v after %d bytes", torn.err, len(torn.body))
	}
}

func TestScriptedAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{Scenario: scenario(t, `
rules:
  - {match: {nth: 1}, retry_after: "30"}
  - {match: {nth: 2}, status: 429}
  - {match: {nth: 3}, retry_after: "-5"}
  - {match: {nth: 4}, status: 500}
  - {match: {nth: 5}, status: 502, html: true}
  - {match: {nth: 6}, status: 500, act: true}
  - {match: {nth: 7}, status: 400, code: odd_code, message: Odd.}
`)})
		for i, row := range []struct {
			status       int
			after, holds string
		}{
			{429, "30", "request_id"}, {429, "", "rate limit"}, {429, "-5", "rate limit"}, {500, "", `"code":"internal_server_error"`},
			{502, "", "<html>"}, {500, "", `"code":"internal_server_error"`}, {400, "", `"code":"odd_code"`},
		} {
			a := l.post("/export/forecast/net_arr", "{}")
			if a.status != row.status || a.header.Get("Retry-After") != row.after || !strings.Contains(a.body, row.holds) {
				t.Errorf("%d: %d %q %s", i+1, a.status, a.header.Get("Retry-After"), a.body)
			}
		}
		c := l.Counters()
		if c.JobsMade() != 1 || c.Throttled != 3 || c.EarlyCalls != 6 {
			t.Errorf("only the sixth acted, and all after the first came early: %+v", c)
		}
	})
}

func TestDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{Speed: 10, Scenario: scenario(t, `
rules:
  - {match: {nth: 1}, delay: 3s}
  - {match: {nth: 2}, delay_emulated: 30s}
  - {match: {nth: 3}, delay_answer: 2s}
  - {match: {nth: 4}, delay: 100s}
  - {match: {nth: 5}, delay_answer: 100s}
`)})
		for i, want := range []time.Duration{3 * time.Second, 3 * time.Second, 2 * time.Second} {
			before := time.Now()
			l.want(200, "GET", "/admin/limits", "")
			if took := time.Since(before); took != want {
				t.Errorf("%d took %v, want %v", i+1, took, want)
			}
		}
		for made := range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			r, _ := http.NewRequestWithContext(ctx, "POST", base+"/export/forecast/net_arr", nil)
			r.Header.Set("apikey", "emulated")
			if a := l.send(r); !errors.Is(a.err, context.DeadlineExceeded) {
				t.Errorf("got %v", a.err)
			}
			cancel()
			if got := len(l.JobIDs()); got != made {
				t.Errorf("%d jobs, want %d: a delay holds before acting, a delayed answer after", got, made)
			}
		}
	})
}

func TestSlowBody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{Scenario: scenario(t, "rules: [{slow: 1000}]")})
		before := time.Now()
		a := l.get("/forecast/net_arr?timePeriod=2020_Q1")
		took, want := time.Since(before), time.Duration(len(a.body))*time.Millisecond
		if a.err != nil || took < want-time.Second || took > want+time.Second {
			t.Errorf("%d bytes took %v: %v", len(a.body), took, a.err)
		}
	})
}

// A lost POST may take effect long after its connection closed.
func TestActLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{Scenario: scenario(t, "rules: [{match: {method: POST, nth: 1}, cut: before, act_late: 90s}]")})
		if a := l.post("/export/forecast/net_arr", `{"timePeriod":"2026_Q2"}`); !errors.Is(a.err, syscall.ECONNRESET) {
			t.Errorf("got %v", a.err)
		}
		time.Sleep(89 * time.Second)
		if jobs := l.get("/export/jobs").array(t); len(jobs) != 0 {
			t.Errorf("too early: %v", jobs)
		}
		time.Sleep(10 * time.Second)
		job := l.get("/export/jobs").array(t)[0].(map[string]any)
		if job["startTime"] != float64(start.Add(90*time.Second).UnixMilli()) || !strings.Contains(job["fileName"].(string), "_2026_Q2") {
			t.Errorf("job %v", job)
		}
	})
}

// traced records which hooks were called.
func traced(l *lab, method, path string) (string, answer) {
	var hooks []string
	ctx := httptrace.WithClientTrace(l.Context(), &httptrace.ClientTrace{
		GetConn:              func(string) { hooks = append(hooks, "get") },
		GotConn:              func(httptrace.GotConnInfo) { hooks = append(hooks, "got") },
		WroteHeaders:         func() { hooks = append(hooks, "headers") },
		WroteRequest:         func(httptrace.WroteRequestInfo) { hooks = append(hooks, "request") },
		GotFirstResponseByte: func() { hooks = append(hooks, "answer") },
	})
	r, _ := http.NewRequestWithContext(ctx, method, base+path, nil)
	r.Header.Set("apikey", l.key)
	a := l.send(r)
	return strings.Join(hooks, " "), a
}

func TestTraceTellsWhatWasWritten(t *testing.T) {
	l := newLab(t, emulator.Config{Scenario: scenario(t, `
rules:
  - {match: {nth: 1}, cut: refused}
  - {match: {nth: 1}, cut: before}
  - {match: {nth: 2}, cut: after}
`)})
	for i, row := range []struct {
		hooks string
		cause error
	}{
		{"get", syscall.ECONNREFUSED}, {"get got headers request", syscall.ECONNRESET},
		{"get got headers request", syscall.ECONNRESET}, {"get got headers request answer", nil},
	} {
		hooks, a := traced(l, "POST", "/export/forecast/net_arr")
		if hooks != row.hooks || !errors.Is(a.err, row.cause) {
			t.Errorf("%d: %q %v, want %q %v", i+1, hooks, a.err, row.hooks, row.cause)
		}
	}
	if got := len(l.JobIDs()); got != 2 {
		t.Errorf("%d jobs", got)
	}
}

func TestRefusedConnectionsCostNoRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{Rate: 1, Scenario: scenario(t, "rules: [{match: {nth: 1, times: 5}, cut: refused}]")})
		for range 5 {
			l.get("/export/jobs")
		}
		l.want(200, "GET", "/export/jobs", "")
	})
}

func TestClosingAResultEarlyEndsItsWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{Users: 100000})
		r, _ := http.NewRequestWithContext(t.Context(), "GET", base+"/forecast/net_arr", nil)
		r.Header.Set("apikey", "emulated")
		w, err := l.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(w.Body, make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
		w.Body.Close()
		synctest.Wait() // the bubble would not end with a writer left
	})
}

func TestContextEndsAResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, emulator.Config{Users: 100000})
		ctx, cancel := context.WithCancel(t.Context())
		r, _ := http.NewRequestWithContext(ctx, "GET", base+"/forecast/net_arr", nil)
		r.Header.Set("apikey", "emulated")
		w, err := l.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Body.Close()
		cancel()
		synctest.Wait()
		if _, err := io.Copy(io.Discard, w.Body); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// Bodies that lie arrive as the scenario says.
func TestLyingBodies(t *testing.T) {
	both(t, `
rules:
  - match: {route: forecast, nth: 1}
    zip: bare
  - match: {route: forecast, nth: 2}
    garble_at: 20
  - match: {route: forecast, nth: 3}
    bomb: nesting
    bomb_size: 70000
  - match: {route: forecast, nth: 4}
    bomb: string
    bomb_size: 200000
  - match: {route: forecast, nth: 5}
    bomb: members
    bomb_size: 3
`, func(l *lab, address string) {
		for n, want := range []func(body string) bool{
			func(body string) bool { return strings.HasPrefix(body, "\x1f\x8b") },
			func(body string) bool { return body[20] == 0xff && body[19] != 0xff && body[21] != 0xff },
			func(body string) bool {
				return strings.Count(body, "[") == strings.Count(body, "]") && strings.Count(body, "[") > 70_000
			},
			func(body string) bool { return strings.Count(body, "a") > 200_000 && strings.HasSuffix(body, "}") },
			func(body string) bool { return strings.Contains(body, `"odd":0,"m0":0,"m1":1,"m2":2}`) },
		} {
			if a := l.get(address + "/forecast/net_arr"); a.err != nil || !want(a.body) {
				t.Errorf("download %d: %v, %d bytes: %.60q", n+1, a.err, len(a.body), a.body)
			}
		}
	})
}

// A body that stalls sends nothing until the client goes away.
func TestStalledBody(t *testing.T) {
	both(t, `
rules:
  - match: {route: forecast, nth: 1}
    stall_at: 100
`, func(l *lab, address string) {
		ctx, cancel := context.WithCancel(t.Context())
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address+"/forecast/net_arr", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("apikey", l.key)
		answer, err := l.client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if _, err := io.ReadFull(answer.Body, make([]byte, 100)); err != nil {
			t.Errorf("before the stall: %v", err)
		}
		cancel()
		if n, err := answer.Body.Read(make([]byte, 1)); n != 0 || err == nil {
			t.Errorf("after it: %d bytes, %v", n, err)
		}
	})
}
