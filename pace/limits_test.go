package pace_test

import (
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir/pace"
)

// TestLimits observes one success at t0 + 1 s with the headers, and asks how many
// requests may start at once and when the next may. The pace itself lets 1000
// start and is refilled slowly.
func TestLimits(t *testing.T) {
	const date = "Sun, 01 Mar 2026 12:34:20 GMT"
	p := pace.Policy{Burst: 1000, Rate: 1000}
	tests := map[string]struct {
		pairs []string
		left  int // -1: not limited
		next  float64
	}{
		"none":                     {nil, -1, 0},
		"plain":                    {[]string{"RateLimit-Remaining", "3", "RateLimit-Reset", "30"}, 3, 31},
		"nothing left":             {[]string{"RateLimit-Remaining", "0", "RateLimit-Reset", "30"}, 0, 31},
		"no reset":                 {[]string{"RateLimit-Remaining", "0"}, -1, 0},
		"reset now":                {[]string{"RateLimit-Remaining", "0", "RateLimit-Reset", "0"}, -1, 0},
		"an epoch":                 {[]string{"RateLimit-Remaining", "0", "RateLimit-Reset", "1772366460"}, -1, 0},
		"a day counts as an hour":  {[]string{"RateLimit-Remaining", "0", "RateLimit-Reset", "86400"}, 0, 3601},
		"unreadable":               {[]string{"RateLimit-Remaining", "few", "RateLimit-Reset", "30"}, -1, 0},
		"negative":                 {[]string{"RateLimit-Remaining", "-1", "RateLimit-Reset", "30"}, -1, 0},
		"a huge count":             {[]string{"RateLimit-Remaining", "99999999999999999999", "RateLimit-Reset", "30"}, -1, 0},
		"a second":                 {[]string{"X-RateLimit-Remaining-Second", "2"}, 2, 2},
		"a minute":                 {[]string{"X-RateLimit-Remaining-Minute", "2", "Date", date}, 2, 41},
		"a minute of no date":      {[]string{"X-RateLimit-Remaining-Minute", "0"}, 0, 61},
		"second and minute":        {[]string{"X-RateLimit-Remaining-Second", "2", "X-RateLimit-Remaining-Minute", "1", "Date", date}, 1, 41},
		"both spent":               {[]string{"X-RateLimit-Remaining-Second", "0", "X-RateLimit-Remaining-Minute", "0", "Date", date}, 0, 41},
		"structured":               {[]string{"RateLimit", `"default";r=2;t=12`}, 2, 13},
		"structured with a policy": {[]string{"RateLimit", `"default";r=0`, "RateLimit-Policy", `"other";q=9;w=99, "default";q=100;w=60`}, 0, 61},
		"structured, two":          {[]string{"RateLimit", `"a;b,c";r=4;t=1, "day";r=1;t=50`}, 1, 51},
		"structured, two lines":    {[]string{"RateLimit", `"a";r=4;t=1`, "RateLimit", `"day";r=1;t=50`}, 1, 51},
		"structured, spaces":       {[]string{"RateLimit", ` "a" ; R=1 ; t= 50 `}, 1, 51},
		"structured, no window":    {[]string{"RateLimit", `"default";r=0`}, -1, 0},
		"older":                    {[]string{"RateLimit", "limit=100, remaining=1, reset=30"}, 1, 31},
		"structured, quoted":       {[]string{"RateLimit", `"x;r=0;t=99,y";r=4;t=1`}, 4, 2},
		"structured, escaped":      {[]string{"RateLimit", `"x\";r=0;t=99,y";r=4;t=1`}, 4, 2},
		"the tightest of many":     {[]string{"RateLimit", `a;r=9;t=9,b;r=9;t=9,c;r=9;t=9,d;r=9;t=9,e;r=0;t=5,f;r=0;t=50`}, 0, 51},
		"garbage":                  {[]string{"RateLimit", `";;;=,,"\`}, -1, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := p.Observe(p.Took(pace.State{}, t0), answer(0, 1, 200, test.pairs...))
			starts := 0
			for p.Decide(s, at(1)).Go && starts < 100 {
				s = p.Took(s, at(1))
				starts++
			}
			if test.left < 0 {
				if starts < 100 {
					t.Fatalf("%d starts, want no limit", starts)
				}
				return
			}
			d := p.Decide(s, at(1))
			if starts != test.left || !d.At.Equal(at(test.next)) || d.Reason != pace.LimitSpent {
				t.Errorf("%d starts, next at %v for %q; want %d, %v s", starts, d.At.Sub(t0), d.Reason, test.left, test.next)
			}
			if !p.Decide(s, at(test.next)).Go {
				t.Error("no start at the reset")
			}
		})
	}
}

func TestLimitsNeverSpeedUp(t *testing.T) {
	p := exact()
	s := exchange(p, pace.State{Rate: 0.1, Burst: 1}, 0, 200, "RateLimit-Remaining", "1000", "RateLimit-Reset", "1")
	plain := exchange(p, pace.State{Rate: 0.1, Burst: 1}, 0, 200)
	if got, want := p.Decide(s, t0).At, p.Decide(plain, t0).At; got.Before(want) {
		t.Errorf("next at %v with headers, %v without", got, want)
	}
	s = exchange(p, pace.State{}, 0, 429, "RateLimit-Remaining", "1000", "RateLimit-Reset", "1")
	if d := p.Decide(s, t0); !d.At.Equal(at(5)) {
		t.Errorf("next at %v after a 429, want 5 s", d.At.Sub(t0))
	}
	s = exchange(p, pace.State{}, 0, 429, "RateLimit-Remaining", "0", "RateLimit-Reset", "12")
	if d := p.Decide(s, t0); !d.At.Equal(at(12)) || d.Reason != pace.LimitSpent {
		t.Errorf("next at %v for %q after a 429, want 12 s", d.At.Sub(t0), d.Reason)
	}
}

// TestLimitsAndFlight: what is in flight may not be in the server's count yet,
// and an older reading does not replace a newer one.
func TestLimitsAndFlight(t *testing.T) {
	p := pace.Policy{Burst: 100}
	s := p.Took(p.Took(p.Took(pace.State{}, at(0)), at(1)), at(2))
	s = p.Observe(s, answer(1, 3, 200, "RateLimit-Remaining", "5", "RateLimit-Reset", "30"))
	if s.Limits[0].Left != 3 {
		t.Errorf("%d left, want 5 less the 2 in flight", s.Limits[0].Left)
	}
	s = p.Observe(s, answer(0, 4, 200, "RateLimit-Remaining", "9", "RateLimit-Reset", "30"))
	if s.Limits[0].Left != 3 {
		t.Errorf("%d left after an older reading, want 3", s.Limits[0].Left)
	}
	s = p.Observe(s, answer(2, 5, 200, "RateLimit-Remaining", "4", "RateLimit-Reset", "29"))
	if s.Limits[0].Left != 4 || !slices.Equal(s.Limits[1:], make([]pace.Limit, len(s.Limits)-1)) {
		t.Errorf("limits %v, want 4 left in the first alone", s.Limits)
	}
}

func FuzzLimits(f *testing.F) {
	f.Add("0", "30", `"default";r=0;t=12`, `"default";q=1;w=60`, "0", "0", "Sun, 01 Mar 2026 12:34:20 GMT")
	f.Add("", "", `limit=100, remaining=0, reset=30`, "", "", "", "")
	f.Add("", "", "\"\\", "\";;==,", "", "", "")
	f.Fuzz(func(t *testing.T, left, reset, limit, policy, second, minute, date string) {
		p := exact()
		s := exchange(p, pace.State{}, 0, 200, "RateLimit-Remaining", left, "RateLimit-Reset", reset, "RateLimit", limit,
			"RateLimit-Policy", policy, "X-RateLimit-Remaining-Second", second, "X-RateLimit-Remaining-Minute", minute, "Date", date)
		if d := p.Decide(s, t0); d.At.Before(t0) || d.At.After(t0.Add(time.Hour)) {
			t.Errorf("next at %v, want within an hour", d.At.Sub(t0))
		}
	})
}
