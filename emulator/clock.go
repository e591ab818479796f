package emulator

import (
	"context"
	"time"
)

// moment is one instant on both clocks. The request rate, Retry-After and
// scripted delays live in the client's time; jobs, quota, dates, ids and the
// instants of a scenario in the organisation's.
type moment struct {
	client time.Time
	org    time.Time
}

type clock struct {
	now   func() time.Time
	base  time.Time // the client's clock at New, with its monotonic reading
	start time.Time // the organisation's clock at New
	speed float64
}

func newClock(c Config) clock {
	base := c.Now()
	start := c.Start
	if start.IsZero() {
		start = base
	}
	return clock{now: c.Now, base: base, start: start.Round(0).UTC(), speed: c.Speed}
}

func (c clock) read() moment {
	now := c.now()
	const most = float64(1 << 62) // nanoseconds: some 146 years, where the organisation's clock stands still
	passed := min(float64(now.Sub(c.base))*c.speed, most)
	return moment{client: now, org: c.start.Add(time.Duration(passed))}
}

// wait holds for a length of the client's time and reports the context's cause
// when that ended first.
func wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
