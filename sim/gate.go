package sim

import (
	"net/http"
	"time"

	"github.com/weirhq/weir/pace"
)

// gate is weir's own pace in virtual time: what pace.Gate does with goroutines
// and timers, done with the pure parts alone.
type gate struct {
	*world
	policy pace.Policy
	state  pace.State
	lines  [pace.Download + 1][]waiter
	turn   int // the latest of the planned looks is the one that counts
}

// waiter is one request that waits for its turn.
type waiter struct {
	ask     ask
	limit   time.Time // the latest instant to start; zero for none
	heard   func(reply)
	refused func() // called when its turn cannot come in time
}

func (g *gate) pass(p pace.Priority, w waiter) {
	g.lines[p] = append(g.lines[p], w)
	g.pump()
}

// pump lets through whoever may start now and plans the next look.
func (g *gate) pump() {
	d := g.policy.Decide(g.state, g.now)
	for d.Go {
		next, found := g.pop()
		if !found {
			return
		}
		g.start(next)
		d = g.policy.Decide(g.state, g.now)
	}
	g.refuse(d)
	g.turn++
	turn := g.turn
	if g.waiting() {
		g.at(d.At, func() {
			if turn == g.turn {
				g.pump()
			}
		})
	}
}

func (g *gate) start(next waiter) {
	at := g.now
	g.state = g.policy.Took(g.state, at)
	g.send(next.ask, func(r reply) {
		header := r.header
		if header == nil {
			header = http.Header{}
		}
		g.state = g.policy.Observe(g.state, pace.Answer{Status: r.status, Header: header, StartedAt: at, ReceivedAt: g.now})
		next.heard(r)
		g.pump()
	})
}

// refuse turns away whose turn cannot come in time.
func (g *gate) refuse(d pace.Decision) {
	for p, line := range g.lines {
		var stay []waiter
		for _, w := range line {
			if w.limit.IsZero() || d.Reason == pace.ProbeOut || !d.At.After(w.limit) {
				stay = append(stay, w)
			} else {
				g.after(0, w.refused)
			}
		}
		g.lines[p] = stay
	}
}

func (g *gate) waiting() bool {
	for _, line := range g.lines {
		if len(line) > 0 {
			return true
		}
	}
	return false
}

func (g *gate) pop() (waiter, bool) {
	for p, line := range g.lines {
		if len(line) > 0 {
			g.lines[p] = line[1:]
			return line[0], true
		}
	}
	return waiter{}, false
}

// opens is when the gate lets a request through; waiting for a token is no
// reason to wait, since the request itself does that.
func (g *gate) opens() (time.Time, string) {
	d := g.policy.Decide(g.state, g.now)
	if d.Go || d.Reason == pace.Paced {
		return time.Time{}, ""
	}
	return d.At, d.Reason.Describe()
}
