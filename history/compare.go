package history

import (
	"bytes"
	"hash/maphash"
	"math/bits"
	"slices"
)

// table finds the records of one side of a part by key. It is used again for
// the next part.
type table struct {
	records []record
	seed    maphash.Seed
	first   []int32 // by hash, the first record, counted from 1; 0 for none
	next    []int32 // the one after it of the same hash
	used    []bool
}

// fill puts the records of a side in.
func (t *table) fill(records []record) {
	if t.first == nil {
		t.seed = maphash.MakeSeed()
	}
	size := 1 << bits.Len(uint(len(records)))
	t.records, t.first, t.next, t.used = records, zeros(t.first, size), zeros(t.next, len(records)), zeros(t.used, len(records))
	for i := range slices.Backward(records) { // so that the first comes first
		slot := t.slot(records[i].key)
		t.next[i], *slot = *slot, int32(i+1)
	}
}

func (t *table) slot(key []byte) *int32 {
	return &t.first[maphash.Bytes(t.seed, key)&uint64(len(t.first)-1)]
}

// zeros gives n zeros, where there were other values before if there is room.
func zeros[T any](s []T, n int) []T {
	s = slices.Grow(s[:0], n)[:n]
	clear(s)
	return s
}

// take marks the first record that fits as used and gives it.
func (t *table) take(key []byte, fits func(*record) bool) *record {
	for at := *t.slot(key); at > 0; at = t.next[at-1] {
		if r := &t.records[at-1]; !t.used[at-1] && bytes.Equal(r.key, key) && fits(r) {
			t.used[at-1] = true
			return r
		}
	}
	return nil
}

// matched is a row of the one side with that of the other; one of them may be
// missing.
type matched struct {
	from, to *record
}

// match pairs the records of two sides. Where several have the same key, which
// happens to rows that name no user, those with the same values belong
// together, and the rest as they come. What is the same is only counted.
func (t *table) match(from, to []record) (differ []matched, same int64) {
	t.fill(from)
	for i := range to {
		r := &to[i]
		if t.take(r.key, func(o *record) bool { return bytes.Equal(o.payload, r.payload) }) != nil {
			same++
		} else {
			differ = append(differ, matched{to: r})
		}
	}
	for i := range differ {
		differ[i].from = t.take(differ[i].to.key, func(*record) bool { return true })
	}
	for i, used := range t.used {
		if !used {
			differ = append(differ, matched{from: &from[i]})
		}
	}
	return differ, same
}

// change takes a pair apart. Names are those of the newer side.
func (m matched) change() (Change, error) {
	c := Change{Kind: Changed}
	named, good, also := m.to, true, true
	switch {
	case m.from == nil:
		c.Kind = Appeared
	case m.to == nil:
		c.Kind, named = Vanished, m.from
	}
	c.Key = keyOf(named.key)
	c.label(named.label)
	if m.from != nil {
		c.From, good = valuesOf(m.from.payload)
	}
	if m.to != nil {
		c.To, also = valuesOf(m.to.payload)
	}
	if !good || !also {
		return Change{}, errDamaged
	}
	return c, nil
}
