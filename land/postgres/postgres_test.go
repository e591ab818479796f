package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/servertest"
	"github.com/weirhq/weir/land"
	"github.com/weirhq/weir/land/landtest"
	"github.com/weirhq/weir/land/postgres"
)

// server gives every test a schema of its own in one PostgreSQL.
type server struct {
	*servertest.Postgres
	schemas *atomic.Int64
}

func start(t *testing.T) server {
	s := server{servertest.StartPostgres(t), &atomic.Int64{}}
	t.Setenv("PGPASSWORD", s.Password)
	return s
}

// place is one schema.
type place struct {
	server server
	schema string
}

func (s server) place() place {
	return place{s, fmt.Sprintf(`sch"ema %d`, s.schemas.Add(1))}
}

func (p place) at(t *testing.T, address string) land.Destination {
	t.Helper()
	return land.Tables(p.database(t, address))
}

func (p place) database(t *testing.T, address string) *postgres.Database {
	t.Helper()
	name := strings.Replace(p.server.URL("postgres"), p.server.Address, address, 1)
	db, err := postgres.Open(name+"?sslmode=disable&schema="+url.QueryEscape(p.schema), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// Open opens the schema.
func (p place) Open(t *testing.T) land.Destination { return p.at(t, p.server.Address) }

// OpenFailing opens it over a link that breaks.
func (p place) OpenFailing(t *testing.T, n int) (land.Destination, func() bool) {
	l := newLink(t, p.server.Address, n)
	return p.at(t, l.address()), l.broken
}

// Archive opens the schema to look at its snapshots.
func (p place) Archive(t *testing.T) land.Archive { return p.database(t, p.server.Address) }

// ArchiveFailing opens it over a link that breaks.
func (p place) ArchiveFailing(t *testing.T, n int) (land.Archive, func() bool) {
	l := newLink(t, p.server.Address, n)
	return p.database(t, l.address()), l.broken
}

// query gives the rows of a statement as text, their columns joined by "|". The
// tables are found without their schema.
func (p place) query(t *testing.T, sql string) []string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), p.server.URL("postgres")+"?sslmode=disable")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(t.Context(), "SET search_path = "+pgx.Identifier{p.schema}.Sanitize()); err != nil {
		t.Fatal(err)
	}
	rows, err := conn.Query(t.Context(), sql, pgx.QueryExecModeSimpleProtocol)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (string, error) {
		var values []string
		for _, value := range row.RawValues() {
			text := string(value)
			if value == nil {
				text = "null"
			}
			values = append(values, text)
		}
		return strings.Join(values, "|"), nil
	})
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return all
}

