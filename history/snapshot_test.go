package history_test

import (
	"bytes"
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/history"
	"github.com/weirhq/weir/land"
	"github.com/weirhq/weir/land/landtest"
	"github.com/weirhq/weir/land/parquet"
)

func document(entries ...string) string {
	return `{"entries":[` + strings.Join(entries, ",") + `],"users":[{"userId":"u1","name":"Zoë, \"Z\""},{"userId":"u2","name":"=2+3"}],` +
		`"fields":[{"fieldId":"f1","fieldName":"Commit"}],"timePeriods":[{"timePeriodId":"2026_Q1","year":2026,"startDate":"2026-01-01","endDate":"2026-03-31"}],` +
		`"timeFrames":[{"timeFrameId":"TF:2026-01-05","startDate":"2026-01-05","endDate":"2026-01-11"}]}`
}

func entry(user, more string) string {
	return `{"userId":"` + user + `","fieldId":"f1","timeFrameId":"TF:2026-01-05","timePeriodId":"2026_Q1"` + more + `}`
}

func before() string {
	return document(entry("u1", `,"forecastValue":1234.50,"quotaValue":9007199254740993,"note":"x"`), entry("u2", `,"forecastValue":5,"crmTotal":1e400`), entry("u3", `,"forecastValue":0.1`))
}

func after() string {
	return document(entry("u4", `,"forecastValue":7`), entry("u2", `,"forecastValue":null,"crmTotal":2e400`), entry("u1", `,"forecastValue":1234.5,"quotaValue":9007199254740992,"note":"y"`))
}

// pair lands both in a format and opens them.
func pair(t *testing.T, f land.Format) (land.Archive, history.About) {
	t.Helper()
	store, err := land.OpenDirectory(filepath.Join(t.TempDir(), "data"))
	if err != nil {
		t.Fatal(err)
	}
	var m [2]land.Manifest
	for i, text := range []string{before(), after()} {
		r := landtest.Receive(t, text, func(s *land.Source) {
			s.Job.ID, s.SnapshotAt = "job", time.Date(2026, 11, 22+i, 9, 0, 0, 0, time.UTC)
		})
		if m[i], err = r.Publish(t.Context(), land.Files(store), land.Target{Format: f, CSVSafe: i == 1}); err != nil {
			t.Fatal(err)
		}
	}
	return land.Archived(store), history.About{From: m[0], To: m[1]}
}

