package land_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirhq/weir/land"
)

// permutations gives every order of the items.
func permutations(items []string) [][]string {
	if len(items) == 0 {
		return [][]string{nil}
	}
	var all [][]string
	for i := range items {
		rest := append(append([]string(nil), items[:i]...), items[i+1:]...)
		for _, p := range permutations(rest) {
			all = append(all, append([]string{items[i]}, p...))
		}
	}
	return all
}

// The arrays may stand in any order; the tables are the same.
func TestArraysInEveryOrder(t *testing.T) {
	arrays := []string{`"entries":[` + entry(`,"forecastValue":1`) + `]`, users, fields, timePeriods, timeFrames}
	want := landed(t, "{"+strings.Join(arrays, ",")+"}", "forecast_entries", csv)
	if !strings.Contains(want, ",Commit,currency,2026-01-05,2026-01-11,quarter,Q1,p1,2026,") {
		t.Fatalf("nothing joined: %s", want)
	}
	for i, order := range permutations(arrays) {
		if i%7 != 0 { // 18 of 120: each array stands in each place
			continue
		}
		if got := landed(t, "{"+strings.Join(order, ",")+"}", "forecast_entries", csv); got != want {
			t.Fatalf("%.40s...: got\n%s\nwant\n%s", order[0], got, want)
		}
	}
}

