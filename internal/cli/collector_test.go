package cli

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collected is what an OpenTelemetry collector was sent: the names of the spans
// of each trace.
type collected struct {
	mu     sync.Mutex
	traces map[string][]string
	raw    strings.Builder
	bad    error
}

func cmdCollector(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 0, "collector")
	c := &collected{traces: map[string][]string{}}
	server := httptest.NewServer(c)
	ts.Defer(server.Close)
	stageOf(ts).collected = c
	ts.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL)
}

func (c *collected) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var request collector.ExportTraceServiceRequest
	text, err := io.ReadAll(r.Body)
	if err == nil {
		err = proto.Unmarshal(text, &request)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.bad = err
	}
	c.raw.Write(text)
	for _, from := range request.ResourceSpans {
		for _, scope := range from.ScopeSpans {
			for _, span := range scope.Spans {
				id := hex.EncodeToString(span.TraceId)
				c.traces[id] = append(c.traces[id], span.Name)
			}
		}
	}
}

// cmdTraced: a process sends what is left before it ends, so nothing is waited
// for.
func cmdTraced(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) >= 2, "traced N SPAN...")
	c := stageOf(ts).collected
	c.mu.Lock()
	defer c.mu.Unlock()
	ts.Check(c.bad)
	whole := 0
	for _, names := range c.traces {
		has := func(name string) bool { return slices.Contains(names, name) }
		if !slices.ContainsFunc(args[1:], func(name string) bool { return !has(name) }) {
			whole++
		}
	}
	if args[0] != strconv.Itoa(whole) || strings.Contains(c.raw.String(), scriptKey) {
		ts.Fatalf("%d traces have %v: %v", whole, args[1:], c.traces)
	}
}