func compare(t *testing.T, a land.Archive, about history.About, each func(*history.Change) error) history.Summary {
	t.Helper()
	dir := t.TempDir()
	s, err := history.Compare(t.Context(), history.Of(t.Context(), a, about.From, dir), history.Of(t.Context(), a, about.To, dir), history.Options{Dir: dir}, each)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func write(t *testing.T, f land.Format, format string, safe bool) string {
	t.Helper()
	a, about := pair(t, f)
	var out bytes.Buffer
	w, err := history.NewWriter(&out, format, about, safe)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(compare(t, a, about, w.Write)); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// Every format that a snapshot lands in shows the same changes, to the last digit.
func TestFormatsShowTheSame(t *testing.T) {
	const want = `forecast_id,from_snapshot,to_snapshot,change,person,user_id,user_name,field_id,field_name,time_frame_id,time_frame_start_date,time_period_id,` +
		`forecast_value_from,forecast_value_to,forecast_value_delta,quota_value_from,quota_value_to,quota_value_delta,adjustment_value_from,adjustment_value_to,adjustment_value_delta,` +
		`crm_total_from,crm_total_to,crm_total_delta,aggregation_total_from,aggregation_total_to,aggregation_total_delta,crm_closed_from,crm_closed_to,crm_closed_delta
net_arr,20261122T090000Z-job,20261123T090000Z-job,changed,stayed,u1,"Zoë, ""Z""",f1,Commit,TF:2026-01-05,2026-01-05,2026_Q1,1234.5,1234.5,0,9007199254740993,9007199254740992,-1,,,,,,,,,,,,
net_arr,20261122T090000Z-job,20261123T090000Z-job,changed,stayed,u2,'=2+3,f1,Commit,TF:2026-01-05,2026-01-05,2026_Q1,5,,-5,,,,,,,1ZEROS,2ZEROS,1ZEROS,,,,,,
net_arr,20261122T090000Z-job,20261123T090000Z-job,vanished,vanished,u3,,f1,Commit,TF:2026-01-05,2026-01-05,2026_Q1,0.1,,-0.1,,,,,,,,,,,,,,,
net_arr,20261122T090000Z-job,20261123T090000Z-job,appeared,appeared,u4,,f1,Commit,TF:2026-01-05,2026-01-05,2026_Q1,,7,7,,,,,,,,,,,,,,,
`
	for _, f := range land.Formats() {
		if got := strings.ReplaceAll(write(t, f, "csv", true), strings.Repeat("0", 400), "ZEROS"); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", f, got, want)
		}
	}
}

func TestJSON(t *testing.T) {
	text := write(t, land.Parquet, "json", false)
	var doc struct {
		From struct {
			Snapshot string `json:"snapshot"`
			Rows     int64  `json:"rows"`
		} `json:"from"`
		Changes []struct {
			UserID string                                `json:"user_id"`
			Values map[string]map[string]json.RawMessage `json:"values"`
		} `json:"changes"`
		Rows   map[string]int64             `json:"rows"`
		People map[string][]map[string]any  `json:"people"`
		Totals []map[string]json.RawMessage `json:"totals"`
	}
	if err := json.Unmarshal([]byte(text), &doc); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if doc.From.Snapshot != "20261122T090000Z-job" || doc.From.Rows != 3 || len(doc.Changes) != 4 || doc.Rows["vanished"] != 1 || len(doc.People["vanished"]) != 1 || len(doc.Totals) != 3 {
		t.Errorf("it says %+v", doc)
	}
	first := doc.Changes[0]
	if first.UserID != "u1" || len(first.Values) != 1 || string(first.Values["quota_value"]["from"]) != "9007199254740993" || string(first.Values["quota_value"]["delta"]) != "-1" {
		t.Errorf("the first change is %+v", first)
	}
}

func TestParquet(t *testing.T) {
	text := write(t, land.JSONL, "parquet", false)
	columns := []parquet.Column{{Name: "user_id", Kind: parquet.String}, {Name: "time_frame_start_date", Kind: parquet.Date}, {Name: "forecast_value_delta", Kind: parquet.Double}, {Name: "crm_total_to", Kind: parquet.Double}}
	rows := 0
	err := parquet.Read(strings.NewReader(text), int64(len(text)), columns, func(n int, cells []parquet.Cells) error {
		rows += n
		if string(cells[0].Texts[2]) != "u3" || cells[1].Ints[2] != 20458 || cells[2].Doubles[2] != -0.1 || cells[3].Present[1] {
			t.Errorf("it says %+v", cells)
		}
		return nil
	})
	if err != nil || rows != 4 {
		t.Errorf("%d rows, %v", rows, err)
	}
}

// An empty comparison is a whole file in every format.
func TestNoChanges(t *testing.T) {
	a, about := pair(t, land.Parquet)
	about.To = about.From
	for _, format := range history.Formats() {
		var out bytes.Buffer
		w, err := history.NewWriter(&out, format, about, false)
		if err != nil {
			t.Fatal(err)
		}
		s := compare(t, a, about, w.Write)
		if err := w.Close(s); err != nil || s.Same != 3 || out.Len() == 0 {
			t.Errorf("%s: %v, %+v", format, err, s.Counts)
		}
		if format == "json" && !json.Valid(out.Bytes()) {
			t.Errorf("not JSON: %s", out.String())
		}
	}
	if _, err := history.NewWriter(&bytes.Buffer{}, "xml", about, false); err == nil {
		t.Error("xml is no format")
	}
}

// What is missing or damaged at the destination is an error.
func TestDamagedSnapshot(t *testing.T) {
	a, about := pair(t, land.Parquet)
	gone := about.From
	gone.Tables = nil
	err := history.Of(context.Background(), a, gone, "")(func(*history.Row) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "weir verify") {
		t.Errorf("without tables: %v", err)
	}
}
