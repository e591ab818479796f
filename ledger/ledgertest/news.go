package ledgertest

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

func newsCases() []testCase {
	return []testCase{
		{"news/a key is news once", newsOnce},
		{"news/what stands is no news until it is cleared", newsStands},
		{"news/of many servers one tells", newsRace},
		{"news/news of a kind gathers in one message for each receiver", newsGathers},
		{"news/messages of a kind are spaced", newsSpaced},
		{"news/troubles are told of once", troublesOnce},
		{"news/what landed since is mended", mendedCase},
		{"news/overdue exports and late runs are found", overdueCase},
		{"news/what ended long ago is forgotten", forgetCase},
		{"messages/a claim excludes others until it lapses", messageClaims},
		{"messages/a failed attempt is repeated as the same message", messageAgain},
		{"census/open and ended exports are counted", countsCase},
		{"census/the newest snapshot of a tab and period", latestCase},
	}
}

func (f *fixture) addressees(receivers ...string) ledger.Addressees {
	return ledger.Addressees{Receivers: receivers, Gather: 10 * time.Second, Space: 15 * time.Minute}
}

func (f *fixture) tell(key, subject string, receivers ...string) bool {
	f.Helper()
	n := ledger.News{Key: key, Account: account, Kind: "failed", Subject: subject, Export: 7, Text: "it failed: " + key, At: f.now()}
	told, err := f.l.Tell(f.ctx, n, f.addressees(receivers...))
	f.ok(err)
	return told
}

func (f *fixture) messages() []ledger.Message {
	f.Helper()
	all, err := f.l.ListMessages(f.ctx, "", 100)
	f.ok(err)
	return all
}

func newsOnce(f *fixture) {
	f.equal(f.tell("a", "x", "ops"), true)
	f.advance(time.Hour)
	f.equal(f.tell("a", "x", "ops"), false)
	f.equal(f.tell("b", "x", "ops"), true)
	standing, err := f.l.Standing(f.ctx, account, "failed", 10)
	f.ok(err)
	f.equal([]string{standing[0].Key, standing[1].Key}, []string{"a", "b"})
	_, err = f.l.Tell(f.ctx, ledger.News{Key: "c", Account: "nobody", Kind: "failed", At: f.now()}, f.addressees())
	f.is(err, ledger.ErrNotFound)
}

func newsStands(f *fixture) {
	f.equal(f.tell("", "key", "ops"), true)
	f.advance(time.Second)
	f.equal(f.tell("", "key", "ops"), false)
	f.equal(f.tell("", "other", "ops"), true)
	over := ledger.News{Account: account, Kind: "failed", Subject: "key", Text: "it works again", At: f.now()}
	cleared, err := f.l.Recover(f.ctx, over, f.addressees("ops"))
	f.ok(err)
	f.equal(cleared, true)
	cleared, err = f.l.Recover(f.ctx, over, f.addressees("ops"))
	f.ok(err)
	f.equal(cleared, false)
	f.advance(time.Second)
	f.equal(f.tell("", "key", "ops"), true)
	kinds := map[string]int64{}
	for _, m := range f.messages() {
		kinds[m.Kind] += m.Count
	}
	f.equal(kinds, map[string]int64{"failed": 3, ledger.Recovered: 1})
}

func newsRace(f *fixture) {
	var told atomic.Int64
	var servers sync.WaitGroup
	at := f.now()
	for i := range 8 {
		servers.Go(func() {
			for _, n := range []ledger.News{
				{Key: "same", Account: account, Kind: "failed", Subject: "x", At: at},
				{Account: account, Kind: "key_refused", Subject: "key", At: at.Add(time.Duration(i) * time.Millisecond)},
				{Key: fmt.Sprint("own", i), Account: account, Kind: "failed", Subject: "x", At: at},
			} {
				if news, err := f.l.Tell(f.ctx, n, f.addressees("ops")); err == nil && news {
					told.Add(1)
				}
			}
		})
	}
	servers.Wait()
	f.equal(told.Load(), int64(10))
	counts := map[string]int64{}
	for _, m := range f.messages() {
		counts[m.Kind] += m.Count
	}
	f.equal(counts, map[string]int64{"failed": 9, "key_refused": 1})
	f.equal(len(f.messages()), 2)
}

