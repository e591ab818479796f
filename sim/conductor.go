package sim

import (
	"fmt"
	"net/http"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/pace"
	"github.com/weirhq/weir/plan"
)

const (
	// landers is how many results are downloaded at once, and postPatience how
	// long a POST may wait at the gate; both as the engine has them.
	landers      = 2
	postPatience = 10 * time.Second
	landAgain    = 5 * time.Second
)

// conductor does what the engine does with plan and pace, in virtual time: it
// makes the view, asks plan.Next, does the first action, and rests until the
// plan looks again. Writing to the ledger takes no time.
type conductor struct {
	*gate
	book   book
	policy plan.Policy
	blind  bool // does not tell plan what is scheduled

	exports []weir.Export // open, by id
	wants   map[int64]wanted
	jobs    map[string]weir.Job
	seq     int64
	nextID  int64

	budget       weir.Budget
	readings     int64    // of limits, begun
	bought       []string // jobs, in the order in which they were seen
	listing      plan.Listing
	limits       plan.ReadFailures
	list         plan.ReadFailures
	history      map[string][]time.Duration
	taught       *plan.Durations
	uses         []time.Time
	due          []time.Time
	lastEnd      time.Time
	lastTerminal time.Time

	busy    bool // a request of the conductor's is under way
	look    int  // the latest planned look is the one that counts
	landing map[int64]bool
	retryAt map[int64]time.Time
}

// memory is what outlives a run of weir in its ledger.
type memory struct {
	gate    pace.State
	history map[string][]time.Duration
}

// playWeir lets weir itself act.
func playWeir(policy plan.Policy, blind bool) func(*world, *memory) Result {
	return func(w *world, m *memory) Result {
		policy := policy // a run's own: runs go side by side
		if w.scenario.PollMin > 0 && !policy.Sequential {
			policy.PollMin = w.scenario.PollMin
		}
		if m.history == nil {
			m.history = w.scenario.past(w.draw)
		}
		c := &conductor{
			gate:   &gate{world: w, policy: pace.Policy{Jitter: w.draw.of("jitter").Float64}, state: m.gate.Resume(w.now)},
			policy: policy, blind: blind, wants: map[int64]wanted{}, jobs: map[string]weir.Job{},
			history: m.history, taught: plan.Learn(m.history), landing: map[int64]bool{}, retryAt: map[int64]time.Time{},
		}
		for _, x := range w.wants() {
			c.expect(x)
		}
		w.run(func() bool { return c.book.open == 0 || w.err != nil }, w.now.Add(horizon))
		m.gate, m.history = c.state, c.history
		return w.result(&c.book)
	}
}

// horizon ends a simulation that would not end.
const horizon = 120 * 24 * time.Hour

// expect plans an export at the instant it is due.
func (c *conductor) expect(x wanted) {
	c.book.open++
	if x.scheduled {
		c.due = append(c.due, x.due)
	}
	c.at(x.due, func() {
		c.nextID++
		rank := weir.RankAsked
		switch {
		case x.scheduled:
			rank = weir.RankScheduled
		case c.scenario.PerDay > 0:
			rank = weir.RankBackfill
		}
		c.wants[c.nextID] = x
		c.exports = append(c.exports, weir.Export{
			ID: c.nextID, Request: x.request, State: weir.Planned, Rank: rank,
			AsOf: c.now, CreatedAt: c.now, ChangedAt: c.now, JobsAllowed: 3,
		})
		c.wake()
	})
}

// wake steps after everything else that happens at this instant.
func (c *conductor) wake() { c.lookAt(c.now) }

func (c *conductor) lookAt(t time.Time) {
	c.look++
	look := c.look
	c.at(t, func() {
		if look == c.look {
			c.step()
		}
	})
}

// step plans until a request is under way or nothing is to do.
func (c *conductor) step() {
	for !c.busy && c.err == nil {
		c.offer()
		v := c.view()
		p := plan.Next(v, c.now)
		if len(p.Actions) == 0 {
			c.lookAt(p.LookAgain)
			return
		}
		c.do(p.Actions[0])
	}
}

func (c *conductor) view() plan.View {
	v := plan.View{
		Account: weir.Account{Name: "sim", CreatedAt: epoch().Add(-time.Hour)}, Policy: c.policy, Generation: 1,
		Exports: c.exports, Jobs: c.known(), Budget: c.budget, Listing: c.listing, Learned: c.taught,
		Limits: c.limits, List: c.list, LastEndAt: c.lastEnd, LastTerminalAt: c.lastTerminal, QuotaUses: c.counting(),
		BoughtSince: c.since(),
	}
	if c.state.Rate > 0 {
		v.Policy.Rate = c.gate.policy.RateOf(c.state)
	}
	if !c.blind {
		v.Scheduled = c.coming()
	}
	if at, why := c.opens(); at.After(c.now) {
		v.GateOpensAt, v.GateWhy = at, weir.Wait{Code: weir.WaitThrottled, Text: why}
	}
	return v
}

