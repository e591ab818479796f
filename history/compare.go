package history

import (
	"bytes"
	"slices"
)

// table finds the records of one side of a part by key.
type table struct {
	records []record
	first   map[uint64]int32 // by hash, the last record put in
	next    []int32          // the one before it with the same hash, -1 ends
	used    []bool
}

func newTable(records []record) *table {
	t := &table{records: records, first: make(map[uint64]int32, len(records)), next: make([]int32, len(records)), used: make([]bool, len(records))}
	for i := range slices.Backward(records) { // so that the first comes first
		hash := hashOf(records[i].key)
		if at, there := t.first[hash]; there {
			t.next[i] = at
		} else {
			t.next[i] = -1
		}
		t.first[hash] = int32(i)
	}
	return t
}

// take marks the first record that fits as used and gives it.
func (t *table) take(key []byte, fits func(record) bool) (record, bool) {
	at, there := t.first[hashOf(key)]
	for there && at >= 0 {
		if !t.used[at] && bytes.Equal(t.records[at].key, key) && fits(t.records[at]) {
			t.used[at] = true
			return t.records[at], true
		}
		at = t.next[at]
	}
	return record{}, false
}

// matched is a row of the one side with that of the other; one of them may be
// missing.
type matched struct {
	from, to *record
}

// match pairs the records of two sides. Where several have the same key, which
// happens to rows that name no user, those with the same values belong
// together, and the rest as they come. What is the same is only counted.
func match(from, to []record) (differ []matched, same int64) {
	t := newTable(from)
	var rest []record
	for _, r := range to {
		if _, ok := t.take(r.key, func(o record) bool { return bytes.Equal(o.payload, r.payload) }); ok {
			same++
		} else {
			rest = append(rest, r)
		}
	}
	for i := range rest {
		m := matched{to: &rest[i]}
		if old, ok := t.take(rest[i].key, func(record) bool { return true }); ok {
			m.from = &old
		}
		differ = append(differ, m)
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

// person is what both sides have of one user.
type person struct {
	name                 string
	from, to             int64 // rows
	fromCounts, toCounts bool  // one of the values is a number other than zero
}

func (p *person) presence() Presence {
	switch {
	case p.from == 0:
		return Joined
	case p.to == 0:
		return Left
	case p.fromCounts && !p.toCounts:
		return Zeroed
	}
	return Stayed
}

// people gathers who is in the records of one part.
type people map[string]*person

func (all people) of(r *record) *person {
	id := user(r.key)
	p := all[string(id)]
	if p == nil {
		p = &person{}
		all[string(id)] = p
	}
	return p
}

func (all people) addFrom(r *record) {
	p := all.of(r)
	p.from++
	p.fromCounts = p.fromCounts || counts(r.payload)
	if p.name == "" {
		p.name = nameIn(r.label)
	}
}

// addTo comes after all of addFrom: the newer name stays.
func (all people) addTo(r *record) {
	p := all.of(r)
	if p.to == 0 {
		if name := nameIn(r.label); name != "" {
			p.name = name
		}
	}
	p.to++
	p.toCounts = p.toCounts || counts(r.payload)
}

func nameIn(label []byte) string {
	var c Change
	c.label(label)
	return c.UserName
}
