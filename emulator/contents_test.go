package emulator_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/emulator"
)

func allTypes() []string {
	return []string{"forecast", "quota", "forecast_updated", "adjustment", "crm_total", "crm_closed"}
}

func decode(t *testing.T, c emulator.Contents) (file, string) {
	t.Helper()
	var text strings.Builder
	if err := c.WriteJSON(&text); err != nil {
		t.Fatal(err)
	}
	var f file
	if err := json.Unmarshal([]byte(text.String()), &f); err != nil {
		t.Fatal(err)
	}
	return f, text.String()
}

// What the document holds is what Contents tells, value by value.
func TestDocumentEqualsContents(t *testing.T) {
	l := newLab(t, emulator.Config{})
	c := l.Contents(emulator.Query{Forecast: "net_arr", Period: "2026_Q2", Types: allTypes(), Historical: true})
	f, _ := decode(t, c)
	i := 0
	for e := range c.Entries() {
		got := f.Entries[i]
		i++
		if got.UserID != e.UserID || got.FieldID != e.FieldID || got.TimeFrameID != e.TimeFrameID || got.TimePeriodID != "2026_Q2" ||
			got.Currency.Code != e.CurrencyCode {
			t.Fatalf("entry %d: %+v is not %+v", i, got, e)
		}
		for _, pair := range []struct {
			number *json.Number
			money  emulator.Money
		}{
			{got.ForecastValue, e.ForecastValue}, {got.QuotaValue, e.QuotaValue}, {got.AdjustmentValue, e.AdjustmentValue},
			{got.CRMTotal, e.CRMTotal}, {got.AggregationTotal, e.AggregationTotal}, {got.CRMClosed, e.CRMClosed},
		} {
			if (pair.number != nil) != (pair.money.Presence == emulator.Given) || pair.number != nil && pair.number.String() != pair.money.Literal() {
				t.Fatalf("entry %d: %v is not %+v", i, pair.number, pair.money)
			}
		}
	}
	if i != len(f.Entries) || len(f.Users) != 42 || len(f.Fields) != len(c.Fields()) || i < 1000 {
		t.Errorf("%d entries told, %d written, %d users, %d fields", i, len(f.Entries), len(f.Users), len(f.Fields))
	}
}

func TestMoneyLiterals(t *testing.T) {
	for cents, want := range map[int64]string{
		0: "0", 1: "0.01", 10: "0.1", 11: "0.11", 100: "1", 1250: "12.5", 1251: "12.51", -5: "-0.05", -300: "-3",
		1234567890123456789: "12345678901234567.89",
	} {
		if got := (emulator.Money{Cents: cents}).Literal(); got != want {
			t.Errorf("%d cents: got %s, want %s", cents, got, want)
		}
	}
}

func TestValuesAreBelievableAndOdd(t *testing.T) {
	l := newLab(t, emulator.Config{Users: 300})
	c := l.Contents(emulator.Query{Forecast: "net_arr", Period: "2026_Q2", Types: allTypes(), Historical: true})
	f, text := decode(t, c)
	seen := map[string]int{}
	note := func(name string, is bool) {
		if is {
			seen[name]++
		}
	}
	users := map[string]bool{}
	for _, u := range f.Users {
		users[u.UserID] = true
		note("comma in a name", strings.Contains(u.Name, ","))
		note("quote in a name", strings.Contains(u.Name, `"`))
		note("line break in a name", strings.Contains(u.Name, "\n"))
		note("unicode in a name", strings.Contains(u.Name, "李"))
		note("scope is JSON", json.Valid([]byte(u.ScopeID)))
	}
	for e := range c.Entries() {
		note("dangling user", !users[e.UserID])
		note("dangling field", strings.HasPrefix(e.FieldID, "retired"))
		note("null", e.ForecastValue.Presence == emulator.Null)
		note("absent", e.ForecastValue.Presence == emulator.Absent && e.FieldID == "commit")
		note("negative", e.ForecastValue.Cents < 0)
		note("large", e.ForecastValue.Cents > 1e12)
		note("beyond double", e.ForecastValue.Cents > 1e18)
		note("cents", e.ForecastValue.Cents%100 != 0)
		note("field nobody knows", e.Confidence.Presence == emulator.Given)
		note("no currency", e.CurrencyCode == "")
	}
	for _, want := range []string{
		"comma in a name", "quote in a name", "line break in a name", "unicode in a name", "scope is JSON", "dangling user", "dangling field",
		"null", "absent", "negative", "large", "beyond double", "cents", "field nobody knows", "no currency",
	} {
		if seen[want] == 0 {
			t.Errorf("never seen: %s", want)
		}
	}
	if !strings.Contains(text, `"confidence"`) || !strings.Contains(text, `"region"`) {
		t.Error("unknown fields are not written")
	}
}