func newsGathers(f *fixture) {
	first := f.now()
	for i := range ledger.MaxSamples + 2 {
		f.tell(fmt.Sprint(i), "x", "ops", "chat")
		f.advance(time.Second / 2)
	}
	f.tell("long", "x", "mail")
	all := f.messages()
	f.equal(len(all), 3)
	for _, m := range all[1:] {
		f.equal(m.Count, int64(ledger.MaxSamples+2))
		f.equal(len(m.Samples), ledger.MaxSamples)
		f.equal(m.Samples[1], ledger.Sample{At: first.Add(time.Second / 2), Export: 7, Text: "it failed: 1"})
		f.equal(m.DueAt, first.Add(10*time.Second))
		f.equal(m.State, ledger.MessageGathering)
	}
	f.equal(all[0].Token != all[1].Token && all[0].Token != "", true)
	due, err := f.l.DueMessages(f.ctx, f.now(), 10)
	f.ok(err)
	f.equal(len(due), 0)
	f.advance(time.Minute)
	due, err = f.l.DueMessages(f.ctx, f.now(), 2)
	f.ok(err)
	f.equal([]string{due[0].Receiver, due[1].Receiver}, []string{"ops", "chat"})
}

func newsSpaced(f *fixture) {
	f.tell("a", "x", "ops")
	first := f.messages()[0]
	f.advance(10 * time.Second)
	claim, err := f.l.ClaimMessage(f.ctx, first.ID, "one", f.now(), f.now().Add(time.Minute))
	f.ok(err)
	f.tell("b", "x", "ops") // the claimed one is closed
	f.ok(f.l.FinishMessage(f.ctx, claim, ledger.Sending{State: ledger.MessageSent}, f.now()))
	f.tell("c", "x", "ops")
	all := f.messages()
	f.equal(len(all), 2)
	f.equal(all[0].Count, int64(2))
	f.equal(all[0].DueAt, first.DueAt.Add(15*time.Minute))
	f.equal(all[1].Count, int64(1))
	f.advance(time.Hour)
	claim, err = f.l.ClaimMessage(f.ctx, all[0].ID, "one", f.now(), f.now().Add(time.Minute))
	f.ok(err)
	f.ok(f.l.FinishMessage(f.ctx, claim, ledger.Sending{State: ledger.MessageSent}, f.now()))
	f.tell("d", "x", "ops")
	f.equal(f.messages()[0].DueAt, f.now().Add(10*time.Second))
}

func troublesOnce(f *fixture) {
	before := f.now()
	f.advance(time.Second)
	failing := f.bring(f.planned(), weir.Running)
	f.move(failing, weir.GiveUpJob(f.cause("no more"), weir.Failure{Code: "job_failed", Message: "the server failed it"}))
	f.bring(f.planned(), weir.Ready)
	troubles, err := f.l.Troubles(f.ctx, before, 10)
	f.ok(err)
	f.equal(len(troubles), 1)
	t := troubles[0]
	f.equal([]any{t.Export.ID, t.State, t.Export.Failure.Code}, []any{failing.ID, weir.Failed, "job_failed"})
	f.equal(f.tell(t.Key, t.Export.Fingerprint), true)
	troubles, err = f.l.Troubles(f.ctx, before, 10)
	f.ok(err)
	f.equal(len(troubles), 0)
	late, err := f.l.Troubles(f.ctx, f.now().Add(time.Millisecond), 10)
	f.ok(err)
	f.equal(len(late), 0)
}

func mendedCase(f *fixture) {
	e := f.ready("parquet")
	f.tell("a", e.Fingerprint)
	f.tell("b", "no fingerprint")
	mended, err := f.l.Mended(f.ctx, 10)
	f.ok(err)
	f.equal(len(mended), 0)
	f.advance(time.Second)
	f.finish(f.claim(f.deliveries(e)[0].ID), f.landed())
	mended, err = f.l.Mended(f.ctx, 10)
	f.ok(err)
	f.equal(len(mended), 1)
	f.equal(mended[0].Key, "a")
}

