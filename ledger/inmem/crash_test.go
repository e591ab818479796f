package inmem_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/inmem"
)

func openAccount(t *testing.T, l ledger.Ledger) {
	t.Helper()
	if _, err := l.OpenAccount(t.Context(), weir.Account{Name: "default"}); err != nil {
		t.Fatal(err)
	}
}

func lock(t *testing.T, l *inmem.Ledger) ledger.Lock {
	t.Helper()
	lock, err := l.ConductorLock("default")
	if err != nil {
		t.Fatal(err)
	}
	return lock
}

func try(t *testing.T, l ledger.Lock, want bool) {
	t.Helper()
	if got, err := l.TryLock(); got != want || err != nil {
		t.Fatalf("took the lock: %t (%v), want %t", got, err, want)
	}
}

func TestKill(t *testing.T) {
	store := inmem.New(inmem.Options{})
	first, second := store.Attach("first"), store.Attach("second")
	openAccount(t, first)
	try(t, lock(t, first), true)
	heirs := lock(t, second)
	try(t, heirs, false)
	lease, _, err := first.Acquire(t.Context(), "default", "first", time.Hour, true)
	if err != nil {
		t.Fatal(err)
	}

	store.Kill("first")
	if err := first.SaveGate(t.Context(), "default", "from the grave"); !errors.Is(err, inmem.ErrKilled) {
		t.Errorf("a dead process wrote: %v", err)
	}
	if _, err := lock(t, first).TryLock(); !errors.Is(err, inmem.ErrKilled) {
		t.Errorf("a dead process locked: %v", err)
	}
	try(t, heirs, true)
	if _, _, err := second.Acquire(t.Context(), "default", "second", time.Hour, false); !errors.Is(err, ledger.ErrHeld) {
		t.Errorf("the lease died with its owner: %v", err)
	}
	taken, takenOver, err := second.Acquire(t.Context(), "default", "second", time.Hour, true)
	if err != nil || !takenOver || taken.Generation != lease.Generation+1 {
		t.Errorf("took %+v over: %t, %v", taken, takenOver, err)
	}

	again := store.Attach("first")
	if err := again.SaveGate(t.Context(), "default", "restarted"); err != nil {
		t.Errorf("a new process of the old name: %v", err)
	}
	try(t, lock(t, again), false)
}

func TestLocksOfOneProcess(t *testing.T) {
	store := inmem.New(inmem.Options{})
	a, b := lock(t, store), lock(t, store)
	try(t, a, true)
	try(t, a, true)
	try(t, b, false)
	if err := errors.Join(b.Unlock(), a.Unlock(), a.Unlock()); err != nil {
		t.Fatal(err)
	}
	try(t, b, true)
}

// A lock that fell free by a kill is not its former holder's to give back.
func TestDeadHolderUnlocksNothing(t *testing.T) {
	store := inmem.New(inmem.Options{})
	first, second := store.Attach("first"), store.Attach("second")
	dead := lock(t, first)
	try(t, dead, true)
	store.Kill("first")
	try(t, lock(t, second), true)
	if err := dead.Unlock(); err != nil {
		t.Fatal(err)
	}
	try(t, lock(t, store), false)
}

func TestFaults(t *testing.T) {
	failing := ""
	l := inmem.New(inmem.Options{Fault: func(method string) error {
		if method == failing {
			return ledger.ErrUnwritable
		}
		return nil
	}})
	openAccount(t, l)
	failing = "SaveGate"
	if err := l.SaveGate(t.Context(), "default", "x"); !errors.Is(err, ledger.ErrUnwritable) {
		t.Errorf("error is %v", err)
	}
	if state, err := l.Gate(t.Context(), "default"); state != "" || err != nil {
		t.Errorf("gate %q, %v", state, err)
	}
}

func TestEndedContext(t *testing.T) {
	l := inmem.New(inmem.Options{})
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("the person pressed Ctrl-C")
	cancel(why)
	if _, err := l.ListAccounts(ctx); !errors.Is(err, why) {
		t.Errorf("error is %v, want the context's cause", err)
	}
}

func TestClockIsTheBubbles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := inmem.New(inmem.Options{Skew: time.Minute})
		openAccount(t, l)
		before := time.Now()
		if _, _, err := l.Acquire(t.Context(), "default", "a", 4*time.Second, false); err != nil {
			t.Fatal(err)
		}
		time.Sleep(4 * time.Second)
		if _, _, err := l.Acquire(t.Context(), "default", "b", 4*time.Second, false); err != nil {
			t.Errorf("the lease did not expire: %v", err)
		}
		now, err := l.Now(t.Context())
		if want := before.Add(time.Minute + 4*time.Second); err != nil || !now.Equal(want) {
			t.Errorf("the store's clock says %s (%v), want %s", now, err, want)
		}
	})
}
