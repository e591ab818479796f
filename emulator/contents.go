package emulator

import (
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Query is what a forecast file answers.
type Query struct {
	Forecast string
	// Period is what was asked; an unknown one is answered with the current
	// quarter.
	Period string
	// Types are values of typesToExport. Default forecast and forecast_updated.
	Types []string
	// Currency is an ISO 4217 code. Default [Config.Currency].
	Currency string
	// Scope restricts the file to the people below somebody: a scopeId or
	// hierarchyId of a user, or anything else, which then names somebody too.
	Scope string
	// Historical asks for every week up to AsOf, unordered.
	Historical bool
	// AsOf is the instant that the file shows. Values of weeks that have not
	// closed by then may differ from those of another instant.
	AsOf time.Time

	// RowsTruncated leaves out half of the people, CellsTruncated the last
	// field, TwoPeriods adds the following period.
	RowsTruncated, CellsTruncated, TwoPeriods bool
}

// Presence is how a value stands in a document.
type Presence uint8

// A value is absent, null or given.
const (
	Absent Presence = iota
	Null
	Given
)

// Money is an amount to the cent.
type Money struct {
	Presence Presence
	Cents    int64
}

// Literal is the amount as JSON writes it.
func (m Money) Literal() string { return string(appendCents(nil, m.Cents)) }

// Flag is a truth value.
type Flag struct {
	Presence Presence
	Yes      bool
}

// Word is a text.
type Word struct {
	Presence Presence
	Text     string
}

// Instant is a time in milliseconds.
type Instant struct {
	Presence Presence
	Millis   int64
}

// Entry is one cell of the forecast: what one person says of one field in one
// week.
type Entry struct {
	FieldID, TimeFrameID, TimePeriodID, UserID string

	ForecastValue Money
	IsUpdated     Flag
	UpdatedBy     Word
	UpdatedOn     Instant
	QuotaValue    Money

	AdjustmentValue Money
	AdjustedBy      Word
	AdjustedOn      Instant

	// A tab gives either CRMTotal or AggregationTotal.
	CRMTotal, AggregationTotal, CRMClosed Money

	CurrencyCode, CurrencySymbol string
	// Confidence is a field that nobody knows yet.
	Confidence Money
}

// User is one person of the sales organisation.
type User struct {
	ID, Name, Email, ScopeID, CRMID      string
	HierarchyID, HierarchyName           string
	ParentHierarchyID, ParentHierarchyNm Word
	// Region is a field that nobody knows yet.
	Region Word
}

// Field is one column of the tab.
type Field struct{ ID, Name, Type string }

// TimePeriod is one fiscal quarter. Dates are YYYY-MM-DD, both inclusive.
type TimePeriod struct {
	ID, Type, Label    string
	Year               int
	StartDate, EndDate string
	CRMID              Word
}

// TimeFrame is one week. Dates are YYYY-MM-DD, both inclusive.
type TimeFrame struct{ ID, StartDate, EndDate string }

// Contents is what a forecast file holds, computed as it is read: its size
// bounds no memory. It does not change, whoever reads it and however often.
type Contents struct {
	query    Query
	config   Config
	org      draw // people belong to the organisation
	tab      draw // fields and values to a tab
	fields   []fieldSpec
	quarters []quarter
	left     map[int]bool // people who had left
	root     int          // whose people are held
}

// Contents computes what a file for a query holds.
func (e *Emulator) Contents(q Query) Contents {
	if q.AsOf.IsZero() {
		q.AsOf = e.clock.read().org
	}
	return e.contents(q)
}

// JobContents computes what a job's file holds; it says no for a job that is
// unknown or not of a forecast.
func (e *Emulator) JobContents(jobID string) (Contents, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	j, known := e.office.byID[jobID]
	if !known || j.kind != kindForecast {
		return Contents{}, false
	}
	return e.contents(j.asks()), true
}

func (e *Emulator) contents(q Query) Contents {
	if len(q.Types) == 0 {
		q.Types = defaultTypes()
	}
	q.Currency = orDefault(q.Currency, e.config.Currency)
	c := Contents{
		query: q, config: e.config, org: e.draw.text("people"), tab: e.draw.text("tab").text(q.Forecast),
		left: map[int]bool{},
	}
	c.fields = fieldsOf(e.config.Fields, c.tab)
	if q.CellsTruncated {
		c.fields = c.fields[:len(c.fields)-1]
	}
	first := e.config.fiscal().resolve(q.Period, q.AsOf)
	c.quarters = []quarter{first}
	if q.TwoPeriods {
		c.quarters = append(c.quarters, first.next())
	}
	for _, departure := range e.config.Scenario.Departures {
		if !q.AsOf.Before(e.clock.start.Add(departure.At)) {
			c.left[departure.User] = true
		}
	}
	c.root = c.scopeRoot()
	return c
}

func (c Config) fiscal() fiscal {
	return fiscal{startMonth: c.FiscalStartMonth, firstYear: c.FirstYear, lastYear: c.LastYear}
}

// Periods lists the quarters of the file.
func (c Contents) Periods() []TimePeriod {
	periods := make([]TimePeriod, 0, len(c.quarters))
	for _, q := range c.quarters {
		first, after := c.config.fiscal().bounds(q)
		period := TimePeriod{
			ID: q.String(), Type: "QUARTER", Label: q.label(), Year: q.year,
			StartDate: first.Format(time.DateOnly), EndDate: after.AddDate(0, 0, -1).Format(time.DateOnly),
		}
		if !c.config.Plain {
			period.CRMID = Word{Null, ""}
		}
		if c.org.text(period.ID).chance(0.5) {
			period.CRMID = Word{Given, "026" + c.org.text(period.ID).hex(12)}
		}
		periods = append(periods, period)
	}
	return periods
}

// weeksOf lists the weeks of one quarter that the file shows: the latest that
// had begun, or all of them in an order that the seed chose.
func (c Contents) weeksOf(q quarter) []week {
	count := 0
	if c.query.Historical {
		count = c.config.Weeks
	}
	weeks := c.config.fiscal().weeks(q, c.query.AsOf, count)
	if !c.query.Historical {
		return weeks[len(weeks)-1:]
	}
	mixed := make([]week, len(weeks))
	for to, from := range c.tab.text(q.String()).order(len(weeks)) {
		mixed[to] = weeks[from]
	}
	return mixed
}

// TimeFrames lists the weeks of the file. The same id can occur twice.
func (c Contents) TimeFrames() iter.Seq[TimeFrame] {
	return func(yield func(TimeFrame) bool) {
		for _, q := range c.quarters {
			for _, w := range c.weeksOf(q) {
				frame := TimeFrame{w.id(), w.first.Format(time.DateOnly), w.first.AddDate(0, 0, 6).Format(time.DateOnly)}
				if !yield(frame) {
					return
				}
			}
		}
	}
}

// Fields lists the columns of the tab.
func (c Contents) Fields() []Field {
	fields := make([]Field, 0, len(c.fields))
	for _, f := range c.fields {
		fields = append(fields, f.Field)
	}
	return fields
}

// people lists who is in the file, by number.
func (c Contents) people() iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range c.config.Users {
			if !c.left[i] && c.below(i, c.root) && !yield(i) {
				return
			}
		}
	}
}

