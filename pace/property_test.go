package pace_test

import (
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/weirhq/weir/pace"
)

// life is a gate's state with what the test knows of it.
type life struct {
	p        pace.Policy
	s        pace.State
	now      time.Time
	flying   []time.Time // the starts of requests without outcome
	earliest time.Time   // what Retry-After told
	latest   time.Time   // the latest now ever
	steady   bool        // the clock is never set back
}

// TestProperties leads many gates through random lives and checks every
// decision on the way.
func TestProperties(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 4))
		l := &life{p: pace.Policy{Rate: 0.1 + 10*r.Float64(), Burst: 1 + r.IntN(8), Jitter: r.Float64}, now: t0}
		for range 200 {
			l.step(r)
			if fault := l.fault(r); fault != "" {
				t.Fatalf("seed %d: %s in %+v at %v", seed, fault, l.s, l.now)
			}
		}
	}
}

func (l *life) step(r *rand.Rand) {
	switch r.IntN(5) {
	case 0:
		l.now = l.now.Add(time.Duration(r.Int64N(int64(20 * time.Second))))
	case 1:
		l.now = l.p.Decide(l.s, l.now).At
	case 2:
		if !l.steady && r.IntN(10) == 0 {
			l.now = l.now.Add(-time.Duration(r.Int64N(int64(time.Hour))))
		}
	case 3:
		if d := l.p.Decide(l.s, l.now); d.Go {
			l.s = l.p.Took(l.s, l.now)
			l.flying = append(l.flying, l.now)
		}
	case 4:
		l.answer(r)
	}
	if l.now.After(l.latest) {
		l.latest = l.now
	}
	if !l.now.Before(l.earliest) {
		l.earliest = time.Time{} // it has come; the clock may be set back later
	}
}

func (l *life) answer(r *rand.Rand) {
	if len(l.flying) == 0 {
		return
	}
	i := r.IntN(len(l.flying))
	a := pace.Answer{StartedAt: l.flying[i], ReceivedAt: l.now, Status: []int{200, 200, 200, 429, 429, 500, 503, 0}[r.IntN(8)], Header: headers()}
	l.flying = append(l.flying[:i], l.flying[i+1:]...)
	if r.IntN(2) == 0 {
		told := 1 + r.IntN(100)
		a.Header.Set("Retry-After", strconv.Itoa(told))
		if until := l.now.Add(time.Duration(told) * time.Second); a.Status == 429 && until.After(l.earliest) {
			l.earliest = until
		}
	}
	if r.IntN(4) == 0 {
		a.Header.Set("RateLimit-Remaining", strconv.Itoa(r.IntN(4)))
		a.Header.Set("RateLimit-Reset", strconv.Itoa(r.IntN(100)))
	}
	l.s = l.p.Observe(l.s, a)
}

// fault is what is wrong with the decision now, or "".
func (l *life) fault(r *rand.Rand) string {
	d := l.p.Decide(l.s, l.now)
	before := l.p.Decide(l.s, l.now.Add(-time.Duration(r.Int64N(int64(time.Hour)))))
	after := l.p.Decide(l.s, l.now.Add(time.Duration(r.Int64N(int64(time.Hour)))))
	rate := l.p.RateOf(l.s)
	switch {
	case d.At.Before(l.now) || d.Go && !d.At.Equal(l.now):
		return "an instant before now"
	case !d.Go && d.At.Sub(l.latest) > 2*time.Minute:
		return "a wait without end"
	case d.Go && l.now.Before(l.earliest):
		return "go before the told instant"
	case !d.Go && !l.p.Decide(l.s, d.At).Go:
		return "no go at the instant given"
	case !d.Go && l.p.Decide(l.s, d.At.Add(-1)).Go:
		return "go before the instant given"
	case before.Go && !d.Go, d.Go && !after.Go:
		return "not monotone"
	case before.At.After(d.At), d.At.After(after.At):
		return "an instant that moves back"
	case rate < min(pace.DefaultFloor, l.p.Rate) || rate > max(pace.DefaultMax, l.p.Rate):
		return "a rate out of bounds"
	case l.s.InFlight != len(l.flying):
		return "a wrong count in flight"
	}
	return ""
}

// TestPropertyRate: whatever is answered, no span of time sees more starts than
// the burst and the rate allow.
func TestPropertyRate(t *testing.T) {
	const rate, burst = 3, 4
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 5))
		l := &life{p: pace.Policy{Rate: rate, Burst: burst, Max: rate, Jitter: r.Float64}, now: t0, steady: true}
		var starts []time.Time
		for range 400 {
			known := l.s.Requests
			l.step(r)
			if l.s.Requests > known {
				starts = append(starts, l.now)
			}
		}
		for i := range starts {
			for j := i; j < len(starts); j++ {
				span := starts[j].Sub(starts[i])
				if float64(j-i+1) > burst+rate*span.Seconds()+1e-6 {
					t.Fatalf("seed %d: %d starts in %v", seed, j-i+1, span)
				}
			}
		}
	}
}
