package tracing_test

import (
	"compress/gzip"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/inmem"
	"github.com/weirhq/weir/plan"
	"github.com/weirhq/weir/signals"
	"github.com/weirhq/weir/signals/tracing"
)

// sink is a collector: it decodes what an exporter posts.
type sink struct {
	*httptest.Server
	mu      sync.Mutex
	spans   []*otlp.Span
	service string
	raw     []string
	faults  []error
}

func listen(t *testing.T) *sink {
	s := &sink{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.take(r); err != nil {
			s.faults = append(s.faults, err)
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	t.Cleanup(s.Close)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", s.URL)
	return s
}

func (s *sink) take(r *http.Request) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		unzipped, err := gzip.NewReader(body)
		if err != nil {
			return err
		}
		body = unzipped
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	var request collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(text, &request); err != nil {
		return err
	}
	if r.URL.Path != "/v1/traces" {
		return errors.New("posted to " + r.URL.Path)
	}
	s.raw = append(s.raw, string(text))
	for _, from := range request.ResourceSpans {
		for _, a := range from.Resource.Attributes {
			if a.Key == "service.name" {
				s.service = a.Value.GetStringValue()
			}
		}
		for _, scope := range from.ScopeSpans {
			s.spans = append(s.spans, scope.Spans...)
		}
	}
	return nil
}

// tree is the spans as lines, children indented below their parents by their
// start; what hangs below nothing is an error.
func (s *sink) tree(t *testing.T) []string {
	t.Helper()
	below := map[string][]*otlp.Span{}
	known := map[string]bool{}
	for _, x := range s.spans {
		known[hex.EncodeToString(x.SpanId)] = true
		below[hex.EncodeToString(x.ParentSpanId)] = append(below[hex.EncodeToString(x.ParentSpanId)], x)
	}
	for parent := range below {
		if parent != "" && !known[parent] {
			t.Errorf("spans hang below %s, which is none", parent)
		}
	}
	var lines []string
	var show func(parent, indent string)
	show = func(parent, indent string) {
		children := below[parent]
		slices.SortStableFunc(children, func(a, b *otlp.Span) int {
			return int(a.StartTimeUnixNano/1e6) - int(b.StartTimeUnixNano/1e6)
		})
		for _, x := range children {
			line := indent + x.Name
			if x.Status.GetCode() == otlp.Status_STATUS_CODE_ERROR {
				line += " !" + x.Status.Message
			}
			lines = append(lines, line)
			show(hex.EncodeToString(x.SpanId), indent+"  ")
		}
	}
	show("", "")
	return lines
}

// work is one export driven through a watched ledger.
type work struct {
	*testing.T
	l   *inmem.Ledger
	e   weir.Export
	now time.Time
}

func begin(t *testing.T) *work {
	now := time.Now().Add(-time.Hour).Truncate(time.Second)
	w := &work{T: t, l: inmem.New(inmem.Options{}), now: now}
	_, err := w.l.OpenAccount(t.Context(), weir.Account{Name: "acme", BaseURL: "https://x.test", KeyFingerprint: "k"})
	w.ok(err)
	granted, err := w.l.Wish(t.Context(), now, []ledger.Wish{{
		Account: "acme", Request: weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: "2026_Q1"}, AsOf: now,
		JobsAllowed: 2, Destination: "/home/ada@example.com/lake", Formats: []string{"parquet"},
	}})
	w.ok(err)
	w.e = granted[0].Export
	return w
}

func (w *work) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// tracer is one process's.
func (w *work) tracer() *tracing.Tracer {
	w.Helper()
	t, err := tracing.New(w.Context(), func(string) string { return "" }, w.l, "1.2.3", slog.New(slog.DiscardHandler))
	w.ok(err)
	return t
}

// moves makes moves, a second apart, as a process with that tracer.
func (w *work) moves(t *tracing.Tracer, moves ...func(weir.Cause) weir.Transition) {
	w.Helper()
	l := signals.Watched{Account: "acme", Watchers: []signals.Watcher{t}}.Ledger(w.l)
	for _, move := range moves {
		w.now = w.now.Add(time.Second)
		after, err := l.Move(w.Context(), weir.Lease{}, w.e.ID, move(weir.Cause{At: w.now, Why: "for ada@example.com", Request: "POST"}))
		w.ok(err)
		w.e = after
	}
}

