package pace_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"github.com/weirhq/weir/pace"
)

// flight starts n requests at the same instant.
func flight(p pace.Policy, s pace.State, seconds float64, n int) pace.State {
	for range n {
		s = p.Took(s, at(seconds))
	}
	return s
}

func TestRefusedTogetherIsOneStep(t *testing.T) {
	p := exact()
	s := flight(p, pace.State{}, 0, 4)
	for i := range 4 {
		s = p.Observe(s, answer(0, 0.1*float64(i+1), 429))
	}
	if s.Step != 1 || s.Throttled != 4 {
		t.Errorf("step %d after %d refusals, want 1 after 4", s.Step, s.Throttled)
	}
	if want := at(5.4); !s.ClosedUntil.Equal(want) {
		t.Errorf("closed until %v, want the latest, %v", s.ClosedUntil, want)
	}
	s = exchange(p, s, 5.4, 429)
	if want := at(5.4 + 7.5); !s.ClosedUntil.Equal(want) {
		t.Errorf("after the probe's 429 closed until %v, want %v", s.ClosedUntil, want)
	}
}

func TestLatestInstantWins(t *testing.T) {
	p := exact()
	s := flight(p, pace.State{}, 0, 3)
	s = p.Observe(s, answer(0, 1, 429, "Retry-After", "30"))
	s = p.Observe(s, answer(0, 2, 429, "Retry-After", "10"))
	s = p.Observe(s, answer(0, 3, 429))
	if d := p.Decide(s, at(3)); !d.At.Equal(at(31)) || d.Reason != pace.RetryAfter {
		t.Errorf("until %v for %q, want 31 s for retry_after", d.At.Sub(t0), d.Reason)
	}
	s = p.Observe(s, answer(0, 4, 429, "Retry-After", "40"))
	if d := p.Decide(s, at(4)); !d.At.Equal(at(44)) {
		t.Errorf("until %v, want 44 s", d.At.Sub(t0))
	}
}

func TestProbe(t *testing.T) {
	closed := exchange(exact(), pace.State{}, 0, 429) // until 5 s
	lost := errors.New("connection reset")
	tests := map[string]struct {
		outcome pace.Answer
		closed  bool
		until   float64 // the next instant told
		probe   bool
	}{
		"accepted opens":             {answer(5, 6, 200), false, 6, false},
		"a refusal of another kind":  {answer(5, 6, 400), false, 6, false},
		"an error of the service":    {answer(5, 6, 500), false, 6, false},
		"429 is the next step":       {answer(5, 6, 429), true, 13.5, false},
		"429 told":                   {answer(5, 6, 429, "Retry-After", "2"), true, 8, false},
		"a lost connection":          {pace.Answer{StartedAt: at(5), ReceivedAt: at(6), Err: lost}, true, 6, true},
		"no answer at all":           {answer(5, 6, 0), true, 6, true},
		"a gateway's error":          {answer(5, 6, 502), true, 6, true},
		"an unavailable service":     {answer(5, 6, 503), true, 6, true},
		"a gateway's timeout":        {answer(5, 6, 504), true, 6, true},
		"another request's success":  {answer(0, 6, 200), true, 65, false},
		"another request's 429":      {answer(0, 6, 429), true, 65, false},
		"another request's long 429": {answer(0, 6, 429, "Retry-After", "100"), true, 106, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := exact()
			s := p.Took(closed, at(5))
			if d := p.Decide(s, at(5)); d.Go || d.Reason != pace.ProbeOut || !d.At.Equal(at(65)) {
				t.Fatalf("while the probe is out: %+v, want all to wait for it", d)
			}
			s = p.Observe(s, test.outcome)
			d := p.Decide(s, at(6))
			if s.Closed() != test.closed || !d.At.Equal(at(test.until)) || d.Probe != test.probe {
				t.Errorf("closed %v, next at %v, probe %v; want %v, %v s, %v",
					s.Closed(), d.At.Sub(t0), d.Probe, test.closed, test.until, test.probe)
			}
		})
	}
}

