package notify_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/inmem"
	"github.com/weirhq/weir/notify"
	"github.com/weirhq/weir/plan"
	"github.com/weirhq/weir/signals"
)

// box is a receiver that keeps what it took; fails refuses so many first.
type box struct {
	mu    sync.Mutex
	took  []ledger.Message
	at    []time.Time
	tries int
	fails int
	after time.Duration // what a refusal says of when to come back
}

func (b *box) Send(_ context.Context, m ledger.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.tries++
	if b.tries <= b.fails {
		if err := errors.New("not now"); b.after == 0 {
			return err
		}
		return &notify.LaterError{After: b.after, Err: errors.New("busy")}
	}
	b.took, b.at = append(b.took, m), append(b.at, time.Now())
	return nil
}

// scene is a desk on an in-memory ledger, in virtual time.
type scene struct {
	*testing.T
	l    *inmem.Ledger
	desk *notify.Desk
	box  *box
	n    int
}

func newScene(t *testing.T) *scene {
	s := &scene{T: t, l: inmem.New(inmem.Options{}), box: &box{}}
	_, err := s.l.OpenAccount(t.Context(), weir.Account{Name: "acme", BaseURL: "https://x.test", KeyFingerprint: "k"})
	s.ok(err)
	s.desk = s.newDesk("one")
	return s
}

func (s *scene) newDesk(owner string) *notify.Desk {
	d := &notify.Desk{Book: s.l, Owner: owner, Log: slog.New(slog.DiscardHandler)}
	d.Use([]string{"acme"}, []notify.Addressee{{Name: "ops", Kinds: notify.Kinds(), To: s.box}})
	return d
}

func (s *scene) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// run lets the desk work for a while.
func (s *scene) run(d *notify.Desk, length time.Duration) {
	ctx, stop := context.WithTimeout(s.Context(), length)
	defer stop()
	d.Run(ctx)
}

// export makes an export of a period of its own, running, wanted by rank.
func (s *scene) export(rank weir.Rank) weir.Export {
	s.Helper()
	s.n++
	now := time.Now()
	granted, err := s.l.Wish(s.Context(), now, []ledger.Wish{{
		Account: "acme", Request: weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: weir.Period(fmt.Sprintf("2%03d_Q1", s.n))},
		Rank: rank, AsOf: now, JobsAllowed: 1, Destination: "/data", Formats: []string{"parquet"},
	}})
	s.ok(err)
	return granted[0].Export
}

func (s *scene) move(e weir.Export, moves ...func(weir.Cause) weir.Transition) weir.Export {
	s.Helper()
	for _, move := range moves {
		after, err := s.l.Move(s.Context(), weir.Lease{}, e.ID, move(weir.Cause{At: time.Now(), Why: "test"}))
		s.ok(err)
		e = after
	}
	return e
}

func submit(c weir.Cause) weir.Transition { return weir.Submit(c, 1) }
func accept(c weir.Cause) weir.Transition { return weir.Accept(c, "6b04c9a7b22e07a0e18bfafd") }
func giveUp(c weir.Cause) weir.Transition {
	return weir.GiveUpJob(c, weir.Failure{Code: weir.CodeJobFailed, Message: "for ada@example.com, 3,000,190.00"})
}

func (s *scene) fail() weir.Export {
	return s.move(s.export(weir.RankAsked), submit, accept, giveUp)
}

func (s *scene) land(e weir.Export) {
	s.Helper()
	e = s.move(e, weir.Finish)
	deliveries, err := s.l.DeliveriesOf(s.Context(), e.ID)
	s.ok(err)
	claim, err := s.l.Claim(s.Context(), deliveries[0].ID, "me", time.Now())
	s.ok(err)
	_, err = s.l.FinishDelivery(s.Context(), claim, ledger.Outcome{State: weir.DeliveryLanded, SnapshotAt: time.Now()}, weir.Cause{At: time.Now()})
	s.ok(err)
}

// told are the messages as "kind count".
func (s *scene) told() []string {
	var all []string
	for _, m := range s.box.took {
		all = append(all, fmt.Sprintf("%s %d", m.Kind, m.Count))
	}
	return all
}

func (s *scene) wantTold(want ...string) {
	s.Helper()
	if diff := cmp.Diff(want, s.told()); diff != "" {
		s.Errorf("told (-want +got):\n%s", diff)
	}
}

