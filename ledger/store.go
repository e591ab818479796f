package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/weirhq/weir/ledger/internal/rule"
)

// Store is the ledger over database/sql. One [Open] serves a whole process.
type Store struct {
	db      *sql.DB
	dialect dialect
	path    string // of a database that is a file, else empty
	clock   func() time.Time
	// postgres is how to connect to a database that is a server, else nil.
	postgres *Postgres
}

var _ interface {
	Ledger
	Locker
} = (*Store)(nil)

// Options tune [Open]; the zero value is right outside tests.
type Options struct {
	// Clock replaces the store's own clock, for tests that pass time. Default:
	// the database's.
	Clock func() time.Time
	// BusyTimeout is how long a write waits for another process's write.
	// Default: 10 s.
	BusyTimeout time.Duration
	// MaxPages bounds a SQLite file to so many pages of 4 KiB; a write beyond
	// is ErrUnwritable. Default: bounded by the disk.
	MaxPages int
	// Password of a PostgreSQL; "" takes it from PGPASSWORD or a password file.
	Password string
}

// Open opens the ledger at location, making it if there is none. A location is
// the path of a SQLite file, whose directory is made with mode 0700 and its
// files with 0600, or a postgres:// URL without a password, which comes from
// the environment or a password file.
//
// A refusal is an [*OpenError] that wraps [ErrNotALedger], [ErrNewerSchema],
// [ErrUnwritable] or [ErrPlace].
func Open(ctx context.Context, location string, opts Options) (*Store, error) {
	if isPostgres(location) {
		store, err := openPostgres(ctx, location, opts)
		if err != nil {
			return nil, postgresError(location, err)
		}
		return store, nil
	}
	store, err := openSQLite(ctx, location, opts)
	if err != nil {
		return nil, openError(location, err)
	}
	return store, nil
}

func isPostgres(location string) bool {
	return strings.HasPrefix(location, "postgres://") || strings.HasPrefix(location, "postgresql://")
}

// Now is the store's clock.
func (s *Store) Now(ctx context.Context) (time.Time, error) {
	var now time.Time
	row := s.db.QueryRowContext(ctx, "SELECT "+s.now())
	if err := row.Scan(into(&now)); err != nil {
		return time.Time{}, s.fail(ctx, "read clock", err)
	}
	return now, nil
}

// Close gives the database back. Locks taken with ConductorLock stay.
func (s *Store) Close() error {
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close ledger: %w", err)
	}
	return nil
}

// now is the SQL expression of the store's clock in Unix milliseconds.
func (s *Store) now() string {
	if s.clock == nil {
		return s.dialect.clock
	}
	return fmt.Sprintf("CAST(%d AS BIGINT)", rule.Millis(s.clock()))
}
