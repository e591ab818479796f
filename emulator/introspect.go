package emulator

import (
	"maps"
	"time"
)

// JobKey is what a job exports.
type JobKey struct{ Kind, Forecast, Period string }

// Outcomes counts the answers of one route by status; 0 stands for an answer
// that was lost.
type Outcomes map[int]int

// Counters tells what happened so far.
type Counters struct {
	// Requests counts by route and status.
	Requests map[Route]Outcomes
	// Total is all requests.
	Total int
	// Cuts counts connections that broke, by place.
	Cuts map[Cut]int
	// Jobs counts what was started through the API, by what was asked for.
	Jobs map[JobKey]int
	// RefusedForRoom counts POSTs refused for slots or quota.
	RefusedForRoom int
	// Throttled counts 429s, scripted ones too; EarlyCalls the requests that
	// came although a Retry-After had not elapsed for their key.
	Throttled, EarlyCalls int
	// MostJobs is the most jobs ever queued and running together, MostRequests
	// the most requests ever served together.
	MostJobs, MostRequests int
	// InFlight is how many jobs are queued and running; QuotaUsed how much of
	// the quota counts now.
	InFlight, QuotaUsed int
	// ForeignRefused counts jobs of other people that found no room.
	ForeignRefused int
}

func newCounters() Counters {
	return Counters{Requests: map[Route]Outcomes{}, Cuts: map[Cut]int{}, Jobs: map[JobKey]int{}}
}

func (c *Counters) add(route Route, status int, cut Cut) {
	c.Total++
	if c.Requests[route] == nil {
		c.Requests[route] = Outcomes{}
	}
	c.Requests[route][status]++
	if cut != "" {
		c.Cuts[cut]++
	}
}

// Of is how many requests of a route were answered with a status.
func (c Counters) Of(route Route, status int) int { return c.Requests[route][status] }

// JobsMade is how many jobs were started through the API.
func (c Counters) JobsMade() int {
	made := 0
	for _, n := range c.Jobs {
		made += n
	}
	return made
}

// Counters tells what happened up to now.
func (e *Emulator) Counters() Counters {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.office.advance(e.clock.read().org)
	c := e.counts
	c.Requests = map[Route]Outcomes{}
	for route, outcomes := range e.counts.Requests {
		c.Requests[route] = maps.Clone(outcomes)
	}
	c.Cuts, c.Jobs = maps.Clone(e.counts.Cuts), maps.Clone(e.counts.Jobs)
	c.MostJobs, c.InFlight, c.QuotaUsed = e.office.mostActive, len(e.office.active), e.office.used()
	c.ForeignRefused = e.office.refused
	return c
}

// JobIDs lists the jobs started through the API, in order.
func (e *Emulator) JobIDs() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.office.advance(e.clock.read().org)
	var ids []string
	for _, j := range e.office.all {
		if j.number > 0 {
			ids = append(ids, j.id)
		}
	}
	return ids
}

// Job is one job as the office knows it, whatever the API shows of it.
// Instants are the organisation's; a zero one has not come.
type Job struct {
	ID, Kind, Forecast, Period string
	// Number counts the jobs made through the API from 1; 0 is a foreign one.
	Number int
	User   int64
	// Status is SCHEDULED, STARTED, DONE, FAILED, CANCELLED or ABORTED.
	Status                  string
	Created, Started, Ended time.Time
	Downloads               int
}

// Jobs lists every job there ever was, in order of creation, foreign ones and
// those of the time before included.
func (e *Emulator) Jobs() []Job {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.office.advance(e.clock.read().org)
	jobs := make([]Job, 0, len(e.office.all))
	for _, j := range e.office.all {
		jobs = append(jobs, Job{
			ID: j.id, Kind: j.kind, Forecast: j.forecast, Period: j.period, Number: j.number, User: j.user, Status: string(j.state),
			Created: j.created, Started: j.began, Ended: j.ended, Downloads: j.downloads,
		})
	}
	return jobs
}

// Now is the organisation's clock.
func (e *Emulator) Now() time.Time { return e.clock.read().org }

// Logged is one request that was served.
type Logged struct {
	At       time.Time // of arrival, on the client's clock
	Emulated time.Time // of arrival, on the organisation's
	Method   string
	Route    Route
	ID       string // the forecast or job id in the path
	Status   int    // 0: no answer was sent
	Cut      Cut    // where the connection broke, if it did
}

// requestLog keeps the latest requests.
type requestLog struct {
	size int
	ring []Logged
	next int // where the next one goes once the ring is full
}

func (l *requestLog) add(entry Logged) {
	if len(l.ring) < l.size {
		l.ring = append(l.ring, entry)
		return
	}
	l.ring[l.next] = entry
	l.next = (l.next + 1) % l.size
}

// RequestLog lists the latest requests in the order in which they ended, at
// most [Config.LogSize].
func (e *Emulator) RequestLog() []Logged {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.log
	return append(append([]Logged{}, l.ring[l.next:]...), l.ring[:l.next]...)
}