func overdueCase(f *fixture) {
	w := f.wishFor(f.request())
	w.Rank = weir.RankScheduled
	due := f.grant(w).Export
	f.planned() // asked for by a person: never overdue
	overdue, err := f.l.Overdue(f.ctx, due.AsOf, 10)
	f.ok(err)
	f.equal(len(overdue), 0)
	overdue, err = f.l.Overdue(f.ctx, due.AsOf.Add(time.Millisecond), 10)
	f.ok(err)
	f.equal([]int64{overdue[0].ID, int64(len(overdue))}, []int64{due.ID, 1})

	s := f.armed("nightly", f.now())
	f.advance(time.Hour)
	_, err = f.l.FireSchedule(f.ctx, s, s.NextRunAt.Add(24*time.Hour), f.now(), nil)
	f.ok(err)
	for by, want := range map[time.Duration]int{time.Hour: 0, time.Hour - time.Second: 1} {
		late, err := f.l.LateRuns(f.ctx, f.now(), by)
		f.ok(err)
		f.equal(len(late), want)
	}
	late, err := f.l.LateRuns(f.ctx, f.now().Add(time.Second), time.Minute)
	f.ok(err)
	f.equal(len(late), 0)
}

func forgetCase(f *fixture) {
	f.tell("a", "x", "ops")
	f.advance(time.Minute)
	claim, err := f.l.ClaimMessage(f.ctx, f.messages()[0].ID, "one", f.now(), f.now().Add(time.Minute))
	f.ok(err)
	f.ok(f.l.FinishMessage(f.ctx, claim, ledger.Sending{State: ledger.MessageSent}, f.now()))
	f.tell("b", "y", "ops") // its message has not ended
	for _, test := range []struct {
		before time.Time
		limit  int
		want   int
	}{
		{f.now().Add(-time.Minute), 10, 0},
		{f.now(), 10, 1}, // the news of a; its message ended only now
		{f.now().Add(time.Second), 10, 2},
		{f.now().Add(time.Second), 10, 0},
	} {
		n, err := f.l.ForgetNews(f.ctx, test.before, test.limit)
		f.ok(err)
		f.equal(n, test.want)
	}
	f.equal(f.tell("a", "x"), true)
	f.equal(len(f.messages()), 1)
}

func messageClaims(f *fixture) {
	f.tell("a", "x", "ops")
	id := f.messages()[0].ID
	_, err := f.l.ClaimMessage(f.ctx, id, "one", f.now(), f.now().Add(time.Minute))
	f.is(err, ledger.ErrStale) // not yet due
	f.advance(10 * time.Second)
	claim, err := f.l.ClaimMessage(f.ctx, id, "one", f.now(), f.now().Add(time.Minute))
	f.ok(err)
	f.equal([]any{claim.State, claim.Attempts}, []any{ledger.MessageSending, 1})
	_, err = f.l.ClaimMessage(f.ctx, id, "two", f.now(), f.now().Add(time.Minute))
	f.is(err, ledger.ErrStale)
	due, err := f.l.DueMessages(f.ctx, f.now(), 10)
	f.ok(err)
	f.equal(len(due), 0)
	f.advance(time.Minute)
	again, err := f.l.ClaimMessage(f.ctx, id, "two", f.now(), f.now().Add(time.Minute))
	f.ok(err)
	f.equal([]any{again.Token, again.Attempts}, []any{claim.Token, 2})
	f.is(f.l.FinishMessage(f.ctx, claim, ledger.Sending{State: ledger.MessageSent}, f.now()), ledger.ErrStale)
	f.is(f.l.FinishMessage(f.ctx, again, ledger.Sending{State: ledger.MessageGathering}, f.now()), ledger.ErrStale)
	f.ok(f.l.FinishMessage(f.ctx, again, ledger.Sending{State: ledger.MessageSent}, f.now()))
	_, err = f.l.ClaimMessage(f.ctx, id, "one", f.now().Add(time.Hour), f.now().Add(2*time.Hour))
	f.is(err, ledger.ErrStale)
	f.equal(f.messages()[0].EndedAt, f.now())
}