// A storm of failures is one message, and what comes later another, a quarter
// of an hour after it; nothing in it is a value or names a person.
func TestStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		for range 100 {
			s.fail()
		}
		s.run(s.desk, time.Minute)
		s.wantTold("failed 100")
		for range 20 { // one a minute
			s.fail()
			s.run(s.desk, time.Minute)
		}
		s.run(s.desk, 20*time.Minute)
		if len(s.box.took) != 3 {
			t.Errorf("%d messages about twenty failures in twenty minutes: %v", len(s.box.took)-1, s.told())
		}
		for i := range s.box.took[1:] {
			if apart := s.box.at[i+1].Sub(s.box.at[i]); apart < notify.Space-30*time.Second {
				t.Errorf("messages are %s apart, want %s", apart, notify.Space)
			}
		}
		text := notify.Text(s.box.took[0])
		for _, never := range []string{"ada@", "3,000,190"} {
			if strings.Contains(text, never) {
				t.Errorf("the message holds %q:\n%s", never, text)
			}
		}
		if !strings.Contains(text, "(export 1): job_failed") || !strings.Contains(text, "and 90 more") {
			t.Errorf("the message says:\n%s", text)
		}
	})
}

// What landed after all is told as recovered, once.
func TestRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		e := s.fail()
		s.run(s.desk, time.Minute)
		e = s.move(e, func(c weir.Cause) weir.Transition { return weir.Retry(c, weir.Failed, 1, "") }, submit, accept)
		s.run(s.desk, time.Minute)
		s.land(e)
		s.run(s.desk, time.Hour)
		s.wantTold("failed 1", "recovered 1")
	})
}

// Two desks on one ledger tell of everything once; one that dies between the
// receiver and the ledger is followed by the other, with the same token.
func TestTwoDesks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		other := s.newDesk("two")
		s.fail()
		var both sync.WaitGroup
		for _, d := range []*notify.Desk{s.desk, other} {
			both.Go(func() { s.run(d, time.Minute) })
		}
		both.Wait()
		s.wantTold("failed 1")

		time.Sleep(time.Hour)
		s.fail()
		s.ok(s.desk.Look(t.Context()))
		time.Sleep(notify.Gather)
		due, err := s.l.DueMessages(t.Context(), time.Now(), 10)
		s.ok(err)
		claim, err := s.l.ClaimMessage(t.Context(), due[0].ID, "dead", time.Now(), time.Now().Add(2*time.Minute))
		s.ok(err)
		s.ok(s.box.Send(t.Context(), claim)) // and then it died
		s.run(other, time.Minute)
		s.wantTold("failed 1", "failed 1")
		s.run(other, 2*time.Minute)
		s.wantTold("failed 1", "failed 1", "failed 1")
		if s.box.took[1].Token != s.box.took[2].Token || s.box.took[0].Token == s.box.took[1].Token {
			t.Error("a repetition cannot be told from another message")
		}
	})
}

// A receiver that is down is asked again, less and less often, and given up
// after a day; one that says when to come back is obeyed.
func TestRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		s.box.fails = 4
		s.fail()
		s.run(s.desk, 5*time.Minute)
		s.wantTold("failed 1")
		if s.box.tries != 5 {
			t.Errorf("%d tries, want 5", s.box.tries)
		}
		s.box.fails, s.box.after = 1000, 45*time.Minute
		s.fail()
		start, before := time.Now(), s.box.tries
		s.run(s.desk, 3*24*time.Hour)
		if tries := s.box.tries - before; tries < 24 || tries > 33 {
			t.Errorf("%d tries in a day of refusals that say 45 minutes", tries)
		}
		all, err := s.l.ListMessages(t.Context(), "acme", 10)
		s.ok(err)
		if all[0].State != ledger.MessageGivenUp || all[0].EndedAt.Sub(start) < notify.GiveUpAfter || all[0].LastError != "busy, to be tried in 45m0s" {
			t.Errorf("the message is %+v", all[0])
		}
	})
	var pauses []string
	for n := 1; n <= 10; n++ {
		pauses = append(pauses, notify.Pause(n).String())
	}
	if got, want := strings.Join(pauses, " "), "10s 20s 40s 1m20s 2m40s 5m20s 10m40s 21m20s 42m40s 1h0m0s"; got != want {
		t.Errorf("pauses are %s, want %s", got, want)
	}
}

// What a conductor's plan shows is told while it stands and no more once it is
// over: decisions, the quota, the key.
func TestStanding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		e := s.export(weir.RankAsked)
		e.NeedsPerson = "look at the jobs"
		refused := true
		s.desk.Refused = func() map[string]bool { return map[string]bool{"acme": refused} }
		short := weir.Budget{Source: weir.Told, Slots: 1, Quota: 10, QuotaFree: 0, ReadAt: time.Now()}
		shows := func(v plan.View) {
			for range 30 {
				s.desk.Planned(signals.Planned{Account: "acme", View: v, At: time.Now()})
				s.run(s.desk, 20*time.Second)
			}
		}
		shows(plan.View{Policy: plan.Adaptive(), Exports: []weir.Export{e}, Budget: short})
		s.wantTold("needs_person 1", "quota_low 1", "key_refused 1")
		refused = false
		shows(plan.View{Policy: plan.Adaptive(), Budget: short})
		s.wantTold("needs_person 1", "quota_low 1", "key_refused 1", "recovered 3")
		s.run(s.desk, time.Hour) // a desk that sees no plan any more finds nothing new
		s.wantTold("needs_person 1", "quota_low 1", "key_refused 1", "recovered 3")
	})
}

