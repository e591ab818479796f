package history

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/weirhq/weir/land"
)

// Where the columns that are read stand in a row.
const (
	atUserName = 4 + iota
	atFieldName
	atStart
	atExtra
	atValues
)

// reading is what is read of a snapshot.
func reading(dir string) land.Reading {
	values := Columns()
	return land.Reading{
		Table: "forecast_entries", Dir: dir,
		Columns: append([]string{
			"user_id", "field_id", "time_frame_id", "time_period_id",
			"user_name", "field_name", "time_frame_start_date", "_extra",
		}, values[:]...),
	}
}

// Of gives the rows of a snapshot. dir is as in [land.Reading].
func Of(ctx context.Context, a land.Archive, m land.Manifest, dir string) Rows {
	return func(each func(*Row) error) error {
		var row Row
		extra := newExtra()
		return a.Read(ctx, m, reading(dir), func(f []land.Field) error {
			for i := range row.IDs {
				row.IDs[i] = f[i].Text
			}
			row.UserName, row.FieldName = f[atUserName].Text, f[atFieldName].Text
			row.Start, row.HasStart = f[atStart].Int, f[atStart].Present
			doubles := false
			for i := range row.Values {
				v := &f[atValues+i]
				row.Values[i] = numberOf(v)
				doubles = doubles || v.Text == nil
			}
			if doubles && f[atExtra].Present {
				extra.mend(&row, f[atExtra].Text)
			}
			return each(&row)
		})
	}
}

// numberOf is a field's number: its literal, else its double.
func numberOf(f *land.Field) Number {
	switch {
	case !f.Present:
		return Number{}
	case f.Text == nil:
		return FromDouble(f.Double)
	}
	n, _ := Parse(f.Text) // what is no number is none
	return n
}

// extra finds the literals that were kept in _extra because no double names
// them.
type extra struct {
	members [values]string
	marks   [values][]byte // what the JSON text has if it has the member
}

func newExtra() *extra {
	x := &extra{}
	for _, c := range land.ForecastTables()[0].Columns {
		for i, name := range Columns() {
			if c.Name == name {
				x.members[i], x.marks[i] = c.Member, []byte(`"`+c.Member+`"`)
			}
		}
	}
	return x
}

func (x *extra) mend(row *Row, text []byte) {
	for i, mark := range x.marks {
		if !bytes.Contains(text, mark) {
			continue
		}
		var all map[string]json.RawMessage
		if json.Unmarshal(text, &all) != nil {
			return
		}
		if literal := all[x.members[i]]; len(literal) > 0 && (literal[0] == '-' || literal[0] >= '0' && literal[0] <= '9') {
			row.Values[i], _ = Parse(literal)
		}
	}
}
