package land

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// Recount sums the values of a snapshot's entries anew, from the rows as they
// stand, to compare them with the totals that its manifest recorded when it
// landed. The zero value counts nothing.
type Recount struct {
	m       Manifest
	columns []Column // field_id, the value columns, _extra
	totals  *totals
	number  vector // of one row
	// fault is the first value that is no number.
	fault string
}

// NewRecount starts to sum a snapshot. Only forecasts have totals.
func NewRecount(m Manifest) *Recount {
	table := entriesTable()
	if !slices.ContainsFunc(m.Tables, func(t ManifestTable) bool { return t.Name == table.Name }) {
		return &Recount{}
	}
	r := &Recount{m: m, totals: &totals{sums: map[string][]*sum{}}}
	for _, c := range table.Columns {
		switch {
		case c.Kind == Number:
			r.totals.columns = append(r.totals.columns, len(r.columns))
			r.totals.names = append(r.totals.names, c.Name)
		case c.Name != "field_id" && !c.Rest:
			continue
		}
		r.columns = append(r.columns, c)
	}
	r.number = vector{kind: Number, texts: newTexts(), tags: []uint8{0}, vals: []int64{0}}
	if m.TotalsCut { // of the fields that were summed; which they were is the order's chance
		for _, t := range m.Totals {
			r.totals.of([]byte(r.stored(t.FieldID)))
		}
	}
	return r
}

// Reading is what [Recount.Add] wants to be given; no table where there is
// nothing to sum.
func (r *Recount) Reading() Reading {
	if r.totals == nil {
		return Reading{}
	}
	reading := Reading{Table: entriesTable().Name}
	for _, c := range r.columns {
		reading.Columns = append(reading.Columns, c.Name)
	}
	return reading
}

// Add sums one row. It never fails: what is no number is a fault.
func (r *Recount) Add(row []Field) error {
	id := row[0].Text
	sums := r.totals.sums[string(id)]
	if sums == nil && !r.m.TotalsCut {
		sums = r.totals.of(id)
	}
	if sums == nil {
		return nil
	}
	literals := r.lost(row[len(row)-1])
	for n, at := range r.totals.columns {
		literal := literals[r.columns[at].Member]
		switch f := row[at]; {
		case literal != nil: // the double is only near it
		case !f.Present:
			continue
		case f.Text != nil:
			literal = f.Text
		default:
			literal = strconv.AppendFloat(nil, f.Double, 'e', -1, 64)
			if math.Trunc(f.Double) == f.Double && math.Abs(f.Double) < 1e15 {
				literal = strconv.AppendInt(literal[:0], int64(f.Double), 10)
			}
		}
		r.add(sums[n], r.columns[at].Name, literal)
	}
	return nil
}

func (r *Recount) add(s *sum, column string, literal []byte) {
	if _, _, plain := parseNumber(literal); !plain && (jsontext.Value(literal).Kind() != '0' || !jsontext.Value(literal).IsValid()) {
		if r.fault == "" {
			r.fault = fmt.Sprintf("%s: %s holds what is no number", CheckTotals, column)
		}
		return
	}
	r.number.texts.reset()
	r.number.setNumber(literal)
	s.add(&r.number, 0)
}

// lost are the numbers that no double names exactly, by their names in the API:
// where values are doubles their literals stand in _extra.
func (r *Recount) lost(extra Field) map[string][]byte {
	if !extra.Present || r.m.Format != Parquet && r.m.Format != InTables {
		return nil
	}
	var all map[string][]byte
	decoder := jsontext.NewDecoder(bytes.NewReader(extra.Text))
	for first := true; ; first = false {
		token, err := decoder.ReadToken()
		if err != nil || first && token.Kind() != '{' || token.Kind() == '}' {
			return all
		}
		if first {
			continue
		}
		name := token.String()
		value, err := decoder.ReadValue()
		if err != nil {
			return all
		}
		if value.Kind() != '0' || !slices.ContainsFunc(r.columns, func(c Column) bool { return c.Kind == Number && c.Member == name }) {
			continue
		}
		if all == nil {
			all = map[string][]byte{}
		}
		all[name] = bytes.Clone(value)
	}
}

// stored is a field's id as the place gives it back: a CSV has no CR before LF
// and cannot tell the quote of csv-safe from one that was there, and a database
// has no NUL.
func (r *Recount) stored(id string) string {
	switch {
	case r.m.Format == InTables:
		return strings.ReplaceAll(id, "\x00", "\ufffd")
	case r.m.Format.Plain() != CSV:
		return id
	}
	id = strings.ReplaceAll(id, "\r\n", "\n")
	if r.m.CSVSafe && len(id) > 1 && id[0] == '\'' && strings.IndexByte(formulaStarts, id[1]) >= 0 {
		return id[1:]
	}
	return id
}

// Faults say where the totals are others than the manifest's, one line each, the
// name of the check first. They tell no figures.
func (r *Recount) Faults() []string {
	if r.totals == nil {
		return nil
	}
	want, unlike := totalsByPlace(r.m.Totals), map[string]bool{}
	for _, t := range r.m.Totals { // of these nothing can be said: two fields may have become one
		if id := r.stored(t.FieldID); id != t.FieldID {
			unlike[t.FieldID], unlike[id] = true, true
		}
	}
	got := totalsByPlace(r.totals.list())
	var faults []string
	if r.fault != "" {
		faults = append(faults, r.fault)
	}
	for _, place := range placesOf(want, got) {
		if want[place] != got[place] && !unlike[place.field] {
			faults = append(faults, fmt.Sprintf("%s: %s of field %s does not add up to what the manifest says", CheckTotals, place.column, shown(place.field)))
		}
	}
	if r.totals.beyond && !r.m.TotalsCut {
		faults = append(faults, CheckTotals+": there are more fields than the manifest sums")
	}
	const most = 20
	if more := len(faults) - most; more > 0 {
		faults = append(faults[:most], fmt.Sprintf("%s: and %d more", CheckTotals, more))
	}
	return faults
}

type totalPlace struct{ field, column string }

func totalsByPlace(all []Total) map[totalPlace]Total {
	by := map[totalPlace]Total{}
	for _, t := range all {
		by[totalPlace{t.FieldID, t.Column}] = t
	}
	return by
}

// placesOf are those of either, in order.
func placesOf(a, b map[totalPlace]Total) []totalPlace {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return slices.SortedFunc(maps.Keys(all), func(a, b totalPlace) int {
		return cmp.Or(strings.Compare(a.field, b.field), strings.Compare(a.column, b.column))
	})
}
