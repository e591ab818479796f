package ledger_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/servertest"
	"github.com/weirhq/weir/ledger"
)

// A ledger that is pruned stays as large as what it must keep, however much it
// has seen: its rows, and the pages that hold them.
func TestPrunedLedgerStaysSmall(t *testing.T) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	l := open(t, filepath.Join(t.TempDir(), "weir.db"), ledger.Options{Clock: func() time.Time { return now }})
	staysSmall(t, l, &now, func() int {
		pages, err := l.Pages(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return pages
	})
}

// PostgreSQL takes pages again once it has looked for dead rows, which it does by
// itself every so often.
func staysSmallPostgres(t *testing.T, server *servertest.Postgres) {
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	url := server.Schema(t)
	_, schema, _ := strings.Cut(url, "search_path=")
	l := open(t, url, ledger.Options{Clock: func() time.Time { return now }})
	staysSmall(t, l, &now, func() int {
		server.Exec(t, "VACUUM")
		text := server.Query(t, `SELECT SUM(pg_relation_size(c.oid)) / 8192 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname = '`+schema+`' AND c.relkind = 'r'`)
		pages, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			t.Fatal(err)
		}
		return int(pages)
	})
}

// staysSmall lives through months in which the same snapshots are taken again and
// again.
func staysSmall(t *testing.T, l *ledger.Store, now *time.Time, pages func() int) {
	h := history{t, l, now}
	_, err := l.OpenAccount(t.Context(), weir.Account{Name: "a", BaseURL: "https://api.clari.com/v4", KeyFingerprint: "k"})
	h.must(err)
	var sizes, rows []int
	for month := range 6 {
		for i := range 40 {
			h.land(weir.Period(fmt.Sprintf("2026_Q%d", 1+i%4)), fmt.Sprintf("%024x", 1000*month+i))
			*now = now.Add(time.Hour)
		}
		*now = now.Add(40 * 24 * time.Hour)
		for pruned := (ledger.Pruned{Exports: 1}); pruned.Any(); {
			var err error
			pruned, err = l.Prune(t.Context(), now.Add(-31*24*time.Hour), 15)
			h.must(err)
		}
		all, err := l.ListExports(t.Context(), ledger.Filter{})
		h.must(err)
		jobs, err := l.Jobs(t.Context(), "a")
		h.must(err)
		sizes, rows = append(sizes, pages()), append(rows, len(all)+len(jobs))
	}
	t.Logf("exports and jobs %v, pages %v", rows, sizes)
	early := slices.Max(sizes[:3])
	if slices.Max(rows) > rows[0] || slices.Max(sizes) > early+early/5 {
		t.Errorf("it grows: exports and jobs %v, pages %v", rows, sizes)
	}
}

// history is a ledger with a past, for pruning.
type history struct {
	*testing.T
	l   *ledger.Store
	now *time.Time
}

// land makes an export whose job is named after it, and lands it.
func (h history) land(period weir.Period, job string) weir.Export {
	h.Helper()
	e := h.run(period, job)
	h.must(h.l.SeeJobs(h.Context(), "a", []weir.Job{{ID: job, Status: weir.JobDone, RawStatus: "DONE", ExpiresAt: h.now.Add(24 * time.Hour)}}, *h.now, true))
	_, err := h.l.Move(h.Context(), weir.Lease{}, e.ID, weir.Finish(h.cause()))
	h.must(err)
	all, err := h.l.DeliveriesOf(h.Context(), e.ID)
	h.must(err)
	claim, err := h.l.Claim(h.Context(), all[0].ID, "w", *h.now)
	h.must(err)
	e, err = h.l.FinishDelivery(h.Context(), claim, ledger.Outcome{State: weir.DeliveryLanded, Manifest: "m", SnapshotAt: *h.now}, h.cause())
	h.must(err)
	return e
}

// run makes an export whose job runs.
func (h history) run(period weir.Period, job string) weir.Export {
	h.Helper()
	granted, err := h.l.Wish(h.Context(), *h.now, []ledger.Wish{{
		Account: "a", Request: weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: period}, AsOf: *h.now,
		JobsAllowed: 3, Destination: "/d", Formats: []string{"csv"},
	}})
	h.must(err)
	e, err := h.l.Move(h.Context(), weir.Lease{}, granted[0].Export.ID, weir.Submit(h.cause(), 1))
	h.must(err)
	h.must(h.l.BindJob(h.Context(), "a", e.ID, job, *h.now))
	e, err = h.l.Move(h.Context(), weir.Lease{}, e.ID, weir.Accept(h.cause(), job))
	h.must(err)
	return e
}

func (h history) cause() weir.Cause { return weir.Cause{At: *h.now, Why: "test"} }

func (h history) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}
