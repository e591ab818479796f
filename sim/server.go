package sim

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/plan"
)

const quotaSpan = 30 * 24 * time.Hour

// job is one run on the server.
type job struct {
	id      string
	export  int // -1: somebody else's
	created time.Time
	began   time.Time
	ended   time.Time
	fate    fate
	status  weir.JobStatus
	fetched bool
}

// server is an organisation's Clari as far as clari-api.md describes it: slots,
// a queue, the rolling quota, and a request limit for the one key.
type server struct {
	*clock
	scenario Scenario
	draw     draw
	door     *doorman

	jobs     []*job // ours, by creation
	byID     map[string]*job
	active   []*job // queued and running, everybody's
	uses     []time.Time
	attempts map[int]int // jobs made of each export
	serial   int
	tally    *tally
}

func newServer(c *clock, s Scenario, d draw, t *tally) *server {
	v := &server{
		clock: c, scenario: s, draw: d, door: newDoorman(s.Limiter, c.now),
		byID: map[string]*job{}, attempts: map[int]int{}, tally: t,
	}
	if s.Foreign > 0 {
		v.expectForeign(0)
	}
	return v
}

// expectForeign lets other people come at exponential distances. They give up
// when there is no room.
func (v *server) expectForeign(n int) {
	r := v.draw.of("foreign", n)
	v.after(time.Duration(r.ExpFloat64()*float64(v.scenario.Foreign)), func() {
		if v.room() {
			length := float64(v.scenario.Median) * math.Exp(v.scenario.Sigma*r.NormFloat64())
			v.open(-1, fate{runs: time.Duration(length)})
		}
		v.expectForeign(n + 1)
	})
}

func (v *server) room() bool {
	return len(v.active) < v.scenario.Slots && v.used() < v.scenario.quota()
}

func (v *server) used() int {
	expired := 0
	for expired < len(v.uses) && !v.uses[expired].Add(quotaSpan).After(v.now) {
		expired++
	}
	v.uses = v.uses[expired:]
	return len(v.uses)
}

func (v *server) open(export int, f fate) *job {
	v.serial++
	j := &job{
		id:     fmt.Sprintf("%08x%016x", v.now.Unix(), v.serial),
		export: export, created: v.now, fate: f, status: weir.JobQueued,
	}
	v.active = append(v.active, j)
	v.uses = append(v.uses, v.now)
	if export >= 0 {
		v.jobs = append(v.jobs, j)
		v.byID[j.id] = j
	}
	v.start()
	return j
}

// start begins queued jobs, oldest first, as far as they may run.
func (v *server) start() {
	running := 0
	for _, j := range v.active {
		if j.status == weir.JobRunning {
			running++
		}
	}
	for _, j := range v.active {
		if j.status == weir.JobQueued && running < v.scenario.running() {
			running++
			j.status, j.began = weir.JobRunning, v.now
			v.after(j.fate.runs, func() { v.end(j) })
		}
	}
}

func (v *server) end(j *job) {
	j.status, j.ended = weir.JobDone, v.now
	if j.fate.fails {
		j.status = weir.JobFailed
	}
	v.active = slices.DeleteFunc(v.active, func(other *job) bool { return other == j })
	v.start()
}

// ask is one request to the server.
type ask struct {
	what   verb
	export int    // of a post
	jobID  string // of a read or a download
}

type verb int

const (
	askLimits verb = iota
	askList
	askJob
	askPost
	askResult
)

// reply is the server's answer. Status 429 may carry a Retry-After; 400 to a
// post is the refusal that does not say which limit it was.
type reply struct {
	status  int
	header  http.Header
	jobID   string
	job     weir.Job
	jobs    []weir.Job
	reading plan.LimitReading
}

func (v *server) answer(a ask) reply {
	if ok, wait := v.door.admit(v.now); !ok {
		r := reply{status: http.StatusTooManyRequests}
		if v.scenario.Limiter.RetryAfter {
			r.header = http.Header{"Retry-After": {strconv.Itoa(int(math.Ceil(wait.Seconds())))}}
		}
		return r
	}
	switch a.what {
	case askLimits:
		return v.answerLimits()
	case askList:
		return reply{status: http.StatusOK, jobs: v.list()}
	case askPost:
		return v.answerPost(a.export)
	}
	j, found := v.byID[a.jobID]
	if !found {
		return reply{status: http.StatusNotFound}
	}
	if a.what == askResult {
		j.fetched = true
	}
	return reply{status: http.StatusOK, job: j.seen()}
}

func (v *server) answerLimits() reply {
	if v.scenario.Forbidden {
		return reply{status: http.StatusForbidden}
	}
	r := plan.LimitReading{
		Slots: v.scenario.Slots, SlotsFree: v.scenario.Slots - len(v.active),
		Quota: v.scenario.quota(), QuotaFree: v.scenario.quota() - v.used(),
	}
	for _, j := range v.active {
		if j.status == weir.JobRunning {
			r.Running = append(r.Running, j.id)
		} else {
			r.Submitted = append(r.Submitted, j.id)
		}
	}
	return reply{status: http.StatusOK, reading: r}
}

func (v *server) answerPost(export int) reply {
	if !v.room() {
		return reply{status: http.StatusBadRequest}
	}
	f := v.scenario.fate(v.draw, export, v.attempts[export])
	v.attempts[export]++
	return reply{status: http.StatusOK, jobID: v.open(export, f).id}
}

// list is every job of the key's user: other people's are not in it.
func (v *server) list() []weir.Job {
	all := make([]weir.Job, len(v.jobs))
	for i, j := range v.jobs {
		all[i] = j.seen()
	}
	return all
}

func (j *job) seen() weir.Job {
	return weir.Job{ID: j.id, Status: j.status, RawStatus: string(j.status), StartedAt: j.began, EndedAt: j.ended}
}
