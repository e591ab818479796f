package history

import (
	"bufio"
	"encoding/json"
	"io"
	"time"
)

// jsonWriter writes one object: what was compared, every change, and then what
// it all came to.
type jsonWriter struct {
	out *bufio.Writer
	any bool
}

type sideJSON struct {
	Snapshot   string    `json:"snapshot"`
	SnapshotAt time.Time `json:"snapshot_at"`
	Manifest   string    `json:"manifest"`
	Rows       int64     `json:"rows"`
}

type changeJSON struct {
	Change       string                `json:"change"`
	Person       string                `json:"person"`
	UserID       string                `json:"user_id"`
	UserName     string                `json:"user_name"`
	FieldID      string                `json:"field_id"`
	FieldName    string                `json:"field_name"`
	TimeFrameID  string                `json:"time_frame_id"`
	Start        *string               `json:"time_frame_start_date"`
	TimePeriodID string                `json:"time_period_id"`
	Values       map[string]valuesJSON `json:"values"`
}

type valuesJSON struct {
	From  Number `json:"from"`
	To    Number `json:"to"`
	Delta Number `json:"delta"`
}

type totalJSON struct {
	FieldID   string `json:"field_id"`
	FieldName string `json:"field_name"`
	Column    string `json:"column"`
	valuesJSON
}

type personJSON struct {
	UserID   string `json:"user_id"`
	UserName string `json:"user_name"`
	Rows     int64  `json:"rows"`
}

type endJSON struct {
	Rows struct {
		Same     int64 `json:"same"`
		Changed  int64 `json:"changed"`
		Appeared int64 `json:"appeared"`
		Vanished int64 `json:"vanished"`
	} `json:"rows"`
	People struct {
		Appeared []personJSON `json:"appeared"`
		Vanished []personJSON `json:"vanished"`
		Zeroed   []personJSON `json:"zeroed"`
		Cut      bool         `json:"cut,omitempty"`
	} `json:"people"`
	Totals    []totalJSON `json:"totals"`
	TotalsCut bool        `json:"totals_cut,omitempty"`
}

// MarshalJSON is the number as it is, every digit of it, or null.
func (n Number) MarshalJSON() ([]byte, error) {
	if !n.There() {
		return []byte("null"), nil
	}
	return []byte(n.String()), nil
}

func newJSONWriter(w io.Writer, about About) (*jsonWriter, error) {
	e := &jsonWriter{out: bufio.NewWriterSize(w, 64<<10)}
	head, err := marshal(struct {
		ForecastID string   `json:"forecast_id"`
		TimePeriod string   `json:"time_period"`
		From       sideJSON `json:"from"`
		To         sideJSON `json:"to"`
	}{
		about.To.Request.ForecastID, string(about.To.Request.Period),
		sideJSON{about.From.Snapshot, about.From.SnapshotAt, about.From.Path, about.From.Rows()},
		sideJSON{about.To.Snapshot, about.To.SnapshotAt, about.To.Path, about.To.Rows()},
	})
	if err != nil {
		return nil, err
	}
	_, err = e.out.Write(append(head[:len(head)-1], `,"changes":[`...))
	return e, err
}

// Write adds a change, with the values that differ.
func (e *jsonWriter) Write(c *Change) error {
	j := changeJSON{
		Change: c.Kind.String(), Person: c.Person.String(), UserID: c.UserID, UserName: c.UserName,
		FieldID: c.FieldID, FieldName: c.FieldName, TimeFrameID: c.TimeFrameID, TimePeriodID: c.TimePeriodID,
		Values: map[string]valuesJSON{},
	}
	if day := c.Date(); day != "" {
		j.Start = &day
	}
	for i, column := range Columns() {
		if c.Differs(i) {
			j.Values[column] = valuesJSON{c.From[i], c.To[i], c.Delta(i)}
		}
	}
	text, err := marshal(j)
	if err != nil {
		return err
	}
	if e.any {
		_ = e.out.WriteByte(',') // a writer's first error stays
	}
	e.any = true
	_, err = e.out.Write(append([]byte("\n"), text...))
	return err
}

// Close writes what it all came to.
func (e *jsonWriter) Close(s Summary) error {
	end := endJSON{Totals: []totalJSON{}, TotalsCut: s.TotalsCut}
	end.Rows.Same, end.Rows.Changed, end.Rows.Appeared, end.Rows.Vanished = s.Same, s.Changed, s.Appeared, s.Vanished
	end.People.Appeared, end.People.Vanished, end.People.Zeroed = s.who(Joined), s.who(Left), s.who(Zeroed)
	end.People.Cut = s.PeopleCut
	for _, t := range s.Totals {
		end.Totals = append(end.Totals, totalJSON{t.FieldID, t.FieldName, t.Column, valuesJSON{t.From, t.To, t.Delta}})
	}
	text, err := marshal(end)
	if err != nil {
		return err
	}
	_, _ = e.out.WriteString("\n],")
	_, _ = e.out.Write(text[1:])
	_ = e.out.WriteByte('\n')
	return e.out.Flush()
}

func (s Summary) who(what Presence) []personJSON {
	found := []personJSON{}
	for _, p := range s.People {
		if p.Presence == what {
			found = append(found, personJSON{p.ID, p.Name, p.Rows})
		}
	}
	return found
}

var _ json.Marshaler = Number{}
