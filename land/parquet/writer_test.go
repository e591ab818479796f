package parquet_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	parquetgo "github.com/parquet-go/parquet-go"
	"github.com/weirhq/weir"
	"github.com/weirhq/weir/land"
	"github.com/weirhq/weir/land/parquet"
)

// landed lands a result and opens its entries.
func landed(t *testing.T, text string) *parquetgo.File {
	t.Helper()
	return open(t, landedBytes(t, text))
}

// landedBytes lands a result and gives the file of its entries.
func landedBytes(t *testing.T, text string) []byte {
	t.Helper()
	r, err := land.Receive(context.Background(), strings.NewReader(text), land.Source{
		Request: weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: "2026_Q1"}, Job: weir.Job{ID: "j1"},
		SnapshotAt: time.Date(2026, 11, 23, 15, 4, 5, 0, time.UTC), Length: -1, SpoolDir: filepath.Join(t.TempDir(), "spool"),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	path := t.TempDir()
	dest, err := land.OpenDestination(path, "")
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.Publish(context.Background(), dest, land.Target{Format: land.Parquet, Primary: true})
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(path, m.Tables[0].Files[0].Path))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func open(t *testing.T, content []byte) *parquetgo.File {
	t.Helper()
	file, err := parquetgo.OpenFile(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// rows gives every row as column name to value, null left out.
func rows(t *testing.T, file *parquetgo.File) []map[string]parquetgo.Value {
	t.Helper()
	names := file.Schema().Columns()
	var all []map[string]parquetgo.Value
	for _, group := range file.RowGroups() {
		reader := group.Rows()
		buffer := make([]parquetgo.Row, 100)
		for {
			n, err := reader.ReadRows(buffer)
			for _, row := range buffer[:n] {
				values := map[string]parquetgo.Value{}
				for _, value := range row {
					if !value.IsNull() {
						values[names[value.Column()][0]] = value.Clone()
					}
				}
				all = append(all, values)
			}
			if err != nil {
				break
			}
		}
		if err := reader.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

const lookups = `"users":[{"userId":"u1","name":"Zoë"}],"timePeriods":[{"timePeriodId":"2026_Q1","year":2026,"startDate":"2026-01-01"}]`

func TestSchemaIsTheContract(t *testing.T) {
	file := landed(t, `{"entries":[],`+lookups+`}`)
	types := map[string]string{"double": "DOUBLE", "bool": "BOOLEAN", "text": "STRING", "json": "STRING", "timestamp": "TIMESTAMP(isAdjustedToUTC=true,unit=MILLIS)", "date": "DATE", "int": "INT(32,true)"}
	columns := file.Schema().Fields()
	for i, want := range land.ForecastTables()[0].Columns {
		got := columns[i]
		kind := got.Type().Kind().String()
		if logical := got.Type().LogicalType(); logical != nil {
			kind = got.Type().String()
		}
		if got.Name() != want.Name || !got.Optional() || kind != types[want.Kind.String()] {
			t.Errorf("column %d is %s %s, want %s %s", i, got.Name(), kind, want.Name, types[want.Kind.String()])
		}
	}
}

func TestValuesReadBack(t *testing.T) {
	entries := []string{
		`{"userId":"u1","timePeriodId":"2026_Q1","forecastValue":1234.56,"quotaValue":0,"isUpdated":false,"updatedOn":1767952800123,"updatedBy":""}`,
		`{"userId":"u2","timePeriodId":"2026_Q1","forecastValue":null}`,
		`{"userId":"u3","timePeriodId":"2026_Q1","forecastValue":9007199254740993,"quotaValue":-0,"adjustmentValue":1e400,"crmTotal":1e-400,"crmClosed":1e308,"x":1}`,
	}
	got := rows(t, landed(t, `{"entries":[`+strings.Join(entries, ",")+`],`+lookups+`}`))
	if len(got) != 3 {
		t.Fatalf("%d rows", len(got))
	}
	for i, want := range []map[string]string{
		{"forecast_value": "1234.56", "quota_value": "0", "is_updated": "false", "updated_on": "1767952800123", "updated_by": "", "user_name": "Zoë", "time_period_year": "2026", "time_period_start_date": "20454",
			"user_id": "u1", "time_period_id": "2026_Q1", "_weir_job_id": "j1", "_weir_snapshot_at": "1795446245000"},
		{"user_id": "u2"},
		{"forecast_value": "9.007199254740992e+15", "quota_value": "-0", "crm_closed": "1e+308",
			"_extra": `{"x":1,"forecastValue":9007199254740993,"adjustmentValue":1e400,"crmTotal":1e-400}`},
	} {
		for name, text := range want {
			if value, ok := got[i][name]; !ok || value.String() != text {
				t.Errorf("row %d: %s is %q, want %q", i, name, value.String(), text)
			}
		}
	}
	for i, absent := range [][]string{{"_extra", "adjustment_value"}, {"forecast_value", "is_updated", "updated_on", "updated_by", "user_name", "_extra"}, {"adjustment_value", "crm_total"}} {
		for _, name := range absent {
			if value, ok := got[i][name]; ok {
				t.Errorf("row %d: %s is %s, want null", i, name, value)
			}
		}
	}
	var extra map[string]json.Number
	if err := json.Unmarshal(got[2]["_extra"].ByteArray(), &extra); err != nil {
		t.Error(err)
	}
}

// Several row groups, a dictionary that grows too large, and statistics.
func TestLargeFile(t *testing.T) {
	const batch, batches = 8192, 20
	columns := []parquet.Column{{Name: "z", Kind: parquet.String}, {Name: "a", Kind: parquet.Double}, {Name: "m", Kind: parquet.Date}}
	var out bytes.Buffer
	w := parquet.NewWriter(&out, "table", columns)
	for n := range batches {
		codes, present := make([]uint32, batch), make([]uint8, batch)
		doubles, days := make([]float64, batch), make([]int64, batch)
		for i := range batch {
			row := n*batch + i
			codes[i], doubles[i], days[i], present[i] = uint32(i+1), float64(row)/2, int64(row), uint8(row%3)
		}
		text := func(code uint32) []byte { return fmt.Appendf(nil, "text of row %d", n*batch+int(code)-1) }
		if err := w.Write(batch, []parquet.Values{{Codes: codes, Count: batch, Text: text}, {Present: present, Doubles: doubles}, {Present: present, Ints: days}}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	file := open(t, out.Bytes())
	if file.NumRows() != batch*batches || len(file.RowGroups()) != 2 {
		t.Fatalf("%d rows in %d groups", file.NumRows(), len(file.RowGroups()))
	}
	for row, values := range rows(t, file) {
		_, has := values["a"]
		if values["z"].String() != fmt.Sprintf("text of row %d", row) || has != (row%3 > 0) || has && (values["a"].Double() != float64(row)/2 || values["m"].Int32() != int32(row)) {
			t.Fatalf("row %d: %v", row, values)
		}
	}
	stats := file.Metadata().RowGroups[1].Columns[1].MetaData.Statistics
	if len(stats.MinValue) != 8 || len(stats.MaxValue) != 8 || stats.NullCount == 0 {
		t.Errorf("statistics %+v", stats)
	}
	if codec := file.Metadata().RowGroups[0].Columns[0].MetaData.Codec.String(); codec != "ZSTD" {
		t.Errorf("codec %s", codec)
	}
}

func TestWriteRefusesOtherColumns(t *testing.T) {
	w := parquet.NewWriter(&bytes.Buffer{}, "table", []parquet.Column{{Name: "a"}})
	if err := w.Write(0, nil); err == nil {
		t.Error("no error")
	}
}
