package ledger_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

func try(t *testing.T, l ledger.Lock, want bool) {
	t.Helper()
	if got, err := l.TryLock(); got != want || err != nil {
		t.Fatalf("took the lock: %t (%v), want %t", got, err, want)
	}
}

func conductorLock(t *testing.T, l ledger.Locker, account string) ledger.Lock {
	t.Helper()
	lock, err := l.ConductorLock(account)
	if err != nil {
		t.Fatal(err)
	}
	return lock
}

func TestConductorLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weir.db")
	a, b := open(t, path, ledger.Options{}), open(t, path, ledger.Options{})
	mine, theirs := conductorLock(t, a, "default"), conductorLock(t, b, "default")
	try(t, mine, true)
	try(t, mine, true)
	try(t, theirs, false)
	try(t, conductorLock(t, b, "another"), true)
	if err := errors.Join(mine.Unlock(), mine.Unlock()); err != nil {
		t.Fatal(err)
	}
	try(t, theirs, true)
	try(t, mine, false)
}

func TestLockFilesOfHostileAccountNames(t *testing.T) {
	dir := t.TempDir()
	l := open(t, filepath.Join(dir, "weir.db"), ledger.Options{})
	names := []string{"../../etc/passwd", "a/b", "a%2Fb", "", ".", "ümläut", "\x00", strings.Repeat("a", 300), strings.Repeat("a", 301), "A", "a"}
	for _, name := range names {
		try(t, conductorLock(t, l, name), true)
	}
	files, err := filepath.Glob(filepath.Join(dir, "weir.db.*.lock"))
	if err != nil || len(files) != len(names) {
		t.Errorf("%d lock files for %d accounts: %q, %v", len(files), len(names), files, err)
	}
}

// TestMain lets the test binary play another process.
func TestMain(m *testing.M) {
	if path := os.Getenv("WEIR_TEST_CONDUCT"); path != "" {
		if err := conductForEver(path); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// conductForEver takes lock and lease, and then makes exports, telling each id
// once it is committed.
func conductForEver(path string) error {
	ctx := context.Background()
	l, err := ledger.Open(ctx, path, ledger.Options{})
	if err != nil {
		return err
	}
	lock, err := l.ConductorLock("default")
	if err != nil {
		return err
	}
	if got, err := lock.TryLock(); err != nil || !got {
		return fmt.Errorf("lock: %t, %w", got, err)
	}
	if _, _, err := l.Acquire(ctx, "default", "child", time.Hour, true); err != nil {
		return err
	}
	for i := 0; ; i++ {
		w := wishFor("2026_Q1")
		w.Request.ForecastID = fmt.Sprint(i)
		granted, err := l.Wish(ctx, time.Now(), []ledger.Wish{w})
		if err != nil {
			return err
		}
		fmt.Println(granted[0].Export.ID)
	}
}

func TestKilledProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weir.db")
	l := open(t, path, ledger.Options{})
	account(t, l)
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), "WEIR_TEST_CONDUCT="+path)
	output, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var told []string
	for lines := bufio.NewScanner(output); len(told) < 20 && lines.Scan(); {
		told = append(told, lines.Text())
	}
	lock := conductorLock(t, l, "default")
	try(t, lock, false)
	_, _, err = l.Acquire(t.Context(), "default", "heir", time.Second, false)
	if !errors.Is(err, ledger.ErrHeld) {
		t.Fatalf("acquired beside a living owner: %v", err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // killed
	try(t, lock, true)
	lease, takenOver, err := l.Acquire(t.Context(), "default", "heir", time.Second, true)
	if err != nil || !takenOver || lease.Generation != 2 {
		t.Fatalf("lease %+v, taken over %t, %v", lease, takenOver, err)
	}
	all, err := l.ListExports(t.Context(), ledger.Filter{})
	if err != nil || len(all) < len(told) || len(told) < 20 {
		t.Fatalf("%d exports, %d were told of: %q, %v", len(all), len(told), told, err)
	}
	for i, id := range told {
		if fmt.Sprint(all[i].ID) != id || all[i].State != weir.Planned {
			t.Errorf("export %d is %+v, told was %s", i, all[i], id)
		}
	}
}
