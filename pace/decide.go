package pace

import "time"

// Reason is why a request must wait.
type Reason string

// The reasons. Their texts are stable.
const (
	Open       Reason = "open"        // nothing to wait for
	Paced      Reason = "paced"       // the bucket has no token
	RetryAfter Reason = "retry_after" // a 429 told an instant
	BackOff    Reason = "back_off"    // a 429 told none
	ProbeOut   Reason = "probe"       // another request is probing
	LimitSpent Reason = "limit_spent" // RateLimit headers told that nothing is left
)

// Describe says the reason in words that go after "waiting: ".
func (r Reason) Describe() string {
	switch r {
	case Paced:
		return "keeping to the request rate"
	case RetryAfter:
		return "the server said when to come back (429 with Retry-After)"
	case BackOff:
		return "the server refused for too many requests (429 without Retry-After)"
	case ProbeOut:
		return "another request finds out whether the server answers again"
	case LimitSpent:
		return "the server's RateLimit headers say that nothing is left"
	}
	return "nothing to wait for"
}

// Decision is whether a request may start.
type Decision struct {
	// Go says that one request may start now.
	Go bool
	// At is the instant asked about if Go, else the earliest instant at which the
	// answer is Go provided that nothing is observed before.
	At time.Time
	// Reason is what holds longest; [Open] if Go.
	Reason Reason
	// Probe says that the request would be the probe of an incident.
	Probe bool
}

// Decide says whether a request may start at the instant now, and if not, when.
// Its verdict for one state depends on now only by comparison with [Decision.At]:
// it never says Go earlier, whichever way the clock moves.
func (p Policy) Decide(s State, now time.Time) Decision {
	p = p.orDefaults()
	d := Decision{At: now, Reason: Open, Probe: s.Closed()}
	d.notBefore(p.nextToken(s), Paced)
	d.notBefore(s.spentUntil(), LimitSpent)
	if s.Closed() {
		d.notBefore(s.ClosedUntil, s.closedReason())
		if s.Probing {
			d.notBefore(s.ProbeAt.Add(p.ProbeTimeout), ProbeOut)
		}
	}
	d.Go = !d.At.After(now)
	d.Probe = d.Probe && d.Go
	return d
}

func (d *Decision) notBefore(t time.Time, why Reason) {
	if t.After(d.At) {
		d.At, d.Reason = t, why
	}
}

func (s State) closedReason() Reason {
	if s.Timed {
		return RetryAfter
	}
	return BackOff
}

// Took records that a request starts at the instant now: a token is spent, and
// in an incident the request is the probe.
func (p Policy) Took(s State, now time.Time) State {
	p = p.orDefaults()
	s = p.fill(s, now)
	s.Tokens = max(s.Tokens-1, -float64(p.burst(s)))
	s.Requests++
	s.InFlight++
	if s.Since.IsZero() {
		s.Since = now
	}
	if s.Closed() {
		s.Probing, s.ProbeAt = true, now
	}
	for i := range s.Limits {
		if s.Limits[i].ResetAt.After(now) {
			s.Limits[i].Left--
		}
	}
	return s
}

// RateOf is the rate at which the state lets requests start, in requests per
// second.
func (p Policy) RateOf(s State) float64 { return p.orDefaults().rate(s) }

func (p Policy) rate(s State) float64 {
	if s.Rate > 0 {
		return min(max(s.Rate, p.Floor), max(p.Max, p.Rate))
	}
	return p.Rate
}

func (p Policy) burst(s State) int {
	if s.Burst > 0 {
		return min(s.Burst, p.Burst)
	}
	return p.Burst
}

// nextToken is when the bucket holds a token: the zero time if it does already.
func (p Policy) nextToken(s State) time.Time {
	if s.TokensAt.IsZero() || s.Tokens >= 1 {
		return time.Time{}
	}
	return s.TokensAt.Add(span((1 - s.Tokens) / p.rate(s)))
}

// fill brings the bucket to the instant now. A clock that went backwards fills
// nothing and does not move the bucket's instant.
func (p Policy) fill(s State, now time.Time) State {
	full := float64(p.burst(s))
	switch {
	case s.TokensAt.IsZero():
		s.Tokens, s.TokensAt = full, now
	case now.After(s.TokensAt):
		s.Tokens += now.Sub(s.TokensAt).Seconds() * p.rate(s)
		s.TokensAt = now
	}
	s.Tokens = min(s.Tokens, full)
	return s
}
