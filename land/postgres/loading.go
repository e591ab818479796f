package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/land"
)

// loading is one snapshot in its transaction.
type loading struct {
	db    *Database
	conn  *pgx.Conn
	tx    pgx.Tx
	about land.Landing
	there *land.Manifest
}

// Begin connects, creates what is missing, and opens the snapshot's
// transaction.
func (d *Database) Begin(ctx context.Context, s land.Landing) (land.Loading, error) {
	conn, err := d.connect(ctx)
	if err != nil {
		return nil, err
	}
	l := &loading{db: d, conn: conn, about: s}
	if err := l.begin(ctx); err != nil {
		hangUp(conn)
		return nil, fault("open", d.Name(), err)
	}
	return l, nil
}

func (l *loading) begin(ctx context.Context) error {
	err := l.db.migrate(ctx, l.conn, l.about.Tables)
	if err != nil {
		return err
	}
	if l.tx, err = l.conn.Begin(ctx); err != nil {
		return err
	}
	if err := lock(ctx, l.tx, "weir snapshot "+l.db.place.schema+" "+l.about.Path); err != nil {
		return err
	}
	found, err := l.db.manifests(ctx, l.tx, "path = $1", l.about.Path)
	if err == nil && len(found) > 0 {
		l.there = &found[0]
	}
	return err
}

// Manifest is that of the snapshot if it has landed before.
func (l *loading) Manifest() *land.Manifest { return l.there }

// Load copies the rows of a table.
func (l *loading) Load(ctx context.Context, t land.Table, rows iter.Seq2[*land.Rows, error]) (int64, error) {
	names := placeColumns(t)
	for _, c := range t.Columns {
		names = append(names, column{name: c.Name})
	}
	var quoted []string
	for _, c := range names {
		quoted = append(quoted, quote(c.name))
	}
	encoded := newCopyStream(t, append(land.PlaceOf(l.about.Request), l.about.Snapshot), rows)
	sql := fmt.Sprintf("COPY %s (%s) FROM STDIN WITH (FORMAT binary)", l.db.name(t.Name), strings.Join(quoted, ", "))
	_, err := l.conn.PgConn().CopyFrom(ctx, encoded, sql)
	replaced, unread := encoded.close()
	if unread != nil { // the rows failed, not the database
		return 0, unread
	}
	return replaced, fault("load", t.Name, err)
}

// Commit writes the snapshot's own row and ends the transaction.
func (l *loading) Commit(ctx context.Context, m land.Manifest) error {
	text, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode manifest: %w", err)
	}
	first, last := m.Request.Span()
	_, err = l.tx.Exec(ctx, "INSERT INTO "+l.db.name(snapshotsTable)+
		` (path, kind, forecast_id, time_period, snapshot, request, fingerprint, snapshot_at, landed_at, manifest, since, until, first_instant, last_instant)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, now(), $9::text::json, $10, $11, $12, $13)`,
		m.Path, string(m.Request.Kind), m.Request.ForecastID, string(m.Request.Period), m.Snapshot, m.Likeness, m.Fingerprint, m.SnapshotAt, string(text),
		m.Request.Since, m.Request.Until, instantOf(first), instantOf(last))
	if err == nil {
		err = l.tx.Commit(ctx)
	}
	return fault("commit", l.about.Path, err)
}

// instantOf is null for no instant.
func instantOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// Close ends the connection, and with it whatever was not committed.
func (l *loading) Close() error {
	hangUp(l.conn)
	return nil
}

// Find gives the manifests of a request's snapshots, newest first; none where
// nothing has landed yet.
func (d *Database) Find(ctx context.Context, fingerprint string) (found []land.Manifest, err error) {
	err = d.with(ctx, func(conn *pgx.Conn) error {
		found, err = d.standing(ctx, conn, "fingerprint = $1", fingerprint)
		return err
	})
	return found, err
}

// Stands reports whether a snapshot stands.
func (d *Database) Stands(ctx context.Context, path string) (bool, error) {
	var found []land.Manifest
	err := d.with(ctx, func(conn *pgx.Conn) (err error) {
		found, err = d.standing(ctx, conn, "path = $1", path)
		return err
	})
	return len(found) > 0, err
}

func (d *Database) standing(ctx context.Context, conn *pgx.Conn, where, value string) ([]land.Manifest, error) {
	there, err := d.relations(ctx, conn)
	if err != nil || len(there[snapshotsTable]) == 0 {
		return nil, fault("read", d.Name(), err)
	}
	return d.manifests(ctx, conn, where, value)
}

// manifests reads manifests, newest first. One that cannot be read is an error
// where it is asked for, because its snapshot stands.
func (d *Database) manifests(ctx context.Context, q querier, where, value string) ([]land.Manifest, error) {
	rows, err := q.Query(ctx, "SELECT manifest::text FROM "+d.name(snapshotsTable)+" WHERE "+where+" ORDER BY snapshot_at DESC, snapshot DESC", value)
	if err != nil {
		return nil, fault("read", d.Name(), err)
	}
	texts, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fault("read", d.Name(), err)
	}
	var found []land.Manifest
	var unread error
	for _, text := range texts {
		m, err := land.ReadManifest(strings.NewReader(text))
		if err != nil {
			unread = errors.Join(unread, err)
			continue
		}
		found = append(found, m)
	}
	return found, unread
}