func TestPlainHoldsNothingOdd(t *testing.T) {
	l := newLab(t, emulator.Config{Plain: true, Users: 300})
	for e := range l.Contents(emulator.Query{Forecast: "net_arr", Period: "2026_Q2", Historical: true}).Entries() {
		if e.ForecastValue.Presence != emulator.Given || e.Confidence.Presence != emulator.Absent || e.CurrencyCode != "USD" {
			t.Fatalf("%+v", e)
		}
	}
}

func TestWeeksOfAHistoricalExport(t *testing.T) {
	l := newLab(t, emulator.Config{})
	weeks := func(period string, historical bool) (ids []string) {
		for frame := range l.Contents(emulator.Query{Forecast: "net_arr", Period: period, Historical: historical}).TimeFrames() {
			ids = append(ids, frame.ID)
		}
		return ids
	}
	past := weeks("2026_Q2", true)
	if slices.IsSorted(past) || len(past) != 14 {
		t.Errorf("weeks come unordered: %v", past)
	}
	slices.Sort(past)
	if past[0] != "TF:2026-03-30" || past[13] != "TF:2026-06-29" {
		t.Errorf("the first week starts before the quarter: %v", past)
	}
	next := weeks("2026_Q3", true)
	if slices.Sort(next); next[0] != past[13] {
		t.Errorf("the week across the border belongs to both quarters: %s, %s", past[13], next[0])
	}
	current := weeks("2026_Q4", true)
	if slices.Sort(current); current[len(current)-1] != "TF:2026-11-23" || len(current) != 9 {
		t.Errorf("weeks that have not begun are not held: %v", current)
	}
	for period, want := range map[string]string{"2026_Q4": "TF:2026-11-23", "2026_Q2": "TF:2026-06-29", "2027_Q2": "TF:2027-03-29"} {
		if got := weeks(period, false); len(got) != 1 || got[0] != want {
			t.Errorf("%s without history: %v, want %s", period, got, want)
		}
	}
}

func TestOneTimeFrameIDInTwoPeriods(t *testing.T) {
	l := newLab(t, emulator.Config{})
	c := l.Contents(emulator.Query{Forecast: "net_arr", Period: "2026_Q2", Historical: true, TwoPeriods: true})
	count := map[string]int{}
	for frame := range c.TimeFrames() {
		count[frame.ID]++
	}
	if count["TF:2026-06-29"] != 2 {
		t.Errorf("%v", count)
	}
	keys := map[string]int{}
	for e := range c.Entries() {
		keys[e.TimePeriodID+"/"+e.TimeFrameID+"/"+e.UserID+"/"+e.FieldID]++
	}
	for key, n := range keys {
		if n > 1 && !strings.Contains(key, "gone-") && !strings.Contains(key, "retired") {
			t.Errorf("%s occurs %d times", key, n)
		}
	}
}

func TestUnknownPeriodsAnswerWithTheCurrentQuarter(t *testing.T) {
	l := newLab(t, emulator.Config{})
	for asked, want := range map[string]string{"": "2026_Q4", "1999_Q1": "2026_Q4", "2100_Q1": "2026_Q4", "2000_Q1": "2000_Q1", "2099_Q4": "2099_Q4"} {
		f, _ := decode(t, l.Contents(emulator.Query{Forecast: "net_arr", Period: asked}))
		if got := f.TimePeriods[0].TimePeriodID; got != want || f.Entries[0].TimePeriodID != want {
			t.Errorf("asked %q, got %s, want %s", asked, got, want)
		}
	}
}

