package postgres

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/land"
)

// snapshotsTable has one row for each snapshot.
const snapshotsTable = "_weir_snapshots"

// latestSuffix ends the name of a table's view of the latest snapshots.
const latestSuffix = "_latest"

// column is a column of a table as PostgreSQL has it.
type column struct{ name, kind string }

// relation is a table or view with its columns.
type relation struct {
	name    string
	columns []column
	place   []string // of a table's snapshots
	clock   string   // the column that says when a row was, if any
}

// SchemaError is a column that exists with another type than weir's.
type SchemaError struct {
	Table, Column string
	Have, Want    string // types as PostgreSQL names them
}

func (e *SchemaError) Error() string {
	return fmt.Sprintf("column %s.%s is of type %s, not %s", printable(e.Table), e.Column, printable(e.Have), e.Want)
}

// Hint says what the operator can do.
func (e *SchemaError) Hint() string {
	return fmt.Sprintf("rename the column %s (weir then adds its own), or land in another schema with ?schema=NAME", e.Column)
}

// kindOf is the type of a column.
func kindOf(kind land.Kind) string {
	switch kind {
	case land.Number:
		return "double precision"
	case land.Bool:
		return "boolean"
	case land.Instant:
		return "timestamp with time zone"
	case land.Date:
		return "date"
	case land.Integer:
		return "integer"
	case land.JSON:
		return "json"
	}
	return "text"
}

// placeColumns come before those of every table.
func placeColumns(t land.Table) []column {
	var columns []column
	for _, name := range t.Place() {
		columns = append(columns, column{name, "text"})
	}
	return append(columns, column{"snapshot", "text"})
}

func tableOf(t land.Table) relation {
	r := relation{name: t.Name, columns: placeColumns(t), place: t.Place(), clock: t.Clock()}
	for _, c := range t.Columns {
		r.columns = append(r.columns, column{c.Name, kindOf(c.Kind)})
	}
	return r
}

func snapshots() relation {
	return relation{name: snapshotsTable, columns: []column{
		{"path", "text"}, {"kind", "text"}, {"forecast_id", "text"}, {"time_period", "text"}, {"snapshot", "text"},
		{"request", "text"}, {"fingerprint", "text"}, {"snapshot_at", "timestamp with time zone"},
		{"landed_at", "timestamp with time zone"}, {"manifest", "json"},
		{"since", "text"}, {"until", "text"}, {"first_instant", "timestamp with time zone"}, {"last_instant", "timestamp with time zone"},
	}}
}

// missing compares what is wanted with what there is, and gives the statements
// that make up the difference. Nothing that exists is altered.
func (d *Database) missing(tables []land.Table, there map[string][]column) ([]string, error) {
	wanted := []relation{snapshots()}
	for _, t := range tables {
		wanted = append(wanted, tableOf(t))
	}
	var statements []string
	for _, r := range wanted {
		more, err := d.missingOf(r, there[r.name])
		if err != nil {
			return nil, err
		}
		statements = append(statements, more...)
	}
	for _, r := range wanted[1:] {
		if lacks(there[r.name+latestSuffix], r.columns) {
			statements = append(statements, d.latest(r))
		}
	}
	return statements, nil
}

func (d *Database) missingOf(r relation, there []column) ([]string, error) {
	if len(there) == 0 {
		return d.create(r), nil
	}
	var statements []string
	for _, c := range r.columns {
		at := slices.IndexFunc(there, func(o column) bool { return o.name == c.name })
		switch {
		case at < 0:
			statements = append(statements, fmt.Sprintf("ALTER TABLE %s ADD COLUMN %s %s", d.name(r.name), quote(c.name), c.kind))
		case there[at].kind != c.kind:
			return nil, &SchemaError{Table: r.name, Column: c.name, Have: there[at].kind, Want: c.kind}
		}
	}
	return statements, nil
}

