package pace

import (
	"net/http"
	"time"
)

// Answer is what came of a request that [Policy.Took] recorded. Every such
// request must be observed once, also if it failed or was cancelled.
type Answer struct {
	// Status and Header are the response's; Status 0 means that there was none.
	Status int
	Header http.Header
	// StartedAt is the instant given to Took, and ReceivedAt when the response's
	// header or the error came.
	StartedAt, ReceivedAt time.Time
	// Err is set if no response came. It is no evidence either way.
	Err error
}

// Observe records what came of a request.
//
// A 429 opens an incident or prolongs it; see the package comment. A probe that
// is accepted ends it, and the rate is learned:
//
//   - The last wait was told by Retry-After: rate × 0.7.
//   - It was not: the server is estimated to bear
//     est = max(1 / seconds waited, accepted in the 60 s before / 60).
//     A rate at or below est becomes rate × 0.9, a higher one
//     max(rate / 16, 0.9 × est).
//   - Never below [Policy.Floor]; the burst becomes 2.
//
// The seconds waited run from the first 429 to the end of the last wait, so
// that a program with nothing to ask learns nothing from its own idleness.
//
// After a first 429 the rate grows × 1.1 with an accepted answer that comes
// 300 s (30 s where the last recovery was told) after the last change, up to
// [Policy.Max], and for 24 h not above 0.95 × the refused rate. Idle time counts
// for one step only.
func (p Policy) Observe(s State, a Answer) State {
	p = p.orDefaults()
	if a.StartedAt.IsZero() {
		a.StartedAt = a.ReceivedAt
	}
	// In an incident nothing but the probe starts, so the start tells it apart.
	probe := s.Closed() && s.Probing && !a.StartedAt.Before(s.ProbeAt)
	if probe {
		s.Probing, s.ProbeAt = false, time.Time{}
	}
	s.InFlight = max(s.InFlight-1, 0)
	if a.Err != nil || a.Status == 0 {
		return s
	}
	s = s.readLimits(a)
	switch a.Status {
	case http.StatusTooManyRequests:
		return p.refused(s, a, probe)
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return s // a gateway's own words: nobody counted the request
	}
	return p.accepted(s, a, probe)
}

func (p Policy) refused(s State, a Answer, probe bool) State {
	s.Throttled++
	together := s.Closed() && !probe
	if !s.Closed() {
		s = p.openIncident(s, a)
	}
	wait, told := toldWait(a)
	if !told {
		k := s.Step
		if together && k > 0 {
			k-- // refused together with the others: the same step
		}
		s.Step = min(k+1, maxStep)
		wait = p.backOff(k)
	}
	if until := a.ReceivedAt.Add(wait); until.After(s.ClosedUntil) {
		s.ClosedUntil, s.Timed = until, told
	}
	return s
}

func (p Policy) openIncident(s State, a Answer) State {
	s.FirstRefusedAt = a.ReceivedAt
	s.Late = a.StartedAt.Before(s.RecoveredAt)
	s.AcceptedBefore = s.Accepted.before(a.ReceivedAt)
	if !s.Late {
		s.RefusedRate, s.RefusedAt = p.rate(s), a.ReceivedAt
	}
	return s
}

func (p Policy) accepted(s State, a Answer, probe bool) State {
	s.Accepted = s.Accepted.add(a.StartedAt, a.ReceivedAt)
	if !s.Closed() {
		return p.grow(s, a.ReceivedAt)
	}
	before := s.FirstRefusedAt.Sub(a.StartedAt)
	if !probe && before >= 0 && before < countWindow {
		s.AcceptedBefore++ // on its way when the first 429 came
	}
	// A later 429 to another request may have told an instant still ahead: then
	// the incident goes on, and another request probes at its end.
	if probe && !a.ReceivedAt.Before(s.ClosedUntil) {
		return p.recovered(s, a.ReceivedAt)
	}
	return s
}

// toldWait is the longest usable Retry-After of the answer.
func toldWait(a Answer) (wait time.Duration, told bool) {
	for _, value := range a.Header.Values("Retry-After") {
		if d, ok := ParseRetryAfter(value, a.ReceivedAt, a.Header.Get("Date")); ok {
			wait, told = max(wait, d), true
		}
	}
	return wait, told
}