func messageAgain(f *fixture) {
	f.tell("a", "x", "ops")
	f.advance(time.Minute)
	before := f.messages()[0]
	claim, err := f.l.ClaimMessage(f.ctx, before.ID, "one", f.now(), f.now().Add(time.Minute))
	f.ok(err)
	at := f.now().Add(5 * time.Second)
	f.ok(f.l.FinishMessage(f.ctx, claim, ledger.Sending{State: ledger.MessageWaiting, At: at, Error: strings.Repeat("é", 500)}, f.now()))
	f.tell("b", "x", "ops")
	m := f.messages()[1]
	f.equal([]any{m.State, m.DueAt, m.Count, len(m.LastError)}, []any{ledger.MessageWaiting, at, int64(1), 500})
	f.equal(cmp.Diff(before, m, cmpopts.IgnoreFields(ledger.Message{}, "State", "DueAt", "Attempts", "Owner", "ClaimedUntil", "LastError")), "")
	f.advance(5 * time.Second)
	due, err := f.l.DueMessages(f.ctx, f.now(), 10)
	f.ok(err)
	f.equal([]int64{due[0].ID, int64(len(due))}, []int64{before.ID, 1})

	claim, err = f.l.ClaimMessage(f.ctx, before.ID, "two", f.now(), f.now().Add(time.Minute))
	f.ok(err)
	untried := ledger.Sending{State: ledger.MessageWaiting, At: at, Error: "not known here", Untried: true}
	f.ok(f.l.FinishMessage(f.ctx, claim, untried, f.now()))
	f.equal([]any{f.messages()[1].Attempts, f.messages()[1].LastError}, []any{1, "not known here"})
	f.is(f.l.FinishMessage(f.ctx, claim, untried, f.now()), ledger.ErrStale)
}

func countsCase(f *fixture) {
	f.bring(f.planned(), weir.Running)
	f.planned()
	f.planned()
	f.finish(f.claim(f.deliveries(f.ready("parquet"))[0].ID), f.landed())
	f.keepBudget(account, weir.Budget{Source: weir.Told, Slots: 3, Quota: 100})
	f.ok(f.l.SaveGate(f.ctx, account, "{}"))
	all, err := f.l.CountAccounts(f.ctx)
	f.ok(err)
	f.equal([]string{all[0].Account.Name, all[1].Account.Name}, []string{account, other})
	f.equal(all[0].Open, map[weir.State]int{weir.Running: 1, weir.Planned: 2})
	f.equal([]any{all[0].Budget.Slots, all[0].Gate, len(all[1].Open)}, []any{3, "{}", 0})
	ended, err := f.l.CountEnded(f.ctx)
	f.ok(err)
	f.equal(ended, map[string]map[weir.State]int{account: {weir.Landed: 1}})
}

func latestCase(f *fixture) {
	r := f.request()
	land := func(at time.Time, rows int64) weir.Export {
		w := f.wishFor(r)
		w.AsOf = f.now()
		e := f.bring(f.grant(w).Export, weir.Ready)
		o := f.landed()
		o.SnapshotAt, o.Rows = at, rows
		f.finish(f.claim(f.deliveries(e)[0].ID), o)
		f.advance(time.Minute)
		return e
	}
	at := f.now()
	newest := land(at, 2)
	land(at.Add(-time.Hour), 1) // an older result that landed later
	r = f.request()
	second := land(at.Add(time.Hour), 3)
	all, err := f.l.LatestSnapshots(f.ctx, 10)
	f.ok(err)
	f.equal(all, []ledger.Latest{
		{Account: account, ForecastID: "net_arr", Period: second.Request.Period, Export: second.ID, SnapshotAt: at.Add(time.Hour), Rows: 3},
		{Account: account, ForecastID: "net_arr", Period: newest.Request.Period, Export: newest.ID, SnapshotAt: at, Rows: 2},
	})
	few, err := f.l.LatestSnapshots(f.ctx, 1)
	f.ok(err)
	f.equal(few, all[:1])
}
