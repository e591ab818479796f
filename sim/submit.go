package sim

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/pace"
	"github.com/weirhq/weir/plan"
)

// historyRuns is how many past runs of each key are learned from, as in the
// engine.
const historyRuns = 50

// move applies a transition; the ledger's compare-and-set cannot fail here.
func (c *conductor) move(id int64, t weir.Transition) {
	e := c.export(id)
	if e == nil {
		c.fail(fmt.Errorf("simulate %s: move export %d, which is not open: %w", c.scenario.Name, id, ErrImpossible))
		return
	}
	moved, err := t.Apply(*e)
	if err != nil {
		c.fail(fmt.Errorf("simulate %s: %w", c.scenario.Name, err))
		return
	}
	*e = moved
}

func (c *conductor) cause() weir.Cause { return weir.Cause{At: c.now, Why: "simulated"} }

// submit posts one export: the intent first, then the request.
func (c *conductor) submit(a plan.Action) {
	ours := c.holding()
	c.move(a.Export, weir.Submit(c.cause(), 1))
	c.busy = true
	over := func(then func()) {
		c.busy = false
		then()
		c.wake()
	}
	c.pass(pace.Post, waiter{
		ask: ask{what: askPost, export: c.wants[a.Export].number}, limit: c.now.Add(postPatience),
		heard: func(r reply) { over(func() { c.posted(a.Export, ours, r) }) },
		refused: func() {
			over(func() { c.move(a.Export, weir.PutBack(c.cause(), time.Time{}, weir.Wait{})) })
		},
	})
}

func (c *conductor) posted(id int64, ours int, r reply) {
	if r.status != http.StatusOK {
		c.move(id, weir.PutBack(c.cause(), time.Time{}, weir.Wait{}))
		if r.status == http.StatusBadRequest {
			c.budget = plan.Refused(c.budget, ours, c.now)
		}
		return
	}
	c.seq++
	c.jobs[r.jobID] = weir.Job{ID: r.jobID, ExportID: id, Status: weir.JobQueued, Seq: c.seq, SeenIn: c.readings, FirstSeen: c.now, LastSeen: c.now}
	c.uses = append(c.uses, c.now)
	c.bought = append(c.bought, r.jobID)
	c.move(id, weir.Accept(c.cause(), r.jobID))
	c.budget = plan.AcceptedBeside(c.budget, ours)
}

// settle moves an export on the server's word that its job has ended.
func (c *conductor) settle(id int64, j weir.Job) {
	c.lastTerminal, c.lastEnd = c.now, c.now
	e := c.export(id)
	switch {
	case e == nil:
	case j.Status == weir.JobDone:
		c.remember(plan.HistoryKey(e.Request), j.Duration())
		c.move(id, weir.Finish(c.cause()))
	case e.Jobs < e.JobsAllowed:
		c.move(id, weir.TryAgain(c.cause(), time.Time{}, weir.Wait{}))
	default:
		c.close(id, false)
	}
}

func (c *conductor) remember(key string, ran time.Duration) {
	runs := append(slices.Clone(c.history[key]), ran)
	c.history[key] = runs[max(0, len(runs)-historyRuns):]
	c.taught = plan.Learn(c.history)
}

// close takes an export that has ended out of the open ones.
func (c *conductor) close(id int64, ok bool) {
	c.book.close(c.wants[id], c.now, ok)
	c.exports = slices.DeleteFunc(slices.Clone(c.exports), func(e weir.Export) bool { return e.ID == id })
}

// offer hands results to whoever lands them, as far as there is room.
func (c *conductor) offer() {
	for i := range c.exports {
		e := &c.exports[i]
		if len(c.landing) >= landers {
			return
		}
		if e.State == weir.Ready && !c.landing[e.ID] && !c.now.Before(c.retryAt[e.ID]) {
			c.land(e.ID, e.JobID)
		}
	}
}

func (c *conductor) land(id int64, jobID string) {
	c.landing[id] = true
	c.pass(pace.Download, waiter{ask: ask{what: askResult, jobID: jobID}, heard: func(r reply) {
		delete(c.landing, id)
		if r.status == http.StatusOK {
			c.close(id, true)
		} else {
			c.retryAt[id] = c.now.Add(landAgain)
			c.after(landAgain, c.wake)
		}
		c.wake()
	}})
}
