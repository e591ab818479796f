package land_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirhq/weir/land"
)

var jsonl = land.Target{Format: land.JSONL, Primary: true}

// column gives one column of every row of a JSONL table, as its JSON text.
func column(t *testing.T, text, name string) []string {
	t.Helper()
	var values []string
	for line := range strings.Lines(text) {
		var row map[string]json.RawMessage
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		value, ok := row[name]
		if !ok {
			t.Fatalf("no column %s in %s", name, line)
		}
		values = append(values, string(value))
	}
	return values
}

// entryValues lands one entry with the members and gives one column of it.
func entryValue(t *testing.T, members, name string) string {
	t.Helper()
	return column(t, landed(t, document(entry(members)), "forecast_entries", jsonl), name)[0]
}

func TestNumbersKeepTheirLiteral(t *testing.T) {
	literals := []string{
		"0", "-0", "0.0", "-0.00", "0.1", "1234.50", "-99999999.99", "100", "1e308", "1E+2", "-1.5e-3", "1e400", "1e-400",
		"9007199254740993", "123456789012345678", "999999999999999999", "1234567890123456789", "0.123456789012345678", "0.05", "-0.5", "5e-324",
		"12345678901234567890.123456789012345678901234567890",
	}
	var entries []string
	for i, literal := range literals {
		entries = append(entries, fmt.Sprintf(`{"userId":"u%d","timePeriodId":"2026_Q1","forecastValue":%s}`, i, literal))
	}
	text := document(entries...)
	got := column(t, landed(t, text, "forecast_entries", jsonl), "forecast_value")
	lines := strings.Split(landed(t, text, "forecast_entries", csv), "\n")
	for i, want := range literals {
		if got[i] != want {
			t.Errorf("JSONL has %s for %s", got[i], want)
		}
		if field := strings.Split(lines[i+1], ",")[4]; field != want {
			t.Errorf("CSV has %s for %s", field, want)
		}
	}
}

