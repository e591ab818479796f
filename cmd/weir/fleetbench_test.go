package main_test

import (
	"database/sql"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weirhq/weir/internal/servertest"
)

// The figures of make bench-fleet. Each benchmark is one scenario, run once; it
// reports what it found and fails when a figure is missed that does not depend
// on the machine.
var (
	fleetTakeovers = flag.Int("takeovers", 50, "how many conductors' processes to kill")
	fleetIdle      = flag.String("idle", "10,100,1000", "numbers of idle accounts")
	fleetBusy      = flag.String("busy", "10,100,1000", "numbers of busy accounts")
	fleetWatch     = flag.Duration("watch", 20*time.Second, "how long idle accounts are watched")
)

// BenchmarkFleetTakeover kills the process that conducts, again and again, and
// measures until another one does.
func BenchmarkFleetTakeover(b *testing.B) {
	program, database := build(b), servertest.StartPostgres(b)
	login(b, database)
	for b.Loop() {
		r := newFleetRig(b, program, database, 1, time.Second)
		r.config("")
		conducts := r.startQuiet("key-a")
		r.until(time.Minute, "it conducts", func() bool { return conducts.holdings() == 1 })
		var took []time.Duration
		for i := range *fleetTakeovers {
			waits := r.startQuiet(fleetKeys()[(i+1)%3])
			began := time.Now()
			conducts.signal(syscall.SIGKILL)
			r.until(time.Minute, "another conducts", func() bool { return waits.holdings() == 1 })
			took = append(took, time.Since(began))
			conducts = waits
		}
		slices.Sort(took)
		b.ReportMetric(took[len(took)/2].Seconds(), "median-s")
		b.ReportMetric(took[len(took)-1].Seconds(), "max-s")
	}
}

// BenchmarkFleetRestart kills a server on SQLite and measures from the start of
// the next one to its first request.
func BenchmarkFleetRestart(b *testing.B) {
	program, database := build(b), servertest.StartPostgres(b)
	login(b, database)
	for b.Loop() {
		r := newFleetRig(b, program, database, 1, time.Minute)
		r.config("")
		r.reopen(filepath.Join(b.TempDir(), "weir.db"))
		s := r.startQuiet("key-a")
		r.wish(2)
		r.settled()
		var took []time.Duration
		for range 10 {
			s.signal(syscall.SIGKILL)
			<-s.ended
			began := time.Now()
			s = r.startQuiet("key-a")
			r.until(time.Minute, "the first request", func() bool { return len(r.sentBy("key-a", began)) > 0 })
			took = append(took, r.sentBy("key-a", began)[0].at.Sub(began))
		}
		slices.Sort(took)
		b.ReportMetric(took[len(took)/2].Seconds(), "median-s")
		b.ReportMetric(took[len(took)-1].Seconds(), "max-s")
	}
}

// BenchmarkFleetIdle watches accounts that have nothing to do: what they cost
// the server and the database.
func BenchmarkFleetIdle(b *testing.B) {
	program := build(b)
	for _, accounts := range numbers(b, *fleetIdle) {
		b.Run(fmt.Sprintf("accounts=%d", accounts), func(b *testing.B) {
			database := servertest.StartPostgres(b)
			login(b, database)
			statements := countStatements(b, database)
			for b.Loop() {
				r := newFleetRig(b, program, database, accounts, time.Second)
				r.config("")
				s := r.startQuiet("key-a")
				r.untilEvery(5*time.Minute, time.Second, "it has all", func() bool { return s.holdings() == accounts })
				time.Sleep(3 * time.Second)
				calls, inside := statements()
				used, server := cpu(b, s.cmd.Process.Pid), database.CPU(b)
				time.Sleep(*fleetWatch)
				seconds := fleetWatch.Seconds()
				moreCalls, moreInside := statements()
				b.ReportMetric(100*(cpu(b, s.cmd.Process.Pid)-used)/seconds, "%core")
				b.ReportMetric(100*(database.CPU(b)-server)/seconds, "%core-db")
				b.ReportMetric(float64(moreCalls-calls)/seconds, "statements/s")
				b.ReportMetric(100*(moreInside-inside).Seconds()/seconds, "%core-in-statements")
				b.ReportMetric(resident(b, s.cmd.Process.Pid), "MB")
			}
		})
	}
}

// BenchmarkFleetBusy lands three exports of every account with three servers on
// one PostgreSQL.
func BenchmarkFleetBusy(b *testing.B) {
	program := build(b)
	for _, accounts := range numbers(b, *fleetBusy) {
		b.Run(fmt.Sprintf("accounts=%d", accounts), func(b *testing.B) {
			database := servertest.StartPostgres(b)
			login(b, database)
			statements := countStatements(b, database)
			for b.Loop() {
				r := newFleetRig(b, program, database, accounts, 5*time.Second)
				r.config("")
				var servers []*serving
				for _, key := range fleetKeys() {
					servers = append(servers, r.startQuiet(key))
				}
				r.untilEvery(5*time.Minute, time.Second, "each has its share", func() bool {
					return !slices.ContainsFunc(servers, func(s *serving) bool { return s.holdings() < accounts/3 })
				})
				calls, inside := statements()
				used := usedBy(b, servers)
				began := time.Now()
				r.wish(3)
				r.allLands(20*time.Minute, 3)
				exports := float64(3 * accounts)
				moreCalls, moreInside := statements()
				b.ReportMetric(time.Since(began).Seconds(), "s")
				b.ReportMetric(exports/time.Since(began).Seconds(), "landings/s")
				b.ReportMetric(1000*(moreInside-inside).Seconds()/exports, "ms-in-statements/export")
				b.ReportMetric(float64(moreCalls-calls)/exports, "statements/export")
				b.ReportMetric(1000*(usedBy(b, servers)-used)/exports, "ms-cpu/export")
			}
		})
	}
}

func numbers(b *testing.B, text string) []int {
	b.Helper()
	var all []int
	for _, one := range strings.Split(text, ",") {
		n, err := strconv.Atoi(one)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, n)
	}
	return all
}

// countStatements turns the database's own statistics on and returns how to read
// what statements took so far.
func countStatements(b *testing.B, database *servertest.Postgres) func() (calls int64, inside time.Duration) {
	b.Helper()
	database.Exec(b, "ALTER SYSTEM SET shared_preload_libraries = pg_stat_statements")
	database.Restart()
	database.Exec(b, "CREATE EXTENSION pg_stat_statements")
	db, err := sql.Open("pgx", database.URL("postgres"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	return func() (calls int64, inside time.Duration) {
		var ms float64
		err := db.QueryRowContext(b.Context(), "SELECT SUM(calls)::bigint, SUM(total_exec_time) FROM pg_stat_statements").Scan(&calls, &ms)
		if err != nil {
			b.Fatal(err)
		}
		return calls, time.Duration(ms * float64(time.Millisecond))
	}
}

func usedBy(b *testing.B, servers []*serving) (seconds float64) {
	for _, s := range servers {
		seconds += cpu(b, s.cmd.Process.Pid)
	}
	return seconds
}

// cpu is the processor time of a process so far, in seconds.
func cpu(b *testing.B, pid int) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		b.Fatalf("this figure is measured on Linux: %v", err)
	}
	_, after, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(after)
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	const ticks = 100 // of every Linux that Go runs on
	return (user + system) / ticks
}

// resident is the memory that a process holds, in megabytes.
func resident(b *testing.B, pid int) float64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		b.Fatal(err)
	}
	pages, _ := strconv.ParseFloat(strings.Fields(string(text))[1], 64)
	return pages * float64(os.Getpagesize()) / 1e6
}
