package ledger

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// The pool of one process. A conductor needs one connection at a time and a
// landing another; more only queue in the database instead of here.
const (
	postgresConns     = 8
	postgresIdle      = 4
	postgresConnAge   = 30 * time.Minute
	postgresHandshake = 10 * time.Second
)

// ErrPassword marks a location that holds a password, which belongs in the
// environment or a password file.
var ErrPassword = errors.New("a password in a URL is refused")

func postgresDialect() dialect {
	return dialect{
		goose:     goose.DialectPostgres,
		clock:     "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)",
		forUpdate: " FOR UPDATE",
		forShare:  " FOR SHARE",
		classify:  classifyPostgres,
	}
}

// openPostgres opens a ledger that processes on many machines share. The
// database's clock judges leases; there is no proof that an earlier owner is
// dead, so a lease is taken over only when it has run out.
func openPostgres(ctx context.Context, location string, opts Options) (*Store, error) {
	if u, err := url.Parse(location); err != nil || hasSecret(u) {
		return nil, ErrPassword
	}
	config, err := pgx.ParseConfig(location)
	if err != nil {
		return nil, errors.New("the URL is not one of PostgreSQL") // the driver's text may repeat a password
	}
	config.ConnectTimeout = postgresHandshake
	if opts.Password != "" {
		config.Password = opts.Password
	}
	if err := migratePostgres(ctx, *config); err != nil {
		return nil, err
	}
	kept := &Postgres{config}
	return &Store{db: kept.Pool(postgresConns, postgresSilence), dialect: postgresDialect(), clock: opts.Clock, postgres: kept}, nil
}

// Postgres is how to reach the database of a ledger on PostgreSQL, for those
// who keep more in it.
type Postgres struct{ config *pgx.ConnConfig }

// Config is how to connect; change it freely. On such a connection a read may
// wait for ever.
func (p *Postgres) Config() *pgx.ConnConfig { return p.config.Copy() }

// Pool is a pool of at most so many connections on which no statement waits
// longer than silence for a byte of its answer. Close it.
func (p *Postgres) Pool(connections int, silence time.Duration) *sql.DB {
	config := p.Config()
	config.DialFunc = dialPatiently(silence)
	config.RuntimeParams["lock_timeout"] = postgresLockWait
	// An intent is committed before a POST: a database that answers before it has
	// written could forget it in a crash, and the export would be paid for twice.
	config.RuntimeParams["synchronous_commit"] = "on"
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(min(connections, postgresIdle))
	db.SetConnMaxLifetime(postgresConnAge)
	return db
}

// Postgres is the database behind a ledger on PostgreSQL; nil for any other.
func (s *Store) Postgres() *Postgres { return s.postgres }

// migratePostgres has a connection of its own, on which a statement may take as
// long as it does.
func migratePostgres(ctx context.Context, config pgx.ConnConfig) error {
	db := stdlib.OpenDB(config)
	store := &Store{db: db, dialect: postgresDialect()}
	err := store.migrate(ctx)
	if err != nil {
		err = store.dialect.classify(err)
	}
	return errors.Join(err, db.Close())
}

func hasSecret(u *url.URL) bool {
	_, inUser := u.User.Password()
	query := u.Query()
	return inUser || query.Has("password") || query.Has("sslpassword")
}

// postgresError names the place without secrets, and what to do about it.
func postgresError(location string, err error) error {
	opened := &OpenError{Location: shownPostgres(location), Err: err, Hint: hintFor(err)}
	if errors.Is(err, ErrUnwritable) {
		opened.Hint = "check that the database runs, can be reached, and lets this user in; the password comes from PGPASSWORD or PGPASSFILE"
	}
	return opened
}

// shownPostgres is a location without user and parameters.
func shownPostgres(location string) string {
	u, err := url.Parse(location)
	if err != nil {
		return "postgres"
	}
	return u.Scheme + "://" + u.Host + u.Path
}

// migrationLock keeps two processes from migrating at once.
func (d dialect) migrationLock() ([]goose.ProviderOption, error) {
	if d.goose != goose.DialectPostgres {
		return nil, nil
	}
	locker, err := lock.NewPostgresSessionLocker()
	if err != nil {
		return nil, fmt.Errorf("make migration lock: %w", err)
	}
	return []goose.ProviderOption{goose.WithSessionLocker(locker)}, nil
}

// classifyPostgres goes by SQLSTATE codes, never by texts. A lost connection is
// a ledger that cannot be written now; it may be back soon.
func classifyPostgres(err error) error {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		if kind := postgresKind(said.Code); kind != nil {
			return fmt.Errorf("%w: %w", kind, err)
		}
		return err
	}
	var failed *pgconn.ConnectError
	var network net.Error
	if errors.As(err, &failed) || errors.As(err, &network) || pgconn.SafeToRetry(err) || isBroken(err) {
		return fmt.Errorf("%w: %w", ErrUnwritable, err)
	}
	return err
}

// isBroken reports a connection that ended in the middle of something.
func isBroken(err error) bool {
	for _, broken := range []error{io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, sql.ErrConnDone, driver.ErrBadConn, os.ErrDeadlineExceeded} {
		if errors.Is(err, broken) {
			return true
		}
	}
	return false
}

func postgresKind(code string) error {
	switch code {
	case "23503": // foreign_key_violation
		return ErrNotFound
	case "40001", "40P01", "55P03": // serialization_failure, deadlock_detected, lock_not_available
		return ErrBusy
	case "3D000", "42501", "28000", "28P01": // no such database, privilege, authorisation
		return ErrUnwritable
	}
	switch code[:2] {
	case "08", "53", "57", "58", "25": // connection, resources, shutdown, system, read-only transaction
		return ErrUnwritable
	}
	return nil
}
