package pace

import "time"

// recovered ends the incident and learns from it.
func (p Policy) recovered(s State, now time.Time) State {
	s = p.fill(s, now) // at the old rate up to here
	if !s.Late {
		est, timed := p.estimate(s), s.Timed
		s.Rate = p.lowered(s)
		if !timed && est < s.RefusedRate {
			// The server bears less than the rate it refused at: growing towards
			// that would only be refused again.
			s.RefusedRate = max(est, s.Rate)
		}
		s.Burst = min(refusedBurst, p.Burst)
	}
	s.RecoveredAt, s.RecoveryTimed, s.GrewAt = now, s.Timed, now
	s.FirstRefusedAt, s.ClosedUntil, s.Timed = time.Time{}, time.Time{}, false
	s.Step, s.AcceptedBefore, s.Late = 0, 0, false
	return s
}

// lowered is the rate after the incident of s; see [Policy.Observe].
func (p Policy) lowered(s State) float64 {
	rate := p.rate(s)
	if s.Timed {
		return max(rate*timedCut, p.Floor)
	}
	est := p.estimate(s)
	if rate <= est {
		return max(rate*gentleCut, p.Floor)
	}
	return max(rate/steepest, min(estimateCut*est, rate), p.Floor)
}

// estimate is what the server seems to bear, in requests per second.
func (p Policy) estimate(s State) float64 {
	counted := countWindow
	if p.CountOverAge && !s.Since.IsZero() {
		counted = min(counted, max(s.FirstRefusedAt.Sub(s.Since), time.Second))
	}
	est := float64(s.AcceptedBefore) / counted.Seconds()
	if waited := s.ClosedUntil.Sub(s.FirstRefusedAt); waited > 0 {
		est = max(est, 1/waited.Seconds())
	}
	return est
}

// grow raises a learned rate by one step if its time has come.
func (p Policy) grow(s State, now time.Time) State {
	period := growthPeriod
	if s.RecoveryTimed {
		period = timedPeriod
	}
	if s.Rate <= 0 || now.Sub(s.GrewAt) < period {
		return s
	}
	next := min(p.rate(s)*growth, p.Max)
	if now.Sub(s.RefusedAt) < refusedMemory {
		next = min(next, refusedCap*s.RefusedRate)
	}
	if next <= p.rate(s) {
		return s
	}
	s = p.fill(s, now)
	s.Rate, s.GrewAt = next, now
	return s
}
