package sim

import (
	"math"
	"time"
)

// LimiterKind is how a server counts requests.
type LimiterKind string

// The kinds of request limit.
const (
	NoLimit LimiterKind = ""
	Bucket  LimiterKind = "bucket"  // tokens that come back one by one
	Window  LimiterKind = "window"  // so many in each full minute
	Sliding LimiterKind = "sliding" // so many in any minute
)

// Limiter is a server's request limit.
type Limiter struct {
	Kind LimiterKind
	// PerMinute requests are let through, by a Bucket at most Burst at once.
	PerMinute float64
	Burst     float64
	// Charged counts refused requests too: knocking keeps the door shut.
	Charged bool
	// RetryAfter tells with each refusal when to come back, in whole seconds.
	RetryAfter bool
}

// doorman applies a limiter. Instants must not go backwards.
type doorman struct {
	Limiter
	tokens  float64
	touched time.Time
	inside  []time.Time
}

func newDoorman(l Limiter, now time.Time) *doorman {
	return &doorman{Limiter: l, tokens: l.Burst, touched: now}
}

// admit judges one request, and says how long until one would be admitted.
func (d *doorman) admit(now time.Time) (ok bool, wait time.Duration) {
	switch d.Kind {
	case NoLimit:
		return true, 0
	case Bucket:
		return d.fromBucket(now)
	}
	return d.inWindow(now)
}

func (d *doorman) fromBucket(now time.Time) (bool, time.Duration) {
	perSecond := d.PerMinute / 60
	d.tokens = min(d.Burst, d.tokens+now.Sub(d.touched).Seconds()*perSecond)
	d.touched = now
	ok := d.tokens >= 1-1e-9
	if ok || d.Charged {
		d.tokens = max(d.tokens-1, -d.Burst)
	}
	if ok {
		return true, 0
	}
	return false, time.Duration((1 - d.tokens) / perSecond * float64(time.Second))
}

func (d *doorman) inWindow(now time.Time) (bool, time.Duration) {
	oldest := now.Add(-time.Minute).Add(1)
	if d.Kind == Window {
		oldest = now.Truncate(time.Minute)
	}
	for len(d.inside) > 0 && d.inside[0].Before(oldest) {
		d.inside = d.inside[1:]
	}
	limit := max(1, int(math.Round(d.PerMinute)))
	ok := len(d.inside) < limit
	if ok || d.Charged {
		d.inside = append(d.inside, now)
	}
	switch {
	case ok:
		return true, 0
	case d.Kind == Window:
		return false, oldest.Add(time.Minute).Sub(now)
	}
	return false, d.inside[len(d.inside)-limit].Add(time.Minute).Sub(now)
}