// TestUndatedAnswer: an answer without its start is taken as the newest there is.
func TestUndatedAnswer(t *testing.T) {
	p := exact()
	s := p.Took(exchange(p, pace.State{}, 0, 429), at(5))
	if s = p.Observe(s, pace.Answer{Status: 200, ReceivedAt: at(6)}); s.Closed() {
		t.Error("closed after an accepted answer")
	}
}

func TestSilentProbeGivesUpItsRight(t *testing.T) {
	p := exact()
	s := p.Took(exchange(p, pace.State{}, 0, 429), at(5))
	if d := p.Decide(s, at(65)); !d.Go || !d.Probe {
		t.Fatalf("after the probe's time: %+v, want another probe", d)
	}
	s = p.Took(s, at(65))
	s = p.Observe(s, answer(5, 66, 200)) // the first probe, at last
	if !s.Probing || !s.Closed() {
		t.Error("the answer to a former probe ended the incident")
	}
}

// TestProbeAcceptedBeforeAToldInstant: a straggler told an instant that is still
// ahead when the probe comes back.
func TestProbeAcceptedBeforeAToldInstant(t *testing.T) {
	p := exact()
	s := flight(p, pace.State{}, 0, 2)
	s = p.Took(p.Observe(s, answer(0, 0, 429)), at(5))
	s = p.Observe(s, answer(0, 5.5, 429, "Retry-After", "20"))
	s = p.Observe(s, answer(5, 6, 200))
	if d := p.Decide(s, at(6)); d.Go || !d.At.Equal(at(25.5)) {
		t.Errorf("next at %v, want 25.5 s", d.At.Sub(t0))
	}
	if d := p.Decide(s, at(25.5)); !d.Go || !d.Probe {
		t.Errorf("then %+v, want a probe", d)
	}
}

// TestLateRefusalTeachesOnce: the answer to a request from before the recovery
// closes the gate and leaves the rate alone.
func TestLateRefusalTeachesOnce(t *testing.T) {
	p := exact()
	s := flight(p, pace.State{}, 0, 2)
	s = exchange(p, p.Observe(s, answer(0, 0, 429, "Retry-After", "5")), 5, 200)
	rate := s.Rate
	s = p.Observe(s, answer(0, 6, 429, "Retry-After", "4"))
	if d := p.Decide(s, at(6)); !d.At.Equal(at(10)) {
		t.Fatalf("next at %v, want 10 s", d.At.Sub(t0))
	}
	s = exchange(p, s, 10, 200)
	if s.Closed() || s.Rate != rate || s.RefusedRate != 5 {
		t.Errorf("rate %v, refused %v, closed %v; want %v, 5, open", s.Rate, s.RefusedRate, s.Closed(), rate)
	}
}

func TestLearnedRate(t *testing.T) {
	tests := map[string]struct {
		policy   pace.Policy
		state    pace.State
		accepted int // spread over the 30 s before the 429
		refusals int // waits of 5, 12.5, 23.75 s after the first
		pairs    []string
		want     float64
	}{
		"timed":                             {pace.Policy{}, pace.State{}, 0, 1, []string{"Retry-After", "9"}, 5 * 0.7},
		"timed, at the floor":               {pace.Policy{}, pace.State{Rate: 0.06}, 0, 1, []string{"Retry-After", "9"}, 0.05},
		"untimed, by the wait":              {pace.Policy{Rate: 2}, pace.State{}, 0, 1, nil, 0.9 / 5},
		"untimed, by two waits":             {pace.Policy{Rate: 1}, pace.State{}, 0, 2, nil, 0.9 / 12.5},
		"untimed, by what was accepted":     {pace.Policy{}, pace.State{}, 30, 1, nil, 0.9 * 0.5},
		"untimed, not below a sixteenth":    {pace.Policy{}, pace.State{}, 0, 1, nil, 5.0 / 16},
		"untimed, the estimate bears it":    {pace.Policy{}, pace.State{Rate: 0.4, GrewAt: t0}, 30, 1, nil, 0.4 * 0.9},
		"untimed, just the estimate":        {pace.Policy{}, pace.State{Rate: 0.2}, 0, 1, nil, 0.2 * 0.9},
		"untimed, at the floor":             {pace.Policy{}, pace.State{Rate: 0.051}, 0, 1, nil, 0.05},
		"counted over the age":              {pace.Policy{CountOverAge: true}, pace.State{}, 30, 1, nil, 0.9 * 30.0 / 30},
		"a floor of one's own":              {pace.Policy{Floor: 1}, pace.State{}, 0, 1, nil, 1},
		"a rate below the floor is allowed": {pace.Policy{Rate: 0.01}, pace.State{}, 0, 1, []string{"Retry-After", "9"}, 0.01},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p, s := test.policy, test.state
			p.Jitter = pace.NoJitter
			for i := range test.accepted {
				s = exchange(p, s, float64(i)*30/float64(test.accepted), 200)
			}
			now := 30.0
			for range test.refusals {
				s = exchange(p, s, now, 429, test.pairs...)
				now = s.ClosedUntil.Sub(t0).Seconds()
			}
			s = exchange(p, s, now+1000, 200) // nobody asked for a while: no evidence
			if math.Abs(s.Rate-test.want) > 1e-9 || s.Burst != 2 {
				t.Errorf("rate %v, burst %d; want %v, 2", s.Rate, s.Burst, test.want)
			}
			if got := p.RateOf(s); got != s.Rate {
				t.Errorf("paced at %v, learned %v", got, s.Rate)
			}
		})
	}
}

