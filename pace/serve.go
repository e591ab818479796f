package pace

import "time"

// serve lets through whoever may start now, refuses whoever would come too
// late, and sets the timer for the next. It returns what the others are to be
// told. The caller holds the lock.
func (g *Gate) serve(now time.Time) (news []Waiting) {
	policy := g.config.Policy
	d := policy.Decide(g.state, now)
	for d.Go && !g.queue.empty() {
		g.state = policy.Took(g.state, now)
		g.queue.pop().grant(&Pass{gate: g, at: now, probe: d.Probe})
		d = policy.Decide(g.state, now)
	}
	news = g.review(d, now)
	g.rearm(d.At.Sub(now))
	return news
}

// review looks at everybody in line: whose turn cannot come in time is refused,
// and who waits for something new is to be told.
func (g *Gate) review(d Decision, now time.Time) (news []Waiting) {
	ahead := 0
	for w := range g.queue.all() {
		waiting := Waiting{Until: g.turn(d, ahead), Reason: d.Reason, Priority: w.priority}
		if w.tooLate(waiting, now) {
			g.queue.remove(w)
			w.refuse(&ClosedError{Until: waiting.Until, Reason: waiting.Reason})
			continue
		}
		if w.news(d) {
			news = append(news, waiting)
		}
		w.told, w.closing = waiting, d.At
		ahead++
	}
	return news
}

// turn is the earliest instant at which a request with so many others ahead of
// it could start, as things stand.
func (g *Gate) turn(d Decision, ahead int) time.Time {
	then := g.config.Policy.fill(g.state, d.At)
	then.Tokens -= float64(ahead)
	if at := g.config.Policy.nextToken(then); at.After(d.At) {
		return at
	}
	return d.At
}

// tooLate reports whether the waiter's limit comes before its turn. How long a
// probe takes nobody knows: one that is out holds back only who cannot wait at
// all.
func (w *waiter) tooLate(turn Waiting, now time.Time) bool {
	switch {
	case w.limit.IsZero():
		return false
	case turn.Reason == ProbeOut:
		return !w.limit.After(now)
	}
	return turn.Until.After(w.limit)
}

// news reports whether the decision is worth telling: another reason, or another
// instant that the server set. A place in line that moves is not.
func (w *waiter) news(d Decision) bool {
	if w.told.Reason != d.Reason {
		return true
	}
	return d.Reason != Paced && d.Reason != ProbeOut && !w.closing.Equal(d.At)
}

func (g *Gate) rearm(wait time.Duration) {
	if g.timer != nil {
		g.timer.Stop()
		g.timer = nil
	}
	if !g.queue.empty() {
		g.timer = time.AfterFunc(wait, func() { g.update(func(s State) State { return s }) })
	}
}

func (g *Gate) tell(news []Waiting) {
	if g.config.OnWait == nil {
		return
	}
	for _, w := range news {
		g.config.OnWait(w)
	}
}

// facts are the parts of a state that are worth keeping at once; the rest may
// be kept with them.
type facts struct {
	rate                                    float64
	burst, step                             int
	closedUntil, refused, recovered, firsts time.Time
}

func (s State) facts() facts {
	return facts{s.Rate, s.Burst, s.Step, s.ClosedUntil, s.RefusedAt, s.RecoveredAt, s.FirstRefusedAt}
}

func (g *Gate) tellChange() {
	if g.config.OnChange == nil {
		return
	}
	g.telling.Lock()
	defer g.telling.Unlock()
	s := g.Snapshot()
	if s.facts() == g.told {
		return
	}
	g.told = s.facts()
	g.config.OnChange(s)
}
