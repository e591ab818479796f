package tracing

import (
	"context"
	"crypto/rand"

	"go.opentelemetry.io/otel/trace"
)

// wanted gives spans the ids that their context wants, and random ones to the
// others.
type wanted struct{}

type wantedKey struct{}

type wantedIDs struct {
	trace trace.TraceID
	span  trace.SpanID
}

// NewIDs implements the SDK's IDGenerator.
func (w wanted) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	ids, _ := ctx.Value(wantedKey{}).(wantedIDs)
	if !ids.trace.IsValid() {
		rand.Read(ids.trace[:]) //nolint:errcheck // it never fails
	}
	return ids.trace, w.NewSpanID(ctx, ids.trace)
}

// NewSpanID implements the SDK's IDGenerator.
func (wanted) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	ids, _ := ctx.Value(wantedKey{}).(wantedIDs)
	for !ids.span.IsValid() {
		rand.Read(ids.span[:]) //nolint:errcheck // it never fails
	}
	return ids.span
}
