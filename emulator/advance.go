package emulator

import (
	"slices"
	"time"
)

// advance plays everything that happens up to an instant. Earlier instants do
// nothing: time does not go back.
func (o *office) advance(to time.Time) {
	for {
		at, play := o.next()
		if play == nil || at.After(to) {
			break
		}
		if at.After(o.cursor) {
			o.cursor = at
		}
		play()
	}
	if to.After(o.cursor) {
		o.cursor = to
	}
}

// next is the earliest thing to happen: of equal instants ends come before
// starts and starts before arrivals.
func (o *office) next() (time.Time, func()) {
	var at time.Time
	var play func()
	consider := func(when time.Time, what func()) {
		if play == nil || when.Before(at) {
			at, play = when, what
		}
	}
	o.considerEnds(consider)
	o.considerStart(consider)
	if len(o.coming) > 0 {
		consider(o.coming[0].at, o.playArrival)
	}
	return at, play
}

func (o *office) considerEnds(consider func(time.Time, func())) {
	for _, j := range o.active {
		if !j.doom.IsZero() {
			consider(j.doom, func() { o.cancelBy(j) })
		}
		if j.state == started && (j.doom.IsZero() || j.end().Before(j.doom)) {
			consider(j.end(), func() { o.finish(j, j.fate.ending()) })
		}
	}
}

// considerStart looks for the queued job that may run first.
func (o *office) considerStart(consider func(time.Time, func())) {
	var first *job
	busy := 0
	for _, j := range o.active {
		switch {
		case j.state == started:
			busy++
		case first == nil || j.ready.Before(first.ready):
			first = j
		}
	}
	if first == nil || busy >= o.running {
		return
	}
	at := first.ready
	if at.Before(o.cursor) {
		at = o.cursor
	}
	consider(at, func() { first.state, first.began = started, at })
}

func (o *office) playArrival() {
	next := o.coming[0]
	o.coming = o.coming[1:]
	next.play(o)
}

func (r JobRule) ending() status {
	switch r.Outcome {
	case OutcomeFailed:
		return failed
	case OutcomeCancelled:
		return cancelled
	case OutcomeAborted:
		return aborted
	}
	return done
}

// finish ends a job now and frees its slot.
func (o *office) finish(j *job, as status) {
	j.state, j.ended = as, o.cursor
	o.active = slices.DeleteFunc(o.active, func(a *job) bool { return a == j })
}

// cancelBy ends a job that somebody cancels, as its fate words it.
func (o *office) cancelBy(j *job) {
	o.finish(j, j.fate.ending())
	o.refund(j)
}

// cancel ends a job that its user cancels, or says that it had ended.
func (o *office) cancel(j *job) bool {
	if j.state.terminal() {
		return false
	}
	as := cancelled
	if j.state == started {
		as = aborted
	}
	o.finish(j, as)
	o.refund(j)
	o.advance(o.cursor)
	return true
}

// refund frees the quota of a job: only a cancel does.
func (o *office) refund(j *job) {
	o.uses = slices.DeleteFunc(o.uses, func(u *job) bool { return u == j })
}

// visit starts the jobs of other people and comes again if they repeat.
func (o *office) visit(f Foreign, at time.Time) {
	user := int64(foreignUser)
	if f.Mine {
		user = 1
	}
	tab := f.Forecast
	if tab == "" && len(o.config.ForecastIDs) > 0 {
		tab = o.config.ForecastIDs[0]
	}
	want := order{
		user: user, foreign: true, kind: kindForecast, forecast: tab, period: f.Period,
		format: "JSON", currency: o.config.Currency, lasts: f.Lasts,
	}
	want.query = Query{Forecast: tab, Currency: want.currency, Types: defaultTypes()}
	for range max(1, f.Count) {
		if _, ok := o.open(want); !ok {
			o.refused++
		}
	}
	again := at.Add(f.Every)
	if f.Every > 0 && (f.Until == 0 || again.Before(o.start.Add(f.Until))) {
		o.expect(again, func(o *office) { o.visit(f, again) })
	}
}

func (o *office) change(c LimitChange) {
	if c.Slots > 0 {
		if o.running == o.slots {
			o.running = c.Slots
		}
		o.slots = c.Slots
	}
	if c.Quota > 0 {
		o.quota = c.Quota
	}
}
