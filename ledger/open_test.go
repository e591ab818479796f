package ledger_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/weirhq/weir/ledger"
)

// refuse requires that the location is refused with that kind of error, with a
// hint, and left as it is.
func refuse(t *testing.T, path string, want error) {
	t.Helper()
	before, _ := os.ReadFile(path)
	l, err := ledger.Open(t.Context(), path, ledger.Options{})
	if err == nil {
		l.Close()
		t.Fatalf("opened, want %v", want)
	}
	var refused *ledger.OpenError
	if !errors.Is(err, want) || !errors.As(err, &refused) {
		t.Fatalf("refused with %v, want an OpenError with %v", err, want)
	}
	if refused.Hint == "" || refused.Location != path {
		t.Errorf("location %q and hint %q do not help", refused.Location, refused.Hint)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
		t.Error("the refused file was changed")
	}
}

func TestRefusesWhatIsNoLedger(t *testing.T) {
	for name, content := range map[string]string{
		"text":        strings.Repeat("forecast;value\n", 100),
		"a few bytes": "x",
		"half a file": "SQLite format 3\x00 and no more",
		"zeros":       strings.Repeat("\x00", 4096),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "weir.db")
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			refuse(t, path, ledger.ErrNotALedger)
		})
	}
	t.Run("directory", func(t *testing.T) { refuse(t, t.TempDir(), ledger.ErrNotALedger) })
}

func TestRefusesForeignDatabase(t *testing.T) {
	for name, statement := range map[string]string{
		"unmarked":         "CREATE TABLE notes (text TEXT)",
		"another's marked": "PRAGMA application_id = 4711",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "foreign.db")
			execute(t, path, statement)
			refuse(t, path, ledger.ErrNotALedger)
			if files, _ := filepath.Glob(path + "-*"); len(files) > 0 {
				t.Errorf("the refused database was opened: %v", files)
			}
		})
	}
}

// execute runs statements on a SQLite file without the ledger.
func execute(t *testing.T, path, statements string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), statements); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestRefusesNewerSchema(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weir.db")
	l, err := ledger.Open(t.Context(), path, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	execute(t, path, "INSERT INTO ledger_versions (version_id, is_applied) VALUES (99999, 1)")
	refuse(t, path, ledger.ErrNewerSchema)
}

func TestRefusesSymbolicLink(t *testing.T) {
	dir := t.TempDir()
	open(t, filepath.Join(dir, "weir.db"), ledger.Options{})
	link := filepath.Join(dir, "link.db")
	if err := os.Symlink("weir.db", link); err != nil {
		t.Fatal(err)
	}
	refuse(t, link, ledger.ErrPlace)
	dangling := filepath.Join(dir, "dangling.db")
	if err := os.Symlink("nowhere.db", dangling); err != nil {
		t.Fatal(err)
	}
	refuse(t, dangling, ledger.ErrPlace)
}

func TestRefusesPostgresWithoutItsPassword(t *testing.T) {
	_, err := ledger.Open(t.Context(), "postgres://weir:secret@db.internal/weir", ledger.Options{})
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("error is %v", err)
	}
}

func TestFilesAreTheOwnersOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state", "weir")
	path := filepath.Join(dir, "weir.db")
	l := open(t, path, ledger.Options{})
	fill(t, l)
	lock, err := l.ConductorLock("default")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lock.TryLock(); err != nil {
		t.Fatal(err)
	}
	want := map[string]fs.FileMode{
		"": 0o700, "weir.db": 0o600, "weir.db-wal": 0o600, "weir.db-shm": 0o600, "weir.db.lock": 0o600, "weir.db.default.lock": 0o600,
	}
	for name, mode := range want {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
			continue
		}
		if info.Mode().Perm() != mode {
			t.Errorf("%q has mode %o, want %o", name, info.Mode().Perm(), mode)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != len(want)-1 {
		t.Errorf("files %v, want those of %v", entries, want)
	}
}

func TestNarrowsAnOpenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weir.db")
	l, err := ledger.Open(t.Context(), path, ledger.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Close(), os.Chmod(path, 0o644)); err != nil {
		t.Fatal(err)
	}
	fill(t, open(t, path, ledger.Options{}))
	for _, name := range []string{path, path + "-wal"} {
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: mode %v, %v", name, info.Mode(), err)
		}
	}
}

func TestOddNames(t *testing.T) {
	for _, name := range []string{"a b.db", "100%.db", "what?.db", "#1.db", "ümläut.db", "a&mode=memory.db", "%2e%2e.db"} {
		path := filepath.Join(t.TempDir(), name)
		fill(t, open(t, path, ledger.Options{}))
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%q: nothing at its path: %v", name, err)
		}
	}
}

func TestManyOpenAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weir.db")
	salts := make(chan string)
	const openers = 6
	for range openers {
		go func() {
			l, err := ledger.Open(t.Context(), path, ledger.Options{})
			if err != nil {
				salts <- err.Error()
				return
			}
			defer l.Close()
			salt, err := l.Salt(t.Context())
			if err != nil {
				salts <- err.Error()
				return
			}
			salts <- string(salt)
		}()
	}
	first := <-salts
	for range openers - 1 {
		if next := <-salts; next != first {
			t.Errorf("openers disagree: %q and %q", first, next)
		}
	}
	if len(first) != 32 {
		t.Errorf("salt %q", first)
	}
}

func TestOpenWaitsForAnotherOpenerWithinItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weir.db")
	opener := flock.New(path + ".lock")
	if got, err := opener.TryLock(); !got || err != nil {
		t.Fatal(got, err)
	}
	defer opener.Unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := ledger.Open(ctx, path, ledger.Options{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error is %v, want the context's", err)
	}
}
