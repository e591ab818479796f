package engine_test

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/plan"
)

// bench is one account, one server and a script: the waiting rules one by one.
type bench struct {
	*testing.T
	w       *world
	account string
	exports []int64
	own     map[int64]bool
}

// onBench runs a test in virtual time and then holds it to all that a
// simulation is held to.
func onBench(t *testing.T, policy plan.Policy, c emulator.Config, script emulator.Scenario, test func(*bench)) {
	t.Helper()
	c.Scenario = &script
	onScene(t, &scene{
		policy: policy, names: []string{"default"}, accounts: map[string]accountScene{"default": {key: "key-one", user: 1}},
		servers: []emulator.Config{c},
	}, test)
}

// onScene is a bench with accounts of its own.
func onScene(t *testing.T, s *scene, test func(*bench)) {
	t.Helper()
	s.watch, s.chaos, s.hidden = time.Second, time.Hour, []map[int]time.Duration{{}}
	c := &s.servers[0]
	c.Users, c.Fields, c.Weeks, c.Plain = 1, 1, 1, true
	c.Slots, c.Quota = cmp.Or(c.Slots, 3), cmp.Or(c.Quota, 1000) // the emulator's defaults, for the auditor
	if c.Scenario == nil {
		c.Scenario = &emulator.Scenario{}
	}
	if c.Key == "" {
		c.Key = "key-one"
	}
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)))
		w, err := newWorld(1, s)
		if err != nil {
			t.Fatal(err)
		}
		defer w.stop()
		test(&bench{T: t, w: w, account: "default", own: map[int64]bool{}})
		for _, fault := range w.audit.faults {
			t.Error(fault)
		}
		if t.Failed() {
			t.Log(strings.Join(w.audit.trace, "\n"))
		}
	})
}

// want wishes for one period each.
func (b *bench) want(periods ...weir.Period) {
	b.Helper()
	var wishes []ledger.Wish
	for _, period := range periods {
		r := weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: period}
		wishes = append(wishes, ledger.Wish{Account: b.account, Request: r, AsOf: time.Now(), JobsAllowed: 3, Destination: "/data", Formats: []string{"csv"}})
	}
	granted, err := b.w.store.Wish(b.Context(), time.Now(), wishes)
	if err != nil {
		b.Fatal(err)
	}
	for _, g := range granted {
		b.exports = append(b.exports, g.Export.ID)
		b.own[g.Deliveries[0].ID] = true
	}
}

// run works as a command does and checks how it ended and after how long.
func (b *bench) run(want engine.Verdict, least, most time.Duration) engine.Ending {
	b.Helper()
	return b.runAs(b.w.spawn(b.account, fate{}), want, least, most)
}

func (b *bench) runAs(p *proc, want engine.Verdict, least, most time.Duration) engine.Ending {
	b.Helper()
	began := time.Now()
	ending, err := p.work(b.Context(), b.exports, b.own)
	if took := time.Since(began); err != nil || ending.Verdict != want || took < least || took > most {
		b.Errorf("ended after %s with %q (%s), err %v; want %q after %s to %s", took, ending.Verdict, ending.Why, err, want, least, most)
	}
	return ending
}

func (b *bench) export(i int) weir.Export {
	b.Helper()
	e, err := b.w.store.Export(b.Context(), b.exports[i])
	if err != nil {
		b.Fatal(err)
	}
	return e
}

// requests are the instants of the requests of some routes, in order.
func (b *bench) requests(routes ...emulator.Route) []emulator.Logged {
	var found []emulator.Logged
	for _, l := range b.w.servers[0].RequestLog() {
		if len(routes) == 0 || slices.Contains(routes, l.Route) {
			found = append(found, l)
		}
	}
	slices.SortFunc(found, func(a, b emulator.Logged) int { return a.At.Compare(b.At) })
	return found
}

// near allows for what a ledger call and a request take on the bench.
func near(got, want time.Duration) bool { return (got - want).Abs() < 150*time.Millisecond }

func backoffs(first time.Duration, n int) []time.Duration {
	var all []time.Duration
	for wait := first; len(all) < n; wait = min(wait*3/2, time.Minute) {
		all = append(all, wait)
	}
	return all
}

func TestSequentialIsOneJobAtATime(t *testing.T) {
	onBench(t, plan.Sequential(), emulator.Config{Slots: 3, JobTime: 12 * time.Second}, emulator.Scenario{}, func(b *bench) {
		b.want("2025_Q1", "2025_Q2", "2025_Q3")
		b.run(engine.AllEnded, 50*time.Second, 90*time.Second)
		if c := b.w.servers[0].Counters(); c.MostJobs != 1 || c.JobsMade() != 3 {
			b.Errorf("%d jobs, at most %d at once", c.JobsMade(), c.MostJobs)
		}
		posts, polls := b.requests(emulator.RouteExportForecast), b.requests(emulator.RouteJob)
		for i, poll := range polls {
			wait := []time.Duration{5 * time.Second, 12500 * time.Millisecond}[i%2]
			if got := poll.At.Sub(posts[i/2].At); !near(got, wait) {
				b.Errorf("poll %d of job %d after %s, want %s", i%2, i/2, got, wait)
			}
		}
		for i := range posts[1:] {
			if pause := posts[i+1].At.Sub(polls[2*i+1].At); !near(pause, 10*time.Second) {
				b.Errorf("pause %d: %s", i, pause)
			}
		}
	})
}

