package pace

import (
	"math"
	"math/rand/v2"
	"time"
)

// Defaults of [Policy].
const (
	DefaultRate         = 5.0
	DefaultBurst        = 5
	DefaultFloor        = 0.05
	DefaultMax          = 20.0
	DefaultBackOffBase  = 5 * time.Second
	DefaultFactor       = 1.5
	DefaultBackOffMax   = 60 * time.Second
	DefaultMaxJitter    = 0.1
	DefaultProbeTimeout = 60 * time.Second
)

// What is learned from a refusal: the only place of these numbers. The rules
// they belong to are stated at [Policy.Observe].
const (
	timedCut     = 0.7  // a recovery that Retry-After timed: rate × timedCut
	gentleCut    = 0.9  // an untimed one at a rate the estimate bears: rate × gentleCut
	estimateCut  = 0.9  // an untimed one above the estimate: estimate × estimateCut
	steepest     = 16.0 // but not below rate / steepest in one incident
	refusedBurst = 2    // the burst after any refusal

	growth        = 1.1 // the rate grows × growth for each period without a 429
	growthPeriod  = 300 * time.Second
	timedPeriod   = 30 * time.Second // the period where the server gives Retry-After
	refusedCap    = 0.95             // not above refusedCap × the refused rate
	refusedMemory = 24 * time.Hour   // for refusedMemory after the refusal

	countWindow = 60 * time.Second // accepted requests are counted over this
	longestTold = 366 * 24 * time.Hour
	maxStep     = 1 << 16 // far beyond the step at which any back-off is at its longest
)

// Policy holds the numbers of a gate. A field that is zero, negative or not a
// number takes its default, so the zero Policy is the default one.
type Policy struct {
	// Rate is the number of requests per second before the first 429. It is not
	// changed by anything but a 429. Default 5.
	Rate float64
	// Burst is how many requests may start at once after a pause, before the
	// first 429; afterwards 2 (or Burst if that is less). Default 5.
	Burst int
	// Floor is the slowest rate that is ever learned, in requests per second
	// (Rate if that is less). Default 0.05.
	Floor float64
	// Max is the fastest rate that is ever learned, in requests per second. A
	// Rate above it is kept until the first 429. Default 20.
	Max float64
	// BackOffBase, Factor and BackOffMax make the waits after 429 answers without
	// a usable Retry-After: BackOffBase × Factor^k, at most BackOffMax. Defaults
	// 5 s, 1.5, 60 s. A Factor below 1 takes the default.
	BackOffBase time.Duration
	Factor      float64
	BackOffMax  time.Duration
	// MaxJitter is the largest part of itself by which a back-off is lengthened,
	// between 0 and 0.1; Jitter gives the part of it to use, between 0 and 1. A
	// told wait has no jitter. Defaults 0.1 and a random source; see [NoJitter].
	MaxJitter float64
	Jitter    func() float64
	// ProbeTimeout is how long a probe may stay without an outcome before the
	// next request may probe. Default 60 s.
	ProbeTimeout time.Duration
	// CountOverAge divides the requests accepted before a 429 by the age of the
	// gate, where it is younger than 60 s, instead of by 60 s: bolder in short
	// runs. Default false.
	CountOverAge bool
}

// NoJitter is a [Policy.Jitter] for exact back-offs.
func NoJitter() float64 { return 0 }

func (p Policy) orDefaults() Policy {
	p.Rate = positive(p.Rate, DefaultRate)
	p.Floor = min(positive(p.Floor, DefaultFloor), p.Rate)
	p.Max = max(positive(p.Max, DefaultMax), p.Floor)
	p.MaxJitter = min(positive(p.MaxJitter, DefaultMaxJitter), DefaultMaxJitter)
	if p.Burst <= 0 {
		p.Burst = DefaultBurst
	}
	if !(p.Factor >= 1) || math.IsInf(p.Factor, 1) {
		p.Factor = DefaultFactor
	}
	if p.Jitter == nil {
		p.Jitter = rand.Float64
	}
	p.BackOffBase = positiveSpan(p.BackOffBase, DefaultBackOffBase)
	p.BackOffMax = positiveSpan(p.BackOffMax, DefaultBackOffMax)
	p.ProbeTimeout = positiveSpan(p.ProbeTimeout, DefaultProbeTimeout)
	return p
}

func positive(v, otherwise float64) float64 {
	if v > 0 && !math.IsInf(v, 1) {
		return v
	}
	return otherwise
}

func positiveSpan(v, otherwise time.Duration) time.Duration {
	if v > 0 {
		return v
	}
	return otherwise
}

// backOff is the wait of step k with its jitter, which only lengthens it.
func (p Policy) backOff(k int) time.Duration {
	wait := min(p.BackOffBase.Seconds()*math.Pow(p.Factor, float64(k)), p.BackOffMax.Seconds())
	part := p.Jitter()
	if !(part > 0) {
		part = 0
	}
	return span(wait * (1 + p.MaxJitter*min(part, 1)))
}

// span turns seconds into a duration, rounded up so that no wait is shortened,
// and between 0 and 366 days so that none overflows.
func span(seconds float64) time.Duration {
	switch {
	case !(seconds > 0):
		return 0
	case seconds >= longestTold.Seconds():
		return longestTold
	}
	return time.Duration(math.Ceil(seconds * float64(time.Second)))
}