func TestFiscalYears(t *testing.T) {
	for _, row := range []struct {
		month      time.Month
		now        string
		id         string
		start, end string
	}{
		{time.February, "2026-01-15", "2026_Q4", "2025-11-01", "2026-01-31"},
		{time.February, "2026-02-01", "2027_Q1", "2026-02-01", "2026-04-30"},
		{time.January, "2026-02-01", "2026_Q1", "2026-01-01", "2026-03-31"},
		{time.January, "2026-12-31", "2026_Q4", "2026-10-01", "2026-12-31"},
		{time.July, "2026-06-30", "2026_Q4", "2026-04-01", "2026-06-30"},
		{time.July, "2026-07-01", "2027_Q1", "2026-07-01", "2026-09-30"},
	} {
		now, err := time.Parse(time.DateOnly, row.now)
		if err != nil {
			t.Fatal(err)
		}
		l := newLab(t, emulator.Config{FiscalStartMonth: row.month, Start: now})
		got := l.Contents(emulator.Query{Forecast: "net_arr"}).Periods()[0]
		if got.ID != row.id || got.StartDate != row.start || got.EndDate != row.end {
			t.Errorf("%v from %s: %+v", row.month, row.now, got)
		}
	}
}

func TestTypesAndCurrency(t *testing.T) {
	l := newLab(t, emulator.Config{Plain: true})
	text := func(q emulator.Query) string {
		q.Forecast, q.Period = "net_arr", "2026_Q2"
		_, text := decode(t, l.Contents(q))
		return text
	}
	members := map[string]string{
		"forecast": `"forecastValue"`, "quota": `"quotaValue"`, "forecast_updated": `"isUpdated"`, "adjustment": `"adjustmentValue"`,
		"crm_total": `Total"`, "crm_closed": `"crmClosed"`,
	}
	for asked := range members {
		one := text(emulator.Query{Types: []string{asked}})
		for name, member := range members {
			if strings.Contains(one, member) != (name == asked) {
				t.Errorf("asked for %s: %s there? %v", asked, member, strings.Contains(one, member))
			}
		}
	}
	if one := text(emulator.Query{}); !strings.Contains(one, `"forecastValue"`) || !strings.Contains(one, `"isUpdated"`) || strings.Contains(one, "quotaValue") {
		t.Error("the default is forecast and forecast_updated")
	}
	if one := text(emulator.Query{Currency: "JPY"}); !strings.Contains(one, `"currency":{"code":"JPY","symbol":"¥"}`) {
		t.Error("currency is not honoured")
	}
}

func TestScopeHoldsSomebodysPeopleOnly(t *testing.T) {
	l := newLab(t, emulator.Config{})
	all := slices.Collect(l.Contents(emulator.Query{Forecast: "net_arr"}).Users())
	for _, scope := range []string{"1902::MGR", all[2].ScopeID, all[2].HierarchyID} {
		team := slices.Collect(l.Contents(emulator.Query{Forecast: "net_arr", Scope: scope}).Users())
		if len(team) != 7 || team[0].ID != "1902" || team[1].ParentHierarchyID.Text != all[2].HierarchyID {
			t.Errorf("%s: %d people, first %s", scope, len(team), team[0].ID)
		}
	}
}

func TestArraysComeInAnyOrder(t *testing.T) {
	orders := map[string]bool{}
	name := regexp.MustCompile(`"(entries|users|fields|timePeriods|timeFrames)":`)
	for seed := range int64(60) {
		l := newLab(t, emulator.Config{Seed: seed, Users: 1})
		_, text := decode(t, l.Contents(emulator.Query{Forecast: "net_arr"}))
		orders[fmt.Sprint(name.FindAllString(text, -1))] = true
	}
	if len(orders) < 30 {
		t.Errorf("only %d orders: %v", len(orders), slices.Collect(maps.Keys(orders)))
	}
}

