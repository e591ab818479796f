package pace_test

import (
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/weirhq/weir/pace"
)

// t0 is the instant at which the tests begin; its second is a full one.
var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// at is the instant so many seconds after t0.
func at(seconds float64) time.Time {
	return t0.Add(time.Duration(math.Round(seconds * 1e9)))
}

func exact() pace.Policy { return pace.Policy{Jitter: pace.NoJitter} }

// headers makes a header of name, value pairs.
func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

// answer is one to a request that started and was answered at these seconds.
func answer(started, received float64, status int, pairs ...string) pace.Answer {
	return pace.Answer{Status: status, Header: headers(pairs...), StartedAt: at(started), ReceivedAt: at(received)}
}

// exchange is a request that starts and is answered at the same instant.
func exchange(p pace.Policy, s pace.State, seconds float64, status int, pairs ...string) pace.State {
	return p.Observe(p.Took(s, at(seconds)), answer(seconds, seconds, status, pairs...))
}

// TestBucket starts a request at each step where the gate says Go.
func TestBucket(t *testing.T) {
	type step struct {
		now  float64
		go_  bool
		next float64 // the instant told
	}
	tests := map[string]struct {
		policy pace.Policy
		steps  []step
	}{
		"burst, then the rate": {pace.Policy{}, []step{
			{0, true, 0}, {0, true, 0}, {0, true, 0}, {0, true, 0}, {0, true, 0},
			{0, false, 0.2}, {0.1, false, 0.2}, {0.199999999, false, 0.2}, {0.2, true, 0.2}, {0.2, false, 0.4},
		}},
		"a pause fills no more than the burst": {pace.Policy{Rate: 1, Burst: 2}, []step{
			{0, true, 0}, {0, true, 0}, {0, false, 1}, {100, true, 100}, {100, true, 100}, {100, false, 101},
		}},
		"one in ten seconds": {pace.Policy{Rate: 0.1, Burst: 1}, []step{
			{0, true, 0}, {5, false, 10}, {9.999, false, 10}, {10, true, 10}, {10, false, 20},
		}},
		"a clock set back opens nothing early": {pace.Policy{Rate: 1, Burst: 1}, []step{
			{100, true, 100}, {50, false, 101}, {0, false, 101}, {100.9, false, 101}, {101, true, 101},
		}},
		"nonsense takes the defaults": {pace.Policy{Rate: math.NaN(), Burst: -3}, []step{
			{0, true, 0}, {0, true, 0}, {0, true, 0}, {0, true, 0}, {0, true, 0}, {0, false, 0.2},
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var s pace.State
			for i, step := range test.steps {
				d := test.policy.Decide(s, at(step.now))
				if d.Go != step.go_ || !d.At.Equal(at(step.next)) {
					t.Fatalf("step %d at %v s: go %v at %v, want %v at %v", i, step.now, d.Go, d.At.Sub(t0), step.go_, at(step.next).Sub(t0))
				}
				if d.Go != (d.Reason == pace.Open) {
					t.Errorf("step %d: go %v for the reason %q", i, d.Go, d.Reason)
				}
				if d.Go {
					s = test.policy.Took(s, at(step.now))
				}
			}
		})
	}
}

