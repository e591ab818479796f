package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/land"
)

var _ land.Archive = (*Database)(nil)

// prunedTable has one row for each snapshot that was pruned.
const prunedTable = "_weir_pruned"

// Snapshots gives the manifests that are selected, newest first. One that cannot
// be read is no snapshot.
func (d *Database) Snapshots(ctx context.Context, s land.Selection) ([]land.Manifest, error) {
	var found []land.Manifest
	err := d.with(ctx, func(conn *pgx.Conn) error {
		there, err := d.relations(ctx, conn)
		if err != nil || len(there[snapshotsTable]) == 0 {
			return fault("read", d.Name(), err)
		}
		rows, err := conn.Query(ctx, "SELECT manifest::text FROM "+d.name(snapshotsTable)+
			" WHERE ($1 = '' OR forecast_id = $1) AND ($2 = '' OR time_period = $2) AND starts_with(snapshot, $3)",
			s.ForecastID, string(s.Period), s.Snapshot)
		if err != nil {
			return fault("read", d.Name(), err)
		}
		texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
		for _, text := range texts {
			if m, err := land.ReadManifest(strings.NewReader(text)); err == nil && s.Fits(m) {
				found = append(found, m)
			}
		}
		return fault("read", d.Name(), err)
	})
	land.SortManifests(found)
	return found, err
}

// Read gives the rows of one table of a snapshot.
func (d *Database) Read(ctx context.Context, m land.Manifest, r land.Reading, each func([]land.Field) error) error {
	columns, err := r.ColumnsOf()
	if err != nil {
		return err
	}
	return d.with(ctx, func(conn *pgx.Conn) error {
		there, err := d.relations(ctx, conn)
		if err != nil {
			return fault("read", d.Name(), err)
		}
		return d.read(ctx, conn, m, r.Table, selected(columns, there[r.Table]), columns, each)
	})
}

func (d *Database) read(ctx context.Context, conn *pgx.Conn, m land.Manifest, table, list string, columns []land.Column, each func([]land.Field) error) error {
	rows, err := conn.Query(ctx, "SELECT "+list+" FROM "+d.name(table)+ofSnapshot(table), placeArgs(m)...)
	if err != nil {
		return fault("read", table, err)
	}
	defer rows.Close()
	if err := scanRows(rows, columns, each); err != nil {
		return err
	}
	return fault("read", table, rows.Err())
}

// ofSnapshot narrows a table to the rows of one snapshot; placeArgs are its
// parameters.
func ofSnapshot(table string) string {
	place := land.Table{Name: table}.Place()
	return fmt.Sprintf(" WHERE %s = $1 AND %s = $2 AND snapshot = $3", quote(place[0]), quote(place[1]))
}

func placeArgs(m land.Manifest, more ...any) []any {
	place := land.PlaceOf(m.Request)
	return append([]any{place[0], place[1], m.Snapshot}, more...)
}

// selected are the columns as text, number or whole number; those that the
// table does not have are null.
func selected(columns []land.Column, there []column) string {
	has := map[string]bool{}
	for _, c := range there {
		has[c.name] = true
	}
	var parts []string
	for _, c := range columns {
		name, kind := quote(c.Name), "text"
		switch c.Kind {
		case land.Number:
			kind = "float8"
		case land.Instant:
			name, kind = "round(extract(epoch from "+name+") * 1000)", "int8"
		case land.Date:
			name, kind = "("+name+" - date '1970-01-01')", "int8"
		case land.Bool:
			name, kind = name+"::int", "int8"
		case land.Integer:
			kind = "int8"
		}
		if !has[c.Name] {
			name = "NULL"
		}
		parts = append(parts, name+"::"+kind)
	}
	return strings.Join(parts, ", ")
}

