package sim

import (
	"net/http"
	"time"

	"github.com/weirhq/weir"
)

// orchestrator starts as many jobs as it was configured for, looks at each of
// them in turn, and sleeps five seconds.
type orchestrator struct {
	*world
	book   book
	width  int
	refuse patience

	waiting []wanted
	active  []*partition
	looping bool
}

// partition is one export in work.
type partition struct {
	wanted
	jobID    string
	attempts int
	status   weir.JobStatus
}

const (
	orchestratorSleep    = 5 * time.Second
	orchestratorAttempts = 3
)

// playOrchestrator configures the width as a part of the true number of slots.
func playOrchestrator(part float64) func(*world, *memory) Result {
	return func(w *world, _ *memory) Result {
		o := &orchestrator{
			world: w, width: max(1, int(float64(w.scenario.Slots)*part)),
			refuse: growing(5*time.Second, 2, 5*time.Minute, 5, false),
		}
		for _, x := range w.wants() {
			o.book.open++
			w.at(x.due, func() {
				o.waiting = append(o.waiting, x)
				o.wake()
			})
		}
		w.run(func() bool { return o.book.open == 0 }, w.now.Add(horizon))
		return w.result(&o.book)
	}
}

// wake begins the loop, which ends when there is nothing in work: looping on
// would send nothing.
func (o *orchestrator) wake() {
	if !o.looping {
		o.looping = true
		o.after(0, o.loop)
	}
}

func (o *orchestrator) loop() {
	if len(o.active)+len(o.waiting) == 0 {
		o.looping = false
		return
	}
	o.startAll(func() {
		o.lookAll(0, func() { o.after(orchestratorSleep, o.loop) })
	})
}

// startAll starts failed partitions anew and then new ones.
func (o *orchestrator) startAll(then func()) {
	for _, p := range o.active {
		if p.status == weir.JobFailed {
			o.start(p, func() { o.startAll(then) })
			return
		}
	}
	if len(o.active) < o.width && len(o.waiting) > 0 {
		p := &partition{wanted: o.waiting[0]}
		o.waiting = o.waiting[1:]
		o.active = append(o.active, p)
		o.start(p, func() { o.startAll(then) })
		return
	}
	then()
}

// start posts; what cannot be started is a failed attempt, to be repeated in
// the next round.
func (o *orchestrator) start(p *partition, then func()) {
	p.attempts++
	p.status = weir.JobRunning
	o.insist(ask{what: askPost, export: p.number}, o.refuse, func(r reply) {
		p.jobID = r.jobID
		then()
	})
}

// lookAll looks at every job from the i-th on, one after the other.
func (o *orchestrator) lookAll(i int, then func()) {
	if i >= len(o.active) {
		then()
		return
	}
	p := o.active[i]
	if p.jobID == "" {
		o.judge(p, weir.JobFailed, i, then)
		return
	}
	o.insist(ask{what: askJob, jobID: p.jobID}, o.refuse, func(r reply) {
		if r.job.Status.Terminal() {
			o.learned(p.jobID)
		}
		o.judge(p, r.job.Status, i, then)
	})
}

func (o *orchestrator) judge(p *partition, status weir.JobStatus, i int, then func()) {
	switch {
	case status == weir.JobDone:
		o.insist(ask{what: askResult, jobID: p.jobID}, o.refuse, func(r reply) {
			o.drop(i, r.status == http.StatusOK)
			o.lookAll(i, then)
		})
	case status == weir.JobFailed && p.attempts >= orchestratorAttempts:
		o.drop(i, false)
		o.lookAll(i, then)
	default:
		if status == weir.JobFailed {
			p.status, p.jobID = weir.JobFailed, ""
		}
		o.lookAll(i+1, then)
	}
}

func (o *orchestrator) drop(i int, ok bool) {
	o.book.close(o.active[i].wanted, o.now, ok)
	o.active = append(o.active[:i:i], o.active[i+1:]...)
}
