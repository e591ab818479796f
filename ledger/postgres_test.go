package ledger_test

import (
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/internal/servertest"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/ledgertest"
)

// One server for the tests of this package, and a schema of its own for each
// part.
func TestPostgres(t *testing.T) {
	server := servertest.StartPostgres(t)
	server.Login(t)
	t.Run("contract", func(t *testing.T) { contractPostgres(t, server) })
	t.Run("plan of a young ledger", func(t *testing.T) { planOfYoungPostgres(t, server) })
	t.Run("newer schema", func(t *testing.T) { refuseNewerPostgres(t, server) })
	t.Run("stays small", func(t *testing.T) { staysSmallPostgres(t, server) })
	t.Run("away and back", func(t *testing.T) { postgresComesBack(t, server) })
}

func contractPostgres(t *testing.T, server *servertest.Postgres) {
	url := server.Schema(t)
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	open(t, url, ledger.Options{}) // makes the tables
	ledgertest.Run(t, func(t *testing.T) ledgertest.Harness {
		empty(t, db)
		now := time.Date(2026, 11, 23, 12, 0, 0, 123e6, time.UTC)
		l := open(t, url, ledger.Options{Clock: func() time.Time { return now }})
		return ledgertest.Harness{Ledger: l, Advance: func(d time.Duration) { now = now.Add(d) }}
	})
}

// What PostgreSQL planned while a table was empty it goes by until it learns
// better, which may be long: also then nothing is read of other accounts.
func planOfYoungPostgres(t *testing.T, server *servertest.Postgres) {
	url := server.Schema(t)
	open(t, url, ledger.Options{})
	db, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	for _, statement := range []string{"SET plan_cache_mode = force_generic_plan", "PREPARE bought (text, bigint) AS " + ledger.SelectBought} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	var plan string
	if err := db.QueryRowContext(t.Context(), "EXPLAIN (FORMAT JSON) EXECUTE bought ('a', 0)").Scan(&plan); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(plan, `"Index Cond": "((account = $1)`) {
		t.Errorf("what an account bought is found by\n%s", plan)
	}
}

// empty makes the ledger new again, in milliseconds where making its tables
// takes a second.
func empty(t *testing.T, db *sql.DB) {
	t.Helper()
	var tables string
	err := db.QueryRowContext(t.Context(), `SELECT string_agg(tablename, ', ') FROM pg_tables
		WHERE schemaname = current_schema() AND tablename NOT IN ('ledger_versions', 'counters')`).Scan(&tables)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "TRUNCATE "+tables); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "UPDATE counters SET value = 0"); err != nil {
		t.Fatal(err)
	}
}

func refuseNewerPostgres(t *testing.T, server *servertest.Postgres) {
	l, err := ledger.Open(t.Context(), server.URL("postgres"), ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	server.Exec(t, "INSERT INTO ledger_versions (version_id, is_applied) VALUES (99999, true)")
	_, err = ledger.Open(t.Context(), server.URL("postgres"), ledger.Options{})
	var refused *ledger.OpenError
	if !errors.Is(err, ledger.ErrNewerSchema) || !errors.As(err, &refused) || refused.Hint == "" {
		t.Errorf("error is %v, want a refusal with a hint", err)
	}
}

// What a database that is away means: a ledger that cannot be written, and may
// be again.
func postgresComesBack(t *testing.T, server *servertest.Postgres) {
	url := server.Schema(t)
	l := open(t, url, ledger.Options{})
	fill(t, l)
	server.Stop()
	if _, err := l.Salt(t.Context()); !errors.Is(err, ledger.ErrUnwritable) {
		t.Errorf("while it is away: %v", err)
	}
	if _, err := ledger.Open(t.Context(), url, ledger.Options{}); !errors.Is(err, ledger.ErrUnwritable) {
		t.Errorf("opened while it is away: %v", err)
	}
	server.Restart()
	for range 8 { // every connection of before is found broken once at most
		if _, err := l.Salt(t.Context()); err == nil {
			return
		}
	}
	t.Error("the ledger is not usable after the database came back")
}