func TestAbsentNullZeroAndEmptyStayApart(t *testing.T) {
	text := document(
		`{"userId":"a","timePeriodId":"2026_Q1"}`,
		`{"userId":"b","timePeriodId":"2026_Q1","forecastValue":null,"updatedBy":null,"isUpdated":null,"updatedOn":null,"currency":null}`,
		`{"userId":"c","timePeriodId":"2026_Q1","forecastValue":0,"updatedBy":"","isUpdated":false,"updatedOn":0,"currency":{"code":"","symbol":null}}`)
	rows := landed(t, text, "forecast_entries", jsonl)
	for name, want := range map[string]string{
		"forecast_value": "null null 0", "updated_by": `null null ""`, "is_updated": "null null false",
		"updated_on": `null null "1970-01-01T00:00:00.000Z"`, "currency_code": `null null ""`, "currency_symbol": "null null null", "_extra": "null null null",
	} {
		if got := strings.Join(column(t, rows, name), " "); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	lines := strings.Split(landed(t, text, "forecast_entries", csv), "\n")
	if !strings.HasPrefix(lines[2], "b,,,2026_Q1,,,,,,,,,,,,,") || !strings.HasPrefix(lines[3], `c,,,2026_Q1,0,,,,,,false,"",,1970-01-01T00:00:00.000Z,,"",,`) {
		t.Errorf("CSV\n%s\n%s", lines[2], lines[3])
	}
}

func TestUnknownMembersAreKept(t *testing.T) {
	for members, want := range map[string]string{
		`,"a":1.50`:                           `{"a":1.50}`,
		`,"a" : [ 1 , {"b" : "x y"} ]`:        `{"a":[1,{"b":"x y"}]}`,
		`,"\u0061\"b":null`:                   `{"a\"b":null}`,
		`,"x":123456789012345678901234567890`: `{"x":123456789012345678901234567890}`,
		`,"x":"\u00e9\ud83d\ude00\n"`:         `{"x":"\u00e9\ud83d\ude00\n"}`,
		`,"currency":{"code":"USD","rate":1e2,"deep":{"a":[]}},"z":false`: `{"currency":{"rate":1e2,"deep":{"a":[]}},"z":false}`,
		``: `null`,
	} {
		if got := entryValue(t, members, "_extra"); got != want {
			t.Errorf("%s\n got %s\nwant %s", members, got, want)
		}
	}
}

func TestMisfitsAreKeptAndCounted(t *testing.T) {
	misfits := []struct{ member, value, column string }{
		{"forecastValue", `"12.50"`, "forecast_value"},
		{"forecastValue", `true`, "forecast_value"},
		{"forecastValue", `[1]`, "forecast_value"},
		{"isUpdated", `"true"`, "is_updated"},
		{"isUpdated", `1`, "is_updated"},
		{"updatedBy", `7`, "updated_by"},
		{"updatedBy", `{"id":"u1"}`, "updated_by"},
		{"updatedOn", `"yesterday"`, "updated_on"},
		{"updatedOn", `1.5`, "updated_on"},
		{"updatedOn", `1e400`, "updated_on"},
		{"updatedOn", `9223372036854775807`, "updated_on"},
		{"updatedOn", `"2024-03-01T00:00:00.0001Z"`, "updated_on"},
		{"currency", `"USD"`, "currency_code"},
	}
	for _, c := range misfits {
		r := receive(t, document(entry(fmt.Sprintf(`,%q:%s`, c.member, c.value))))
		dest, path := directory(t)
		m := publish(t, r, dest, jsonl)
		rows := read(t, filepath.Join(path, m.Tables[0].Files[0].Path))
		if got := column(t, rows, c.column)[0]; got != "null" {
			t.Errorf("%s %s: column has %s", c.member, c.value, got)
		}
		if got, want := column(t, rows, "_extra")[0], fmt.Sprintf(`{%q:%s}`, c.member, c.value); got != want {
			t.Errorf("_extra %s, want %s", got, want)
		}
		if m.Misfits["entries"][c.member] != 1 {
			t.Errorf("misfits %v", m.Misfits)
		}
	}
}

func TestInstants(t *testing.T) {
	for value, want := range map[string]string{
		`1711929600123`:                    "2024-04-01T00:00:00.123Z",
		`"1711929600123"`:                  "2024-04-01T00:00:00.123Z",
		`-1`:                               "1969-12-31T23:59:59.999Z",
		`"2024-04-01T02:00:00.123+02:00"`:  "2024-04-01T00:00:00.123Z",
		`"2024-04-01T00:00:00.123000000Z"`: "2024-04-01T00:00:00.123Z",
	} {
		if got := entryValue(t, `,"updatedOn":`+value, "updated_on"); got != `"`+want+`"` {
			t.Errorf("%s is %s, want %s", value, got, want)
		}
	}
}

func TestDates(t *testing.T) {
	for value, want := range map[string]string{
		`"2026-01-05"`: `"2026-01-05"`, `"01/05/2026"`: `"2026-01-05"`, `"2026-01-05T00:00:00Z"`: `"2026-01-05"`,
		`1767571200000`: `"2026-01-05"`, `"1767571200000"`: `"2026-01-05"`, `"1969-12-31"`: `"1969-12-31"`,
		`1767571200001`: "null", `"2026-01-05T10:00:00Z"`: "null", `"2026-02-30"`: "null", `"soon"`: "null",
	} {
		frames := `"timeFrames":[{"timeFrameId":"a","startDate":` + value + `}]`
		text := landed(t, `{"entries":[],`+timePeriods+","+frames+"}", "forecast_time_frames", jsonl)
		if got := column(t, text, "start_date")[0]; got != want {
			t.Errorf("%s is %s, want %s", value, got, want)
		}
	}
}

func TestYears(t *testing.T) {
	for value, want := range map[string]string{"2026": "2026", "-1": "-1", "2026.0": "null", "3000000000": "null", `"2026"`: "null", "-0": "null"} {
		text := landed(t, `{"entries":[],"timePeriods":[{"timePeriodId":"2026_Q1","year":`+value+`}]}`, "forecast_time_periods", jsonl)
		if got := column(t, text, "year")[0]; got != want {
			t.Errorf("%s is %s, want %s", value, got, want)
		}
	}
}

func TestCSVQuotes(t *testing.T) {
	names := []string{"plain", `say "hi"`, "a,b", "two\nlines", "cr\rlf\r\n", "", " space ", "Åsa 雪 😀", "tab\there", "nul\x00"}
	var list []string
	for i, name := range names {
		text, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, fmt.Sprintf(`{"userId":"%d","name":%s}`, i, text))
	}
	got := landed(t, `{"entries":[],"users":[`+strings.Join(list, ",")+`],`+timePeriods+`}`, "forecast_users", csv)
	for i, want := range []string{"plain", `"say ""hi"""`, `"a,b"`, "\"two\nlines\"", "\"cr\rlf\r\n\"", `""`, " space ", "Åsa 雪 😀", "tab\there", "nul\x00"} {
		if !strings.Contains(got, fmt.Sprintf("\n%d,%s,,", i, want)) {
			t.Errorf("no field %s in\n%s", want, got)
		}
	}
	if strings.Contains(strings.ReplaceAll(got, "\"cr\rlf\r\n\"", ""), "\r") {
		t.Error("line ends are not LF")
	}
}