// Look compares the rows of every table with the manifests.
func (p place) Look(t *testing.T) []land.Manifest {
	t.Helper()
	if there := p.query(t, "SELECT to_regclass('_weir_snapshots') IS NOT NULL"); there[0] != "t" {
		return nil
	}
	var all []land.Manifest
	for _, text := range p.query(t, "SELECT manifest FROM _weir_snapshots ORDER BY path") {
		m, err := land.ReadManifest(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	for _, table := range land.AllTables() {
		var want []string
		for _, m := range all {
			at := slices.IndexFunc(m.Tables, func(mt land.ManifestTable) bool { return mt.Name == table.Name })
			if at >= 0 && m.Tables[at].Rows > 0 {
				want = append(want, fmt.Sprintf("%s|%s|%d", land.PlaceOf(m.Request)[0], m.Snapshot, m.Tables[at].Rows))
			}
		}
		if there := p.query(t, "SELECT to_regclass('"+table.Name+"') IS NOT NULL"); there[0] != "t" && len(want) == 0 {
			continue
		}
		got := p.query(t, "SELECT "+table.Place()[0]+", snapshot, count(*) FROM "+table.Name+" GROUP BY 1, 2")
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s has\n%q, manifests say\n%q", table.Name, got, want)
		}
	}
	return all
}

func jsonl() land.Target { return land.Target{Format: land.JSONL, Primary: true} }

func mustLand(t *testing.T, p place, text string, change func(*land.Source)) land.Manifest {
	t.Helper()
	m, err := landtest.Receive(t, text, change).Publish(t.Context(), p.Open(t), jsonl())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func want(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

func TestPostgres(t *testing.T) {
	s := start(t)
	t.Run("contract", func(t *testing.T) {
		landtest.Run(t, func(*testing.T) landtest.Place { return s.place() }, func(t *testing.T) land.Destination {
			l := newLink(t, s.Address, 1)
			l.cut()
			return s.place().at(t, l.address())
		})
	})
	t.Run("archive", func(t *testing.T) {
		landtest.Archive(t, func(*testing.T) landtest.ArchivePlace { return s.place() })
	})
	for name, test := range map[string]func(*testing.T, place){
		"typed values":      typedValues,
		"latest":            latest,
		"spans":             spans,
		"column added":      columnAdded,
		"type changed":      typeChanged,
		"no rights needed":  noRightsNeeded,
		"deep documents":    deepDocuments,
		"rechecked":         rechecked,
		"restarted midway":  restarted,
		"wrong password":    wrongPassword,
		"formats land once": formatsLandOnce,
	} {
		t.Run(name, func(t *testing.T) { test(t, s.place()) })
	}
}

func typedValues(t *testing.T, p place) {
	m := mustLand(t, p, landtest.Result(), nil)
	want(t, "types", p.query(t, `SELECT DISTINCT data_type FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name = 'forecast_entries' ORDER BY 1`),
		"boolean", "date", "double precision", "integer", "json", "text", "timestamp with time zone")
	want(t, "entries", p.query(t, `SELECT user_id, field_id, forecast_value, quota_value, adjustment_value, is_updated, updated_by,
		updated_on AT TIME ZONE 'UTC', time_frame_start_date, time_period_year, _weir_snapshot_at AT TIME ZONE 'UTC', _extra
		FROM forecast_entries ORDER BY user_id, field_id`),
		`gone|f1|null|null|null|null|null|null|2026-01-05|2026|2026-11-23 15:04:05.678|null`,
		`u1|f1|1234.5|null|null|t|u2|2026-01-05 15:04:05.678|2026-01-05|2026|2026-11-23 15:04:05.678|null`,
		`u1|fé|null|null|null|null||null|2026-01-05|2026|2026-11-23 15:04:05.678|{"mood":{"a":[1.10,"\u0000"]}}`,
		`u2|f1|-0|9.007199254740992e+15|null|f|null|null|2026-01-05|2026|2026-11-23 15:04:05.678|{"quotaValue":9007199254740993,"adjustmentValue":1e400}`)
	want(t, "users", p.query(t, "SELECT name, email FROM forecast_users ORDER BY 2"), "Ada \"A\" L, Jr\n\\.|ada@x.test", "Ωmega 日本 😀\uFFFD|null")
	at := slices.IndexFunc(m.Checks, func(c land.Check) bool { return c.Name == land.CheckText })
	// Twice: in the users, and looked up in the entries.
	if m.Checks[at].Outcome != land.Noted || !strings.HasPrefix(m.Checks[at].Detail, "2 NUL characters") {
		t.Errorf("check %+v", m.Checks[at])
	}
	want(t, "place", p.query(t, "SELECT DISTINCT forecast_id, time_period, snapshot FROM forecast_fields"), "net_arr|2026_Q1|"+m.Snapshot)
}

func latest(t *testing.T, p place) {
	mustLand(t, p, landtest.Result(), nil)
	newest := mustLand(t, p, landtest.Result(), func(s *land.Source) { s.SnapshotAt = s.SnapshotAt.AddDate(0, 0, 1) })
	unlike := mustLand(t, p, landtest.Result(), func(s *land.Source) { s.Request.Types = []string{"quota"}; s.Job.ID = "77" })
	want(t, "latest", p.query(t, "SELECT snapshot, _weir_request, count(*) FROM forecast_entries_latest GROUP BY 1, 2 ORDER BY 1"),
		fmt.Sprintf("%s|%s|%d", unlike.Snapshot, unlike.Likeness, landtest.Rows), fmt.Sprintf("%s|%s|%d", newest.Snapshot, newest.Likeness, landtest.Rows))
}

func columnAdded(t *testing.T, p place) {
	mustLand(t, p, landtest.Result(), nil)
	p.query(t, "ALTER TABLE forecast_users DROP COLUMN email CASCADE")
	p.query(t, "ALTER TABLE forecast_users ADD COLUMN mine text DEFAULT 'x'")
	mustLand(t, p, landtest.Result(), func(s *land.Source) { s.Job.ID = "88"; s.SnapshotAt = s.SnapshotAt.AddDate(1, 0, 0) })
	want(t, "users", p.query(t, "SELECT email, mine FROM forecast_users WHERE user_id = 'u1' ORDER BY snapshot"), "null|x", "ada@x.test|x")
	want(t, "latest users", p.query(t, "SELECT email FROM forecast_users_latest WHERE user_id = 'u1'"), "ada@x.test")
}

func typeChanged(t *testing.T, p place) {
	mustLand(t, p, landtest.Result(), nil)
	p.query(t, "DROP VIEW forecast_entries_latest")
	p.query(t, "ALTER TABLE forecast_entries ALTER COLUMN quota_value TYPE numeric")
	_, err := landtest.Receive(t, landtest.Result(), func(s *land.Source) { s.Job.ID = "99" }).Publish(t.Context(), p.Open(t), jsonl())
	var changed *postgres.SchemaError
	if !errors.Is(err, land.ErrDestination) || !errors.As(err, &changed) || changed.Column != "quota_value" || changed.Have != "numeric" || changed.Hint() == "" {
		t.Errorf("got %v", err)
	}
	if all := p.Look(t); len(all) != 1 {
		t.Errorf("%d snapshots", len(all))
	}
	want(t, "views", p.query(t, "SELECT to_regclass('forecast_entries_latest') IS NULL"), "t")
}

// A user who may only read and insert can land where nothing has to be created.
func noRightsNeeded(t *testing.T, p place) {
	mustLand(t, p, landtest.Result(), nil)
	schema := pgx.Identifier{p.schema}.Sanitize()
	p.query(t, "CREATE ROLE lander LOGIN PASSWORD '"+p.server.Password+"'")
	p.query(t, "GRANT USAGE ON SCHEMA "+schema+" TO lander")
	p.query(t, "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA "+schema+" TO lander")
	open := func(schema string) land.Destination {
		db, err := postgres.Open("postgres://lander@"+p.server.Address+"/postgres?sslmode=disable&schema="+url.QueryEscape(schema), postgres.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return land.Tables(db)
	}
	r := landtest.Receive(t, landtest.Result(), func(s *land.Source) { s.Job.ID = "aa" })
	if _, err := r.Publish(t.Context(), open(p.schema), jsonl()); err != nil {
		t.Error(err)
	}
	_, err := r.Publish(t.Context(), open("elsewhere"), jsonl())
	var hinted interface{ Hint() string }
	if !errors.Is(err, land.ErrDestination) || !errors.As(err, &hinted) || !strings.Contains(hinted.Hint(), "CREATE") {
		t.Errorf("in a schema of its own: %v", err)
	}
}

// What the reader takes, however deep, the column _extra takes too.
func deepDocuments(t *testing.T, p place) {
	const depth = 9_000
	text := strings.Replace(landtest.Result(), `"mood":{"a":[1.10,"\u0000"]}`, `"mood":`+strings.Repeat("[", depth)+strings.Repeat("]", depth), 1)
	mustLand(t, p, text, nil)
	want(t, "length", p.query(t, "SELECT length(_extra::text) FROM forecast_entries WHERE field_id = 'fé'"), fmt.Sprint(2*depth+len(`{"mood":}`)))
}

// cutter restarts the server when the result has been read half.
type cutter struct {
	land.Database
	cut func()
}

func (c cutter) Begin(ctx context.Context, s land.Landing) (land.Loading, error) {
	l, err := c.Database.Begin(ctx, s)
	c.cut()
	return l, err
}

func restarted(t *testing.T, p place) {
	db, err := postgres.Open(p.server.URL("postgres")+"?sslmode=disable&schema="+url.QueryEscape(p.schema), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := landtest.Receive(t, landtest.Result(), nil)
	_, err = r.Publish(t.Context(), land.Tables(cutter{db, p.server.Restart}), jsonl())
	if !errors.Is(err, land.ErrDestination) {
		t.Errorf("got %v", err)
	}
	if all := p.Look(t); len(all) != 0 {
		t.Errorf("%d snapshots after the restart", len(all))
	}
	mustLand(t, p, landtest.Result(), nil)
	if all := p.Look(t); len(all) != 1 {
		t.Errorf("%d snapshots", len(all))
	}
}

func wrongPassword(t *testing.T, p place) {
	const wrong = "a-wrong-password"
	t.Setenv("PGPASSWORD", wrong)
	_, err := landtest.Receive(t, landtest.Result(), nil).Publish(t.Context(), p.Open(t), jsonl())
	var hinted interface{ Hint() string }
	if !errors.Is(err, land.ErrDestination) || strings.Contains(err.Error(), wrong) || !errors.As(err, &hinted) || !strings.Contains(hinted.Hint(), "PGPASSWORD") {
		t.Errorf("got %v", err)
	}
	db, err := postgres.Open(p.server.URL("postgres")+"?sslmode=disable", postgres.Options{
		Password: func(context.Context) (string, error) { return p.server.Password, nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Stands(t.Context(), "none"); err != nil {
		t.Errorf("with the password given: %v", err)
	}
}

func formatsLandOnce(t *testing.T, p place) {
	r := landtest.Receive(t, landtest.Result(), nil)
	for _, format := range land.Formats() {
		if _, err := r.Publish(t.Context(), p.Open(t), land.Target{Format: format}); err != nil {
			t.Fatal(err)
		}
	}
	if all := p.Look(t); len(all) != 1 || all[0].Format != land.InTables {
		t.Errorf("there is %+v", all)
	}
}

// spans: of each instant the newest snapshot counts whose span holds it, also
// for what it no longer has.
func spans(t *testing.T, p place) {
	d := p.Open(t)
	landSpan := func(since, until string, day int, dates ...string) {
		var rows []string
		for i, date := range dates {
			rows = append(rows, fmt.Sprintf(`{"activityId":"%d","date":"%s","accounts":["x"]}`, i, date))
		}
		r := landtest.Receive(t, `{"activities":[`+strings.Join(rows, ",")+`]}`, func(s *land.Source) {
			s.Request = weir.Request{Kind: weir.Activity, Since: since, Until: until}
			s.SnapshotAt = s.SnapshotAt.AddDate(0, 0, day)
		})
		if _, err := r.Publish(t.Context(), d, land.Target{Format: land.JSONL}); err != nil {
			t.Fatal(err)
		}
	}
	landSpan("2026-11-01", "2026-11-03", 1, "2026-11-01T10:00:00Z", "2026-11-02T10:00:00Z", "2026-11-03T10:00:00Z")
	landSpan("2026-11-02", "2026-11-04", 2, "2026-11-03T10:00:00Z", "2026-11-04T10:00:00Z")
	for _, table := range []string{"activities", "activity_accounts"} {
		want(t, table, p.query(t, "SELECT since, to_char(activity_date AT TIME ZONE 'UTC', 'DD') FROM "+table+"_latest ORDER BY 2"),
			"2026-11-01|01", "2026-11-02|03", "2026-11-02|04")
	}
	events := landtest.Receive(t, landtest.AuditEvents(), func(s *land.Source) {
		s.Request = weir.Request{Kind: weir.Audit, Since: "2026-11-01", Until: "2026-11-07"}
	})
	if _, err := events.Publish(t.Context(), d, land.Target{Format: land.JSONL}); err != nil {
		t.Fatal(err)
	}
	want(t, "events", p.query(t, "SELECT event, event_parameters FROM audit_events_latest ORDER BY position"), `user.login|{"path":"\u0000"}`, "role.changed|null")
	want(t, "actors", p.query(t, "SELECT actor_id, name FROM audit_actors_latest"), "u1|Ada")
}