func TestSequentialTimesOutAfterSixtyAnswers(t *testing.T) {
	script := emulator.Scenario{Jobs: []emulator.JobRule{{Stuck: 1e6}}}
	onBench(t, plan.Sequential(), emulator.Config{}, script, func(b *bench) {
		b.want("2025_Q1", "2025_Q2")
		waits := backoffs(5*time.Second, 60)
		b.run(engine.NobodyDecides, 50*time.Minute, time.Hour)
		polls := b.requests(emulator.RouteJob)
		if len(polls) != 60 {
			b.Fatalf("%d status answers", len(polls))
		}
		for i := range polls[1:] {
			if got := polls[i+1].At.Sub(polls[i].At); !near(got, waits[i+1]) {
				b.Errorf("poll %d after %s, want %s", i+1, got, waits[i+1])
			}
		}
		e, stand := b.export(0), b.w.audit.stands[b.exports[0]]
		if e.State != weir.Running || stand.Wait.Code != weir.WaitTimeout || !strings.Contains(stand.Wait.Text, e.JobID) {
			b.Errorf("export is %s: %+v", e.State, stand)
		}
		if n := len(b.requests(emulator.RouteExportForecast)); n != 1 {
			b.Errorf("%d POSTs while the job runs", n)
		}
	})
}

func TestNoCallBeforeRetryAfter(t *testing.T) {
	date := time.Date(2026, 11, 23, 12, 2, 0, 0, time.UTC).Format("Mon, 02 Jan 2006 15:04:05 GMT")
	for name, header := range map[string]string{"seconds": "90", "date": date} {
		t.Run(name, func(t *testing.T) {
			script := emulator.Scenario{Rules: []emulator.Rule{{
				Match: emulator.Match{When: emulator.When{Nth: 3}}, Fault: emulator.Fault{Status: 429, RetryAfter: header},
			}}}
			onBench(t, plan.Sequential(), emulator.Config{JobTime: time.Second}, script, func(b *bench) {
				b.want("2025_Q1")
				b.run(engine.AllEnded, 80*time.Second, 3*time.Minute)
				all := b.requests()
				if wait := all[3].At.Sub(all[2].At); wait < 90*time.Second && name == "seconds" || all[3].At.Before(time.Date(2026, 11, 23, 12, 1, 29, 0, time.UTC)) {
					b.Errorf("%s after %s", all[3].Route, wait)
				}
				if c := b.w.servers[0].Counters(); c.EarlyCalls != 0 || c.Throttled != 1 {
					b.Errorf("%d early calls, %d refusals", c.EarlyCalls, c.Throttled)
				}
			})
		})
	}
}

func TestBackOffWithoutRetryAfter(t *testing.T) {
	script := emulator.Scenario{Rules: []emulator.Rule{{
		Match: emulator.Match{When: emulator.When{Nth: 1, Times: 8}}, Fault: emulator.Fault{Status: 429},
	}}}
	onBench(t, plan.Sequential(), emulator.Config{JobTime: time.Second}, script, func(b *bench) {
		b.want("2025_Q1")
		b.run(engine.AllEnded, 3*time.Minute, 10*time.Minute)
		all, waits := b.requests(), backoffs(5*time.Second, 8)
		for i, wait := range waits {
			if got := all[i+1].At.Sub(all[i].At); !near(got, wait) {
				b.Errorf("request %d after %s, want %s", i+1, got, wait)
			}
		}
	})
}

func TestUnreachableServer(t *testing.T) {
	script := emulator.Scenario{Rules: []emulator.Rule{{Fault: emulator.Fault{Cut: emulator.CutRefused}}}}
	onBench(t, plan.Adaptive(), emulator.Config{}, script, func(b *bench) {
		b.want("2025_Q1")
		b.run(engine.NothingActs, 10*time.Minute, 12*time.Minute)
		if e := b.export(0); e.State != weir.Planned {
			b.Errorf("export is %s", e.State)
		}
	})
}

func TestDeadline(t *testing.T) {
	onBench(t, plan.Adaptive(), emulator.Config{JobTime: time.Hour}, emulator.Scenario{}, func(b *bench) {
		b.want("2025_Q1")
		p := b.w.spawn("default", fate{})
		p.until = time.Now().Add(5 * time.Minute)
		b.w.skew.Store(int64(3 * time.Minute)) // the store's clock is not this machine's
		b.runAs(p, engine.DeadlineOver, 4*time.Minute, 5*time.Minute+5*time.Second)
	})
}

