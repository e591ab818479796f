package land

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/weirhq/weir"
)

// writeViews regenerates _views/latest.sql of a place from its manifests. It
// looks again after writing: of two writers the last one has seen everything.
func writeViews(ctx context.Context, store Store, place string) error {
	const most = 10
	var before []string
	for n := range most {
		names, err := store.List(ctx, place+manifestsDir)
		if err != nil {
			return writeError("list", place+manifestsDir, err)
		}
		if n > 0 && slices.Equal(names, before) {
			return nil
		}
		before = names
		if err := writeViewsOf(ctx, store, place, names); err != nil {
			return writeError("write", place+viewsPath, err)
		}
	}
	return nil // others keep publishing and will write it
}

func writeViewsOf(ctx context.Context, store Store, place string, names []string) error {
	latest := map[string]Manifest{}
	for _, name := range names {
		text, err := readAll(ctx, store, name)
		if err != nil {
			return err
		}
		m, err := ReadManifest(bytes.NewReader(text))
		if err != nil {
			continue // not ours, or of a later version
		}
		key := strings.Join([]string{string(m.Request.Kind), m.Request.ForecastID, string(m.Request.Period), m.Request.Since, m.Request.Until, m.Likeness}, "\x00")
		if old, ok := latest[key]; !ok || older(old, m) {
			latest[key] = m
		}
	}
	text := viewsSQL(slices.SortedFunc(maps.Values(latest), func(a, b Manifest) int { return strings.Compare(a.Path, b.Path) }))
	file, err := store.Create(ctx, place+viewsPath)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, bytes.NewReader(text))
	if err == nil {
		err = file.Publish(ctx, true)
	}
	return errors.Join(err, file.Discard())
}

func readAll(ctx context.Context, store Store, name string) ([]byte, error) {
	file, err := store.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(file, maxManifest))
	return text, errors.Join(err, file.Close())
}

func older(a, b Manifest) bool {
	return cmp.Or(a.SnapshotAt.Compare(b.SnapshotAt), strings.Compare(a.Snapshot, b.Snapshot)) < 0
}

const viewsHead = `-- The latest snapshot of each forecast, period and kind of request, and of each
-- instant of activities and audit events, for DuckDB.
-- Written anew by weir whenever a snapshot lands; changes to this file are lost.
-- Paths are relative: start DuckDB in the destination's directory, or first run
-- SET file_search_path = '/path/to/destination';
`

// viewsSQL writes one view for each table. Several formats in one place are
// united; forecast_id and time_period, or since and until, and snapshot come from
// the path.
func viewsSQL(latest []Manifest) []byte {
	var out bytes.Buffer
	out.WriteString(viewsHead)
	for _, kind := range []weir.Kind{weir.Forecast, weir.Activity, weir.Audit} {
		for _, t := range tablesOf(kind) {
			if query := viewOf(t, kind, latest); query != "" {
				fmt.Fprintf(&out, "\nCREATE OR REPLACE VIEW %s AS\n%s;\n", t.Name, query)
			}
		}
	}
	return out.Bytes()
}

func pathsIn(latest []Manifest, table string, format Format) []string {
	var paths []string
	for _, m := range latest {
		for _, t := range m.Tables {
			if t.Name != table || m.Format != format {
				continue
			}
			for _, file := range t.Files {
				paths = append(paths, sqlText(file.Path))
			}
		}
	}
	return paths
}

func scan(t Table, format Format, paths []string) string {
	list := "[\n  " + strings.Join(paths, ",\n  ") + "\n]"
	const hive = "hive_partitioning = true, hive_types_autocast = false"
	switch format.Plain() { // DuckDB knows a compression by the file's name
	case CSV:
		return fmt.Sprintf("read_csv(%s, %s, header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"', nullstr = '', allow_quoted_nulls = false, columns = %s)", list, hive, sqlColumns(t))
	case JSONL:
		return fmt.Sprintf("read_json(%s, %s, format = 'newline_delimited', columns = %s)", list, hive, sqlColumns(t))
	}
	return fmt.Sprintf("read_parquet(%s, %s, union_by_name = true)", list, hive)
}

func sqlColumns(t Table) string {
	var columns []string
	for _, c := range t.Columns {
		columns = append(columns, sqlText(c.Name)+": "+sqlText(sqlType(c.Kind)))
	}
	return "{" + strings.Join(columns, ", ") + "}"
}

func sqlType(kind Kind) string {
	switch kind {
	case Number:
		return "DOUBLE"
	case Bool:
		return "BOOLEAN"
	case Instant:
		return "TIMESTAMPTZ"
	case Date:
		return "DATE"
	case Integer:
		return "INTEGER"
	}
	return "VARCHAR"
}

func sqlText(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
