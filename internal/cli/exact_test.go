package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/testscript"
)

// object is a JSON object whose values stand as they came.
type object = map[string]json.RawMessage

// cmdExact compares the forecast_entries of a destination, in JSONL and CSV,
// with its only raw file, literal by literal. It reads both by the contract and
// shares nothing with the code that wrote them.
func cmdExact(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 1, "exact DEST")
	raw := readRaw(ts, args[0])
	var doc map[string][]object
	ts.Check(json.Unmarshal(raw, &doc))
	want := make([]object, len(doc["entries"]))
	for i, entry := range doc["entries"] {
		want[i] = expectedRow(doc, entry)
	}
	if len(want) == 0 {
		ts.Fatalf("the raw file has no entries")
	}
	compareRows(ts, want, jsonRows(ts, args[0]), func(want json.RawMessage) string { return compact(want) })
	compareRows(ts, want, csvRows(ts, args[0]), csvText)
}

func readRaw(ts *testscript.TestScript, dest string) []byte {
	packed, err := os.ReadFile(onlyFile(ts, dest, "_raw/", ".json.zst"))
	ts.Check(err)
	reader, err := zstd.NewReader(nil)
	ts.Check(err)
	defer reader.Close()
	raw, err := reader.DecodeAll(packed, nil)
	ts.Check(err)
	return raw
}

// onlyFile is the one file below dir that starts and ends so.
func onlyFile(ts *testscript.TestScript, dir, start, end string) string {
	var found []string
	for _, name := range filesBelow(ts, dir) {
		if strings.HasPrefix(name, start) && strings.HasSuffix(name, end) {
			found = append(found, name)
		}
	}
	if len(found) != 1 {
		ts.Fatalf("%d files %s..%s in %s", len(found), start, end, dir)
	}
	return filepath.Join(ts.MkAbs(dir), filepath.FromSlash(found[0]))
}

// entryColumns are the columns that an entry fills itself, by its members.
func entryColumns() map[string]string {
	return map[string]string{
		"userId": "user_id", "fieldId": "field_id", "timeFrameId": "time_frame_id", "timePeriodId": "time_period_id",
		"forecastValue": "forecast_value", "quotaValue": "quota_value", "adjustmentValue": "adjustment_value",
		"crmTotal": "crm_total", "aggregationTotal": "aggregation_total", "crmClosed": "crm_closed",
		"isUpdated": "is_updated", "updatedBy": "updated_by", "adjustedBy": "adjusted_by",
		"updatedOn": "updated_on", "adjustedOn": "adjusted_on",
	}
}

// expectedRow is an entry as the contract wants it in a table.
func expectedRow(doc map[string][]object, entry object) object {
	row, extra := object{}, object{}
	for _, column := range entryColumns() {
		row[column] = nil
	}
	for member, value := range entry {
		column, known := entryColumns()[member]
		switch {
		case member == "currency":
			currency := object{}
			_ = json.Unmarshal(value, &currency) // null has no members
			row["currency_code"], row["currency_symbol"] = currency["code"], currency["symbol"]
		case !known:
			extra[member] = value
		case strings.HasSuffix(member, "On"):
			row[column] = instantOf(value)
		default:
			row[column] = value
		}
	}
	look(row, doc["users"], "userId", entry, map[string]string{"name": "user_name", "email": "user_email", "hierarchyName": "user_hierarchy_name", "scopeId": "user_scope_id"})
	look(row, doc["fields"], "fieldId", entry, map[string]string{"fieldName": "field_name", "fieldType": "field_type"})
	look(row, doc["timePeriods"], "timePeriodId", entry, map[string]string{"label": "time_period_label", "year": "time_period_year", "startDate": "time_period_start_date"})
	if len(extra) > 0 {
		text, _ := json.Marshal(extra)
		row["_extra"], _ = json.Marshal(string(text))
	}
	return row
}

func instantOf(ms json.RawMessage) json.RawMessage {
	var at int64
	if string(ms) == "null" || json.Unmarshal(ms, &at) != nil {
		return nil
	}
	return json.RawMessage(`"` + time.UnixMilli(at).UTC().Format("2006-01-02T15:04:05.000Z") + `"`)
}

// look fills the looked-up columns; they are null where the id has no match.
func look(row object, table []object, id string, entry object, columns map[string]string) {
	for _, column := range columns {
		row[column] = nil
	}
	for _, candidate := range table {
		if string(candidate[id]) == string(entry[id]) {
			for member, column := range columns {
				row[column] = candidate[member]
			}
			return
		}
	}
}

func jsonRows(ts *testscript.TestScript, dest string) []object {
	text, err := os.ReadFile(onlyFile(ts, dest, "jsonl/forecast_entries/", ".jsonl"))
	ts.Check(err)
	var rows []object
	for line := range bytes.Lines(text) {
		row := object{}
		ts.Check(json.Unmarshal(line, &row))
		for name, value := range row {
			row[name] = json.RawMessage(compact(value))
		}
		rows = append(rows, row)
	}
	return rows
}

func csvRows(ts *testscript.TestScript, dest string) []object {
	file, err := os.Open(onlyFile(ts, dest, "csv/forecast_entries/", ".csv"))
	ts.Check(err)
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	ts.Check(err)
	var rows []object
	for _, record := range records[1:] {
		row := object{}
		for i, name := range records[0] {
			row[name] = json.RawMessage(record[i])
		}
		rows = append(rows, row)
	}
	return rows
}

// compact is a value without blanks and escapes, numbers as they came.
func compact(value json.RawMessage) string {
	var v any
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber()
	if len(value) == 0 || decoder.Decode(&v) != nil {
		return "null"
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(v) // what was decoded can be encoded
	return strings.TrimSuffix(out.String(), "\n")
}

// csvText is a value as a cell; reading CSV makes \n of \r\n.
func csvText(value json.RawMessage) string {
	var text string
	if compact(value) == "null" {
		return ""
	}
	if json.Unmarshal(value, &text) == nil {
		return strings.ReplaceAll(text, "\r\n", "\n")
	}
	return compact(value)
}

func compareRows(ts *testscript.TestScript, want, got []object, form func(json.RawMessage) string) {
	if len(want) != len(got) {
		ts.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i, row := range want {
		for column, value := range row {
			shown, there := got[i][column]
			fits := string(shown) == form(value)
			if column == "_extra" {
				fits = sameExtra(string(shown), form(value))
			}
			if !there || !fits {
				ts.Fatalf("row %d, %s: %q, want %q", i, column, shown, form(value))
			}
		}
	}
}

// sameExtra compares the kept fields of a row; what a Parquet file needs beyond
// the unknown ones may stand there too.
func sameExtra(got, want string) bool {
	members := [2]object{}
	for i, text := range []string{got, want} {
		var inner string
		if json.Unmarshal([]byte(text), &inner) == nil {
			text = inner
		}
		if json.Unmarshal([]byte(text), &members[i]) != nil {
			return false
		}
	}
	for name, value := range members[1] {
		if compact(members[0][name]) != compact(value) {
			return false
		}
	}
	return true
}
