package main_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weirhq/weir/internal/servertest"
)

// Several weir serve on one PostgreSQL, and what befalls them.
func TestFleet(t *testing.T) {
	program := build(t)
	database := servertest.StartPostgres(t)
	login(t, database)
	for _, test := range []struct {
		name string
		run  func(*testing.T, string, *servertest.Postgres)
	}{
		{"accounts are spread and all lands", fleetSpreads},
		{"a server that is killed is succeeded", fleetKilled},
		{"a frozen server does nothing more when it wakes up", fleetFrozen},
		{"a partition ends", fleetPartitioned},
		{"connections are lost and the database restarts", fleetDisconnected},
		{"clocks are minutes apart", fleetSkewed},
		{"a refused key stops its account alone", fleetKeyRefused},
		{"a receiver takes one message, from whichever server", fleetNotifies},
		{"a message outlives its sender", fleetMessageOrphaned},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel() // they wait, for leases to run out, much longer than they work
			test.run(t, program, database)
		})
	}
}

// login gives the servers' password, the same for all, to this process and those
// it starts; tests that run side by side cannot use T.Setenv.
func login(t testing.TB, database *servertest.Postgres) {
	t.Helper()
	if err := os.Setenv("PGPASSWORD", database.Password); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Unsetenv("PGPASSWORD") })
}

func fleetSpreads(t *testing.T, program string, database *servertest.Postgres) {
	r := newFleetRig(t, program, database, 7, time.Second)
	r.config("")
	a := r.start("key-a", r.state)
	r.until(2*time.Minute, "the first server has all", func() bool { return a.holdings() == 7 })
	b := r.start("key-b", r.state)
	c := r.start("key-c", r.state)
	r.until(2*time.Minute, "each has its share", func() bool {
		return a.holdings() >= 2 && b.holdings() >= 2 && c.holdings() >= 2
	})
	r.wish(3)
	r.allLands(4*time.Minute, 3)
	for _, s := range []*serving{a, b, c} {
		if len(s.r.sentBy(s.key, time.Time{})) == 0 {
			t.Errorf("%s sent nothing", s.key)
		}
	}
	a.signal(syscall.SIGTERM)
	r.until(30*time.Second, "the first has ended", a.hasEnded)
	if code := a.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("SIGTERM ended it with %d", code)
	}
	r.until(2*time.Minute, "the others have its accounts", func() bool { return b.holdings()+c.holdings() == 7 })
}

func fleetKilled(t *testing.T, program string, database *servertest.Postgres) {
	r := newFleetRig(t, program, database, 4, 2*time.Second)
	r.config("")
	a, b := r.start("key-a", r.state), r.start("key-b", r.state)
	r.until(2*time.Minute, "both have a share", func() bool { return a.holdings() == 2 && b.holdings() == 2 })
	r.wish(3)
	r.settled()
	a.signal(syscall.SIGKILL)
	r.until(2*time.Minute, "b has all", func() bool { return b.holdings() == 4 })
	r.allLands(4*time.Minute, 3)
}

func fleetFrozen(t *testing.T, program string, database *servertest.Postgres) {
	r := newFleetRig(t, program, database, 4, 2*time.Second)
	r.config("")
	a, b := r.start("key-a", r.state), r.start("key-b", r.state)
	r.until(2*time.Minute, "both have a share", func() bool { return a.holdings() == 2 && b.holdings() == 2 })
	r.wish(4)
	r.settled()
	a.signal(syscall.SIGSTOP)
	r.until(2*time.Minute, "b has all", func() bool { return b.holdings() == 4 })
	woken := time.Now()
	a.signal(syscall.SIGCONT)
	time.Sleep(700 * time.Millisecond) // sooner than it could ask for accounts and be given them
	if held := a.holdings(); held == 0 {
		if requests := conducting(r.sentBy("key-a", woken)); len(requests) > 0 {
			t.Errorf("it woke up without a lease and sent %v", requests)
		}
	}
	r.allLands(4*time.Minute, 4)
	r.until(2*time.Minute, "both have a share again", func() bool { return a.holdings() == 2 && b.holdings() == 2 })
}