func TestDanglingIDs(t *testing.T) {
	text := document(
		`{"userId":"nobody","fieldId":"f1","timeFrameId":"TF:2026-01-05","timePeriodId":"2026_Q1"}`,
		`{"userId":"u1","fieldId":"no field","timeFrameId":"no frame","timePeriodId":"2026_Q1"}`,
		`{"timePeriodId":"2026_Q1"}`)
	dest, path := directory(t)
	m := publish(t, receive(t, text), dest, jsonl)
	if m.Dangling != (land.Dangling{Users: 1, Fields: 1, TimeFrames: 1}) {
		t.Errorf("dangling %+v", m.Dangling)
	}
	if last := m.Checks[len(m.Checks)-2]; last.Name != land.CheckLookups || last.Outcome != land.Noted {
		t.Errorf("check %+v", last)
	}
	rows := read(t, filepath.Join(path, m.Tables[0].Files[0].Path))
	for name, want := range map[string]string{
		"user_id": `"nobody" "u1" null`, "user_email": `null "ada@x.test" null`, "field_name": `"Commit" null null`,
		"time_frame_start_date": `"2026-01-05" null null`, "time_period_year": "2026 2026 2026",
	} {
		if got := strings.Join(column(t, rows, name), " "); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// One time frame id in two periods: an entry gets the frame of its own period.
func TestSameFrameIDInTwoPeriods(t *testing.T) {
	periods := `"timePeriods":[{"timePeriodId":"2025_Q4","startDate":"2025-10-01","endDate":"2025-12-31"},{"timePeriodId":"2026_Q1","startDate":"2026-01-01","endDate":"2026-03-31"}]`
	for name, c := range map[string]struct {
		frames, start string
		ambiguous     int64
	}{
		"own week first":   {`["2025-12-29","2025-12-31"],["2026-01-01","2026-01-04"]`, `"2026-01-01"`, 0},
		"own week last":    {`["2026-01-01","2026-01-04"],["2025-12-29","2025-12-31"]`, `"2026-01-01"`, 0},
		"starts before":    {`["2025-12-29","2026-01-04"],["2025-12-22","2025-12-29"]`, `"2025-12-29"`, 0},
		"one shared day":   {`["2025-12-26","2026-01-01"],["2025-12-20","2025-12-26"]`, `"2025-12-26"`, 0},
		"more days win":    {`["2025-12-30","2026-01-02"],["2025-12-29","2026-01-04"]`, `"2025-12-29"`, 0},
		"equal frames":     {`["2026-01-05","2026-01-11"],["2026-01-05","2026-01-11"]`, `"2026-01-05"`, 0},
		"a tie":            {`["2026-01-05","2026-01-11"],["2026-01-12","2026-01-18"]`, "null", 1},
		"none fits":        {`["2025-12-01","2025-12-07"],["2025-12-08","2025-12-14"]`, "null", 1},
		"the only one":     {`["2025-12-01","2025-12-07"]`, `"2025-12-01"`, 0},
		"one without days": {`[null,null],["2026-01-01","2026-01-04"]`, `"2026-01-01"`, 0},
	} {
		t.Run(name, func(t *testing.T) {
			frames := strings.NewReplacer(`["`, `{"timeFrameId":"W","startDate":"`, `[null`, `{"timeFrameId":"W","startDate":null`, `","2`, `","endDate":"2`, `,null`, `,"endDate":null`, `]`, `}`).Replace(c.frames)
			dest, path := directory(t)
			m := publish(t, receive(t, `{"timeFrames":[`+frames+`],"entries":[{"timeFrameId":"W","timePeriodId":"2026_Q1"}],`+periods+`}`), dest, jsonl)
			rows := read(t, filepath.Join(path, m.Tables[0].Files[0].Path))
			if got := column(t, rows, "time_frame_start_date")[0]; got != c.start {
				t.Errorf("starts %s, want %s", got, c.start)
			}
			if m.Dangling.AmbiguousTimeFrames != c.ambiguous {
				t.Errorf("dangling %+v", m.Dangling)
			}
			if m.Tables[4].Rows != int64(strings.Count(frames, "timeFrameId")) {
				t.Errorf("%d frames landed", m.Tables[4].Rows)
			}
		})
	}
}

// Equal rows of one id are harmless, and entries without a period are noted.
func TestHarmlessOddities(t *testing.T) {
	r := receive(t, `{"entries":[`+entry("")+`,{"userId":"u1"}],"users":[{"userId":"u1","name":"A"},{"name":"A","userId":"u1"},{"name":"no id"},{"name":"no id either"}],`+timePeriods+`}`)
	for check, want := range map[string]land.Outcome{land.CheckLookupKeys: land.Passed, land.CheckPeriod: land.Noted, land.CheckEntryKeys: land.Passed, land.CheckTypes: land.NotShown} {
		if got := outcome(r, check); got != want {
			t.Errorf("%s %s, want %s", check, got, want)
		}
	}
	r = receive(t, `{"entries":[`+entry("")+`],"timePeriods":null}`)
	if got := outcome(r, land.CheckPeriod); got != land.Noted {
		t.Errorf("period shown by entries alone: %s", got)
	}
}

// Batches, text bounds and lookups beyond one batch.
func TestManyRows(t *testing.T) {
	var entries, people []string
	for i := range 9_000 { // a batch is 8,192
		entries = append(entries, fmt.Sprintf(`{"userId":"u%d","timePeriodId":"2026_Q1","forecastValue":%d.5,"updatedBy":"%s"}`, i, i, strings.Repeat("x", i%7*200)+itoa(i)))
		people = append(people, fmt.Sprintf(`{"userId":"u%d","name":"name %d"}`, i, i))
	}
	text := `{"entries":[` + strings.Join(entries, ",") + `],` + timePeriods + `,"users":[` + strings.Join(people, ",") + `]}`
	dest, path := directory(t)
	m := publish(t, receive(t, text), dest, csv)
	rows := strings.Split(read(t, filepath.Join(path, m.Tables[0].Files[0].Path)), "\n")[1:]
	people = strings.Split(read(t, filepath.Join(path, m.Tables[1].Files[0].Path)), "\n")[1:]
	for i := range entries {
		row := strings.Split(rows[i], ",")
		if row[0] != fmt.Sprintf("u%d", i) || row[4] != fmt.Sprintf("%d.5", i) || row[17] != fmt.Sprintf("name %d", i) || !strings.HasSuffix(row[11], "x"+itoa(i)) && i%7 > 0 {
			t.Fatalf("row %d: %v", i, row)
		}
		if !strings.HasPrefix(people[i], fmt.Sprintf("u%d,name %d,", i, i)) {
			t.Fatalf("user %d: %s", i, people[i])
		}
	}
}
