package emulator

import (
	"math"
	"slices"
	"time"
)

const quotaSpan = 30 * 24 * time.Hour

// office runs an organisation's jobs. It has no clock of its own: advance
// plays everything that happens up to an instant, in order, so that states are
// the same whether they are looked at once or a thousand times.
type office struct {
	config Config
	draw   draw
	start  time.Time
	cursor time.Time // everything up to here has happened

	slots, running, quota int

	all    []*job // in order of creation
	byID   map[string]*job
	active []*job // queued and running
	uses   []*job // what counts for the quota, in order of creation
	coming []arrival
	rules  []struck // counts of the scenario's job rules
	made   int      // jobs made through the API
	serial int64

	mostActive int
	refused    int // arrivals that found no room
}

// arrival is something that will happen at an instant.
type arrival struct {
	at   time.Time
	play func(*office)
}

// struck counts what a rule has seen and struck.
type struck struct{ seen, used int }

func newOffice(c Config, start time.Time, d draw) *office {
	o := &office{
		config: c, draw: d, start: start, slots: c.Slots, running: c.RunningSlots, quota: c.Quota,
		byID: map[string]*job{}, rules: make([]struck, len(c.Scenario.Jobs)),
	}
	o.remember()
	for _, foreign := range c.Scenario.Foreign {
		o.expect(start.Add(foreign.At), func(o *office) { o.visit(foreign, start.Add(foreign.At)) })
	}
	for _, change := range c.Scenario.Limits {
		o.expect(start.Add(change.At), func(o *office) { o.change(change) })
	}
	return o
}

// remember makes the jobs of the time before.
func (o *office) remember() {
	c := o.config
	for i := range c.History {
		age := quotaSpan + time.Duration(c.History-i)*time.Hour
		o.settled(1, o.start.Add(-age))
	}
	for i := range c.QuotaUsed {
		age := time.Duration(c.QuotaUsed-i) * quotaSpan / time.Duration(c.QuotaUsed+1)
		o.uses = append(o.uses, o.settled(foreignUser, o.start.Add(-age)))
	}
}

// foreignUser is who starts what others start.
const foreignUser = 999

// settled is a job that was done before the start.
func (o *office) settled(user int64, at time.Time) *job {
	tabs := o.config.ForecastIDs
	want := order{user: user, foreign: true, kind: kindForecast, format: "JSON", currency: o.config.Currency}
	if len(tabs) > 0 {
		want.forecast = tabs[o.serial%int64(len(tabs))]
	}
	want.query = Query{Forecast: want.forecast, Currency: want.currency, Types: defaultTypes()}
	j := o.newJob(want, at)
	j.state, j.began, j.ended = done, at, at.Add(j.run)
	o.keep(j)
	return j
}

// newJob draws everything about a job but its place in the office.
func (o *office) newJob(want order, at time.Time) *job {
	o.serial++
	d := o.draw.with(o.serial)
	if want.kind == kindForecast && want.period == "" {
		want.period = o.config.fiscal().of(at).String()
	}
	want.query.Period, want.query.AsOf = want.period, at
	j := &job{
		order: want, id: jobID(at, d), created: at, state: scheduled,
		digits: d.text("digits").hex(1), run: want.lasts,
	}
	if j.digits > "9" {
		j.digits = ""
	} else {
		j.digits += "2915"[:d.below(5)]
	}
	if j.run == 0 {
		j.run = o.length(want, d)
	}
	j.ready = at.Add(o.config.QueueTime)
	return j
}

// length is how long a job runs: four fifths of the spread belong to what is
// exported and come again with it, the rest to the single job.
func (o *office) length(want order, d draw) time.Duration {
	c := o.config
	if c.JobSigma == 0 {
		return c.JobTime
	}
	key := o.draw.text(want.kind).text(want.forecast).text(want.period).normal()
	z := 0.8*key + 0.6*d.text("length").normal()
	return time.Duration(float64(c.JobTime) * math.Exp(c.JobSigma*z))
}

// keep files a job under its place in order of creation.
func (o *office) keep(j *job) {
	o.all = append(o.all, j)
	o.byID[j.id] = j
}

// expect notes what will happen; equal instants keep their order.
func (o *office) expect(at time.Time, play func(*office)) {
	place, _ := slices.BinarySearchFunc(o.coming, at, func(a arrival, at time.Time) int {
		if a.at.After(at) {
			return 1
		}
		return -1
	})
	o.coming = slices.Insert(o.coming, place, arrival{at, play})
}

// room reports whether one more job may start now.
func (o *office) room() bool {
	return len(o.active) < o.slots && o.used() < o.quota
}

// used is how much of the quota is used now.
func (o *office) used() int {
	o.uses = slices.DeleteFunc(o.uses, func(j *job) bool { return !j.created.Add(quotaSpan).After(o.cursor) })
	return len(o.uses)
}

// open starts a job now, or says that there is no room.
func (o *office) open(want order) (*job, bool) {
	if !o.room() {
		return nil, false
	}
	j := o.newJob(want, o.cursor)
	if !want.foreign {
		o.made++
		j.number = o.made
		o.doom(j)
	}
	o.keep(j)
	o.active = append(o.active, j)
	o.uses = append(o.uses, j)
	o.mostActive = max(o.mostActive, len(o.active))
	o.advance(o.cursor)
	return j, true
}

// doom gives a job the fate that the scenario has for it.
func (o *office) doom(j *job) {
	if o.config.Duration != nil && j.lasts == 0 {
		j.run = max(0, o.config.Duration(j.forecast, j.period, j.number))
	}
	found := false
	for i, rule := range o.config.Scenario.Jobs {
		if !rule.Match.fits(j) {
			continue
		}
		count := &o.rules[i]
		count.seen++
		d := o.draw.text("job rule").with(int64(i)).with(int64(count.seen))
		if found || !rule.Match.strikes(count.seen, count.used, j.created.Sub(o.start), d) {
			continue
		}
		count.used++
		found = true
		j.suffer(rule)
	}
}

func (m JobMatch) fits(j *job) bool {
	return (m.Kind == "" || m.Kind == j.kind) &&
		(m.Forecast == "" || m.Forecast == j.forecast) &&
		(m.Period == "" || m.Period == j.period)
}

func (j *job) suffer(rule JobRule) {
	j.fate = rule
	j.ready = j.ready.Add(rule.Queued)
	if rule.Stuck > 0 {
		j.run = time.Duration(min(float64(j.run)*rule.Stuck, float64(1000*24*time.Hour)))
	}
	switch rule.Outcome {
	case OutcomeCancelled, OutcomeAborted:
		j.doom = j.created.Add(orDefault(rule.Takes, j.run/2))
		return
	}
	j.run = orDefault(rule.Takes, j.run)
}
