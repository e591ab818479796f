package ledgertest

import (
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

func organisationCases() []testCase {
	return []testCase{
		{"an account is its own organisation until one is named", orgOfOne},
		{"accounts of one organisation share its budget", orgShares},
		{"the same id at another base URL is another organisation", orgElsewhere},
		{"joining outdates every reading of before", orgJoinOutdates},
		{"a reading under way while an account joins is numbered below", orgJoinMeanwhile},
		{"a moved account leaves its organisation", orgLeft},
		{"of two intents on one version one is stale", orgOneSlot},
		{"an intent rests on the budget that it saw", orgBudgetChanges},
		{"what takes no slot rests on nothing", orgFreeMoves},
		{"what was bought since a reading is told by its number", orgBoughtSince},
		{"a lost fate is numbered", orgLostIn},
		{"jobs and exports beside are those of other accounts", orgBeside},
	}
}

func (f *fixture) org(name string) weir.Organisation {
	f.Helper()
	o, err := f.l.Organisation(f.ctx, name)
	f.ok(err)
	return o
}

func (f *fixture) keepBudget(name string, b weir.Budget) {
	f.Helper()
	f.ok(f.l.ChangeBudget(f.ctx, name, func(weir.Budget) weir.Budget { return b }))
}

func (f *fixture) begin(name string) int64 {
	f.Helper()
	n, err := f.l.BeginReading(f.ctx, name)
	f.ok(err)
	return n
}

func (f *fixture) join(names ...string) {
	f.Helper()
	for _, name := range names {
		f.ok(f.l.SetOrg(f.ctx, name, "org-1"))
	}
}

func (f *fixture) read(number int64, slots int) weir.Budget {
	return weir.Budget{Reading: number, ReadStartedAt: f.now(), ReadAt: f.now(), Source: weir.Told, Slots: slots, SlotsFree: slots}
}

// plannedBy is a new export of that account.
func (f *fixture) plannedBy(name string) weir.Export {
	f.Helper()
	w := f.wishFor(f.request())
	w.Account = name
	return f.grant(w).Export
}

func orgOfOne(f *fixture) {
	f.equal(f.org(account).Shared, false)
	f.keepBudget(account, f.read(f.begin(account), 3))
	f.equal(f.org(other).Budget, weir.Budget{})
	f.equal(f.org(other).Readings, int64(0))
	f.join(account)
	f.equal(f.org(account).Shared, false)
	f.equal(f.org(account).Budget.Slots, 3) // the first of an organisation brings what it has
}

func orgShares(f *fixture) {
	f.join(account, other)
	f.equal([]bool{f.org(account).Shared, f.org(other).Shared}, []bool{true, true})
	b := f.read(f.begin(other), 7)
	f.keepBudget(other, b)
	f.equal(f.org(account).Budget, b)
	f.equal(f.org(account), f.org(other))
	f.equal(f.begin(account), b.Reading+1)
	a, err := f.l.Account(f.ctx, account)
	f.ok(err)
	f.equal(a.OrgID, "org-1")
}

func orgElsewhere(f *fixture) {
	_, err := f.l.OpenAccount(f.ctx, weir.Account{Name: "away", BaseURL: "https://elsewhere.example/v4", KeyFingerprint: "k"})
	f.ok(err)
	f.join(account, "away")
	f.keepBudget(account, f.read(f.begin(account), 3))
	f.equal(f.org("away").Budget, weir.Budget{})
	f.equal(f.org("away").Shared, false)
}

func orgJoinOutdates(f *fixture) {
	for range 5 {
		f.begin(other)
	}
	e := f.plannedBy(other)
	f.ok(f.l.BindJob(f.ctx, other, e.ID, "job", f.now()))
	f.join(account)
	f.keepBudget(account, f.read(f.begin(account), 3))
	f.join(other)
	o := f.org(account)
	f.equal(o.Budget.Known(), false)
	if next := f.begin(account); next <= 5 {
		f.Fatalf("reading %d after the join, other had begun 5", next)
	}
	f.join(other) // named again: nothing happens
	f.equal(f.org(account).Version, o.Version)
}

func orgJoinMeanwhile(f *fixture) {
	f.join(account)
	underWay := f.begin(account)
	for range 5 {
		f.begin(other)
	}
	f.join(other)
	if b := f.org(account).Budget; b.Reading <= underWay || b.Reading <= 5 {
		f.Fatalf("the budget is of reading %d, which reading %d could replace", b.Reading, underWay)
	}
}

func orgLeft(f *fixture) {
	f.join(account, other)
	f.keepBudget(account, f.read(f.begin(account), 3))
	f.ok(f.l.Rehome(f.ctx, other, "https://elsewhere.example/v4"))
	f.equal(f.org(account).Shared, false)
	f.equal(f.org(other).Budget, weir.Budget{})
	a, err := f.l.Account(f.ctx, other)
	f.ok(err)
	f.equal([]string{a.BaseURL, a.OrgID}, []string{"https://elsewhere.example/v4", ""})
}

func orgOneSlot(f *fixture) {
	f.join(account, other)
	mine, theirs := f.plannedBy(account), f.plannedBy(other)
	version := f.org(account).Version
	submit := func(e weir.Export) error {
		_, err := f.l.Move(f.ctx, weir.Lease{}, e.ID, weir.Submit(f.cause("a slot is free"), 1).RestingOn(version))
		return err
	}
	f.ok(submit(mine))
	f.is(submit(theirs), ledger.ErrStale)
	f.equal(f.export(theirs.ID).State, weir.Planned)
	version = f.org(other).Version
	f.ok(submit(theirs))
}

func orgBudgetChanges(f *fixture) {
	e := f.planned()
	version := f.org(account).Version
	f.keepBudget(account, f.read(f.begin(account), 3))
	_, err := f.l.Move(f.ctx, weir.Lease{}, e.ID, weir.Submit(f.cause("on the old reading"), 1).RestingOn(version))
	f.is(err, ledger.ErrStale)
	f.move(e, weir.Submit(f.cause("on none"), 1))
}

func orgFreeMoves(f *fixture) {
	e := f.move(f.planned(), weir.Submit(f.cause("x"), 1))
	version := f.org(account).Version
	e = f.move(e, weir.Lose(f.cause("x"), time.Second).RestingOn(version-1))
	f.move(e, weir.PresumeAbsent(f.cause("x")).RestingOn(version-1))
	f.equal(f.org(account).Version, version)
}

func (f *fixture) boughtSince(name string, reading int64) []string {
	f.Helper()
	jobs, err := f.l.BoughtSince(f.ctx, name, reading)
	f.ok(err)
	var ids []string
	for _, j := range jobs {
		ids = append(ids, j.ID)
	}
	return ids
}

// A job is bought since a reading when it was first seen after that began, also
// where its clock says another thing.
func orgBoughtSince(f *fixture) {
	f.join(account, other)
	mine, theirs := f.plannedBy(account), f.plannedBy(other)
	bind := func(e weir.Export, id string) { f.ok(f.l.BindJob(f.ctx, e.Account, e.ID, id, f.now())) }
	bind(mine, "before")
	n := f.begin(account)
	bind(mine, "since")
	bind(theirs, "theirs")
	f.see(true, weir.Job{ID: "before", Status: weir.JobRunning, StartedAt: f.now().Add(time.Hour)},
		weir.Job{ID: "since", Status: weir.JobCancelled, StartedAt: f.now().Add(-time.Hour)},
		weir.Job{ID: "not ours", Status: weir.JobRunning})
	f.equal(f.boughtSince(account, n), []string{"since", "theirs"})
	f.equal(f.boughtSince(other, n), []string{"since", "theirs"})
	f.equal(f.boughtSince(account, 0), []string{"before", "since", "theirs"})
	f.equal(f.boughtSince(account, f.begin(other)), []string(nil))
	f.equal(f.job("since").SeenIn, n)
	f.equal(len(f.uses(time.Time{})), 2) // with those of the other account
}

func orgLostIn(f *fixture) {
	e := f.move(f.planned(), weir.Submit(f.cause("x"), 1))
	f.begin(account)
	n := f.begin(account)
	e = f.move(e, weir.Lose(f.cause("no answer"), time.Second))
	f.equal(e.LostIn, n)
	f.begin(account)
	f.equal(f.export(e.ID).LostIn, n)
}

func orgBeside(f *fixture) {
	f.join(account, other)
	mine, theirs := f.plannedBy(account), f.plannedBy(other)
	beside := func(inDoubt bool) []int64 {
		all, err := f.l.Beside(f.ctx, account, inDoubt)
		f.ok(err)
		var ids []int64
		for _, e := range all {
			ids = append(ids, e.ID)
		}
		return ids
	}
	f.move(mine, weir.Submit(f.cause("x"), 1))
	f.equal(beside(false), []int64(nil))
	theirs = f.move(theirs, weir.Submit(f.cause("x"), 1))
	f.equal(beside(true), []int64{theirs.ID})
	f.ok(f.l.BindJob(f.ctx, other, theirs.ID, "theirs", f.now()))
	f.move(theirs, weir.Accept(f.cause("x"), "theirs"))
	f.equal(beside(true), []int64(nil))
	f.equal(beside(false), []int64{theirs.ID})
	f.see(true, weir.Job{ID: "theirs", Status: weir.JobRunning}, weir.Job{ID: "nobody's", Status: weir.JobRunning})
	known, err := f.l.JobsBeside(f.ctx, account, "theirs", "nobody's", "unseen")
	f.ok(err)
	f.equal(len(known), 1)
	f.equal(known[0].ExportID, theirs.ID)
}