// Users lists the people in the file, the boss first.
func (c Contents) Users() iter.Seq[User] {
	return func(yield func(User) bool) {
		for i := range c.people() {
			if !yield(c.person(i)) {
				return
			}
		}
	}
}

// Entries lists the cells of the file, week by week.
func (c Contents) Entries() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for _, q := range c.quarters {
			for _, w := range c.weeksOf(q) {
				if !c.entriesOf(q, w, yield) {
					return
				}
			}
		}
	}
}

func (c Contents) entriesOf(q quarter, w week, yield func(Entry) bool) bool {
	cell := c.cellsOf(q, w)
	for i := range c.people() {
		if c.query.RowsTruncated && i >= (c.config.Users+1)/2 {
			return true
		}
		for number, f := range c.fields {
			entry, held := cell.entry(i, number, f)
			if held && !yield(entry) {
				return false
			}
		}
	}
	return true
}

// scopeRoot is whose people a scope names: 0, the boss, without one.
func (c Contents) scopeRoot() int {
	if c.query.Scope == "" {
		return 0
	}
	number, _, _ := strings.Cut(c.query.Scope, "::")
	if i, err := strconv.Atoi(number); err == nil && i >= firstUserID && i < firstUserID+c.config.Users {
		return i - firstUserID
	}
	for i := range c.config.Users {
		if person := c.person(i); person.ScopeID == c.query.Scope || person.HierarchyID == c.query.Scope {
			return i
		}
	}
	return c.org.text(c.query.Scope).below(c.config.Users)
}

// below reports whether somebody works for another, or is them.
func (c Contents) below(i, root int) bool {
	for i > root {
		i = managerOf(i)
	}
	return i == root
}

const (
	firstUserID = 1900
	spanOfCare  = 6 // how many report to one manager
)

func managerOf(i int) int { return (i - 1) / spanOfCare }

func userID(i int) string { return strconv.Itoa(firstUserID + i) }

// has reports whether a type was asked for.
func (c Contents) has(name string) bool { return slices.Contains(c.query.Types, name) }

// String names the file for a person.
func (c Contents) String() string {
	return fmt.Sprintf("%s %s as of %s", c.query.Forecast, c.quarters[0], c.query.AsOf.Format(time.RFC3339))
}
