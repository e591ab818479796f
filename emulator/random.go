package emulator

import (
	"encoding/hex"
	"math"
)

// draw is a source of chance without state: everything that is drawn is a
// function of the seed and of what it is drawn for, so that any part of a
// result can be computed alone and the order of requests changes nothing that
// does not depend on it.
type draw uint64

// with draws for one more number.
func (d draw) with(n int64) draw {
	x := uint64(d) + uint64(n)*0x9e3779b97f4a7c15 + 0x9e3779b97f4a7c15
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	x ^= x >> 31
	return draw(x)
}

// text draws for one more word.
func (d draw) text(word string) draw {
	h := uint64(14695981039346656037)
	for i := range len(word) {
		h = (h ^ uint64(word[i])) * 1099511628211
	}
	return d.with(int64(h)).with(int64(len(word)))
}

// float is between 0 and 1, 1 excluded.
func (d draw) float() float64 { return float64(d.with(1)>>11) / (1 << 53) }

// below is between 0 and n, n excluded.
func (d draw) below(n int) int { return int(uint64(d.with(2)) % uint64(n)) }

// chance is true with probability p.
func (d draw) chance(p float64) bool { return d.with(3).float() < p }

// normal is drawn from the standard normal distribution.
func (d draw) normal() float64 {
	u, v := 1-d.with(4).float(), d.with(5).float()
	return math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*v)
}

// hex is that many hex digits, at most 32.
func (d draw) hex(digits int) string {
	var raw [16]byte
	for i := range 8 {
		raw[i] = byte(d.with(6) >> (8 * i))
		raw[8+i] = byte(d.with(7) >> (8 * i))
	}
	return hex.EncodeToString(raw[:])[:digits]
}

// order is a permutation of 0 to n−1.
func (d draw) order(n int) []int {
	places := make([]int, n)
	for i := range n {
		j := d.with(int64(100 + i)).below(i + 1)
		places[i] = places[j]
		places[j] = i
	}
	return places
}

func ceil(x float64) int { return int(math.Ceil(x)) }
