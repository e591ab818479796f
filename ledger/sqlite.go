package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"modernc.org/sqlite" // also registers the driver "sqlite"
	codes "modernc.org/sqlite/lib"
)

// defaultBusy is how long a write waits for another process's, and openRetry
// how often a process that is opening looks whether another one has opened.
const (
	defaultBusy = 10 * time.Second
	openRetry   = 10 * time.Millisecond
)

func sqliteDialect() dialect {
	return dialect{
		goose:    goose.DialectSQLite3,
		clock:    "CAST(ROUND(unixepoch('subsec') * 1000) AS BIGINT)",
		classify: classifySQLite,
	}
}

func openSQLite(ctx context.Context, location string, opts Options) (*Store, error) {
	path, err := filepath.Abs(location)
	if err != nil {
		return nil, err
	}
	if err := preparePlace(path); err != nil {
		return nil, err
	}
	opening := newFileLock(path + ".lock")
	if _, err := opening.file.TryLockContext(ctx, openRetry); err != nil {
		return nil, fmt.Errorf("lock %s: %w", opening.file.Path(), unwritable(err))
	}
	defer opening.Unlock() //nolint:errcheck // the process's end gives it back too
	return openPrepared(ctx, path, opts)
}

// openPrepared runs while no other process opens the same file: only one makes
// or migrates it.
func openPrepared(ctx context.Context, path string, opts Options) (*Store, error) {
	if err := claimFile(ctx, path); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", dataSource(path, opts))
	if err != nil {
		return nil, err
	}
	// One connection: SQLite has one writer, and a second handle that waits
	// inside the first one's transaction would wait for ever.
	db.SetMaxOpenConns(1)
	store := &Store{db: db, dialect: sqliteDialect(), path: path, clock: opts.Clock}
	if err := store.migrate(ctx); err != nil {
		return nil, errors.Join(store.dialect.classify(err), db.Close())
	}
	return store, nil
}

// dataSource names the file with everything that a connection must be told.
func dataSource(path string, opts Options) string {
	busy := opts.BusyTimeout
	if busy <= 0 {
		busy = defaultBusy
	}
	pragmas := []string{
		fmt.Sprintf("busy_timeout(%d)", busy.Milliseconds()),
		"journal_mode(WAL)",
		"synchronous(FULL)",
		"foreign_keys(ON)",
	}
	if opts.MaxPages > 0 {
		pragmas = append(pragmas, fmt.Sprintf("max_page_count(%d)", opts.MaxPages))
	}
	return fileURI(path, url.Values{"_pragma": pragmas, "_txlock": {"immediate"}})
}

func fileURI(path string, query url.Values) string {
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") { // a drive letter
		slashed = "/" + slashed
	}
	return (&url.URL{Scheme: "file", Path: slashed, OmitHost: true, RawQuery: query.Encode()}).String()
}

// classifySQLite goes by result codes, never by texts.
func classifySQLite(err error) error {
	var failed *sqlite.Error
	if !errors.As(err, &failed) {
		return unwritable(err)
	}
	if failed.Code() == codes.SQLITE_CONSTRAINT_FOREIGNKEY {
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	switch failed.Code() & 0xff { // the primary code of an extended one
	case codes.SQLITE_FULL, codes.SQLITE_READONLY, codes.SQLITE_PERM, codes.SQLITE_CANTOPEN,
		codes.SQLITE_IOERR, codes.SQLITE_AUTH:
		return fmt.Errorf("%w: %w", ErrUnwritable, err)
	case codes.SQLITE_CORRUPT, codes.SQLITE_NOTADB:
		return fmt.Errorf("%w: %w", ErrNotALedger, err)
	case codes.SQLITE_BUSY, codes.SQLITE_LOCKED:
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return err
}

// isRegular refuses what is there but cannot be a database.
func isRegular(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return unwritable(err)
	case info.Mode()&os.ModeSymlink != 0:
		return &placeError{"it is a symbolic link", "name the file that it points to"}
	case !info.Mode().IsRegular():
		return fmt.Errorf("it is no regular file: %w", ErrNotALedger)
	}
	return nil
}