// A scheduled run that starts late and a snapshot that is not there are missed.
func TestMissed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		due, err := s.l.ArmSchedule(t.Context(), ledger.Schedule{Account: "acme", Name: "nightly", Spec: "daily", NextRunAt: time.Now()})
		s.ok(err)
		time.Sleep(2 * time.Hour)
		_, err = s.l.FireSchedule(t.Context(), due, time.Now().Add(24*time.Hour), time.Now(), nil)
		s.ok(err)
		s.export(weir.RankAsked) // a person's own is nobody's loss
		e := s.export(weir.RankScheduled)
		s.run(s.desk, time.Hour)
		s.wantTold("missed 1")
		if got := s.box.took[0].Samples[0].Text; !strings.Contains(got, "schedule nightly") || !strings.Contains(got, "2h0m late") {
			t.Errorf("told %q", got)
		}
		s.run(s.desk, notify.OverdueAfter)
		s.wantTold("missed 1", "missed 1")
		s.land(s.move(e, submit, accept))
		s.run(s.desk, time.Hour)
		s.wantTold("missed 1", "missed 1", "recovered 1")
	})
}

// Receivers hear of the kinds they asked for, and only of accounts served here;
// a message for a receiver that is gone waits for it to come back.
func TestAddressees(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		other := &box{}
		s.desk.Use([]string{"acme"}, []notify.Addressee{
			{Name: "ops", Kinds: []string{notify.Rejected}, To: s.box}, {Name: "chat", Kinds: []string{notify.Failed}, To: other},
		})
		s.fail()
		s.ok(s.desk.Look(t.Context()))
		s.desk.Use([]string{"acme"}, nil)
		s.run(s.desk, time.Minute)
		s.desk.Use([]string{"acme"}, []notify.Addressee{{Name: "chat", Kinds: []string{notify.Failed}, To: other}})
		s.run(s.desk, 5*time.Minute)
		if len(s.box.took) != 0 || len(other.took) != 1 {
			t.Errorf("ops was told %d, chat %d", len(s.box.took), len(other.took))
		}
		s.desk.Use([]string{"somebody"}, []notify.Addressee{{Name: "chat", Kinds: []string{notify.Failed}, To: other}})
		s.fail()
		s.run(s.desk, time.Hour)
		if len(other.took) != 1 {
			t.Error("told of an account that is not served here")
		}
	})
}

// Where there is a queue the desk offers what is due for as long as it is due,
// and sends only what a worker tells it to.
func TestDeskOffersToQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		offered := map[int64]int{}
		s.desk.Offer = func(_ context.Context, m ledger.Message, _ time.Time) error { offered[m.ID]++; return nil }
		s.move(s.export(weir.RankAsked), submit, accept, giveUp)
		s.run(s.desk, time.Minute)
		if len(offered) != 1 || len(s.box.took) != 0 {
			t.Fatalf("offered %v, sent %v", offered, s.box.took)
		}
		for id, times := range offered {
			if times < 2 {
				t.Errorf("offered %d times: what a queue loses is lost", times)
			}
			s.ok(s.desk.Send(t.Context(), id))
			offered[id] = 0
		}
		s.run(s.desk, time.Minute)
		for id, times := range offered {
			if times != 0 || len(s.box.took) != 1 {
				t.Errorf("message %d was offered %d times after it was sent; sent %d", id, times, len(s.box.took))
			}
		}
	})
}

// Of servers that share a queue, one that does not know a receiver leaves its
// message to those that do, and that is no attempt.
func TestUnknownReceiverIsLeftToOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		s.move(s.export(weir.RankAsked), submit, accept, giveUp)
		s.ok(s.desk.Look(t.Context()))
		stranger := s.newDesk("stranger")
		stranger.Use([]string{"acme"}, nil)
		stranger.Offer = func(context.Context, ledger.Message, time.Time) error { return nil }
		time.Sleep(notify.Gather)
		for range 5 {
			all, err := s.l.ListMessages(t.Context(), "", 1)
			s.ok(err)
			s.ok(stranger.Send(t.Context(), all[0].ID))
			time.Sleep(5 * time.Second)
		}
		s.ok(s.desk.SendDue(t.Context()))
		if len(s.box.took) != 1 || s.box.took[0].Attempts != 1 {
			t.Errorf("the receiver took %+v, want one message at its first attempt", s.box.took)
		}
	})
}
