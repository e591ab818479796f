package engine_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/plan"
)

// scene is one random scenario: all of it is drawn from the seed before
// anything runs.
type scene struct {
	policy   plan.Policy
	rate     float64
	watch    time.Duration
	locks    bool
	names    []string
	accounts map[string]accountScene
	servers  []emulator.Config
	hidden   []map[int]time.Duration // of each server's jobs by number
	commands []commandScene
	persons  []personScene
	jumps    []jumpScene
	storeOff time.Duration // the store's clock at first
	chaos    time.Duration // how long things go wrong

	killing, freezing, interrupting float64 // of each process
	transferFails, destinationFails float64

	retention retention
}

type accountScene struct {
	key    string
	user   int64
	server int
	ahead  time.Duration // the server's clock
}

type commandScene struct {
	account string
	at      time.Duration
	wishes  []ledger.Wish
}

type personScene struct {
	account string
	at      time.Duration
	does    string // cancel or retry
	pick    int
}

type jumpScene struct{ at, by time.Duration }

// dice draws.
type dice struct{ *rand.Rand }

func (d dice) chance(p float64) bool { return d.Float64() < p }

func (d dice) upTo(n int) int { return 1 + d.IntN(n) } // 1..n

func (d dice) span(least, most time.Duration) time.Duration {
	return least + time.Duration(d.Int64N(int64(most-least)+1))
}

func pick[T any](d dice, of ...T) T { return of[d.IntN(len(of))] }

func drawScene(seed uint64) *scene {
	d := dice{rand.New(rand.NewPCG(seed, 0))}
	s := &scene{
		policy: plan.Adaptive(), rate: pick(d, 0.0, 0, 2, 10), watch: pick(d, time.Second, 3*time.Second, 5*time.Second),
		locks: d.chance(0.5), accounts: map[string]accountScene{}, chaos: d.span(3*time.Minute, 25*time.Minute),
	}
	if d.chance(0.2) {
		s.policy = plan.Sequential()
	}
	if d.chance(0.3) {
		s.policy.KeepQuota = d.upTo(3)
	}
	if d.chance(0.3) {
		s.storeOff = d.span(-2*time.Minute, 2*time.Minute)
	}
	s.drawTroubles(d)
	s.drawAccounts(d)
	for i := range s.servers {
		s.drawServer(d, i, seed)
	}
	s.drawCommands(d)
	s.drawPersons(d)
	s.drawDirect(d)
	s.drawRetention(d) // last, so that what seeds drew before stays as it was
	return s
}

func (s *scene) drawTroubles(d dice) {
	s.killing = pick(d, 0, 0.3, 0.7)
	s.freezing = pick(d, 0, 0.2, 0.5)
	s.interrupting = pick(d, 0, 0.3)
	s.transferFails = pick(d, 0, 0, 0.2, 0.6)
	s.destinationFails = pick(d, 0, 0, 0.2)
	for d.chance(0.15) {
		s.jumps = append(s.jumps, jumpScene{at: d.span(0, s.chaos), by: d.span(-time.Hour, time.Hour)})
	}
}

func (s *scene) drawAccounts(d dice) {
	s.names = []string{"default"}
	ahead := pick(d, 0, 0, d.span(-time.Hour, time.Hour))
	s.accounts["default"] = accountScene{key: "key-one", user: 1, ahead: ahead}
	s.servers = make([]emulator.Config, 1)
	if !d.chance(0.4) {
		return
	}
	s.names = append(s.names, "second")
	if d.chance(0.7) { // the same organisation, and now and then the same user
		user := pick(d, int64(1), 2, 2)
		s.accounts["second"] = accountScene{key: "key-two", user: user, ahead: ahead}
		s.servers[0].OtherKeys = map[string]int64{"key-two": user}
		return
	}
	s.accounts["second"] = accountScene{key: "key-one", user: 1, server: 1}
	s.servers = append(s.servers, emulator.Config{})
}