// scanRows gives each row.
func scanRows(rows pgx.Rows, columns []land.Column, each func([]land.Field) error) error {
	texts, doubles, ints := make([]*string, len(columns)), make([]*float64, len(columns)), make([]*int64, len(columns))
	into := make([]any, len(columns))
	for i, c := range columns {
		switch c.Kind {
		case land.Text, land.JSON:
			into[i] = &texts[i]
		case land.Number:
			into[i] = &doubles[i]
		default:
			into[i] = &ints[i]
		}
	}
	row := make([]land.Field, len(columns))
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return fault("read", "rows", err)
		}
		for i := range row {
			switch {
			case texts[i] != nil:
				row[i] = land.Field{Present: true, Text: []byte(*texts[i])}
			case doubles[i] != nil:
				row[i] = land.Field{Present: true, Double: *doubles[i]}
			case ints[i] != nil:
				row[i] = land.Field{Present: true, Int: *ints[i]}
			default:
				row[i] = land.Field{}
			}
		}
		if err := each(row); err != nil {
			return err
		}
	}
	return nil
}

// Prune takes snapshots away, each in one transaction: its rows, its own row,
// and the note that it was pruned.
func (d *Database) Prune(ctx context.Context, now time.Time, doomed []land.Manifest, each func(land.Manifest) error) error {
	err := d.with(ctx, func(conn *pgx.Conn) error {
		there, err := d.relations(ctx, conn)
		if err != nil || len(doomed) == 0 {
			return fault("read", d.Name(), err)
		}
		if len(there[prunedTable]) == 0 {
			if _, err := conn.Exec(ctx, "CREATE TABLE IF NOT EXISTS "+d.name(prunedTable)+
				" (path text PRIMARY KEY, snapshot_at timestamptz NOT NULL, pruned_at timestamptz NOT NULL)"); err != nil {
				return fault("create", prunedTable, err)
			}
		}
		if _, err := conn.Exec(ctx, "DELETE FROM "+d.name(prunedTable)+" WHERE snapshot_at < $1", now.Add(-land.PruneMemory)); err != nil {
			return fault("prune", prunedTable, err)
		}
		for _, m := range doomed {
			if err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return d.prune(ctx, tx, now, m, there) }); err != nil {
				return fault("prune", m.Path, err)
			}
			if err := each(m); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		return &land.WriteError{Op: "prune", Path: d.Name(), Err: err}
	}
	return err
}

func (d *Database) prune(ctx context.Context, tx pgx.Tx, now time.Time, m land.Manifest, there map[string][]column) error {
	if err := lock(ctx, tx, "weir snapshot "+d.place.schema+" "+m.Path); err != nil {
		return err
	}
	for _, t := range m.Tables {
		if len(there[t.Name]) == 0 || t.Name == snapshotsTable || t.Name == prunedTable {
			continue
		}
		if _, err := tx.Exec(ctx, "DELETE FROM "+d.name(t.Name)+ofSnapshot(t.Name), placeArgs(m)...); err != nil {
			return err
		}
	}
	if _, err := tx.Exec(ctx, "DELETE FROM "+d.name(snapshotsTable)+" WHERE path = $1", m.Path); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, "INSERT INTO "+d.name(prunedTable)+" (path, snapshot_at, pruned_at) VALUES ($1, $2, $3)"+
		" ON CONFLICT (path) DO UPDATE SET pruned_at = EXCLUDED.pruned_at", m.Path, m.SnapshotAt, now)
	return err
}

// Pruned reports whether a snapshot was taken away by Prune.
func (d *Database) Pruned(ctx context.Context, path string) (pruned bool, err error) {
	err = d.with(ctx, func(conn *pgx.Conn) error {
		there, err := d.relations(ctx, conn)
		if err != nil || len(there[prunedTable]) == 0 {
			return fault("read", d.Name(), err)
		}
		err = conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM "+d.name(prunedTable)+" WHERE path = $1)", path).Scan(&pruned)
		return fault("read", prunedTable, err)
	})
	return pruned, err
}
