package ledger_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/inmem"
)

// BenchmarkTick is what a conductor reads in one tick with ten open exports,
// beside more and more that have ended: it must not cost more with them.
func BenchmarkTick(b *testing.B) {
	for _, finished := range []int{10, 1_000, 100_000} {
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
	var jobs []weir.Job
	old, now := time.Now().Add(-90*24*time.Hour), time.Now()
	for i := range finished {
		e := advance(b, l, i, old)
		finish(b, l, e)
		jobs = append(jobs, weir.Job{ID: e.JobID, Status: weir.JobDone, StartedAt: old, EndedAt: old, ExpiresAt: old.Add(30 * 24 * time.Hour)})
	}
	for i := range 10 {
		e := advance(b, l, finished+i, now)
		if i < 5 {
			move(b, l, e.ID, weir.Finish(weir.Cause{At: now}))
		}
		jobs = append(jobs, weir.Job{ID: e.JobID, Status: weir.JobRunning, StartedAt: now})
	}
	if err := l.SeeJobs(b.Context(), "default", jobs, now, true); err != nil {
		b.Fatal(err)
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
