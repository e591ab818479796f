//go:build unix

package web

import (
	"context"
	"database/sql"
	"fmt"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/weirhq/weir"
)

// What the pages may cost under load, in CPU time of the whole process.
const (
	firstPageMay = 200 * time.Millisecond
	updateMay    = 20 * time.Millisecond
)

// loaded is a ledger with many running and very many finished exports.
func loaded(t testing.TB) *scene {
	s := newScene(t)
	s.account("acme")
	ctx := context.Background()
	s.ok(s.ledger.ChangeBudget(ctx, "acme", func(b weir.Budget) weir.Budget {
		b.Slots, b.SlotsFree, b.Quota, b.QuotaFree = loadRunning, 0, 200_000, 90_000
		return b
	}))
	period := weir.Period("2001_Q1")
	s.land(s.wish("acme", "net_arr", period))
	for range loadRunning {
		period = period.Next()
		s.run(s.wish("acme", fmt.Sprintf("tab_%d", len(s.office.asked)), period))
	}
	s.multiply()
	return s
}

// multiply copies the landed export as often as the load wants, under 400
// requests, with its events and its delivery.
func (s *scene) multiply() {
	s.t.Helper()
	db, err := sql.Open("sqlite", s.file)
	s.ok(err)
	defer db.Close()
	for _, statement := range []string{
		`CREATE TABLE numbers AS WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ` + strconv.Itoa(loadFinished) + `) SELECT n + 1000000 AS n FROM n`,
		`INSERT INTO exports (id, account, fingerprint, state, is_open, rank, as_of, job_id, not_before, created_at, changed_at, version, detail)
			SELECT n, account, printf('%032x', n % 400), state, is_open, rank, as_of, '', 0, created_at, changed_at - 1000 * (n % 1000000), version, detail FROM exports, numbers WHERE id = 1`,
		`INSERT INTO events SELECT n, version, at, from_state, to_state, why, request, job_id FROM events, numbers WHERE export_id = 1`,
		`INSERT INTO deliveries SELECT n, n, destination, format, is_primary, csv_safe, state, generation, owner, claimed_at, attempts, not_before, manifest, row_count, snapshot_at, landed_at, failure FROM deliveries, numbers WHERE export_id = 1`,
		`DROP TABLE numbers`, `ANALYZE`,
	} {
		_, err := db.Exec(statement)
		s.ok(err)
	}
}

// cpu is what a piece of work costs the process, the best of some runs: what
// else the machine does does not count.
func cpu(runs int, work func()) time.Duration {
	best := time.Hour
	for range runs {
		runtime.GC()
		before := spent()
		work()
		best = min(best, spent()-before)
	}
	return best
}

func spent() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func TestLoad(t *testing.T) {
	s := loaded(t)
	for _, path := range []string{"/", "/timeline", "/quota", "/snapshots", "/exports", "/exports/1", "/schedules"} {
		cost := cpu(3, func() { s.read(path) })
		t.Logf("%-12s %v of CPU", path, cost)
		if cost > firstPageMay*slower {
			t.Errorf("%s takes %v of CPU, more than %v", path, cost, firstPageMay*slower)
		}
	}
	q := query{accounts: []string{"acme"}, account: "acme"}
	shown, err := s.nowSheet(context.Background(), q)
	s.ok(err)
	if rows := len(shown.Regions[0].rows); rows != loadRunning {
		t.Fatalf("the page shows %d exports", rows)
	}
	cost := cpu(30, func() {
		now, err := s.nowSheet(context.Background(), q)
		s.ok(err)
		difference(shown, now)
		shown = now
	})
	t.Logf("%-12s %v of CPU", "an update", cost)
	if cost > updateMay*slower {
		t.Errorf("an update takes %v of CPU, more than %v", cost, updateMay*slower)
	}
}

func BenchmarkFirstPage(b *testing.B) {
	s := loaded(b)
	for b.Loop() {
		s.read("/")
	}
}

func BenchmarkUpdate(b *testing.B) {
	s := loaded(b)
	q := query{accounts: []string{"acme"}, account: "acme"}
	for b.Loop() {
		_, err := s.nowSheet(context.Background(), q)
		s.ok(err)
	}
}
