package emulator

import (
	"bufio"
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"
)

func csvHeader() []string {
	return []string{
		"User", "Email", "CRM User ID", "Role", "Parent Role", "Timeframe", "Field", "Week",
		"Start Day", "End Day", "Data Type", "Data Value",
	}
}

// WriteCSV writes the file in the server's long form: a row for each value.
func (c Contents) WriteCSV(w io.Writer) error {
	out := bufio.NewWriterSize(w, portion)
	rows := csv.NewWriter(out)
	if err := rows.Write(csvHeader()); err != nil {
		return err
	}
	for _, q := range c.quarters {
		for _, wk := range c.weeksOf(q) {
			if err := c.writeWeek(rows, q, wk); err != nil {
				return err
			}
		}
	}
	rows.Flush()
	if err := rows.Error(); err != nil {
		return err
	}
	return out.Flush()
}

func (c Contents) writeWeek(rows *csv.Writer, q quarter, w week) error {
	names := map[string]string{}
	for _, f := range c.fields {
		names[f.ID] = f.Name
	}
	people := map[string]User{} // the last one only: entries come person by person
	var err error
	c.entriesOf(q, w, func(e Entry) bool {
		who, known := people[e.UserID]
		if !known {
			clear(people)
			who = c.personByID(e.UserID)
			people[e.UserID] = who
		}
		lead := []string{
			who.Name, who.Email, who.CRMID, who.HierarchyName, who.ParentHierarchyNm.Text, q.label(), names[e.FieldID],
			strconv.Itoa(w.index), w.first.Format("01/02/2006"), w.first.AddDate(0, 0, 6).Format("01/02/2006"),
		}
		for _, value := range e.csvValues() {
			if err = rows.Write(append(lead[:len(lead):len(lead)], value[0], value[1])); err != nil {
				return false
			}
		}
		return true
	})
	return err
}

// personByID is the person of an entry, empty for an id without a match.
func (c Contents) personByID(id string) User {
	number, err := strconv.Atoi(id)
	if err != nil {
		return User{}
	}
	return c.person(number - firstUserID)
}

// csvValues lists the entry's values as rows of type and text. Null is empty.
func (e Entry) csvValues() [][2]string {
	var values [][2]string
	money := func(name string, m Money) {
		switch m.Presence {
		case Given:
			values = append(values, [2]string{name, csvMoney(m.Cents, e.CurrencySymbol)})
		case Null:
			values = append(values, [2]string{name, ""})
		}
	}
	money("Forecast Value", e.ForecastValue)
	if e.IsUpdated.Presence == Given {
		values = append(values, [2]string{"Forecast Updated", yesNo(e.IsUpdated.Yes)})
	}
	money("Quota Value", e.QuotaValue)
	money("Adjustment Value", e.AdjustmentValue)
	money("CRM Total", e.CRMTotal)
	money("CRM Total", e.AggregationTotal)
	money("CRM Closed", e.CRMClosed)
	return values
}

func yesNo(yes bool) string {
	if yes {
		return "Yes"
	}
	return "No"
}

// csvMoney writes an amount as people read it: $3,000,190.00.
func csvMoney(cents int64, symbol string) string {
	var out strings.Builder
	if cents < 0 {
		out.WriteByte('-')
		cents = -cents
	}
	out.WriteString(symbol)
	whole := strconv.FormatInt(cents/100, 10)
	for i, digit := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			out.WriteByte(',')
		}
		out.WriteRune(digit)
	}
	rest := cents % 100
	out.WriteString("." + strconv.FormatInt(rest/10, 10) + strconv.FormatInt(rest%10, 10))
	return out.String()
}

// dayOf is the first instant of an instant's day in UTC.
func dayOf(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }
