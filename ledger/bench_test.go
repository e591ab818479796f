package ledger_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/servertest"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/inmem"
)

// BenchmarkTick is what a conductor reads in one tick with ten open exports,
// beside more and more that have ended: it must not cost more with them.
func BenchmarkTick(b *testing.B) {
	server := servertest.StartPostgres(b)
	b.Setenv("PGPASSWORD", server.Password)
	for _, finished := range []int{10, 1_000, 100_000} {
		b.Run(fmt.Sprintf("postgres/finished=%d", finished), func(b *testing.B) {
			tick(b, open(b, server.Schema(b), ledger.Options{}), finished)
		})
		b.Run(fmt.Sprintf("sqlite/finished=%d", finished), func(b *testing.B) {
			l := open(b, filepath.Join(b.TempDir(), "weir.db"), ledger.Options{})
			if err := l.Exec(b.Context(), "PRAGMA synchronous = OFF"); err != nil {
				b.Fatal(err)
			}
			tick(b, l, finished)
		})
		b.Run(fmt.Sprintf("inmem/finished=%d", finished), func(b *testing.B) {
			tick(b, inmem.New(inmem.Options{}), finished)
		})
	}
}

func tick(b *testing.B, l ledger.Ledger, finished int) {
	populate(b, l, finished)
	b.ReportAllocs()
	for b.Loop() {
		now := time.Now()
		open, err := l.ListExports(b.Context(), ledger.Filter{Account: "default", OpenOnly: true})
		if err != nil || len(open) != 10 {
			b.Fatal(len(open), err)
		}
		var ids []string
		for _, e := range open {
			ids = append(ids, e.JobID)
		}
		if jobs, err := l.Jobs(b.Context(), "default", ids...); err != nil || len(jobs) != 10 {
			b.Fatal(len(jobs), err)
		}
		if ready, err := l.Deliverable(b.Context(), "default", now); err != nil || len(ready) != 5 {
			b.Fatal(len(ready), err)
		}
		if _, err := l.DeliveriesOf(b.Context(), open[0].ID); err != nil {
			b.Fatal(err)
		}
		if listed, err := l.ListedBefore(b.Context(), "default", now); err != nil || len(listed) != 10 {
			b.Fatal(len(listed), err)
		}
	}
}

// populate makes finished exports of long ago, whose results have expired, and
// ten open ones, five of them ready.
func populate(b *testing.B, l ledger.Ledger, finished int) {
	b.Helper()
	account(b, l)
	old, now := time.Now().Add(-90*24*time.Hour), time.Now()
	made := finished
	store, durable := l.(*ledger.Store)
	if durable {
		made = 10
	}
	var jobs []weir.Job
	for i := range made {
		e := advance(b, l, i, old)
		finish(b, l, e)
		jobs = append(jobs, weir.Job{ID: e.JobID, Status: weir.JobDone, StartedAt: old, EndedAt: old, ExpiresAt: old.Add(30 * 24 * time.Hour)})
	}
	see(b, l, jobs, old)
	if durable {
		multiply(b, store, finished/made)
	}
	jobs = nil
	for i := range 10 {
		e := advance(b, l, finished+i, now)
		if i < 5 {
			move(b, l, e.ID, weir.Finish(weir.Cause{At: now}))
		}
		jobs = append(jobs, weir.Job{ID: e.JobID, Status: weir.JobRunning, StartedAt: now})
	}
	see(b, l, jobs, now)
}

func see(b *testing.B, l ledger.Ledger, jobs []weir.Job, at time.Time) {
	b.Helper()
	if err := l.SeeJobs(b.Context(), "default", jobs, at, true); err != nil {
		b.Fatal(err)
	}
}

// multiply copies every finished export, with its delivery and job, until there
// are so many times as many: a hundred thousand would take minutes otherwise.
func multiply(b *testing.B, l *ledger.Store, times int) {
	b.Helper()
	numbers := fmt.Sprintf("WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) ", times-1)
	for _, statement := range []string{
		`INSERT INTO exports SELECT id + 1000 * i, account, fingerprint || i, state, is_open, rank, as_of, job_id || i, not_before,
			created_at, changed_at, version, detail, spanned FROM n CROSS JOIN exports`,
		`INSERT INTO deliveries SELECT id + 1000 * i, export_id + 1000 * i, destination, format, is_primary, csv_safe, state, generation,
			owner, claimed_at, attempts, not_before, manifest, row_count, snapshot_at, landed_at, failure FROM n CROSS JOIN deliveries`,
		`INSERT INTO jobs SELECT account, id || i, status, raw_status, user_id, org_id, title, file_name, file_type, currency, started_at,
			ended_at, expires_at, rows_truncated, cells_truncated, export_id, seq + 1000 * i, first_seen, last_seen, listed_at, in_list,
			was_listed, listed_until, bought_at, uses_quota, seen_in FROM n CROSS JOIN jobs`,
	} {
		if times == 1 {
			break
		}
		if err := l.Exec(b.Context(), numbers+statement); err != nil {
			b.Fatal(err)
		}
	}
	// The database looks at what its tables hold every so often by itself.
	for _, statement := range []string{`UPDATE counters SET value = 100000000`, `ANALYZE`} {
		if err := l.Exec(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
}

func wishOf(i int) ledger.Wish {
	w := wishFor("2026_Q1")
	w.Request.ForecastID = fmt.Sprint("tab ", i)
	return w
}

// advance makes an export with a running job.
func advance(b *testing.B, l ledger.Ledger, i int, at time.Time) weir.Export {
	b.Helper()
	granted, err := l.Wish(b.Context(), at, []ledger.Wish{wishOf(i)})
	if err != nil {
		b.Fatal(err)
	}
	id := granted[0].Export.ID
	move(b, l, id, weir.Submit(weir.Cause{At: at}, 1))
	return move(b, l, id, weir.Accept(weir.Cause{At: at}, fmt.Sprintf("%08x%016x", at.Unix(), i)))
}

func finish(b *testing.B, l ledger.Ledger, e weir.Export) {
	b.Helper()
	move(b, l, e.ID, weir.Finish(weir.Cause{At: e.ChangedAt}))
	deliveries, err := l.DeliveriesOf(b.Context(), e.ID)
	if err != nil {
		b.Fatal(err)
	}
	claim, err := l.Claim(b.Context(), deliveries[0].ID, "worker", e.ChangedAt)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := l.FinishDelivery(b.Context(), claim, ledger.Outcome{State: weir.DeliveryLanded}, weir.Cause{At: e.ChangedAt}); err != nil {
		b.Fatal(err)
	}
}

func move(b *testing.B, l ledger.Ledger, id int64, t weir.Transition) weir.Export {
	b.Helper()
	e, err := l.Move(b.Context(), weir.Lease{}, id, t)
	if err != nil {
		b.Fatal(err)
	}
	return e
}

// BenchmarkListing is a complete list that tells nothing new, as most do.
func BenchmarkListing(b *testing.B) {
	for _, listed := range []int{10, 1_000, 10_000} {
		b.Run(fmt.Sprintf("sqlite/jobs=%d", listed), func(b *testing.B) {
			l := open(b, filepath.Join(b.TempDir(), "weir.db"), ledger.Options{})
			account(b, l)
			at := time.Now()
			var jobs []weir.Job
			for i := range listed {
				jobs = append(jobs, weir.Job{ID: fmt.Sprintf("%024x", i), Status: weir.JobDone, StartedAt: at, FileName: "clari_export"})
			}
			for b.Loop() {
				at = at.Add(time.Second)
				see(b, l, jobs, at)
			}
		})
	}
}
