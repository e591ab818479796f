package sim

import (
	"testing"
	"time"
)

func TestLimiters(t *testing.T) {
	cases := map[string]struct {
		limiter Limiter
		asks    []float64 // seconds after a full minute
		want    string    // + admitted, - refused
		wait    time.Duration
	}{
		"none":                   {Limiter{}, []float64{0, 0, 0}, "+++", 0},
		"bucket":                 {Limiter{Kind: Bucket, PerMinute: 60, Burst: 2}, []float64{0, 0, 0, 1, 1}, "++-+-", time.Second},
		"bucket, charged":        {Limiter{Kind: Bucket, PerMinute: 60, Burst: 2, Charged: true}, []float64{0, 0, 0, 1, 3.5}, "++--+", 0},
		"full minutes":           {Limiter{Kind: Window, PerMinute: 2}, []float64{50, 55, 59, 60, 61, 62}, "++-++-", 58 * time.Second},
		"any minute":             {Limiter{Kind: Sliding, PerMinute: 2}, []float64{50, 55, 59, 60, 110, 111}, "++--+-", 4 * time.Second},
		"any minute, charged":    {Limiter{Kind: Sliding, PerMinute: 2, Charged: true}, []float64{0, 1, 30, 59, 85}, "++---", 34 * time.Second},
		"charged, left in peace": {Limiter{Kind: Sliding, PerMinute: 2, Charged: true}, []float64{0, 1, 30, 91}, "++-+", 0},
	}
	minute := epoch().Truncate(time.Minute)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			d := newDoorman(c.limiter, minute)
			got, wait := "", time.Duration(0)
			for _, at := range c.asks {
				ok, w := d.admit(minute.Add(time.Duration(at * float64(time.Second))))
				got += map[bool]string{true: "+", false: "-"}[ok]
				wait = w
			}
			if got != c.want || (wait-c.wait).Abs() > time.Millisecond {
				t.Errorf("admitted %s, then wait %s; want %s and %s", got, wait, c.want, c.wait)
			}
		})
	}
}

// The server never runs more than it says, whoever asks.
func TestServerKeepsItsLimits(t *testing.T) {
	s := Scenarios()[0]
	s.Slots, s.Running, s.Quota, s.Foreign = 3, 2, 20, 20*time.Second
	w := newWorld(s, 1, epoch())
	for n := range 2000 {
		w.after(time.Duration(n)*time.Second, func() {
			w.server.answerPost(n % s.Exports)
			running := 0
			for _, j := range w.server.active {
				if j.status == "running" {
					running++
				}
			}
			if len(w.server.active) > 3 || running > 2 || len(w.server.uses) > 20 {
				t.Errorf("%d in flight, %d running, %d used", len(w.server.active), running, len(w.server.uses))
			}
		})
	}
	w.run(func() bool { return false }, epoch().Add(time.Hour))
	if len(w.server.uses) != 20 {
		t.Errorf("%d uses, want the quota used up", len(w.server.uses))
	}
}