// plans shows the tracer why the export waits.
func (w *work) plans(t *tracing.Tracer, code weir.WaitCode) {
	t.Planned(signals.Planned{Account: "acme", View: plan.View{Exports: []weir.Export{w.e}},
		Plan: plan.Plan{Stands: map[int64]plan.Stand{w.e.ID: {Wait: weir.Wait{Code: code, Text: "for ada@example.com"}}}}})
	time.Sleep(2 * time.Millisecond) // real time, so that spans start in order
}

func (w *work) lands(t *tracing.Tracer) {
	w.Helper()
	deliveries, err := w.l.DeliveriesOf(w.Context(), w.e.ID)
	w.ok(err)
	w.now = w.now.Add(time.Second)
	claim, err := w.l.Claim(w.Context(), deliveries[0].ID, "me", w.now)
	w.ok(err)
	at := w.now
	t.Received(signals.Transfer{Export: w.e, JobID: w.e.JobID, At: at, Downloaded: at.Add(100 * time.Millisecond), End: at.Add(200 * time.Millisecond), Bytes: 3000190})
	t.Published(signals.Publication{Export: w.e, Delivery: claim, At: at.Add(300 * time.Millisecond), End: at.Add(400 * time.Millisecond), Rows: 42})
	w.now = w.now.Add(time.Second)
	l := signals.Watched{Account: "acme", Watchers: []signals.Watcher{t}}.Ledger(w.l)
	w.e, err = l.FinishDelivery(w.Context(), claim, ledger.Outcome{State: weir.DeliveryLanded, SnapshotAt: at}, weir.Cause{At: w.now})
	w.ok(err)
}

func submit(c weir.Cause) weir.Transition { return weir.Submit(c, 1) }
func accept(c weir.Cause) weir.Transition { return weir.Accept(c, "6b04c9a7b22e07a0e18bfafd") }
func again(c weir.Cause) weir.Transition {
	return weir.TryAgain(c, time.Time{}, weir.Wait{})
}

func (s *sink) want(t *testing.T, lines ...string) {
	t.Helper()
	for _, err := range s.faults {
		t.Error(err)
	}
	if diff := cmp.Diff(lines, s.tree(t)); diff != "" {
		t.Errorf("the trace (-want +got):\n%s", diff)
	}
	for _, raw := range s.raw {
		for _, never := range []string{"ada@", "/home/"} {
			if strings.Contains(raw, never) {
				t.Errorf("what is sent holds %q", never)
			}
		}
	}
	for _, x := range s.spans {
		if hex.EncodeToString(x.TraceId) != hex.EncodeToString(s.spans[0].TraceId) {
			t.Error("not one trace")
		}
		if x.EndTimeUnixNano < x.StartTimeUnixNano {
			t.Errorf("%s ends before it begins", x.Name)
		}
	}
}

// One export from its wish until it landed, in one process.
func TestWholeTrace(t *testing.T) {
	s, w := listen(t), begin(t)
	tr := w.tracer()
	w.plans(tr, weir.WaitTurn)
	w.plans(tr, weir.WaitSlot)
	w.plans(tr, weir.WaitSlot)
	w.moves(tr, submit, accept)
	w.plans(tr, weir.WaitJob)
	tr.Called(signals.Call{Account: "acme", Name: signals.List, At: time.Now(), Took: time.Millisecond})
	tr.Called(signals.Call{Account: "acme", Name: signals.Status, JobID: "another", At: time.Now()})
	tr.Called(signals.Call{Account: "acme", Name: signals.Status, JobID: w.e.JobID, At: time.Now().Add(2 * time.Millisecond), Err: context.Canceled})
	w.moves(tr, weir.Finish)
	w.lands(tr)
	w.ok(tr.Close(5 * time.Second))
	s.want(t,
		"export", "  wait", "    wait: turn", "    wait: slot", "  POST", "  job", "    poll", "    poll !none",
		"  land", "    download", "    verify", "    publish")
	if s.service != "weir" {
		t.Errorf("the service is called %q", s.service)
	}
	whole := s.spans[slices.IndexFunc(s.spans, func(x *otlp.Span) bool { return x.Name == "export" })]
	if from, to := time.Unix(0, int64(whole.StartTimeUnixNano)), time.Unix(0, int64(whole.EndTimeUnixNano)); !from.Equal(w.e.CreatedAt) || !to.Equal(w.now) {
		t.Errorf("the whole is from %s to %s, the export from %s to %s", from, to, w.e.CreatedAt, w.now)
	}
}

