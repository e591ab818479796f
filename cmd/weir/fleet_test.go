package main_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/weirhq/weir/internal/servertest"
)

// Several weir serve on one PostgreSQL, and what befalls them.
func TestFleet(t *testing.T) {
	program := build(t)
	database := servertest.StartPostgres(t)
	database.Login(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, string, *servertest.Postgres)
	}{
		{"accounts are spread and all lands", fleetSpreads},
		{"a server that is killed is succeeded", fleetKilled},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, program, database) })
	}
}

func fleetSpreads(t *testing.T, program string, database *servertest.Postgres) {
	r := newFleetRig(t, program, database, 7, time.Second)
	r.config("")
	a := r.start("key-a", r.state)
	r.until(20*time.Second, "the first server has all", func() bool { return a.holdings() == 7 })
	b := r.start("key-b", r.state)
	c := r.start("key-c", r.state)
	r.until(30*time.Second, "each has its share", func() bool {
		return a.holdings() >= 2 && b.holdings() >= 2 && c.holdings() >= 2
	})
	r.wish(3)
	r.allLands(60*time.Second, 3)
	for _, s := range []*serving{a, b, c} {
		if len(s.r.sentBy(s.key, time.Time{})) == 0 {
			t.Errorf("%s sent nothing", s.key)
		}
	}
	began := time.Now()
	a.signal(syscall.SIGTERM)
	<-a.ended
	if took := time.Since(began); took > 10*time.Second || a.cmd.ProcessState.ExitCode() != 0 {
		t.Errorf("SIGTERM took %s, exit %d", took, a.cmd.ProcessState.ExitCode())
	}
	r.until(20*time.Second, "the others have its accounts", func() bool { return b.holdings()+c.holdings() == 7 })
}

func fleetKilled(t *testing.T, program string, database *servertest.Postgres) {
	r := newFleetRig(t, program, database, 4, 2*time.Second)
	r.config("")
	a, b := r.start("key-a", r.state), r.start("key-b", r.state)
	r.until(30*time.Second, "both have a share", func() bool { return a.holdings() == 2 && b.holdings() == 2 })
	r.wish(3)
	r.settled()
	a.signal(syscall.SIGKILL)
	r.until(20*time.Second, "b has all", func() bool { return b.holdings() == 4 })
	r.allLands(90*time.Second, 3)
}