func (d *Database) create(r relation) []string {
	var columns []string
	for _, c := range r.columns {
		columns = append(columns, quote(c.name)+" "+c.kind)
	}
	table := fmt.Sprintf("CREATE TABLE %s (%s)", d.name(r.name), strings.Join(columns, ", "))
	if r.name == snapshotsTable {
		return []string{table, fmt.Sprintf("ALTER TABLE %s ADD PRIMARY KEY (path)", d.name(r.name))}
	}
	return []string{table, fmt.Sprintf("CREATE INDEX ON %s (%s, snapshot)", d.name(r.name), strings.Join(r.place, ", "))}
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

func lacks(there, wanted []column) bool {
	return slices.ContainsFunc(wanted, func(c column) bool { return !slices.Contains(there, c) })
}

// latest makes the view of the newest snapshots. New columns of the table come
// last, as replacing a view asks for.
func (d *Database) latest(r relation) string {
	table := r.name
	if r.place[0] == "since" {
		return d.latestOfSpans(r)
	}
	return fmt.Sprintf(`CREATE OR REPLACE VIEW %s AS
SELECT t.* FROM %s t JOIN (
	SELECT DISTINCT ON (kind, forecast_id, time_period, request) forecast_id, time_period, snapshot
	FROM %s ORDER BY kind, forecast_id, time_period, request, snapshot_at DESC, snapshot DESC
) latest USING (forecast_id, time_period, snapshot)`, d.name(table+latestSuffix), d.name(table), d.name(snapshotsTable))
}

// latestOfSpans makes the view of tables whose snapshots overlap: of each instant
// the newest snapshot counts whose span holds it. Rows that say no instant count
// unless the same span has landed again; actors, which say none, count once each.
func (d *Database) latestOfSpans(r relation) string {
	distinct, order := "DISTINCT ON (t._weir_request, t.actor_type, t.actor_id) ", "\nORDER BY t._weir_request, t.actor_type, t.actor_id, t._weir_snapshot_at DESC"
	held := "newer.first_instant <= s.first_instant AND newer.last_instant >= s.last_instant"
	if r.clock != "" {
		distinct, order = "", ""
		clock := "t." + quote(r.clock)
		held = fmt.Sprintf("%s BETWEEN newer.first_instant AND newer.last_instant OR (%s IS NULL AND %s)", clock, clock, held)
	}
	return fmt.Sprintf(`CREATE OR REPLACE VIEW %s AS
SELECT %st.* FROM %s t JOIN %s s ON s.since = t.since AND s.until = t.until AND s.snapshot = t.snapshot AND s.request = t._weir_request
WHERE NOT EXISTS (
	SELECT 1 FROM %s newer
	WHERE newer.kind = s.kind AND newer.request = s.request AND (newer.snapshot_at, newer.snapshot, newer.path) > (s.snapshot_at, s.snapshot, s.path) AND (%s)
)%s`, d.name(r.name+latestSuffix), distinct, d.name(r.name), d.name(snapshotsTable), d.name(snapshotsTable), held, order)
}

// migrate creates what is missing, one process at a time.
func (d *Database) migrate(ctx context.Context, conn *pgx.Conn, tables []land.Table) error {
	if err := utf8Only(ctx, conn); err != nil {
		return err
	}
	there, err := d.relations(ctx, conn)
	if err != nil {
		return err
	}
	statements, err := d.missing(tables, there)
	if err != nil || len(statements) == 0 {
		return err
	}
	return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return d.migrateIn(ctx, tx, tables) })
}

// migrateIn looks again under the lock: another process may have been faster.
func (d *Database) migrateIn(ctx context.Context, tx pgx.Tx, tables []land.Table) error {
	if err := lock(ctx, tx, "weir schema "+d.place.schema); err != nil {
		return err
	}
	there, err := d.relations(ctx, tx)
	if err != nil {
		return err
	}
	statements, err := d.missing(tables, there)
	if err != nil {
		return err
	}
	if there == nil {
		statements = append([]string{"CREATE SCHEMA IF NOT EXISTS " + quote(d.place.schema)}, statements...)
	}
	for _, s := range statements {
		if _, err := tx.Exec(ctx, s); err != nil {
			return fault("create tables in", d.Name(), err)
		}
	}
	return nil
}

// lock waits for, and holds until the transaction ends, the lock of a name.
func lock(ctx context.Context, tx pgx.Tx, name string) error {
	_, err := tx.Exec(ctx, "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", name)
	return err
}

type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// relations are the tables and views of the schema with their columns; nil when
// there is no schema.
func (d *Database) relations(ctx context.Context, q querier) (map[string][]column, error) {
	rows, err := q.Query(ctx, `SELECT coalesce(r.relname, ''), coalesce(a.attname, ''), coalesce(format_type(a.atttypid, a.atttypmod), '')
FROM pg_namespace n
LEFT JOIN pg_class r ON r.relnamespace = n.oid AND r.relkind IN ('r', 'p', 'v', 'm', 'f')
LEFT JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = $1`, d.place.schema)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var there map[string][]column
	for rows.Next() {
		var table string
		var c column
		if err := rows.Scan(&table, &c.name, &c.kind); err != nil {
			return nil, err
		}
		if there == nil {
			there = map[string][]column{}
		}
		there[table] = append(there[table], c)
	}
	return there, rows.Err()
}

func utf8Only(ctx context.Context, conn *pgx.Conn) error {
	var encoding string
	if err := conn.QueryRow(ctx, "SHOW server_encoding").Scan(&encoding); err != nil {
		return err
	}
	if encoding != "UTF8" {
		return fmt.Errorf("the database is in %s, not in UTF8: CREATE DATABASE .. ENCODING 'UTF8'", printable(encoding))
	}
	return nil
}