func TestQuotaUsedUp(t *testing.T) {
	onBench(t, plan.Adaptive(), emulator.Config{Quota: 1, JobTime: time.Second}, emulator.Scenario{}, func(b *bench) {
		b.want("2025_Q1", "2025_Q2")
		began := time.Now()
		ending := b.run(engine.QuotaUsed, time.Second, 5*time.Minute)
		if frees := began.Add(30 * 24 * time.Hour); ending.Next.Sub(frees).Abs() > time.Minute {
			b.Errorf("next at %s, want about %s", ending.Next, frees)
		}
	})
}

func TestSlotsTakenByOthers(t *testing.T) {
	script := emulator.Scenario{Foreign: []emulator.Foreign{{At: -time.Second, Count: 3, Lasts: 10 * time.Hour}}}
	onBench(t, plan.Adaptive(), emulator.Config{Slots: 3}, script, func(b *bench) {
		b.want("2025_Q1")
		b.run(engine.NothingActs, 15*time.Minute, 17*time.Minute)
		if n := len(b.requests(emulator.RouteExportForecast)); n != 0 {
			b.Errorf("%d POSTs without a free slot", n)
		}
	})
}

func TestKeyRefused(t *testing.T) {
	onBench(t, plan.Adaptive(), emulator.Config{Key: "another"}, emulator.Scenario{}, func(b *bench) {
		b.want("2025_Q1")
		b.run(engine.KeyRefused, 0, time.Minute)
	})
}

// An answer within 1.5 s of an interrupt is kept; later the fate is unknown.
func TestInterruptDuringPost(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer time.Duration
		state  weir.State
	}{
		{"answered in time", 2 * time.Second, weir.Running},
		{"answered too late", 30 * time.Second, weir.Unknown},
	} {
		t.Run(test.name, func(t *testing.T) {
			script := emulator.Scenario{Rules: []emulator.Rule{{Match: emulator.Match{Method: "POST"}, Fault: emulator.Fault{DelayAnswer: test.answer}}}}
			onBench(t, plan.Adaptive(), emulator.Config{}, script, func(b *bench) {
				b.want("2025_Q1")
				ctx, interrupt := context.WithCancelCause(b.Context())
				p := b.w.spawn("default", fate{})
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					_, _ = p.work(ctx, b.exports, b.own)
				}()
				time.Sleep(1500 * time.Millisecond) // the POST is under way
				began := time.Now()
				interrupt(engine.ErrInterrupted)
				<-ended
				if took := time.Since(began); took > 2*time.Second {
					b.Errorf("ended %s after the interrupt", took)
				}
				if e := b.export(0); e.State != test.state {
					b.Errorf("export is %s with job %q", e.State, e.JobID)
				}
			})
		})
	}
}

// A job id is a fact: heard by a conductor that has lost its lease, it is bound
// all the same, and the next conductor goes on with it.
func TestLeaseLostDuringPost(t *testing.T) {
	script := emulator.Scenario{
		Rules: []emulator.Rule{{Match: emulator.Match{Method: "POST"}, Fault: emulator.Fault{DelayAnswer: 20 * time.Second}}},
		Jobs:  []emulator.JobRule{{NoFileName: true}},
	}
	onBench(t, plan.Adaptive(), emulator.Config{JobTime: 40 * time.Second}, script, func(b *bench) {
		b.want("2025_Q1")
		ended := make(chan struct{})
		for range 2 {
			p := b.w.spawn("default", fate{})
			go func() {
				_, _ = p.work(b.Context(), b.exports, b.own)
				ended <- struct{}{}
			}()
		}
		time.Sleep(1200 * time.Millisecond)
		b.w.skew.Store(int64(time.Minute)) // the lease is over by the store's clock
		time.Sleep(3 * time.Second)
		if e := b.export(0); e.State != weir.Unknown {
			b.Fatalf("export is %s after the takeover", e.State)
		}
		<-ended
		<-ended
		if e, c := b.export(0), b.w.servers[0].Counters(); e.State != weir.Landed || c.JobsMade() != 1 {
			b.Errorf("export is %s after %d jobs", e.State, c.JobsMade())
		}
	})
}

// A process that stood still longer than its lease sends nothing until it has
// the lease again, and nothing that was planned before.
func TestSuspendedConductorSendsNothing(t *testing.T) {
	onBench(t, plan.Adaptive(), emulator.Config{Slots: 1, JobTime: 5 * time.Second}, emulator.Scenario{}, func(b *bench) {
		b.want("2025_Q1", "2025_Q2", "2025_Q3")
		p := b.w.spawn("default", fate{freezeAt: 60, freezeFor: 10 * time.Minute})
		b.runAs(p, engine.AllEnded, 10*time.Minute, 15*time.Minute)
		if !p.frozeSince(b.w.started) {
			b.Error("it never stood still")
		}
		for _, l := range b.requests() {
			if l.At.After(p.froze) && l.At.Before(p.thaws) {
				b.Errorf("%s while it stood still", l.Route)
			}
		}
	})
}
