package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/notify"
	"github.com/weirhq/weir/signals/metrics"
	"github.com/weirhq/weir/signals/tracing"
)

// traces makes the tracer that the environment asks for; nil where it does not.
func traces(s Settings, store *ledger.Store) (*tracing.Tracer, error) {
	if s.Getenv == nil || !tracing.Configured(s.Getenv) {
		return nil, nil
	}
	tracer, err := tracing.New(context.Background(), s.Getenv, store, Version(), s.Log)
	if err != nil {
		return nil, &Fault{Exit: ExitUsage, Code: "tracing", Hint: "see the variables OTEL_EXPORTER_OTLP_...; without an endpoint no traces are sent", Err: err}
	}
	return tracer, nil
}

// NewService is a service over a ledger that stays the caller's, with its
// signals: what it counts and whom it tells.
func NewService(path string, s Settings, getenv func(string) string, store *ledger.Store) (*Service, error) {
	owner, err := newOwner()
	if err != nil {
		return nil, err
	}
	counted := metrics.New(metrics.Config{
		Ledger: store, Policy: engine.PacePolicy(s.Policy, s.Rate), Version: Version(), Log: s.Log,
	})
	desk := &notify.Desk{Book: store, Owner: owner, Sent: counted.Notified, Log: s.Log}
	tracer, err := traces(s, store)
	if err != nil {
		return nil, err
	}
	s.Watchers = append(s.Watchers, counted, desk)
	if tracer != nil {
		s.Watchers = append(s.Watchers, tracer)
	}
	service := &Service{Path: path, Settings: s, Getenv: getenv, Store: store, Metrics: counted, Desk: desk, tracer: tracer}
	desk.Refused = service.refused
	return service, nil
}

// How long the end waits for a collector: a command that is interrupted ends
// within two seconds, a service within ten.
const (
	commandFlush = 400 * time.Millisecond
	serviceFlush = 3 * time.Second
)

// closeTraces sends what is left of them.
func closeTraces(t *tracing.Tracer, within time.Duration, log *slog.Logger) {
	if t == nil {
		return
	}
	if err := t.Close(within); err != nil {
		log.Warn("send traces", "error", err)
	}
}