func (s *scene) drawServer(d dice, i int, seed uint64) {
	c := &s.servers[i]
	c.Key, c.Seed = "key-one", int64(seed)*2+int64(i)
	c.Users, c.Fields, c.Weeks, c.Plain, c.LogSize = 1, 1, 1, true, 1
	c.Dialect = pick(d, emulator.Docs, emulator.Docs, emulator.Wild, emulator.Mission)
	c.Slots = d.upTo(4)
	c.RunningSlots = d.upTo(c.Slots)
	c.Quota = pick(d, 1000, 1000, 3+d.IntN(20), 3+d.IntN(8))
	c.JobTime = d.span(time.Second, 90*time.Second)
	c.JobSigma = pick(d, 0, 0.3, 1.0)
	c.QueueTime = pick(d, 0, 0, 5*time.Second)
	c.History = pick(d, 0, 3)
	if d.chance(0.3) {
		c.QuotaUsed = d.IntN(min(c.Quota, 20))
	}
	if d.chance(0.35) {
		s.drawRate(d, c)
	}
	switch {
	case d.chance(0.1):
		c.LimitsForbidden = pick(d, 401, 403, 404)
	case d.chance(0.07):
		c.ListMissing = pick(d, 404, 405)
	}
	c.Scenario = &emulator.Scenario{}
	s.drawFaults(d, c.Scenario)
	s.hidden = append(s.hidden, s.drawFates(d, c.Scenario))
	s.drawOthers(d, c.Scenario)
}

func (s *scene) drawRate(d dice, c *emulator.Config) {
	c.Rate = pick(d, 0.3, 1, 3)
	c.RateKind = pick(d, emulator.Bucket, emulator.Window, emulator.Sliding)
	c.RateWindow = pick(d, 0, time.Second, 10*time.Second)
	c.Burst = d.upTo(5)
	c.RetryAfter = pick(d, emulator.RetrySeconds, emulator.RetryDate, emulator.RetryNone)
	c.ChargeRefusals = d.chance(0.2)
	c.RateHeaders = d.chance(0.3)
	if c.RateKind != emulator.Bucket && c.Rate < 1 {
		c.RateWindow = 10 * time.Second
	}
}

func (s *scene) drawFaults(d dice, script *emulator.Scenario) {
	for range d.IntN(7) {
		route := pick(d, "export.forecast", "export.forecast", "export.forecast", "jobs.list", "jobs.list", "jobs.get", "jobs.results", "limits", "jobs.cancel", "*")
		rule := emulator.Rule{Match: emulator.Match{Route: route}, Fault: drawFault(d, route)}
		switch d.IntN(3) {
		case 0:
			rule.Match.Probability = pick(d, 0.05, 0.2, 0.5)
		case 1:
			rule.Match.Nth, rule.Match.Times = d.upTo(6), d.upTo(4)
		default:
			rule.Match.Nth = d.upTo(3)
		}
		rule.Match.Until = s.chaos
		script.Rules = append(script.Rules, rule)
	}
	if d.chance(0.05) {
		at := d.span(0, s.chaos/2)
		script.Keys = []emulator.KeyEvent{{Key: "key-one", RevokeAt: at, RestoreAt: at + d.span(time.Second, s.chaos/2)}}
	}
}

func drawFault(d dice, route string) emulator.Fault {
	post := route == "export.forecast"
	if post && d.chance(0.25) { // about the end of what proves an absence
		return emulator.Fault{Cut: emulator.CutBefore, ActLate: d.span(6*time.Second, 22*time.Second)}
	}
	switch d.IntN(9) {
	case 0:
		return emulator.Fault{Cut: emulator.CutRefused}
	case 1:
		return emulator.Fault{Cut: emulator.CutAfter}
	case 2:
		f := emulator.Fault{Cut: emulator.CutBefore}
		if post {
			f.ActLate = pick(d, 0, d.span(time.Second, 25*time.Second), d.span(time.Second, 150*time.Second))
		}
		return f
	case 3:
		return emulator.Fault{Status: pick(d, 500, 502, 503), Act: d.chance(0.5), HTML: d.chance(0.3)}
	case 4:
		return emulator.Fault{Delay: d.span(time.Second, 90*time.Second)}
	case 5:
		return emulator.Fault{DelayAnswer: d.span(time.Second, 90*time.Second)}
	case 6:
		after := pick(d, "", strconv.Itoa(d.upTo(120)), strconv.Itoa(d.upTo(1800)), "0", "-1", "soon", "99999999999")
		return emulator.Fault{Status: 429, RetryAfter: after}
	case 7:
		return emulator.Fault{HTML: true, Act: d.chance(0.5)}
	}
	if post {
		return pick(d, emulator.Fault{Status: 400, Code: "no_such_forecast_config"}, emulator.Fault{Status: 403}, emulator.Fault{Status: 400, Code: "export_monthly_quota_reached"})
	}
	return emulator.Fault{Body: pick(d, "[{", `{"jobs":[{"jobId":17}]}`, "", "null"), Act: true}
}

