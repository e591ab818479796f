package sim

import (
	"net/http"
	"time"
)

// The network: each way takes between leastWay and leastWay + spanWay.
const (
	leastWay = 40 * time.Millisecond
	spanWay  = 70 * time.Millisecond
	meanTrip = 2*leastWay + spanWay // there and back, on average
	// transfer is what the body of a result takes.
	transfer = 500 * time.Millisecond
)

// epoch is when simulated time begins: a Monday, some seconds into a minute.
func epoch() time.Time { return time.Date(2026, 1, 5, 8, 0, 17, 0, time.UTC) }

// world is a server, a network and a tally: all that a policy acts in.
type world struct {
	*clock
	scenario Scenario
	draw     draw
	server   *server
	tally    *tally
	trips    int
	err      error // why the simulation is worth nothing
}

func (w *world) fail(err error) {
	if w.err == nil {
		w.err = err
	}
}

func newWorld(s Scenario, seed uint64, start time.Time) *world {
	c := &clock{now: start}
	t := &tally{began: c.now, detected: map[string]bool{}}
	d := draw{seed}
	return &world{clock: c, scenario: s, draw: d, server: newServer(c, s, d, t), tally: t}
}

// send carries a request to the server and its answer back.
func (w *world) send(a ask, heard func(reply)) {
	w.trips++
	r := w.draw.of("trip", w.trips)
	there := leastWay + time.Duration(r.Float64()*float64(spanWay))
	back := leastWay + time.Duration(r.Float64()*float64(spanWay))
	w.tally.requests++
	w.after(there, func() {
		answer := w.server.answer(a)
		w.tally.count(a, answer)
		if a.what == askResult && answer.status == http.StatusOK {
			back += transfer
		}
		w.after(back, func() { heard(answer) })
	})
}

// learned notes that a policy knows of a job's end.
func (w *world) learned(id string) {
	j, found := w.server.byID[id]
	if !found || j.ended.IsZero() || w.tally.detected[id] {
		return
	}
	w.tally.detected[id] = true
	w.tally.delays = append(w.tally.delays, w.now.Sub(j.ended))
}