// TestRefusal closes the gate with one 429 at t0 and asks until when.
func TestRefusal(t *testing.T) {
	date := t0.Add(-time.Hour).Format(http.TimeFormat) // the server's clock is an hour slow
	later := t0.Add(-time.Hour + 90*time.Second).Format(http.TimeFormat)
	tests := map[string]struct {
		pairs []string
		until float64
		why   pace.Reason
	}{
		"seconds":                {[]string{"Retry-After", "17"}, 17, pace.RetryAfter},
		"less than the back-off": {[]string{"Retry-After", "1"}, 1, pace.RetryAfter},
		"decimals":               {[]string{"Retry-After", "0.25"}, 0.25, pace.RetryAfter},
		"a date":                 {[]string{"Retry-After", later, "Date", date}, 90, pace.RetryAfter},
		"the longest of several": {[]string{"Retry-After", "3", "Retry-After", "9"}, 9, pace.RetryAfter},
		"a year":                 {[]string{"Retry-After", "31536000"}, 31536000, pace.RetryAfter},
		"none":                   {nil, 5, pace.BackOff},
		"zero":                   {[]string{"Retry-After", "0"}, 5, pace.BackOff},
		"negative":               {[]string{"Retry-After", "-30"}, 5, pace.BackOff},
		"a past date":            {[]string{"Retry-After", date, "Date", later}, 5, pace.BackOff},
		"unreadable":             {[]string{"Retry-After", "soon"}, 5, pace.BackOff},
		"over 366 days":          {[]string{"Retry-After", "31622401"}, 5, pace.BackOff},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := exact()
			s := exchange(p, pace.State{}, 0, 429, test.pairs...)
			d := p.Decide(s, at(0))
			if d.Go || !d.At.Equal(at(test.until)) || d.Reason != test.why {
				t.Errorf("decided go %v, at %v for %q, want %v s for %q", d.Go, d.At.Sub(t0), d.Reason, test.until, test.why)
			}
			if early := p.Decide(s, at(test.until).Add(-1)); early.Go {
				t.Error("go a nanosecond early")
			}
			if then := p.Decide(s, at(test.until)); !then.Go || !then.Probe {
				t.Errorf("at the instant: %+v, want the probe to go", then)
			}
		})
	}
}

func TestBackOffSteps(t *testing.T) {
	want := []float64{5, 7.5, 11.25, 16.875, 25.3125, 37.96875, 56.953125, 60, 60, 60}
	p, now := exact(), 0.0
	var s pace.State
	for k, wait := range want {
		s = exchange(p, s, now, 429)
		d := p.Decide(s, at(now))
		if got := d.At.Sub(at(now)).Seconds(); math.Abs(got-wait) > 1e-6 {
			t.Fatalf("wait %d: %v s, want %v", k, got, wait)
		}
		now = d.At.Sub(t0).Seconds()
	}
	if s = exchange(p, s, now, 200); s.Closed() {
		t.Fatal("closed after the probe was accepted")
	}
	s = exchange(p, s, now+1, 429)
	if got := s.ClosedUntil.Sub(at(now + 1)); got != 5*time.Second {
		t.Errorf("first wait of the next incident %v, want 5 s", got)
	}
}

func TestJitterOnlyLengthensBackOff(t *testing.T) {
	tests := map[string]struct {
		jitter float64
		most   float64
		pairs  []string
		want   float64
	}{
		"none":                  {0, 0, nil, 5},
		"half":                  {0.5, 0, nil, 5.25},
		"all":                   {1, 0, nil, 5.5},
		"less by policy":        {1, 0.02, nil, 5.1},
		"more than allowed":     {1, 0.5, nil, 5.5},
		"a source out of range": {7, 0, nil, 5.5},
		"a negative source":     {-1, 0, nil, 5},
		"no number":             {math.NaN(), 0, nil, 5},
		"told is exact":         {1, 0, []string{"Retry-After", "5"}, 5},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			p := pace.Policy{Jitter: func() float64 { return test.jitter }, MaxJitter: test.most}
			s := exchange(p, pace.State{}, 0, 429, test.pairs...)
			if got := s.ClosedUntil.Sub(t0).Seconds(); math.Abs(got-test.want) > 1e-6 {
				t.Errorf("closed for %v s, want %v", got, test.want)
			}
		})
	}
}

func TestReasonsHaveWords(t *testing.T) {
	seen := map[string]pace.Reason{}
	for _, r := range []pace.Reason{pace.Open, pace.Paced, pace.RetryAfter, pace.BackOff, pace.ProbeOut, pace.LimitSpent} {
		if other, dup := seen[r.Describe()]; dup || r.Describe() == "" {
			t.Errorf("%q is described like %q", r, other)
		}
		seen[r.Describe()] = r
	}
}