func TestAcceptedOnTheWayCounts(t *testing.T) {
	p := exact()
	s := flight(p, pace.State{}, 0, 7)
	s = p.Observe(s, answer(0, 1, 429))
	for range 6 {
		s = p.Observe(s, answer(0, 2, 200))
	}
	if s.AcceptedBefore != 6 {
		t.Errorf("%d accepted before the incident, want 6", s.AcceptedBefore)
	}
}

func TestOldAcceptedDoNotCount(t *testing.T) {
	p := exact()
	var s pace.State
	for i := range 200 {
		s = exchange(p, s, float64(i), 200)
	}
	s = exchange(p, s, 200.5, 429)
	if s.AcceptedBefore != 59 { // the seconds 141 to 199; 200 was refused
		t.Errorf("%d accepted before the incident, want 59", s.AcceptedBefore)
	}
}

// TestGrowth answers once every step seconds after a recovery.
func TestGrowth(t *testing.T) {
	timed := pace.State{Rate: 1, Burst: 2, RecoveryTimed: true, GrewAt: t0, RecoveredAt: t0, RefusedAt: at(-90000), RefusedRate: 1.2}
	untimed := timed
	untimed.RecoveryTimed = false
	capped := timed
	capped.RefusedAt = t0
	tests := map[string]struct {
		state      pace.State
		every, til float64
		want       float64
	}{
		"no growth before the period":    {timed, 1, 29.5, 1},
		"timed after 30 s":               {timed, 1, 30, 1.1},
		"untimed not after 30 s":         {untimed, 1, 299, 1},
		"untimed after 300 s":            {untimed, 1, 300, 1.1},
		"step by step":                   {timed, 1, 90, 1.1 * 1.1 * 1.1},
		"an idle night is one step":      {timed, 36000, 36000, 1.1},
		"capped below the refused rate":  {capped, 10, 3600, 0.95 * 1.2},
		"free again after a day":         {capped, 10, 86400 + 60, 0.95 * 1.2 * 1.1 * 1.1 * 1.1},
		"at the most":                    {timed, 10, 36000, 20},
		"unchanged while never refused":  {pace.State{}, 10, 36000, 0},
		"at the most, if that is slower": {pace.State{Rate: 19.9, Burst: 2, GrewAt: t0}, 10, 400, 20},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p, s := exact(), test.state
			for now := test.every; now <= test.til; now += test.every {
				s = exchange(p, s, now, 200)
			}
			if math.Abs(s.Rate-test.want) > 1e-9 {
				t.Errorf("rate %v, want %v", s.Rate, test.want)
			}
		})
	}
}

