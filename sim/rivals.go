package sim

import (
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/weirhq/weir"
)

// patience says how long a program waits before it sends a refused request
// again, try counting from 0, or that it gives up.
type patience func(try int, r reply) (wait time.Duration, again bool)

// insist sends a request until it is let through or patience ends. The last
// answer is passed on.
func (w *world) insist(a ask, p patience, then func(reply)) { w.insistFrom(a, p, 0, then) }

func (w *world) insistFrom(a ask, p patience, try int, then func(reply)) {
	w.send(a, func(r reply) {
		if r.status != http.StatusTooManyRequests && r.status != http.StatusBadRequest {
			then(r)
			return
		}
		wait, again := p(try, r)
		if !again {
			then(r)
			return
		}
		w.after(wait, func() { w.insistFrom(a, p, try+1, then) })
	})
}

// told is the Retry-After of a refusal.
func told(r reply) (time.Duration, bool) {
	seconds, err := strconv.Atoi(r.header.Get("Retry-After"))
	return time.Duration(seconds) * time.Second, err == nil
}

// growing waits base × factor^try up to most, or what the server told, for at
// most so many tries.
func growing(base time.Duration, factor float64, most time.Duration, tries int, refused bool) patience {
	return func(try int, r reply) (time.Duration, bool) {
		if r.status == http.StatusBadRequest && !refused || try >= tries {
			return 0, false
		}
		if wait, said := told(r); said {
			return wait, true
		}
		return time.Duration(min(float64(base)*math.Pow(factor, float64(try)), float64(most))), true
	}
}

// script exports one after another: POST, look until the job has ended,
// download, pause.
type script struct {
	every  func(look int) time.Duration // before each look
	looks  int
	pause  time.Duration
	refuse patience
}

func (s script) play(w *world, _ *memory) Result {
	b := &book{}
	var asked []wanted
	for _, x := range w.wants() {
		b.open++
		if x.scheduled { // each is a process of its own
			w.at(x.due, func() { s.one(w, b, x, func() {}) })
		} else {
			asked = append(asked, x)
		}
	}
	w.after(0, func() { s.chain(w, b, asked) })
	w.run(func() bool { return b.open == 0 }, w.now.Add(horizon))
	return w.result(b)
}

func (s script) chain(w *world, b *book, rest []wanted) {
	if len(rest) == 0 {
		return
	}
	s.one(w, b, rest[0], func() {
		w.after(s.pause, func() { s.chain(w, b, rest[1:]) })
	})
}

func (s script) one(w *world, b *book, x wanted, then func()) {
	end := func(ok bool) { b.close(x, w.now, ok); then() }
	w.insist(ask{what: askPost, export: x.number}, s.refuse, func(r reply) {
		if r.status != http.StatusOK {
			end(false)
			return
		}
		s.look(w, r.jobID, 0, end)
	})
}

func (s script) look(w *world, id string, k int, end func(ok bool)) {
	if k >= s.looks {
		end(false)
		return
	}
	w.after(s.every(k), func() {
		w.insist(ask{what: askJob, jobID: id}, s.refuse, func(r reply) {
			switch {
			case r.status != http.StatusOK:
				end(false)
			case !r.job.Status.Terminal():
				s.look(w, id, k+1, end)
			default:
				w.learned(id)
				s.fetch(w, id, r.job.Status, end)
			}
		})
	})
}

func (s script) fetch(w *world, id string, status weir.JobStatus, end func(ok bool)) {
	if status != weir.JobDone {
		end(false)
		return
	}
	w.insist(ask{what: askResult, jobID: id}, s.refuse, func(r reply) { end(r.status == http.StatusOK) })
}

// swarm starts everything at once, each export in a thread of its own.
type swarm struct{ script }

func (s swarm) play(w *world, _ *memory) Result {
	b := &book{}
	for _, x := range w.wants() {
		b.open++
		w.at(x.due, func() { s.one(w, b, x, func() {}) })
	}
	w.run(func() bool { return b.open == 0 }, w.now.Add(horizon))
	return w.result(b)
}
