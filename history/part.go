package history

import (
	"bytes"
	"slices"
)

// comparer compares parts one after the other, in memory that it keeps.
type comparer struct {
	*diff
	sides [2]loaded
	table table
}

// loaded is what one side has of a part.
type loaded struct {
	text    []byte
	records []record // of text
}

// compare compares one part. What is larger than memory should hold is gone
// through several times, each time for the keys of another share.
func (c *comparer) compare(part int) error {
	all := people{}
	size := max(c.diff.sides[0].spool.size(part), c.diff.sides[1].spool.size(part))
	shares := uint64(size/c.partBytes) + 1
	if shares > 1 {
		if err := c.gather(part, all); err != nil {
			return err
		}
	}
	for share := range shares {
		for i := range c.sides {
			if err := c.load(i, part, share, shares); err != nil {
				return err
			}
		}
		if shares == 1 {
			all.addFrom(c.sides[0].records)
			all.addTo(c.sides[1].records)
		}
		if err := c.keep(part, share, all); err != nil {
			return err
		}
	}
	c.tell(all)
	return nil
}

// gather looks who is in a part that is not loaded as a whole.
func (c *comparer) gather(part int, all people) error {
	for i, add := range []func([]record){all.addFrom, all.addTo} {
		err := c.diff.sides[i].spool.visit(part, func(text []byte) error {
			found, err := appendRecords(c.sides[i].records[:0], text)
			add(found)
			c.sides[i].records = found
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// load reads a share of what one side has of a part.
func (c *comparer) load(i, part int, share, shares uint64) (err error) {
	spool, to := c.diff.sides[i].spool, &c.sides[i]
	to.text = slices.Grow(to.text[:0], int(spool.size(part)/int64(shares)))
	err = spool.visit(part, func(text []byte) error {
		if shares == 1 {
			to.text = append(to.text, text...)
			return nil
		}
		for s := (scan{rest: text}); len(s.rest) > 0; {
			before := s.rest
			r := s.record()
			if s.short {
				return errDamaged
			}
			if hashOf(r.key)%shares == share {
				to.text = append(to.text, before[:len(before)-len(s.rest)]...)
			}
		}
		return nil
	})
	if err == nil {
		to.records, err = appendRecords(to.records[:0], to.text)
	}
	return err
}

// appendRecords takes a text of records apart.
func appendRecords(all []record, text []byte) ([]record, error) {
	for s := (scan{rest: text}); len(s.rest) > 0; {
		r := s.record()
		if s.short {
			return all, errDamaged
		}
		all = append(all, r)
	}
	return all, nil
}

// keep writes the changes of a share down in order.
func (c *comparer) keep(part int, share uint64, all people) error {
	differ, same := c.table.match(c.sides[0].records, c.sides[1].records)
	changes := make([]*Change, 0, len(differ))
	var found Counts
	found.Same = same
	for _, m := range differ {
		change, err := m.change()
		if err != nil {
			return err
		}
		change.Person = all[change.UserID].presence()
		found.count(change.Kind)
		changes = append(changes, &change)
	}
	slices.SortStableFunc(changes, before)
	return c.write(part, share, changes, found)
}

// write adds the changes to those found.
func (d *diff) write(part int, share uint64, changes []*Change, found Counts) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.counts.add(found)
	if share > 0 { // an order of its own: a part of its own
		d.found.buffers = append(d.found.buffers, nil)
		d.found.pieces = append(d.found.pieces, nil)
		part = len(d.found.pieces) - 1
	}
	var line, text []byte
	for _, c := range changes {
		text = appendChange(text[:0], c)
		line = appendBytes(line[:0], text)
		if err := d.found.add(part, line); err != nil {
			return err
		}
	}
	return nil
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

// each gives every record with its person. Those of one person mostly stand
// together.
func (all people) each(records []record, add func(*person, *record)) {
	var id []byte
	var p *person
	for i := range records {
		if who := user(records[i].key); p == nil || !bytes.Equal(who, id) {
			if id, p = who, all[string(who)]; p == nil {
				p = &person{}
				all[string(who)] = p
			}
		}
		add(p, &records[i])
	}
}

func (all people) addFrom(records []record) {
	all.each(records, func(p *person, r *record) {
		p.from++
		p.fromCounts = p.fromCounts || counts(r.payload)
		if p.name == "" {
			p.name = nameIn(r.label)
		}
	})
}

// addTo comes after all of addFrom: the newer name stays.
func (all people) addTo(records []record) {
	all.each(records, func(p *person, r *record) {
		if p.to == 0 {
			if name := nameIn(r.label); name != "" {
				p.name = name
			}
		}
		p.to++
		p.toCounts = p.toCounts || counts(r.payload)
	})
}

func nameIn(label []byte) string {
	s := scan{rest: label}
	s.byte()
	s.varint()
	return string(s.bytes())
}
