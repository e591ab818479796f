package parquet_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	arrow "github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/weirhq/weir/land"
)

// A second reader, Apache Arrow's, which shares no code with the one that
// writes, reads what the contract says: types, nulls, values, dictionaries,
// statistics.
func TestSecondReader(t *testing.T) {
	entries := []string{
		`{"userId":"u1","timePeriodId":"2026_Q1","forecastValue":1234.56,"quotaValue":0,"isUpdated":false,"updatedOn":1767952800123,"updatedBy":""}`,
		`{"userId":"u2","timePeriodId":"2026_Q1","forecastValue":null}`,
		`{"userId":"u1","timePeriodId":"2026_Q1","fieldId":"f","forecastValue":-9007199254740993,"isUpdated":true}`,
	}
	r, err := file.NewParquetReader(bytes.NewReader(landedBytes(t, `{"entries":[`+strings.Join(entries, ",")+`],`+lookups+`}`)))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	checkSchema(t, r.MetaData().Schema)
	if r.NumRows() != 3 || r.NumRowGroups() != 1 {
		t.Errorf("%d rows in %d groups", r.NumRows(), r.NumRowGroups())
	}
	group := r.RowGroup(0)
	for column, want := range map[string]string{
		"user_id": "u1 u2 u1", "user_name": "Zoë - Zoë", "forecast_value": "1234.56 - -9.007199254740992e+15", "quota_value": "0 - -", "is_updated": "false - true",
		"updated_on": "1767952800123 - -", "updated_by": " - -", "field_id": "- - f", "time_period_year": "2026 2026 2026", "time_period_start_date": "20454 20454 20454",
		"_weir_snapshot_at": "1795446245000 1795446245000 1795446245000", "_extra": `- - {"forecastValue":-9007199254740993}`, "currency_code": "- - -",
	} {
		if got := strings.Join(columnTexts(t, group, r.MetaData().Schema.ColumnIndexByName(column)), " "); got != want {
			t.Errorf("%s is %q, want %q", column, got, want)
		}
	}
	checkChunks(t, group.MetaData(), r.MetaData().Schema)
}

// checkSchema compares every column's types with the tables' own description.
func checkSchema(t *testing.T, s *schema.Schema) {
	t.Helper()
	types := map[land.Kind]string{
		land.Text: "BYTE_ARRAY String", land.JSON: "BYTE_ARRAY String", land.Number: "DOUBLE None", land.Bool: "BOOLEAN None",
		land.Instant: "INT64 Timestamp(isAdjustedToUTC=true, timeUnit=milliseconds, is_from_converted_type=false, force_set_converted_type=false)",
		land.Date:    "INT32 Date", land.Integer: "INT32 Int(bitWidth=32, isSigned=true)",
	}
	columns := land.ForecastTables()[0].Columns
	if s.NumColumns() != len(columns) {
		t.Fatalf("%d columns, want %d", s.NumColumns(), len(columns))
	}
	for i, c := range columns {
		got := s.Column(i)
		text := fmt.Sprintf("%s %s", got.PhysicalType(), got.LogicalType())
		if got.Name() != c.Name || text != types[c.Kind] || got.MaxDefinitionLevel() != 1 || got.MaxRepetitionLevel() != 0 {
			t.Errorf("column %d is %s, %s; want %s, %s, and optional", i, got.Name(), text, c.Name, types[c.Kind])
		}
	}
}

// checkChunks looks at how columns are stored.
func checkChunks(t *testing.T, group *metadata.RowGroupMetaData, s *schema.Schema) {
	t.Helper()
	for i := range s.NumColumns() {
		chunk, err := group.ColumnChunk(i)
		if err != nil {
			t.Fatal(err)
		}
		name := s.Column(i).Name()
		if chunk.Compression() != compress.Codecs.Zstd {
			t.Errorf("%s is compressed by %s", name, chunk.Compression())
		}
		text := s.Column(i).PhysicalType() == arrow.Types.ByteArray && name != "_extra"
		if text && !chunk.HasDictionaryPage() {
			t.Errorf("%s has no dictionary", name)
		}
		stats, err := chunk.Statistics()
		if err != nil || stats == nil || !stats.HasNullCount() {
			t.Errorf("%s has no count of nulls: %v", name, err)
			continue
		}
		switch name {
		case "forecast_value":
			if got := stats.(*metadata.Float64Statistics); stats.NullCount() != 1 || !got.HasMinMax() || got.Min() != -9007199254740992 || got.Max() != 1234.56 {
				t.Errorf("statistics of %s: %s", name, stats)
			}
		case "time_period_start_date":
			if got := stats.(*metadata.Int32Statistics); !got.HasMinMax() || got.Min() != 20454 {
				t.Errorf("statistics of %s: %s", name, stats)
			}
		case "user_id":
			if got := stats.(*metadata.ByteArrayStatistics); !got.HasMinMax() || string(got.Min()) != "u1" || string(got.Max()) != "u2" {
				t.Errorf("statistics of %s: %s", name, stats)
			}
		}
	}
}

// columnTexts are a column's values as text, null as a dash.
func columnTexts(t *testing.T, group *file.RowGroupReader, column int) []string {
	t.Helper()
	chunk, err := group.Column(column)
	if err != nil {
		t.Fatal(err)
	}
	const most = 10
	levels := make([]int16, most)
	var texts []string
	var rows int64
	add := func(n int64, read int, err error, at func(int) any) {
		if err != nil {
			t.Fatal(err)
		}
		rows = n
		for i := range read {
			texts = append(texts, fmt.Sprint(at(i)))
		}
	}
	switch chunk := chunk.(type) {
	case *file.ByteArrayColumnChunkReader:
		values := make([]arrow.ByteArray, most)
		n, read, err := chunk.ReadBatch(most, values, levels, nil)
		add(n, read, err, func(i int) any { return string(values[i]) })
	case *file.Float64ColumnChunkReader:
		values := make([]float64, most)
		n, read, err := chunk.ReadBatch(most, values, levels, nil)
		add(n, read, err, func(i int) any { return values[i] })
	case *file.BooleanColumnChunkReader:
		values := make([]bool, most)
		n, read, err := chunk.ReadBatch(most, values, levels, nil)
		add(n, read, err, func(i int) any { return values[i] })
	case *file.Int64ColumnChunkReader:
		values := make([]int64, most)
		n, read, err := chunk.ReadBatch(most, values, levels, nil)
		add(n, read, err, func(i int) any { return values[i] })
	case *file.Int32ColumnChunkReader:
		values := make([]int32, most)
		n, read, err := chunk.ReadBatch(most, values, levels, nil)
		add(n, read, err, func(i int) any { return values[i] })
	}
	var all []string
	for _, level := range levels[:rows] {
		if level == 0 {
			all = append(all, "-")
			continue
		}
		all, texts = append(all, texts[0]), texts[1:]
	}
	return all
}