func TestGrowthBeginsAtTheRecovery(t *testing.T) {
	p := exact()
	s := pace.State{Rate: 1, Burst: 2, RecoveryTimed: true, GrewAt: t0, RefusedRate: 9}
	s = exchange(p, exchange(p, s, 100, 429, "Retry-After", "10"), 110, 200)
	s = exchange(p, s, 139, 200)
	if math.Abs(s.Rate-0.7) > 1e-9 {
		t.Errorf("rate %v 29 s after the recovery, want 0.7", s.Rate)
	}
}

// TestGrowthDoesNotReachBack: the bucket was filled at the rate of its time.
func TestGrowthDoesNotReachBack(t *testing.T) {
	p := exact()
	s := pace.State{Rate: 0.05, Burst: 1, GrewAt: at(-295), RefusedRate: 1}
	s = p.Observe(p.Took(s, t0), answer(0, 10, 200))
	half := 0.5 / (0.05 * 1.1) // half a token at the new rate
	if want, got := at(10+half), p.Decide(s, at(10)).At; got.Sub(want).Abs() > time.Microsecond {
		t.Errorf("next at %v, want %v", got.Sub(t0), want.Sub(t0))
	}
}

func TestLearnedStaysWithinThePolicy(t *testing.T) {
	p := pace.Policy{Rate: 1, Burst: 1, Max: 2}
	s := pace.State{Rate: 500, Burst: 100} // learned under another policy
	if got := p.RateOf(s); got != 2 {
		t.Errorf("paced at %v, want 2", got)
	}
	if d := p.Decide(p.Took(s, t0), t0); d.Go {
		t.Error("a burst of more than one")
	}
	forced := p.Took(p.Took(p.Took(p.Took(s, t0), t0), t0), t0)
	if d := p.Decide(forced, t0); d.At.After(at(1)) {
		t.Errorf("after starts against its word the bucket is in debt until %v", d.At.Sub(t0))
	}
}

func TestRefusalsDoNotGrowTheRate(t *testing.T) {
	p := exact()
	s := pace.State{Rate: 1, Burst: 2, RecoveryTimed: true, GrewAt: t0}
	s = p.Observe(p.Took(s, at(40)), answer(40, 40, 503))
	if s.Rate != 1 {
		t.Errorf("rate %v after a gateway's error, want 1", s.Rate)
	}
}

func TestBurstAfterARefusal(t *testing.T) {
	p := exact()
	s := exchange(p, pace.State{}, 0, 429, "Retry-After", "10")
	s = exchange(p, s, 10, 200)
	starts := 0
	for p.Decide(s, at(1000)).Go {
		s = p.Took(s, at(1000))
		starts++
	}
	if starts != 2 {
		t.Errorf("%d requests at once, want 2", starts)
	}
}

func TestOpen(t *testing.T) {
	p := exact()
	s := exchange(p, pace.State{}, 0, 429, "Retry-After", "10")
	s = exchange(p, s, 10, 200)
	s = p.Took(exchange(p, s, 20, 429, "Retry-After", "86400", "RateLimit-Remaining", "0", "RateLimit-Reset", "900"), at(20))
	s = s.Open()
	if d := p.Decide(s, at(30)); !d.Go || d.Probe || s.Closed() {
		t.Errorf("after a person opened it: %+v", d)
	}
	if s.Rate != 3.5 || s.Burst != 2 {
		t.Errorf("rate %v and burst %d were forgotten", s.Rate, s.Burst)
	}
	if s = p.Observe(s, answer(20, 31, 200)); s.InFlight != 0 || s.Closed() {
		t.Error("the answer to the former probe does not count")
	}
}

func TestCounts(t *testing.T) {
	p := exact()
	s := flight(p, pace.State{}, 0, 3)
	s = p.Observe(s, answer(0, 1, 200))
	s = p.Observe(s, answer(0, 1, 429))
	if s.Requests != 3 || s.Throttled != 1 || s.InFlight != 1 {
		t.Errorf("%d requests, %d throttled, %d in flight; want 3, 1, 1", s.Requests, s.Throttled, s.InFlight)
	}
	s = p.Observe(p.Observe(s, answer(0, 1, 200)), pace.Answer{StartedAt: t0, ReceivedAt: at(time.Hour.Seconds())})
	if s.InFlight != 0 {
		t.Errorf("%d in flight, want 0", s.InFlight)
	}
}
