package ledgertest

import (
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

func accountCases() []testCase {
	return []testCase{
		{"salt is made once", saltOnce},
		{"account is created once and told apart by key and URL", openAccount},
		{"account is not found", accountMissing},
		{"accounts are listed by name", listAccounts},
		{"account keeps key, organisation and hold", accountKeeps},
		{"gate and budget are kept per account", gateAndBudget},
	}
}

func saltOnce(f *fixture) {
	first, err := f.l.Salt(f.ctx)
	f.ok(err)
	second, err := f.l.Salt(f.ctx)
	f.ok(err)
	f.equal(second, first)
	f.equal(len(first), 32)
}

func openAccount(f *fixture) {
	wanted := weir.Account{Name: "third", BaseURL: "https://api.clari.com/v4", KeyFingerprint: "abc"}
	made, err := f.l.OpenAccount(f.ctx, wanted)
	f.ok(err)
	if !made.CreatedAt.Equal(f.now()) {
		f.Fatalf("created at %s, the store's clock says %s", made.CreatedAt, f.now())
	}
	f.advance(time.Hour)
	again, err := f.l.OpenAccount(f.ctx, wanted)
	f.ok(err)
	f.equal(again, made)
	for _, change := range []func(*weir.Account){
		func(a *weir.Account) { a.KeyFingerprint = "def" },
		func(a *weir.Account) { a.BaseURL = "http://127.0.0.1:8099/v4" },
	} {
		differs := wanted
		change(&differs)
		stands, err := f.l.OpenAccount(f.ctx, differs)
		f.is(err, ledger.ErrOtherKey)
		f.equal(stands, made)
	}
	if _, err := f.l.OpenAccount(f.ctx, weir.Account{}); err == nil {
		f.Fatal("an account without a name was opened")
	}
}

func accountMissing(f *fixture) {
	_, err := f.l.Account(f.ctx, "nobody")
	f.is(err, ledger.ErrNotFound)
	f.is(f.l.RotateKey(f.ctx, "nobody", "x"), ledger.ErrNotFound)
	f.is(f.l.SetOrg(f.ctx, "nobody", "x"), ledger.ErrNotFound)
	f.is(f.l.HoldAccount(f.ctx, "nobody", f.now(), weir.Wait{}), ledger.ErrNotFound)
	f.is(f.l.SaveGate(f.ctx, "nobody", "x"), ledger.ErrNotFound)
	f.is(f.l.ChangeBudget(f.ctx, "nobody", func(b weir.Budget) weir.Budget { return b }), ledger.ErrNotFound)
	_, err = f.l.Organisation(f.ctx, "nobody")
	f.is(err, ledger.ErrNotFound)
	_, err = f.l.BeginReading(f.ctx, "nobody")
	f.is(err, ledger.ErrNotFound)
	_, err = f.l.Gate(f.ctx, "nobody")
	f.is(err, ledger.ErrNotFound)
	_, err = f.l.Budget(f.ctx, "nobody")
	f.is(err, ledger.ErrNotFound)
	_, _, err = f.l.Acquire(f.ctx, "nobody", "x", time.Second, false)
	f.is(err, ledger.ErrNotFound)
	f.is(f.l.SeeJobs(f.ctx, "nobody", []weir.Job{{ID: "a"}}, f.now(), true), ledger.ErrNotFound)
	f.is(f.l.SaveDuration(f.ctx, "nobody", "key", "a", f.now(), time.Second), ledger.ErrNotFound)
}

func listAccounts(f *fixture) {
	all, err := f.l.ListAccounts(f.ctx)
	f.ok(err)
	var names []string
	for _, a := range all {
		names = append(names, a.Name)
	}
	f.equal(names, []string{account, other})
	if !slices.IsSorted(names) {
		f.Fatal("not by name")
	}
}

func accountKeeps(f *fixture) {
	until, why := f.now().Add(time.Hour), weir.Wait{Code: weir.WaitThrottled, Text: "the server said 429"}
	f.ok(f.l.RotateKey(f.ctx, account, "new key"))
	f.ok(f.l.SetOrg(f.ctx, account, "org-1"))
	f.ok(f.l.HoldAccount(f.ctx, account, until, why))
	a, err := f.l.Account(f.ctx, account)
	f.ok(err)
	f.equal([]any{a.KeyFingerprint, a.OrgID, a.NotBefore, a.Wait}, []any{"new key", "org-1", until, why})

	f.ok(f.l.HoldAccount(f.ctx, account, time.Time{}, why))
	a, err = f.l.Account(f.ctx, account)
	f.ok(err)
	f.equal([]any{a.NotBefore, a.Wait}, []any{time.Time{}, weir.Wait{}})

	untouched, err := f.l.Account(f.ctx, other)
	f.ok(err)
	f.equal([]any{untouched.KeyFingerprint, untouched.OrgID}, []any{"key of " + other, ""})
}

func gateAndBudget(f *fixture) {
	state, err := f.l.Gate(f.ctx, account)
	f.ok(err)
	f.equal(state, "")
	none, err := f.l.Budget(f.ctx, account)
	f.ok(err)
	f.equal(none, weir.Budget{})

	b := weir.Budget{
		ReadStartedAt: f.now(), ReadAt: f.now().Add(time.Second), Source: weir.Told, Slots: 3, SlotsFree: 1,
		Quota: 1000, QuotaFree: 995, InFlight: []string{"a", "b"}, Submitted: []string{"b"}, Accepts: 2, Refusals: 1,
		Ceiling: 3, HoldUntil: f.now().Add(time.Minute), HoldWhy: weir.Wait{Code: weir.WaitSlot, Text: "full"},
	}
	f.keepBudget(account, b)
	f.ok(f.l.SaveGate(f.ctx, account, `{"rate":5}`))
	b.InFlight[0] = "changed by the caller"
	got, err := f.l.Budget(f.ctx, account)
	f.ok(err)
	b.InFlight[0] = "a"
	f.equal(got, b)
	state, err = f.l.Gate(f.ctx, account)
	f.ok(err)
	f.equal(state, `{"rate":5}`)
	got, err = f.l.Budget(f.ctx, other)
	f.ok(err)
	f.equal(got, weir.Budget{})
}