func TestCSVSafe(t *testing.T) {
	text := `{"entries":[{"userId":"-u","timePeriodId":"2026_Q1","forecastValue":-5,"updatedBy":"@x","adjustedBy":"=1,2","z":1}],` + timePeriods + `}`
	for safe, want := range map[bool]string{
		true:  `'-u,,,2026_Q1,-5,,,,,,,'@x,"'=1,2",`,
		false: `-u,,,2026_Q1,-5,,,,,,,@x,"=1,2",`,
	} {
		target := csv
		target.CSVSafe = safe
		dest, path := directory(t)
		m := publish(t, receive(t, text), dest, target)
		got := read(t, filepath.Join(path, m.Tables[0].Files[0].Path))
		if !strings.Contains(got, "\n"+want) || m.CSVSafe != safe || !strings.Contains(got, `"{""z"":1}"`) {
			t.Errorf("safe %v: %s", safe, got)
		}
	}
	for _, first := range []string{"=", "+", "-", "@", "\\t", "\\r"} {
		target := csv
		target.CSVSafe = true
		got := landed(t, `{"entries":[{"timePeriodId":"2026_Q1","updatedBy":"`+first+`x"}],`+timePeriods+`}`, "forecast_entries", target)
		if !strings.Contains(got, ",'"+first) && !strings.Contains(got, ",\"'\r") && !strings.Contains(got, ",'\t") {
			t.Errorf("%s is not prefixed: %q", first, got)
		}
	}
}

func TestJSONLIsOneObjectALine(t *testing.T) {
	got := landed(t, document(entry(`,"updatedBy":"a\nb\u2028","x":{"k": "v"}`)), "forecast_entries", jsonl)
	if strings.Count(got, "\n") != 1 || !strings.HasSuffix(got, `,"_extra":{"x":{"k":"v"}}}`+"\n") {
		t.Errorf("got %s", got)
	}
	var names []string
	decoder := json.NewDecoder(strings.NewReader(got))
	for depth := 0; decoder.More() || depth > 0; {
		token, err := decoder.Token()
		if err != nil {
			t.Fatal(err)
		}
		if delim, ok := token.(json.Delim); ok {
			depth += map[json.Delim]int{'{': 1, '}': -1}[delim]
		}
		if name, ok := token.(string); ok && depth == 1 {
			names = append(names, name)
		}
	}
	if names[0] != "user_id" {
		t.Errorf("names %v", names)
	}
}

func TestUnknownAndTotalsInTheManifest(t *testing.T) {
	text := `{"entries":[` + entry(`,"forecastValue":0.10,"a":1,"currency":{"x":1}`) + `,` +
		`{"userId":"u2","fieldId":"f1","timePeriodId":"2026_Q1","forecastValue":0.2,"quotaValue":9007199254740993,"a":2},` +
		`{"userId":"u2","fieldId":"f2","timePeriodId":"2026_Q1","forecastValue":-1e2}],"extra":[{"deep":[[]]}],"users":[{"userId":"u1","zz":1}],` + timePeriods + `}`
	dest, _ := directory(t)
	m := publish(t, receive(t, text), dest, csv)
	if fmt.Sprint(m.Unknown) != "map[:map[extra:1] entries:map[a:2 currency.x:1] users:map[zz:1]]" {
		t.Errorf("unknown %v", m.Unknown)
	}
	want := "[{f1 forecast_value 2 0.3 0} {f1 quota_value 1 9007199254740993 0} {f2 forecast_value 1 -100 0}]"
	if fmt.Sprint(m.Totals) != want || m.Inexact != 1 {
		t.Errorf("totals %v, want %v; inexact %d", m.Totals, want, m.Inexact)
	}
}
