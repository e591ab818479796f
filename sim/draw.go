package sim

import (
	"math/rand/v2"
)

// draw makes random numbers that depend on what they are for and not on who
// asks first, so that every policy meets the same jobs.
type draw struct{ seed uint64 }

// of is a generator of its own for the named thing.
func (d draw) of(what string, n ...int) *rand.Rand {
	h := uint64(14695981039346656037)
	mix := func(v uint64) {
		for range 8 {
			h = (h ^ (v & 0xff)) * 1099511628211
			v >>= 8
		}
	}
	for _, c := range []byte(what) {
		mix(uint64(c))
	}
	for _, v := range n {
		mix(uint64(v))
	}
	return rand.New(rand.NewPCG(d.seed, h))
}
