package emulator

import (
	"math"
	"time"
)

// limiter counts one key's requests in the client's time. Instants must not go
// backwards.
type limiter struct {
	kind   RateKind
	rate   float64 // requests a second; 0 is no limit
	burst  float64
	window time.Duration
	charge bool
	origin time.Time // where fixed windows begin

	tokens  float64
	touched time.Time
	inside  []time.Time // what counts in the current window
}

func newLimiter(c Config, at time.Time) *limiter {
	return &limiter{
		kind: c.RateKind, rate: c.Rate, burst: float64(c.Burst), window: c.RateWindow,
		charge: c.ChargeRefusals, origin: at, tokens: float64(c.Burst), touched: at,
	}
}

// verdict is the limiter's word on one request.
type verdict struct {
	admitted  bool
	wait      time.Duration // until a request would be admitted; 0 if it was
	remaining int           // how many more would be admitted now
	limit     int
}

func (l *limiter) admit(at time.Time) verdict {
	switch {
	case l.rate == 0:
		return verdict{admitted: true}
	case l.kind == Bucket:
		return l.admitFromBucket(at)
	}
	return l.admitInWindow(at)
}

func (l *limiter) admitFromBucket(at time.Time) verdict {
	l.tokens = min(l.burst, l.tokens+at.Sub(l.touched).Seconds()*l.rate)
	l.touched = at
	const grain = 1e-9 // sums of fractions may fall short of one by rounding
	admitted := l.tokens >= 1-grain
	if admitted || l.charge {
		l.tokens = max(l.tokens-1, -l.burst)
	}
	v := verdict{admitted: admitted, remaining: max(0, int(l.tokens)), limit: int(l.burst)}
	if !admitted {
		v.wait = time.Duration(math.Ceil((1 - l.tokens) / l.rate * float64(time.Second)))
	}
	return v
}

func (l *limiter) admitInWindow(at time.Time) verdict {
	limit := max(1, int(math.Round(l.rate*l.window.Seconds())))
	l.forget(at)
	admitted := len(l.inside) < limit
	if admitted || l.charge {
		l.inside = append(l.inside, at)
	}
	v := verdict{admitted: admitted, remaining: max(0, limit-len(l.inside)), limit: limit}
	if !admitted {
		v.wait = l.reopens(at, limit)
	}
	return v
}

// forget drops what no longer counts.
func (l *limiter) forget(at time.Time) {
	oldest := at.Add(-l.window).Add(1)
	if l.kind == Window {
		oldest = at.Add(-(at.Sub(l.origin) % l.window))
	}
	for len(l.inside) > 0 && l.inside[0].Before(oldest) {
		l.inside = l.inside[1:]
	}
}

func (l *limiter) reopens(at time.Time, limit int) time.Duration {
	if l.kind == Window {
		return l.window - at.Sub(l.origin)%l.window
	}
	blocking := l.inside[len(l.inside)-limit]
	return blocking.Add(l.window).Sub(at)
}
