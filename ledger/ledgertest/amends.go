package ledgertest

import (
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

func amendCases() []testCase {
	return []testCase{
		{"amendment changes every field it may", amendAll},
		{"amendment is refused elsewhere", amendStale},
		{"amendment leaves identity and state alone", amendForbidden},
		{"exports share no memory with the caller", exportCopies},
		{"exports are listed by id, account, state, likeness and number", listExports},
	}
}

func amendAll(f *fixture) {
	e := f.in(weir.Running)
	at := f.now()
	change := func(e *weir.Export) {
		e.Rank, e.AsOf, e.ChangedAt, e.JobID = weir.RankBackfill, at.Add(1*time.Second), at.Add(2*time.Second), "job"
		e.Jobs, e.JobsAllowed, e.SubmittedAt, e.Generation = 2, 5, at.Add(3*time.Second), 9
		e.IntentSeq, e.AbsentSeq, e.LostAt, e.Settle = 4, 5, at.Add(4*time.Second), 10*time.Second
		e.AbsentListings, e.AbsentListedAt, e.PresumedAbsentAt = 2, at.Add(5*time.Second), at.Add(6*time.Second)
		e.Adopted, e.NeedsPerson, e.NotBefore = true, "look at it", at.Add(7*time.Second)
		e.Wait = weir.Wait{Code: weir.WaitJob, Text: "the server works"}
		e.PolledAt, e.Polls, e.PollFailures, e.DoneAt = at.Add(8*time.Second), 3, 2, at.Add(9*time.Second)
		e.CancelRequestedAt, e.CancelSentAt, e.CancelForced = at.Add(10*time.Second), at.Add(11*time.Second), true
		e.Fresh, e.NoAdopt, e.Twin = time.Hour, true, "another job"
		e.Failure = &weir.Failure{Code: "code", Message: "message \x00 <é>", Hint: "hint"}
	}
	want := e
	change(&want)
	got, err := f.l.Amend(f.ctx, weir.Lease{}, e.ID, weir.Running, change)
	f.ok(err)
	f.equal(got, want)
	f.equal(f.export(e.ID), want)
	history, err := f.l.History(f.ctx, e.ID)
	f.ok(err)
	f.equal(len(history), 2)
}

func amendStale(f *fixture) {
	e := f.in(weir.Running)
	_, err := f.l.Amend(f.ctx, weir.Lease{}, e.ID, weir.Planned, func(*weir.Export) { f.Error("asked for a change") })
	f.is(err, ledger.ErrStale)
}

func amendForbidden(f *fixture) {
	e := f.in(weir.Running)
	for name, change := range map[string]func(*weir.Export){
		"id":          func(e *weir.Export) { e.ID++ },
		"account":     func(e *weir.Export) { e.Account = other },
		"request":     func(e *weir.Export) { e.Request.Currency = "EUR" },
		"fingerprint": func(e *weir.Export) { e.Fingerprint = "x" },
		"state":       func(e *weir.Export) { e.State = weir.Landed },
		"creation":    func(e *weir.Export) { e.CreatedAt = e.CreatedAt.Add(time.Hour) },
	} {
		if _, err := f.l.Amend(f.ctx, weir.Lease{}, e.ID, weir.Running, change); err == nil {
			f.Errorf("an amendment changed the %s", name)
		}
	}
	f.equal(f.export(e.ID), e)
}

func exportCopies(f *fixture) {
	r := f.request()
	r.Types = []string{"forecast", "quota"}
	e := f.grant(f.wishFor(r)).Export
	r.Types[0], e.Request.Types[0] = "crm_total", "crm_total"
	read := f.export(e.ID)
	f.equal(read.Request.Types, []string{"forecast", "quota"})

	failure := weir.Failure{Code: "code"}
	f.bring(e, weir.Running)
	e = f.move(e, weir.GiveUpJob(f.cause("x"), failure))
	e.Failure.Code = "changed by the caller"
	f.equal(f.export(e.ID).Failure.Code, "code")
}

func listExports(f *fixture) {
	a, b, c := f.in(weir.Landed), f.in(weir.Running), f.planned()
	w := f.wishFor(a.Request)
	w.AsOf = f.now().Add(time.Hour)
	d := f.grant(w).Export // like a, which landed
	w = f.wishFor(b.Request)
	w.Account = other
	e := f.grant(w).Export // like b, of another account
	for _, test := range []struct {
		filter ledger.Filter
		want   []weir.Export
	}{
		{ledger.Filter{}, []weir.Export{a, b, c, d, e}},
		{ledger.Filter{Account: account}, []weir.Export{a, b, c, d}},
		{ledger.Filter{Account: account, OpenOnly: true}, []weir.Export{b, c, d}},
		{ledger.Filter{OpenOnly: true}, []weir.Export{b, c, d, e}},
		{ledger.Filter{Account: account, Fingerprint: a.Fingerprint}, []weir.Export{a, d}},
		{ledger.Filter{Fingerprint: b.Fingerprint}, []weir.Export{b, e}},
		{ledger.Filter{Account: account, Fingerprint: a.Fingerprint, OpenOnly: true}, []weir.Export{d}},
		{ledger.Filter{Limit: 2}, []weir.Export{d, e}},
		{ledger.Filter{Account: account, OpenOnly: true, Limit: 2}, []weir.Export{c, d}},
		{ledger.Filter{Account: account, Fingerprint: a.Fingerprint, Limit: 1}, []weir.Export{d}},
		{ledger.Filter{Account: account, Limit: 9}, []weir.Export{a, b, c, d}},
		{ledger.Filter{Account: "nobody"}, nil},
	} {
		got, err := f.l.ListExports(f.ctx, test.filter)
		f.ok(err)
		f.equal(got, test.want)
	}
}