func TestLateEdits(t *testing.T) {
	l := newLab(t, emulator.Config{})
	text := func(at string) string {
		asOf, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		_, text := decode(t, l.Contents(emulator.Query{Forecast: "net_arr", Period: "2026_Q3", AsOf: asOf}))
		return text
	}
	// The last week of 2026_Q3 is 28 September to 4 October; it closes on the 5th at 08:00.
	if text("2026-10-05T06:30:00Z") == text("2026-10-05T07:30:00Z") {
		t.Error("values of an open week do not change")
	}
	if text("2026-10-05T08:00:00Z") != text("2026-11-05T08:00:00Z") {
		t.Error("values of a closed week change")
	}
}

func TestCSV(t *testing.T) {
	l := newLab(t, emulator.Config{})
	var text strings.Builder
	if err := l.Contents(emulator.Query{Forecast: "net_arr", Period: "2026_Q2", Types: allTypes()}).WriteCSV(&text); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(text.String())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(rows[0], ", "); got != "User, Email, CRM User ID, Role, Parent Role, Timeframe, Field, Week, Start Day, End Day, Data Type, Data Value" {
		t.Errorf("header %s", got)
	}
	forms := map[string]*regexp.Regexp{
		"Forecast Updated": regexp.MustCompile(`^(Yes|No)$`),
		"Forecast Value":   regexp.MustCompile(`^(-?\$?\d{1,3}(,\d{3})*\.\d\d)?$`),
	}
	kinds := map[string]int{}
	for _, row := range rows[1:] {
		kinds[row[10]]++
		if row[8] != "06/29/2026" || row[9] != "07/05/2026" {
			t.Fatalf("days %v", row)
		}
		if form := forms[row[10]]; form != nil && !form.MatchString(row[11]) {
			t.Errorf("%s says %q", row[10], row[11])
		}
	}
	if len(kinds) != 6 {
		t.Errorf("kinds %v", kinds)
	}
}

func TestCSVExport(t *testing.T) {
	play(t, emulator.Config{}, "", func(l *lab) {
		id := l.want(200, "POST", "/export/forecast/net_arr", `{"exportFormat":"CSV"}`).object(l)["jobId"].(string)
		time.Sleep(time.Minute)
		a := l.want(200, "GET", "/export/jobs/"+id+"/results", "")
		if !strings.HasPrefix(a.body, "User,Email,") || !strings.HasPrefix(a.header.Get("Content-Type"), "text/csv") ||
			!strings.HasSuffix(a.header.Get("Content-Disposition"), `.csv"`) {
			l.Errorf("%v %.60s", a.header, a.body)
		}
	})
}

// A file of any size must not be held: more than 60 MB are written here within
// 4 MB of heap.
func TestResultsAreStreamed(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 60 MB")
	}
	l := newLab(t, emulator.Config{Users: 20000, Weeks: 3})
	c := l.Contents(emulator.Query{Forecast: "net_arr", Period: "2026_Q2", Types: allTypes(), Historical: true})
	var before, during runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	count := &meter{at: 30 << 20, read: func() { runtime.GC(); runtime.ReadMemStats(&during) }}
	if err := c.WriteJSON(count); err != nil {
		t.Fatal(err)
	}
	if grown := int64(during.HeapAlloc) - int64(before.HeapAlloc); count.n < 60<<20 || grown > 4<<20 {
		t.Errorf("%d bytes written, heap grew by %d", count.n, grown)
	}
}

// meter counts bytes and looks once, when so many have passed.
type meter struct {
	n, at int64
	read  func()
}

func (m *meter) Write(p []byte) (int, error) {
	if before := m.n; before < m.at && before+int64(len(p)) >= m.at {
		m.read()
	}
	m.n += int64(len(p))
	return len(p), nil
}

func TestBrokenWriterEndsTheDocument(t *testing.T) {
	l := newLab(t, emulator.Config{Users: 100000000})
	for _, write := range []func(io.Writer) error{
		l.Contents(emulator.Query{Forecast: "net_arr"}).WriteJSON, l.Contents(emulator.Query{Forecast: "net_arr"}).WriteCSV,
	} {
		if err := write(full{}); err != io.ErrShortWrite {
			t.Errorf("got %v", err)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
