package parquet

import (
	"bytes"
	"math"
)

// maxStat bounds the texts that stand in statistics; a column with longer ones
// at its ends has none.
const maxStat = 256

// stats are the least and the largest value of a chunk.
type stats struct {
	any           bool
	least, most   uint64 // of fixed size, as bits
	first, latest []byte // of texts
}

func (s *stats) text(text []byte) {
	if !s.any || bytes.Compare(text, s.first) < 0 {
		s.first = append(s.first[:0:0], text...)
	}
	if !s.any || bytes.Compare(text, s.latest) > 0 {
		s.latest = append(s.latest[:0:0], text...)
	}
	s.any = true
}

func (s *stats) word(kind Kind, word uint64) {
	if !s.any || below(kind, word, s.least) {
		s.least = word
	}
	if !s.any || below(kind, s.most, word) {
		s.most = word
	}
	s.any = true
}

func below(kind Kind, a, b uint64) bool {
	if kind == Double {
		return math.Float64frombits(a) < math.Float64frombits(b)
	}
	return int64(a) < int64(b)
}

// ends gives the least and largest value as statistics hold them; nil for none.
func (s *stats) ends(kind Kind) (least, most []byte) {
	switch {
	case !s.any:
		return nil, nil
	case kind == String || kind == Document:
		if len(s.first) > maxStat || len(s.latest) > maxStat {
			return nil, nil
		}
		return s.first, s.latest
	case kind == Double:
		// Zero has two signs, and either may be there.
		least, most := math.Float64frombits(s.least), math.Float64frombits(s.most)
		if least == 0 {
			least = math.Copysign(0, -1)
		}
		if most == 0 {
			most = 0
		}
		return appendWords(nil, kind, []uint64{math.Float64bits(least)}), appendWords(nil, kind, []uint64{math.Float64bits(most)})
	}
	return appendWords(nil, kind, []uint64{s.least}), appendWords(nil, kind, []uint64{s.most})
}

// word gives a value of fixed size as bits.
func word(kind Kind, v *Values, row int) uint64 {
	if kind == Double {
		return math.Float64bits(v.Doubles[row])
	}
	return uint64(v.Ints[row])
}
