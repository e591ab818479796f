package ledger_test

import (
	"errors"
	"testing"
	"time"

	"github.com/weirhq/weir/internal/servertest"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/ledgertest"
)

// One server for the tests of this package, and a schema of its own for each.
func TestPostgres(t *testing.T) {
	server := servertest.StartPostgres(t)
	server.Login(t)
	t.Run("contract", func(t *testing.T) { contractPostgres(t, server) })
	t.Run("newer schema", func(t *testing.T) { refuseNewerPostgres(t, server) })
	t.Run("away and back", func(t *testing.T) { postgresComesBack(t, server) })
}

func contractPostgres(t *testing.T, server *servertest.Postgres) {
	ledgertest.Run(t, func(t *testing.T) ledgertest.Harness {
		now := time.Date(2026, 11, 23, 12, 0, 0, 123e6, time.UTC)
		l := open(t, server.Schema(t), ledger.Options{Clock: func() time.Time { return now }})
		return ledgertest.Harness{Ledger: l, Advance: func(d time.Duration) { now = now.Add(d) }}
	})
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
