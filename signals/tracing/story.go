package tracing

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/weirhq/weir"
)

// span is one span of an export's trace, as data.
type span struct {
	id, parent trace.SpanID
	name       string
	from, to   time.Time
	attributes map[string]string
	failed     string // a code; "" for none
}

// identity are the ids of an export's trace.
type identity struct{ seed [sha256.Size]byte }

// identityOf hashes what names an export in every process that ever works on
// it, and in no other ledger.
func identityOf(e weir.Export) identity {
	return identity{sha256.Sum256(fmt.Appendf(nil, "weir export\x00%s\x00%d\x00%s\x00%d", e.Account, e.ID, e.Fingerprint, e.CreatedAt.UnixMilli()))}
}

// trace is the id of the whole.
func (i identity) trace() (id trace.TraceID) {
	copy(id[:], i.seed[:])
	return id
}

// span is the id of the nth span of a sort.
func (i identity) span(sort string, n int) (id trace.SpanID) {
	sum := sha256.Sum256(append(i.seed[:], fmt.Sprintf("\x00%s\x00%d", sort, n)...))
	copy(id[:], sum[:])
	if binary.BigEndian.Uint64(id[:]) == 0 {
		id[7] = 1 // the id of no span
	}
	return id
}

// segment is a stretch of an export's life in one state.
type segment struct {
	n        int // how many events came before it
	life     int // how often the export had ended before
	state    weir.State
	from, to time.Time
	next     weir.State // "" while it lasts
	jobID    string
}

// segments cuts a history at its moves.
func segments(e weir.Export, history []weir.Event) []segment {
	open := segment{state: weir.Planned, from: e.CreatedAt}
	var all []segment
	for i, event := range history {
		open.to, open.next = event.At, event.To
		all = append(all, open)
		life := open.life
		if !event.From.Open() {
			life++
		}
		open = segment{n: i + 1, life: life, state: event.To, from: event.At, jobID: event.JobID}
	}
	return append(all, open)
}

// current is the last segment in a state: what a child that was seen live
// belongs to.
func current(all []segment, state weir.State) (segment, bool) {
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].state == state {
			return all[i], true
		}
	}
	return segment{}, false
}

// names of the spans of states.
func nameOf(state weir.State) string {
	switch state {
	case weir.Planned:
		return "wait"
	case weir.Submitting:
		return "POST"
	case weir.Unknown:
		return "in doubt"
	case weir.Running:
		return "job"
	case weir.Ready:
		return "land"
	}
	return ""
}

// story is the life of an export that ended at an instant, as spans: the whole
// and its segments. It may have been opened again since.
func story(e weir.Export, history []weir.Event, at time.Time) []span {
	all := segments(e, history)
	i := slices.IndexFunc(all, func(s segment) bool { return s.state == e.State && s.from.Equal(at.Truncate(time.Millisecond)) })
	if i < 0 {
		return nil // its history is not there any more
	}
	id, end := identityOf(e), all[i]
	life := end.life
	var spans []span
	whole := span{id: id.span("export", life), name: "export", to: end.from, attributes: about(e, end)}
	if life > 0 {
		whole.parent = id.span("export", 0)
	}
	if e.Failure != nil && e.State != weir.Cancelled {
		whole.failed = codeOf(e.Failure.Code)
	}
	for _, s := range all {
		if s.life != life || !s.state.Open() {
			continue
		}
		if whole.from.IsZero() {
			whole.from = s.from
		}
		spans = append(spans, span{
			id: id.span("segment", s.n), parent: whole.id, name: nameOf(s.state), from: s.from, to: s.to,
			attributes: map[string]string{"weir.state": string(s.state), "weir.next_state": string(s.next), "weir.job_id": s.jobID},
		})
	}
	if whole.from.IsZero() {
		return nil
	}
	return append([]span{whole}, spans...)
}

func about(e weir.Export, end segment) map[string]string {
	return map[string]string{
		"weir.account": e.Account, "weir.export_id": fmt.Sprint(e.ID), "weir.fingerprint": e.Fingerprint,
		"weir.kind": string(e.Request.Kind), "weir.forecast_id": e.Request.ForecastID, "weir.time_period": string(e.Request.Period),
		"weir.state": string(end.state), "weir.jobs": fmt.Sprint(e.Jobs), "weir.polls": fmt.Sprint(e.Polls), "weir.job_id": e.JobID,
	}
}

// mostCode bounds a code that the server chose.
const mostCode = 64

// codeOf lets through what looks like a code and nothing else.
func codeOf(code string) string {
	for i, r := range code {
		if i >= mostCode || (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-' && r != '.' {
			return "other"
		}
	}
	return code
}