// A process that dies takes nothing of the main spans along: the next one's
// trace is whole, and one with the first one's.
func TestTraceAfterCrash(t *testing.T) {
	s, w := listen(t), begin(t)
	first := w.tracer()
	w.plans(first, weir.WaitQuota)
	w.moves(first, submit, accept)
	w.ok(first.Close(5 * time.Second)) // what it had sent by then; its memory is gone
	second := w.tracer()
	w.moves(second, again, submit, accept, weir.Finish)
	w.lands(second)
	w.ok(second.Close(5 * time.Second))
	s.want(t,
		"export", "  wait", "    wait: quota", "  POST", "  job", "  wait", "  POST", "  job",
		"  land", "    download", "    verify", "    publish")
}

// A failure says its code, and a code that is none says only that.
func TestFailedTrace(t *testing.T) {
	for code, want := range map[string]string{"job_failed": "job_failed", "ada@example.com": "other"} {
		s, w := listen(t), begin(t)
		tr := w.tracer()
		w.moves(tr, submit, accept, func(c weir.Cause) weir.Transition { return weir.GiveUpJob(c, weir.Failure{Code: code}) })
		w.ok(tr.Close(5 * time.Second))
		s.want(t, "export !"+want, "  wait", "  POST", "  job")
	}
}

// An export that is opened again has a second span below the first.
func TestTraceOfASecondLife(t *testing.T) {
	s, w := listen(t), begin(t)
	tr := w.tracer()
	w.moves(tr, submit, accept, func(c weir.Cause) weir.Transition {
		return weir.GiveUpJob(c, weir.Failure{Code: "job_failed"})
	}, func(c weir.Cause) weir.Transition { return weir.Retry(c, weir.Failed, 2, "") }, submit, accept, weir.Finish)
	w.lands(tr)
	w.ok(tr.Close(5 * time.Second))
	s.want(t,
		"export !job_failed", "  wait", "  POST", "  job", "  export", "    wait", "    POST", "    job",
		"    land", "      download", "      verify", "      publish")
}

// A collector that is down costs a log line and no more.
func TestCollectorDown(t *testing.T) {
	s, w := listen(t), begin(t)
	s.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "200")
	tr := w.tracer()
	w.moves(tr, submit, accept, weir.Finish)
	w.lands(tr)
	_ = tr.Close(200 * time.Millisecond)
	tr.Moved(signals.Move{Export: w.e, From: weir.Ready}) // after the end: nothing happens
}

func TestConfigured(t *testing.T) {
	for env, want := range map[string]bool{
		"":                                     false,
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://x": true,
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=x": true,
		"OTEL_SERVICE_NAME=weir":               false,
		"OTEL_EXPORTER_OTLP_ENDPOINT=x OTEL_SDK_DISABLED=true":    false,
		"OTEL_EXPORTER_OTLP_ENDPOINT=x OTEL_TRACES_EXPORTER=none": false,
		"OTEL_EXPORTER_OTLP_ENDPOINT=x OTEL_TRACES_EXPORTER=otlp": true,
	} {
		set := map[string]string{}
		for pair := range strings.FieldsSeq(env) {
			name, value, _ := strings.Cut(pair, "=")
			set[name] = value
		}
		if got := tracing.Configured(func(name string) string { return set[name] }); got != want {
			t.Errorf("%s: %v", env, got)
		}
	}
	_, err := tracing.New(t.Context(), func(name string) string { return "grpc" }, nil, "", nil)
	if !errors.Is(err, tracing.ErrProtocol) {
		t.Error(fmt.Errorf("grpc: %w", err))
	}
}