// drawFates draws what becomes of jobs, and returns how long which of them are
// not in the list.
func (s *scene) drawFates(d dice, script *emulator.Scenario) map[int]time.Duration {
	hidden := map[int]time.Duration{}
	for range d.IntN(3) {
		n := d.upTo(6)
		if hidden[n] != 0 {
			continue
		}
		hidden[n] = pick(d, d.span(time.Second, 20*time.Second), d.span(time.Second, 100*time.Second))
		rule := emulator.JobRule{Hidden: hidden[n], HiddenEverywhere: d.chance(0.3)}
		rule.Match.Nth = n
		script.Jobs = append(script.Jobs, rule)
	}
	for range d.IntN(4) {
		rule := drawFate(d)
		rule.Match.Until = s.chaos
		if d.chance(0.5) {
			rule.Match.Probability = pick(d, 0.1, 0.4)
		} else {
			rule.Match.Nth, rule.Match.Times = d.upTo(5), d.upTo(3)
		}
		script.Jobs = append(script.Jobs, rule)
	}
	return hidden
}

func drawFate(d dice) emulator.JobRule {
	switch d.IntN(9) {
	case 0:
		return emulator.JobRule{Outcome: emulator.OutcomeAborted, Takes: d.span(time.Second, time.Minute)}
	case 1:
		return emulator.JobRule{Outcome: emulator.OutcomeCancelled, Takes: d.span(time.Second, time.Minute)}
	case 2:
		return emulator.JobRule{Stuck: 50}
	case 3:
		return emulator.JobRule{Queued: d.span(time.Second, 3*time.Minute)}
	case 4:
		return emulator.JobRule{Truncated: "rows"}
	case 5:
		return emulator.JobRule{StatusWord: "REHYDRATING"}
	case 6:
		return emulator.JobRule{ResultsLate: d.span(time.Second, 8*time.Minute)}
	case 7:
		return emulator.JobRule{ExpiresAfter: d.span(time.Second, 10*time.Minute)}
	}
	return emulator.JobRule{Outcome: emulator.OutcomeFailed}
}

// drawOthers draws what other people do.
func (s *scene) drawOthers(d dice, script *emulator.Scenario) {
	for range d.IntN(3) {
		f := emulator.Foreign{At: d.span(-time.Hour, s.chaos), Count: d.upTo(3), Lasts: d.span(5*time.Second, 10*time.Minute)}
		if d.chance(0.4) {
			f.Every, f.Until = d.span(time.Minute, 10*time.Minute), s.chaos
		}
		if d.chance(0.3) { // by hand, with our key's user: of no period that we ask for
			f.Mine, f.Forecast, f.Period = true, "net_arr", "2024_Q1"
		}
		script.Foreign = append(script.Foreign, f)
	}
	for range pick(d, 0, 0, 1, 2) {
		script.Limits = append(script.Limits, emulator.LimitChange{At: d.span(0, s.chaos), Slots: d.upTo(4)})
	}
}

func (s *scene) drawCommands(d dice) {
	for i := range d.upTo(3) {
		account := pick(d, s.names...)
		if i < len(s.names) {
			account = s.names[i]
		}
		c := commandScene{account: account, at: pick(d, 0, d.span(0, s.chaos/2))}
		for range d.upTo(pick(d, 1, 3, 6)) {
			c.wishes = append(c.wishes, drawWish(d, account))
		}
		s.commands = append(s.commands, c)
	}
}

func drawWish(d dice, account string) ledger.Wish {
	r := weir.Request{
		Kind: weir.Forecast, ForecastID: pick(d, "net_arr", "new_logo"),
		Period: weir.Period(fmt.Sprintf("%d_Q%d", 2025+d.IntN(2), d.upTo(4))),
		Types:  pick(d, nil, nil, []string{"forecast", "quota"}),
	}
	return ledger.Wish{
		Account: account, Request: r, Rank: pick(d, weir.RankAsked, weir.RankScheduled, weir.RankBackfill),
		JobsAllowed: d.upTo(3), Destination: "/data", Formats: pick(d, []string{"parquet"}, []string{"parquet", "csv"}),
	}
}

func (s *scene) drawPersons(d dice) {
	for range d.IntN(4) {
		s.persons = append(s.persons, personScene{
			account: pick(d, s.names...), at: d.span(0, s.chaos), does: pick(d, "cancel", "retry"), pick: d.IntN(100),
		})
	}
}

func (s *scene) drawFate(p dice) fate {
	var f fate
	if p.chance(s.killing) {
		f.killAt = 20 + p.IntN(pick(p, 100, 600, 3000))
	}
	if p.chance(s.freezing) {
		f.freezeOn = pick(p, "", "", "Move", "Amend")
		f.freezeAt, f.freezeFor = 20+p.IntN(pick(p, 100, 600, 3000)), p.span(time.Second, 2*time.Minute)
	}
	return f
}
