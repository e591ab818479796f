package ledgertest

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

// Names that most cases use.
const (
	account = "default"
	other   = "other"
	dest    = "/data/clari"
)

// fixture is a ledger with two accounts, and short ways to use it that fail the
// test at once.
type fixture struct {
	*testing.T
	ctx     context.Context
	l       ledger.Ledger
	advance func(time.Duration)
	asked   int // requests made up so far
}

func start(t *testing.T, h Harness) *fixture {
	f := &fixture{T: t, ctx: t.Context(), l: h.Ledger, advance: h.Advance}
	for _, name := range []string{account, other} {
		_, err := f.l.OpenAccount(f.ctx, weir.Account{Name: name, BaseURL: "https://api.clari.com/v4", KeyFingerprint: "key of " + name})
		f.ok(err)
	}
	return f
}

// ok ends the test on an error.
func (f *fixture) ok(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// is requires an error of that kind.
func (f *fixture) is(err, want error) {
	f.Helper()
	if !errors.Is(err, want) {
		f.Fatalf("error is %v, want %v", err, want)
	}
}

// equal requires the same value.
func (f *fixture) equal(got, want any) {
	f.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		f.Fatalf("not as wanted (-want +got):\n%s", diff)
	}
}

// now is the store's clock.
func (f *fixture) now() time.Time {
	f.Helper()
	now, err := f.l.Now(f.ctx)
	f.ok(err)
	return now
}

// request makes up a request that no other of the test is like.
func (f *fixture) request() weir.Request {
	f.asked++
	return weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: period(f.asked)}
}

func period(n int) weir.Period {
	p := weir.Period("2000_Q1")
	for range n {
		p = p.Next()
	}
	return p
}

// wishFor is an ordinary wish.
func (f *fixture) wishFor(r weir.Request) ledger.Wish {
	return ledger.Wish{
		Account: account, Request: r, Rank: weir.RankAsked, AsOf: f.now(), JobsAllowed: 3,
		Destination: dest, Formats: []string{"parquet"},
	}
}

// grant records one wish.
func (f *fixture) grant(w ledger.Wish) ledger.Granted {
	f.Helper()
	granted, err := f.l.Wish(f.ctx, f.now(), []ledger.Wish{w})
	f.ok(err)
	if len(granted) != 1 {
		f.Fatalf("%d grants of one wish", len(granted))
	}
	return granted[0]
}

// planned is a new export with one open delivery.
func (f *fixture) planned() weir.Export {
	f.Helper()
	return f.grant(f.wishFor(f.request())).Export
}

// cause is a cause at the store's time.
func (f *fixture) cause(why string) weir.Cause { return weir.Cause{At: f.now(), Why: why} }

// move applies a transition as a person.
func (f *fixture) move(e weir.Export, t weir.Transition) weir.Export {
	f.Helper()
	after, err := f.l.Move(f.ctx, weir.Lease{}, e.ID, t)
	f.ok(err)
	return after
}

// export reads an export.
func (f *fixture) export(id int64) weir.Export {
	f.Helper()
	e, err := f.l.Export(f.ctx, id)
	f.ok(err)
	return e
}

// deliveries reads an export's deliveries.
func (f *fixture) deliveries(e weir.Export) []weir.Delivery {
	f.Helper()
	all, err := f.l.DeliveriesOf(f.ctx, e.ID)
	f.ok(err)
	return all
}

// job reads one job.
func (f *fixture) job(id string) weir.Job {
	f.Helper()
	jobs, err := f.l.Jobs(f.ctx, account, id)
	f.ok(err)
	if len(jobs) != 1 {
		f.Fatalf("%d jobs have the id %s", len(jobs), id)
	}
	return jobs[0]
}

// see records an answer about jobs, now.
func (f *fixture) see(complete bool, jobs ...weir.Job) {
	f.Helper()
	f.ok(f.l.SeeJobs(f.ctx, account, jobs, f.now(), complete))
}

// lease takes the account's lease for owner.
func (f *fixture) lease(owner string) weir.Lease {
	f.Helper()
	lease, _, err := f.l.Acquire(f.ctx, account, owner, 4*time.Second, false)
	f.ok(err)
	return lease
}