// known are the jobs of open exports, and those that the reading of the limits
// counts.
func (c *conductor) known() map[string]weir.Job {
	jobs := make(map[string]weir.Job, len(c.exports)+len(c.budget.InFlight))
	for i := range c.exports {
		if j, found := c.jobs[c.exports[i].JobID]; found {
			jobs[j.ID] = j
		}
	}
	for _, id := range c.budget.InFlight {
		if j, found := c.jobs[id]; found {
			jobs[id] = j
		}
	}
	return jobs
}

// since are the jobs bought after the reading that the budget comes from began.
func (c *conductor) since() []weir.Job {
	var since []weir.Job
	for i := len(c.bought) - 1; i >= 0; i-- {
		j := c.jobs[c.bought[i]]
		if j.SeenIn < c.budget.Reading {
			break
		}
		since = append(since, j)
	}
	return since
}

func (c *conductor) counting() []time.Time {
	for len(c.uses) > 0 && !c.uses[0].Add(quotaSpan).After(c.now) {
		c.uses = c.uses[1:]
	}
	return c.uses
}

func (c *conductor) coming() []time.Time {
	for len(c.due) > 0 && !c.due[0].After(c.now) {
		c.due = c.due[1:]
	}
	return c.due
}

// do carries out one action, as the engine does.
func (c *conductor) do(a plan.Action) {
	switch a.Do {
	case plan.ReadLimits:
		started := c.now
		c.readings++
		c.request(pace.List, ask{what: askLimits}, func(r reply) { c.readLimits(r, started) })
	case plan.ListJobs:
		started := c.now
		c.request(pace.List, ask{what: askList}, func(r reply) { c.listed(r, started) })
	case plan.ReadJob:
		c.request(pace.List, ask{what: askJob, jobID: a.JobID}, func(r reply) { c.polled(a.Export, r) })
	case plan.Post:
		c.submit(a)
	case plan.SettleJob:
		c.settle(a.Export, c.jobs[a.JobID])
	default:
		c.fail(fmt.Errorf("simulate %s: plan wants to %s, which no simulated server gives cause for: %w", c.scenario.Name, a.Do, ErrImpossible))
	}
}

// request sends one of the conductor's own, which wait for each other.
func (c *conductor) request(p pace.Priority, a ask, heard func(reply)) {
	c.busy = true
	c.pass(p, waiter{ask: a, heard: func(r reply) {
		c.busy = false
		heard(r)
		c.wake()
	}})
}

func (c *conductor) readLimits(r reply, started time.Time) {
	switch r.status {
	case http.StatusOK:
		r.reading.Number = c.readings
		c.budget = plan.ToldLimits(c.budget, r.reading, c.holding(), started, c.now)
	case http.StatusForbidden:
		c.budget = plan.LimitsForbidden(c.budget, "sim", started, c.now)
	}
}

func (c *conductor) listed(r reply, started time.Time) {
	if r.status != http.StatusOK {
		return
	}
	for _, j := range r.jobs {
		c.see(j, true)
	}
	c.listing = plan.Listing{At: c.now, StartedAt: started}
}

func (c *conductor) polled(id int64, r reply) {
	if r.status != http.StatusOK {
		return
	}
	c.see(r.job, false)
	if e := c.export(id); e != nil {
		e.PolledAt, e.PollFailures = c.now, 0
		e.Polls++
	}
}

// see keeps what the server said of a job.
func (c *conductor) see(said weir.Job, listed bool) {
	j, known := c.jobs[said.ID]
	if !known {
		c.seq++
		j.Seq, j.FirstSeen, j.SeenIn = c.seq, c.now, c.readings
	}
	if known && j.Status.Terminal() {
		return
	}
	said.ExportID, said.Seq, said.SeenIn = j.ExportID, j.Seq, j.SeenIn
	said.FirstSeen, said.ListedAt = j.FirstSeen, j.ListedAt
	said.LastSeen = c.now
	if listed {
		said.ListedAt = c.now
	}
	c.jobs[said.ID] = said
	if said.Status.Terminal() {
		c.learned(said.ID)
	}
}

// export is the open export with the id; nil when there is none.
func (c *conductor) export(id int64) *weir.Export {
	for i := range c.exports {
		if c.exports[i].ID == id {
			return &c.exports[i]
		}
	}
	return nil
}

func (c *conductor) holding() int {
	n := 0
	for i := range c.exports {
		if c.exports[i].State.HoldsSlot() {
			n++
		}
	}
	return n
}
