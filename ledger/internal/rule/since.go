package rule

import (
	"time"

	"github.com/weirhq/weir"
)

const (
	// auditMargin is how long before the present a span of audit events ends: the
	// server may list an event late.
	auditMargin = 5 * time.Minute
	// auditKept is about how long the server keeps audit events.
	auditKept = 30 * 24 * time.Hour
)

// Born is a new export as it begins: one that is read without a job has nothing
// to wait for but its landing.
func Born(e weir.Export) weir.Export {
	if e.Request.Direct {
		e.State, e.SubmittedAt, e.DoneAt = weir.Ready, e.AsOf, e.AsOf
	}
	return Export(e)
}

// SinceLast is the request for the audit events from an instant on, or, where it
// is zero, from as far back as they are kept, up to a margin before asOf; false
// while there is nothing to ask for. Spans that follow each other touch: each
// ends a millisecond, which is how finely events are dated, before the next
// begins.
func SinceLast(r weir.Request, from, asOf time.Time) (weir.Request, bool) {
	until := asOf.Add(-auditMargin).Truncate(time.Second)
	if from.IsZero() {
		from = asOf.Add(-auditKept).Truncate(time.Second)
	}
	if until.Sub(from) < time.Second {
		return r, false
	}
	const form = "2006-01-02T15:04:05.999Z07:00"
	r.Direct = true
	r.Since, r.Until = from.UTC().Format(form), until.Add(-time.Millisecond).UTC().Format(form)
	return r.Normal(), true
}

// Reaches is up to where, excluded, audit events are there once the export has
// landed; false for any other export.
func Reaches(r weir.Request) (time.Time, bool) {
	if r.Kind != weir.Audit || !r.Direct {
		return time.Time{}, false
	}
	_, last := r.Span()
	return last.Add(time.Millisecond), !last.IsZero()
}

// Awaits reports an export that is to bring the audit events since the last ones
// to that place: until it has landed no other span is asked for.
func Awaits(e weir.Export, deliveries []weir.Delivery, destination, format, likeness string) (weir.Delivery, bool) {
	if _, audit := Reaches(e.Request); !audit || e.Request.Likeness() != likeness {
		return weir.Delivery{}, false
	}
	d, ok := At(deliveries, destination, format)
	return d, ok && d.Open()
}