func fleetPartitioned(t *testing.T, program string, database *servertest.Postgres) {
	r := newFleetRig(t, program, database, 4, 2*time.Second)
	r.config("")
	proxy := newSilentProxy(t, database.Address)
	a, b := r.start("key-a", proxy.through(t, r.state)), r.start("key-b", r.state)
	r.until(2*time.Minute, "both have a share", func() bool { return a.holdings() == 2 && b.holdings() == 2 })
	r.wish(4)
	r.settled()
	proxy.silence(true)
	r.until(2*time.Minute, "b has all", func() bool { return b.holdings() == 4 })
	taken := time.Now()
	r.allLands(4*time.Minute, 4)
	if requests := r.sentBy("key-a", taken); len(requests) > 0 {
		t.Errorf("a sent %v after b had its accounts", requests)
	}
	proxy.silence(false)
	r.until(2*time.Minute, "a has a share again", func() bool { return a.holdings() == 2 })
	proxy.silence(true)
	a.signal(syscall.SIGTERM)
	r.until(30*time.Second, "SIGTERM ends it behind the partition", a.hasEnded)
}

func fleetDisconnected(t *testing.T, program string, _ *servertest.Postgres) {
	database := servertest.StartPostgres(t) // nobody else's: it goes away
	r := newFleetRig(t, program, database, 3, 2*time.Second)
	r.config("")
	a, b := r.start("key-a", r.state), r.start("key-b", r.state)
	r.until(2*time.Minute, "all accounts are held", func() bool { return a.holdings()+b.holdings() == 3 })
	r.wish(3)
	r.settled()
	database.Exec(t, "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'")
	r.until(2*time.Minute, "something has landed", func() bool { return r.open() < 9 && r.open() >= 0 })
	database.Restart()
	r.allLands(4*time.Minute, 3)
	r.until(2*time.Minute, "all accounts are held again", func() bool { return a.holdings()+b.holdings() == 3 })
	for _, s := range []*serving{a, b} {
		if s.hasEnded() {
			t.Errorf("%s did not outlive its database", s.key)
		}
	}
}

// The store's clock is minutes ahead of the machines' clocks: a function of its
// own schema is found before the system's.
func fleetSkewed(t *testing.T, program string, database *servertest.Postgres) {
	r := newFleetRig(t, program, database, 2, time.Second)
	database.Exec(t, "CREATE FUNCTION "+r.schema()+`.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS
		'SELECT pg_catalog.clock_timestamp() + interval ''7 minutes'' '`)
	r.reopen(r.state + ",pg_catalog")
	r.config("")
	a := r.start("key-a", r.state)
	b := r.start("key-b", r.state)
	now, err := r.store.Now(t.Context())
	if ahead := time.Until(now); err != nil || ahead < 6*time.Minute {
		t.Fatalf("the store's clock is %s ahead, %v", ahead, err)
	}
	r.until(2*time.Minute, "both have a share", func() bool { return a.holdings() == 1 && b.holdings() == 1 })
	r.wish(2)
	r.settled()
	a.signal(syscall.SIGKILL)
	killed := time.Now()
	r.until(2*time.Minute, "b has all", func() bool { return b.holdings() == 2 })
	if took := time.Since(killed); took < 2*time.Second {
		t.Errorf("the accounts were taken over after %s, while the lease still stood", took)
	}
	r.allLands(4*time.Minute, 2)
}

func fleetKeyRefused(t *testing.T, program string, database *servertest.Postgres) {
	r := newFleetRig(t, program, database, 2, time.Second)
	key := filepath.Join(r.dir, "key")
	path := r.config("")
	if err := errors.Join(os.WriteFile(key, []byte("key-unknown"), 0o600), replaceFirst(path, "{env: FLEET_KEY}", "{file: "+key+"}")); err != nil {
		t.Fatal(err)
	}
	a := r.start("key-a", r.state)
	r.wish(2)
	r.until(2*time.Minute, "the other account's exports have landed", func() bool { return r.open() == 2 })
	r.until(2*time.Minute, "the refused key was tried", func() bool { return len(r.sentBy("key-unknown", time.Time{})) > 0 })
	if len(r.orgs[0].Jobs()) > 0 {
		t.Error("a refused key started jobs")
	}
	if err := os.WriteFile(key, []byte("key-a\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	a.signal(syscall.SIGHUP)
	r.allLands(4*time.Minute, 2)
}

// conducting are the requests that only a conductor sends: any server may land.
func conducting(requests []sent) []sent {
	return slices.DeleteFunc(requests, func(s sent) bool { return strings.HasSuffix(s.path, "/results") })
}

func replaceFirst(path, before, after string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(strings.Replace(string(text), before, after, 1)), 0o600)
}
