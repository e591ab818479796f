package tracing

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"github.com/weirhq/weir"
)

// Historian tells the life of an export; a ledger is one.
type Historian interface {
	History(ctx context.Context, id int64) ([]weir.Event, error)
}

// Configured reports whether the environment asks for traces: an OTLP endpoint
// is named, and neither the SDK nor its traces are turned off.
func Configured(getenv func(string) string) bool {
	named := getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "" || getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != ""
	return named && !strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true") && getenv("OTEL_TRACES_EXPORTER") != "none"
}

// ErrProtocol marks an environment that asks for another protocol than OTLP over
// HTTP with protobuf.
var ErrProtocol = errors.New("only http/protobuf is spoken")

const (
	// backlog is how much may wait to be made into spans; more is dropped, and
	// said so.
	backlog = 4096
	// historyTime bounds the reading of a history.
	historyTime = 5 * time.Second
)

// Tracer watches and sends spans. Close it.
type Tracer struct {
	history  Historian
	log      *slog.Logger
	provider *sdk.TracerProvider
	tracer   trace.Tracer

	queue   chan func(context.Context)
	done    chan struct{}
	closing sync.Once
	dropped sync.Once

	mu       sync.Mutex
	accounts map[string]*working
	closed   bool
}

// New makes a tracer that sends where the environment says.
func New(ctx context.Context, getenv func(string) string, h Historian, version string, log *slog.Logger) (*Tracer, error) {
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		if said := getenv(name); said != "" && said != "http/protobuf" {
			return nil, fmt.Errorf("read %s: %w", name, ErrProtocol)
		}
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("make exporter of traces: %w", err)
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("send traces", "error", err) }))
	about, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "weir"), attribute.String("service.version", version)), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("describe service for traces: %w", err)
	}
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(about), sdk.WithIDGenerator(wanted{}), sdk.WithSampler(sdk.AlwaysSample()))
	t := &Tracer{
		history: h, log: log, provider: provider, tracer: provider.Tracer("github.com/weirhq/weir", trace.WithInstrumentationVersion(version)),
		queue: make(chan func(context.Context), backlog), done: make(chan struct{}), accounts: map[string]*working{},
	}
	go t.work()
	return t, nil
}

// work makes spans, one thing after the other.
func (t *Tracer) work() {
	defer close(t.done)
	for do := range t.queue {
		ctx, cancel := context.WithTimeout(context.Background(), historyTime)
		do(ctx)
		cancel()
	}
}

// later hands work over; what finds no room is dropped. The caller holds the
// lock.
func (t *Tracer) later(do func(context.Context)) {
	if t.closed {
		return
	}
	select {
	case t.queue <- do:
	default:
		t.dropped.Do(func() { t.log.Warn("traces are incomplete: more happens than can be sent") })
	}
}

// Close sends what is left, for at most so long.
func (t *Tracer) Close(within time.Duration) error {
	var err error
	t.closing.Do(func() {
		t.mu.Lock()
		t.closed = true
		close(t.queue)
		t.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), within)
		defer cancel()
		select {
		case <-t.done:
		case <-ctx.Done():
		}
		err = t.provider.Shutdown(ctx)
	})
	return err
}

// send makes spans of an export. Those without an id get one.
func (t *Tracer) send(e weir.Export, spans ...span) {
	id := identityOf(e)
	for _, s := range spans {
		ctx := context.WithValue(context.Background(), wantedKey{}, wantedIDs{id.trace(), s.id})
		if s.parent.IsValid() {
			ctx = trace.ContextWithRemoteSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
				TraceID: id.trace(), SpanID: s.parent, TraceFlags: trace.FlagsSampled, Remote: true,
			}))
		}
		_, made := t.tracer.Start(ctx, s.name, trace.WithTimestamp(s.from), trace.WithAttributes(attributes(s.attributes)...))
		if s.failed != "" {
			made.SetStatus(codes.Error, s.failed)
		}
		made.End(trace.WithTimestamp(s.to))
	}
}

func attributes(all map[string]string) []attribute.KeyValue {
	var list []attribute.KeyValue
	for name, value := range all {
		if value != "" {
			list = append(list, attribute.String(name, strings.ToValidUTF8(value, "\uFFFD")))
		}
	}
	return list
}
