package history

import (
	"cmp"
	"slices"
	"strings"
)

// Summary is what two snapshots differ in, as a whole.
type Summary struct {
	Counts
	// FromRows and ToRows are how many rows the snapshots have.
	FromRows, ToRows int64
	// People are those who came, left or went to zero, by what became of them
	// and then by name; PeopleCut says that there are more than are named.
	People    []Person
	PeopleCut bool
	// Totals are by field and column, in order, of fields that the two have;
	// TotalsCut says that there are more than are told apart.
	Totals    []Total
	TotalsCut bool
}

// Counts are numbers of rows by what became of them, and of people.
type Counts struct {
	Same, Changed, Appeared, Vanished int64
	People                            [Zeroed + 1]int64 // by Presence
}

func (c *Counts) count(k Kind) {
	switch k {
	case Changed:
		c.Changed++
	case Appeared:
		c.Appeared++
	case Vanished:
		c.Vanished++
	}
}

func (c *Counts) add(o Counts) {
	c.Same += o.Same
	c.Changed += o.Changed
	c.Appeared += o.Appeared
	c.Vanished += o.Vanished
}

// Person is somebody who came, left or went to zero.
type Person struct {
	ID, Name string
	Presence Presence
	// Rows is how many rows the person has in the snapshot that has them.
	Rows int64
}

// Total is the exact sum of a column over the rows of a field, in both
// snapshots. Numbers beyond calculation are left out.
type Total struct {
	FieldID, FieldName string
	Column             string
	From, To, Delta    Number
}

// maxFields bounds how many fields have totals of their own.
const maxFields = 2000

// totals are the sums of one side, by field.
type totals map[string]*fieldSums

type fieldSums struct {
	name string
	sums [values]sum
}

func (t totals) add(r *Row) {
	f := t[string(r.IDs[1])]
	if f == nil {
		if len(t) > maxFields {
			return
		}
		f = &fieldSums{name: string(r.FieldName)}
		t[string(r.IDs[1])] = f
	}
	for i := range r.Values {
		if r.Values[i].There() {
			f.sums[i].add(r.Values[i])
		}
	}
}

func (d *diff) summary() Summary {
	s := Summary{
		Counts: d.counts, FromRows: d.sides[0].rows, ToRows: d.sides[1].rows,
		People: d.people, PeopleCut: d.beyond,
	}
	slices.SortFunc(s.People, func(a, b Person) int {
		return cmp.Or(cmp.Compare(a.Presence, b.Presence), strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	s.Totals, s.TotalsCut = join(d.sides[0].totals, d.sides[1].totals)
	return s
}

// join puts the sums of both sides beside each other; what neither has is left
// out.
func join(from, to totals) (all []Total, cut bool) {
	ids := map[string]string{}
	for _, side := range []totals{from, to} { // the newer name stays
		for id, f := range side {
			ids[id] = cmp.Or(f.name, ids[id])
		}
		cut = cut || len(side) > maxFields
	}
	for id, name := range ids {
		for i, column := range Columns() {
			t := Total{FieldID: id, FieldName: name, Column: column, From: from.sum(id, i), To: to.sum(id, i)}
			if t.Delta = t.To.Minus(t.From); t.From.There() || t.To.There() {
				all = append(all, t)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Total) int {
		return cmp.Or(strings.Compare(a.FieldName, b.FieldName), strings.Compare(a.FieldID, b.FieldID))
	})
	return all, cut
}

func (t totals) sum(id string, column int) Number {
	if f := t[id]; f != nil {
		return f.sums[column].total()
	}
	return Number{}
}
