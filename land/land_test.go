package land_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/land"
)

// The pieces of a small result. Each array can be replaced by a test.
const (
	users       = `"users":[{"userId":"u1","name":"Ada \"A\" L, Jr","email":"ada@x.test","scopeId":"{\"a\":1}","crmId":"005A","hierarchyId":"h1","hierarchyName":"North","parentHierarchyId":"h0","parentHierarchyName":"All"},{"userId":"u2","name":"=cmd","email":null}]`
	fields      = `"fields":[{"fieldId":"f1","fieldName":"Commit","fieldType":"currency"}]`
	timePeriods = `"timePeriods":[{"timePeriodId":"2026_Q1","type":"quarter","label":"Q1","year":2026,"startDate":"2026-01-01","endDate":"2026-03-31","crmId":"p1"}]`
	timeFrames  = `"timeFrames":[{"timeFrameId":"TF:2026-01-05","startDate":"2026-01-05","endDate":"2026-01-11"}]`
)

func entry(members string) string {
	return `{"userId":"u1","fieldId":"f1","timeFrameId":"TF:2026-01-05","timePeriodId":"2026_Q1"` + members + `}`
}

func document(entries ...string) string {
	return "{" + strings.Join([]string{`"entries":[` + strings.Join(entries, ",") + `]`, users, fields, timePeriods, timeFrames}, ",") + "}"
}

var snapshotAt = time.Date(2026, 11, 23, 15, 4, 5, 678_000_000, time.UTC)

const jobID = "6073683781a6da229df71e00"

func source(t testing.TB) land.Source {
	return land.Source{
		Request:    weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: "2026_Q1"},
		Job:        weir.Job{ID: jobID, RawStatus: "DONE"},
		SnapshotAt: snapshotAt, Length: -1, Version: "test",
		SpoolDir: filepath.Join(t.TempDir(), "spool"),
	}
}

func receive(t testing.TB, text string) *land.Receipt {
	t.Helper()
	r, err := land.Receive(context.Background(), strings.NewReader(text), source(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func refusal(t *testing.T, text string, change func(*land.Source)) *land.Refusal {
	t.Helper()
	src := source(t)
	src.Length = int64(len(text))
	if change != nil {
		change(&src)
	}
	r, err := land.Receive(context.Background(), strings.NewReader(text), src)
	if r != nil {
		r.Close()
	}
	var refused *land.Refusal
	if !errors.As(err, &refused) || !errors.Is(err, land.ErrRefused) || errors.Is(err, land.ErrTransfer) {
		t.Fatalf("Receive(%.60q) = %v, want a refusal", text, err)
	}
	return refused
}

// directory gives a destination and its path.
func directory(t testing.TB) (land.Destination, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data")
	dest, err := land.OpenDestination(path, "")
	if err != nil {
		t.Fatal(err)
	}
	return dest, path
}

func publish(t testing.TB, r *land.Receipt, dest land.Destination, target land.Target) land.Manifest {
	t.Helper()
	m, err := r.Publish(context.Background(), dest, target)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// landed publishes a document and gives one table's file as text.
func landed(t testing.TB, text, table string, target land.Target) string {
	t.Helper()
	dest, path := directory(t)
	m := publish(t, receive(t, text), dest, target)
	for _, mt := range m.Tables {
		if mt.Name == table {
			return read(t, filepath.Join(path, mt.Files[0].Path))
		}
	}
	t.Fatalf("no table %s in the manifest", table)
	return ""
}

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// tree lists the files below a directory.
func tree(t testing.TB, path string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(path, func(name string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			relative, _ := filepath.Rel(path, name)
			files = append(files, filepath.ToSlash(relative))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

var csv = land.Target{Format: land.CSV, Primary: true}

func TestEntriesAsCSV(t *testing.T) {
	got := landed(t, document(entry(`,"forecastValue":1234.50,"isUpdated":true,"updatedBy":"u2","updatedOn":1767952800123,"currency":{"code":"USD","symbol":"$"}`)), "forecast_entries", csv)
	header := "user_id,field_id,time_frame_id,time_period_id,forecast_value,quota_value,adjustment_value,crm_total,aggregation_total,crm_closed,is_updated,updated_by,adjusted_by,updated_on,adjusted_on,currency_code,currency_symbol," +
		"user_name,user_email,user_crm_id,user_scope_id,user_hierarchy_id,user_hierarchy_name,user_parent_hierarchy_id,user_parent_hierarchy_name,field_name,field_type,time_frame_start_date,time_frame_end_date," +
		"time_period_type,time_period_label,time_period_crm_id,time_period_year,time_period_start_date,time_period_end_date,_weir_request,_weir_job_id,_weir_snapshot_at,_extra\n"
	likeness := weir.Request{Kind: weir.Forecast}.Likeness()
	row := `u1,f1,TF:2026-01-05,2026_Q1,1234.50,,,,,,true,u2,,2026-01-09T10:00:00.123Z,,USD,$,` +
		`"Ada ""A"" L, Jr",ada@x.test,005A,"{""a"":1}",h1,North,h0,All,Commit,currency,2026-01-05,2026-01-11,` +
		`quarter,Q1,p1,2026,2026-01-01,2026-03-31,` + likeness + `,` + jobID + `,2026-11-23T15:04:05.678Z,` + "\n"
	if got != header+row {
		t.Errorf("got\n%s\nwant\n%s", got, header+row)
	}
}

func TestLayout(t *testing.T) {
	dest, path := directory(t)
	r := receive(t, document(entry("")))
	publish(t, r, dest, land.Target{Format: land.Parquet, Primary: true})
	publish(t, r, dest, land.Target{Format: land.CSV})
	where := "forecast_id=net_arr/time_period=2026_Q1/snapshot=20261123T150405Z-" + jobID
	var want []string
	for _, place := range []string{"", "csv/"} {
		format := map[string]string{"": "parquet", "csv/": "csv"}[place]
		want = append(want, place+"_manifests/forecast/"+where+".json", place+"_views/latest.sql")
		for _, table := range []string{"forecast_entries", "forecast_fields", "forecast_time_frames", "forecast_time_periods", "forecast_users"} {
			want = append(want, place+table+"/"+where+"/part-0."+format)
		}
	}
	want = append(want, "_raw/forecast/"+where+".json.zst")
	if got := tree(t, path); !sameSet(got, want) {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
}

func sameSet(a, b []string) bool {
	seen := map[string]int{}
	for _, s := range a {
		seen[s]++
	}
	for _, s := range b {
		seen[s]--
	}
	for _, n := range seen {
		if n != 0 {
			return false
		}
	}
	return true
}
