package land_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/weirhq/weir/land"
)

const sheetHead = "User,Email,CRM User ID,Role,Parent Role,Timeframe,Field,Week,Start Day,End Day,Data Type,Data Value\n"

const ada = `"Ada ""A"" L, Jr",ada@x.test,005A,North,All,Q1 FY 2026,Commit,2,01/05/2026,01/11/2026,`

func sheetSource(t testing.TB) land.Source {
	src := source(t)
	src.Request.ExportFormat = "csv"
	return src
}

func receiveSheet(t testing.TB, text string) *land.Receipt {
	t.Helper()
	r, err := land.Receive(context.Background(), strings.NewReader(text), sheetSource(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// sheetRows lands a CSV result and gives one column of a table.
func sheetColumn(t *testing.T, text, table, name string) []string {
	t.Helper()
	dest, path := directory(t)
	m := publish(t, receiveSheet(t, text), dest, jsonl)
	at := slices.IndexFunc(m.Tables, func(mt land.ManifestTable) bool { return mt.Name == table })
	return column(t, read(t, filepath.Join(path, m.Tables[at].Files[0].Path)), name)
}

func wantColumns(t *testing.T, text, table string, want map[string]string) {
	t.Helper()
	for name, values := range want {
		if got := strings.Join(sheetColumn(t, text, table, name), " "); got != values {
			t.Errorf("%s.%s is %s, want %s", table, name, got, values)
		}
	}
}

// One entry for each user, field and week, whatever stands between its rows.
func TestSheetBecomesTheTables(t *testing.T) {
	bob := `Bob,bob@x.test,,South,,Q1 FY 2026,Commit,2,01/05/2026,01/11/2026,`
	text := sheetHead + ada + "Forecast Value,\"$3,000,190.00\"\n" +
		bob + "Forecast Value,-$5.00\n" + ada + "Forecast Updated,No\n" + ada + "Quota Value,\n" +
		ada + "CRM Total,($7.50)\n" + bob + "Forecast Updated,Yes\n" + bob + "Confidence,40%\n" + bob + "Adjustment Value,5%\n"
	wantColumns(t, text, "forecast_entries", map[string]string{
		"forecast_value": "3000190.00 -5.00", "is_updated": "false true", "quota_value": "null null", "crm_total": "-7.50 null",
		"adjustment_value": "null null", "_extra": `null {"Confidence":"40%","Adjustment Value":"5%"}`,
		"field_id": `"Commit" "Commit"`, "field_name": `"Commit" "Commit"`, "time_frame_id": `"TF:2026-01-05" "TF:2026-01-05"`,
		"time_period_id": `"2026_Q1" "2026_Q1"`, "currency_symbol": `"$" "$"`, "currency_code": "null null",
		"user_name": `"Ada \"A\" L, Jr" "Bob"`, "user_crm_id": `"005A" null`, "user_hierarchy_name": `"North" "South"`,
		"user_parent_hierarchy_name": `"All" null`, "time_frame_end_date": `"2026-01-11" "2026-01-11"`,
		"time_period_label": `"Q1 FY 2026" "Q1 FY 2026"`, "time_period_year": "2026 2026", "updated_by": "null null",
	})
	wantColumns(t, text, "forecast_users", map[string]string{"name": `"Ada \"A\" L, Jr" "Bob"`, "email": `"ada@x.test" "bob@x.test"`})
	wantColumns(t, text, "forecast_time_frames", map[string]string{"start_date": `"2026-01-05"`, "_extra": `{"Week":"2"}`})
	m := publish(t, receiveSheet(t, text), first(directory(t)), jsonl)
	if m.Unknown["entries"]["Confidence"] != 1 || m.Misfits["entries"]["Adjustment Value"] != 1 {
		t.Errorf("unknown %v, misfits %v", m.Unknown, m.Misfits)
	}
	if !strings.HasSuffix(m.Raw.Path, ".csv.zst") {
		t.Errorf("the raw file is %s", m.Raw.Path)
	}
}

func first[A, B any](a A, _ B) A { return a }

// The form that the documents print: blanks after commas, CRLF, a byte order mark.
func TestSheetAsPublished(t *testing.T) {
	spaced := "\ufeff\"User\", " + strings.ReplaceAll(sheetHead[5:], ",", ", ")
	text := strings.ReplaceAll(spaced+`Ada, a@x.test, 005A, North, All, 2026_Q1, Commit, 2, 01/05/2026, 01/11/2026, Forecast Value, "$3,000,190.00"`+"\n", "\n", "\r\n")
	wantColumns(t, text, "forecast_entries", map[string]string{"forecast_value": "3000190.00", "user_email": `"a@x.test"`})
	// Without blanks in the header a blank belongs to the name.
	wantColumns(t, sheetHead+strings.Replace(ada, `"Ada ""A"" L, Jr"`, " Ada", 1)+"Forecast Value,1\n", "forecast_users", map[string]string{"name": `" Ada"`})
}

// What identifies nobody is kept row by row and merged with nothing.
func TestSheetWithoutIdentity(t *testing.T) {
	nobody := ",,,Somewhere,,Q1 FY 2026,Commit,2,01/05/2026,01/11/2026,"
	text := sheetHead + ada + "Forecast Value,1\n" + nobody + "Forecast Value,2\n" + nobody + "Quota Value,3\n" + nobody + "Forecast Value,4\n"
	wantColumns(t, text, "forecast_entries", map[string]string{
		"forecast_value": "1 2 null 4", "quota_value": "null null 3 null",
		"_extra": `null {"Role":"Somewhere"} {"Role":"Somewhere"} {"Role":"Somewhere"}`,
	})
	for _, c := range receiveSheet(t, text).Checks() {
		if c.Name == land.CheckEntryKeys && (c.Outcome != land.Noted || !strings.HasPrefix(c.Detail, "3 entries")) {
			t.Errorf("%v", c)
		}
	}
}

func TestSheetRefusals(t *testing.T) {
	value := ada + "Forecast Value,1\n"
	for name, tt := range map[string]struct{ text, check, detail string }{
		"another period":    {sheetHead + strings.Replace(value, "Q1 FY", "Q2 FY", 1), land.CheckPeriod, "2026_Q2"},
		"unreadable period": {sheetHead + strings.Replace(value, "Q1 FY 2026", "this quarter", 1), land.CheckPeriod, "no quarter"},
		"no rows":           {sheetHead, land.CheckPeriod, "no period at all"},
		"twice":             {sheetHead + value + value, land.CheckEntryKeys, "second time"},
		"unknown twice":     {sheetHead + strings.Repeat(ada+"Mood,good\n", 2), land.CheckEntryKeys, "second time"},
		"column missing":    {strings.Replace(sheetHead, "Field,", "", 1), land.CheckShape, "Field"},
		"column twice":      {"User," + sheetHead, land.CheckShape, "columns 1 and 2"},
		"start day":         {sheetHead + strings.Replace(value, "01/05/2026", "soon", 1), land.CheckIDs, "no day"},
		"two people":        {sheetHead + value + strings.Replace(strings.Replace(value, "ada@x.test", "other@x.test", 1), "Forecast", "Quota", 1), land.CheckLookupKeys, "users"},
		"short row":         {sheetHead + "Ada,a\n" + value, land.CheckDocument, "line 2"},
		"cut row":           {sheetHead + value + ada[:40], land.CheckDocument, "as announced"},
		"JSON":              {document(entry("")), land.CheckDocument, "JSON, not CSV"},
		"HTML":              {"<!DOCTYPE html><p>a,b,c", land.CheckDocument, "an HTML page, not CSV"},
		"empty":             {"", land.CheckDocument, "empty"},
		"no UTF-8":          {sheetHead + strings.Replace(value, "Jr", "J\xff", 1), land.CheckDocument, "UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			refused := refusal(t, tt.text, func(s *land.Source) { s.Request.ExportFormat = "CSV" })
			if refused.Check != tt.check || !strings.Contains(refused.Detail, tt.detail) {
				t.Errorf("refused as %s: %s", refused.Check, refused.Detail)
			}
		})
	}
}

// Without an announced length a broken end is a download to repeat.
func TestSheetCut(t *testing.T) {
	for _, text := range []string{sheetHead + ada[:40], sheetHead + ada + "Forecast Value,\"$3,0", sheetHead[:20]} {
		_, err := land.Receive(context.Background(), strings.NewReader(text), sheetSource(t))
		if !errors.Is(err, land.ErrTransfer) {
			t.Errorf("a result cut after %q: %v", text[len(text)-8:], err)
		}
	}
	checks := receiveSheet(t, sheetHead+ada+"Forecast Value,1").Checks()
	if checks[0].Outcome != land.Noted {
		t.Errorf("no line end and no length: %v", checks[0])
	}
}

// More entries than the window holds, each with its rows together; then one
// that comes up again too late.
func TestSheetBeyondTheWindow(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 140,000 rows")
	}
	var text strings.Builder
	text.WriteString(sheetHead)
	row := func(i int, kind string) {
		fmt.Fprintf(&text, "P%d,,,R,,2026_Q1,Commit,2,01/05/2026,01/11/2026,%s,1\n", i, kind)
	}
	for i := range 140_000 {
		row(i, "Forecast Value")
	}
	if n := receiveSheet(t, text.String()).Rows(); n != 140_000 {
		t.Errorf("%d entries", n)
	}
	row(0, "Quota Value")
	refused := refusal(t, text.String(), func(s *land.Source) { s.Request.ExportFormat = "CSV" })
	if refused.Check != land.CheckEntryKeys {
		t.Errorf("refused as %s: %s", refused.Check, refused.Detail)
	}
}

// A refusal says where, and not what stands there: a file whose columns are
// other than thought has names and addresses anywhere.
func TestSheetRefusalsTellNothingConfidential(t *testing.T) {
	row := ada + "Forecast Value,\"$3,000,190.00\"\n"
	for name, text := range map[string]string{
		"no header":      row + row,
		"twice":          sheetHead + row + row,
		"shifted":        sheetHead + strings.Replace(row, "005A,North,All,Q1 FY 2026,Commit,2,01/05/2026", "005A,North,All,Q1 FY 2026,Commit,2,ada@x.test", 1),
		"frame is email": sheetHead + strings.Replace(row, "Q1 FY 2026", "ada@x.test", 1),
		"short":          sheetHead + row + "ada@x.test,3000190\n",
		"quotes":         sheetHead + row + "ada\"@x.test,3000190\n",
	} {
		refused := refusal(t, text, func(s *land.Source) { s.Request.ExportFormat = "CSV" })
		for _, secret := range []string{"ada", "Ada", "3,000", "3000190"} {
			if strings.Contains(strings.ReplaceAll(refused.Error(), refused.Kept, ""), secret) {
				t.Errorf("%s: %v", name, refused)
			}
		}
	}
}
