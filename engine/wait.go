package engine

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/plan"
)

// The patience of a command without a deadline (contract).
const (
	// idlePatience: nothing of its own can act for so long.
	idlePatience = 15 * time.Minute
	// reachPatience: the server was unreachable for so long.
	reachPatience = 10 * time.Minute
	lookEvery     = 200 * time.Millisecond
	lookAtLeast   = 5 * time.Second // however long the last look took
)

// Verdict is why a command's waiting ended.
type Verdict string

// The verdicts of a wait.
const (
	AllEnded      Verdict = "ended"       // every delivery has landed or was given up
	KeyRefused    Verdict = "key"         // the server refused the key
	QuotaUsed     Verdict = "quota"       // only quota is waited for, and not soon
	NothingActs   Verdict = "nothing"     // nothing can act for now
	DeadlineOver  Verdict = "deadline"    // --deadline
	Unwritable    Verdict = "destination" // a destination cannot be written
	NobodyDecides Verdict = "stuck"       // only a person, or a job that takes too long, is waited for
)

// Ending is how a wait ended.
type Ending struct {
	Verdict Verdict
	// Why is the sentence for a person and Next the instant at which going on
	// makes sense; zero when nobody knows.
	Why  string
	Next time.Time
}

// Standing is one export as a command sees it.
type Standing struct {
	Export     weir.Export
	Deliveries []weir.Delivery
	Job        weir.Job
	Stand      plan.Stand
	Expected   time.Duration // how long the like of it takes; 0 when not asked
}

// Waiter waits for a command's own deliveries, whoever conducts.
type Waiter struct {
	Ledger    ledger.Ledger
	Conductor *Conductor
	Account   string
	Policy    plan.Policy
	Exports   []int64
	Own       map[int64]bool // delivery ids
	Deadline  time.Time      // zero: none
	// Pending says of an export and one of the command's own deliveries whether
	// it is waited for; nil waits for the delivery to end.
	Pending func(weir.Export, weir.Delivery) bool
	// Show is called with every look; nil shows nothing.
	Show func([]Standing, plan.Plan, Condition)

	idleSince time.Time     // on this machine's clock, like Deadline
	ahead     time.Duration // the clock of the plan, compared with this machine's
	last      plan.Plan
	history   map[string][]time.Duration
}

// Wait looks until everything of the command's own has ended or nothing can
// act. It returns ctx's cause when that ends first.
func (w *Waiter) Wait(ctx context.Context) (Ending, error) {
	history, err := w.Ledger.Durations(ctx, w.Account, historyRuns)
	if err != nil {
		return Ending{}, err
	}
	w.history = history
	for {
		began := time.Now()
		ending, done, err := w.look(ctx)
		if err != nil && ctx.Err() == nil {
			return Ending{}, err
		}
		if done {
			return ending, nil
		}
		pause(ctx, min(max(lookEvery, 4*time.Since(began)), lookAtLeast)) // looking is cheap beside working
		if ctx.Err() != nil {
			return Ending{}, context.Cause(ctx)
		}
	}
}

func (w *Waiter) look(ctx context.Context) (Ending, bool, error) {
	p, condition, now, err := w.plan(ctx)
	if err != nil {
		return Ending{}, false, err
	}
	w.last = p
	standings, err := w.standings(ctx, p)
	if err != nil {
		return Ending{}, false, err
	}
	if w.Show != nil {
		w.Show(standings, p, condition)
	}
	w.ahead = time.Until(now)
	ending, done := w.judge(standings, condition, now)
	return ending, done, nil
}

// plan is the conductor's own plan, or, where another process conducts, what
// the ledger says a conductor would plan, with the present instant on the clock
// that the plan is made by: the store's, which need not be this machine's.
func (w *Waiter) plan(ctx context.Context) (plan.Plan, Condition, time.Time, error) {
	p, condition := w.Conductor.Latest()
	if condition.Conducting && !condition.clock.asked.IsZero() {
		return p, condition, condition.clock.now(), nil
	}
	now, err := w.Ledger.Now(ctx)
	if err != nil {
		return plan.Plan{}, condition, now, err
	}
	if condition.Conducting { // it has not planned yet
		return p, condition, now, nil
	}
	v, err := LoadView(ctx, w.Ledger, w.Account, w.Policy, now)
	if err != nil {
		return plan.Plan{}, condition, now, err
	}
	return plan.Next(v, now), condition, now, nil
}

// Standings is how the command's own exports stand by the ledger, with the
// reasons of the last look.
func (w *Waiter) Standings(ctx context.Context) ([]Standing, error) {
	return w.standings(ctx, w.last)
}

func (w *Waiter) standings(ctx context.Context, p plan.Plan) ([]Standing, error) {
	var all []Standing
	for _, id := range w.Exports {
		s, err := LoadStanding(ctx, w.Ledger, id)
		if err != nil {
			return nil, err
		}
		s.Deliveries = slices.DeleteFunc(s.Deliveries, func(d weir.Delivery) bool { return !w.Own[d.ID] })
		s.Stand = p.Stands[id]
		if s.Export.State == weir.Ready {
			s.Stand = landingStand(s.Export, s.Deliveries)
		}
		s.Expected = plan.Forecast(w.history, plan.HistoryKey(s.Export.Request)).Median()
		all = append(all, s)
	}
	return all, nil
}

// LandingText says of a ready export whose deliveries are open where its result
// is.
func LandingText(e weir.Export) string {
	if e.Request.Direct {
		return "it needs no job: it is read from the server and landed"
	}
	return "its result is on the server and is being landed"
}

// landingStand is why a finished export's own deliveries have not landed yet and
// when the next of them may.
func landingStand(e weir.Export, deliveries []weir.Delivery) plan.Stand {
	stand := plan.Stand{Wait: weir.Wait{Code: weir.WaitRetry, Text: LandingText(e)}}
	for _, d := range deliveries {
		if !d.Open() {
			continue
		}
		at := d.NotBefore
		if at.IsZero() {
			at = time.Unix(1, 0) // at once
		}
		stand.ActsAt = sooner(stand.ActsAt, at)
		if d.Failure != nil {
			stand.Wait.Text = d.Failure.Message
		}
	}
	return stand
}

// LoadStanding reads one export with its deliveries and job.
func LoadStanding(ctx context.Context, l ledger.Ledger, id int64) (Standing, error) {
	var s Standing
	var err error
	if s.Export, err = l.Export(ctx, id); err != nil {
		return s, err
	}
	if s.Deliveries, err = l.DeliveriesOf(ctx, id); err != nil {
		return s, err
	}
	if s.Export.JobID != "" {
		jobs, err := l.Jobs(ctx, s.Export.Account, s.Export.JobID)
		if err != nil {
			return s, err
		}
		if len(jobs) > 0 {
			s.Job = jobs[0]
		}
	}
	return s, nil
}

// Open reports whether a delivery of the command's own still waits.
func (s Standing) Open() bool {
	return slices.ContainsFunc(s.Deliveries, weir.Delivery.Open)
}

func (w *Waiter) pending(s Standing) bool {
	if w.Pending == nil {
		return s.Open()
	}
	return slices.ContainsFunc(s.Deliveries, func(d weir.Delivery) bool { return w.Pending(s.Export, d) })
}

func (w *Waiter) judge(standings []Standing, c Condition, now time.Time) (Ending, bool) {
	open := slices.DeleteFunc(slices.Clone(standings), func(s Standing) bool { return !w.pending(s) })
	switch {
	case len(open) == 0:
		return Ending{Verdict: AllEnded}, true
	case c.KeyRefused != nil:
		return Ending{Verdict: KeyRefused, Why: c.KeyRefused.Error()}, true
	case !w.Deadline.IsZero() && !now.Before(w.Deadline.Add(w.ahead)):
		return Ending{Verdict: DeadlineOver, Why: deadlineWhy(open, c), Next: soonest(open)}, true
	case w.pastDeadline(open):
		return Ending{Verdict: DeadlineOver, Why: "the next step is only possible after the deadline: " + open[0].Stand.Wait.Text, Next: soonest(open)}, true
	case !c.UnreachableSince.IsZero() && now.Sub(c.UnreachableSince) >= reachPatience:
		return Ending{Verdict: NothingActs, Why: "the server was unreachable for " + reachPatience.String() + ": " + c.Unreachable.Error()}, true
	}
	return w.judgeIdle(open, now)
}

func deadlineWhy(open []Standing, c Condition) string {
	if c.Unreachable != nil {
		return "the server cannot be reached: " + c.Unreachable.Error()
	}
	return open[0].Stand.Wait.Text
}

// pastDeadline: everything that is left is known not to act before the deadline.
func (w *Waiter) pastDeadline(open []Standing) bool {
	if w.Deadline.IsZero() {
		return false
	}
	return !slices.ContainsFunc(open, func(s Standing) bool {
		return s.Stand.ActsAt.IsZero() || s.Stand.ActsAt.Before(w.Deadline.Add(w.ahead))
	})
}

// judgeIdle ends a wait in which nothing can act: at once when that is known
// for longer than the patience or only a person can act, else when it has
// lasted as long as the patience.
func (w *Waiter) judgeIdle(open []Standing, now time.Time) (Ending, bool) {
	if s, ok := unwritable(open); ok {
		return Ending{Verdict: Unwritable, Why: s.Failure.Message}, true
	}
	if slices.ContainsFunc(open, func(s Standing) bool { return acts(s, now) }) {
		w.idleSince = time.Time{}
		return Ending{}, false
	}
	if slices.ContainsFunc(open, looks) {
		return Ending{}, false
	}
	ending := Ending{Verdict: NothingActs, Why: open[0].Stand.Wait.Text, Next: soonest(open)}
	switch {
	case all(open, weir.WaitPerson, weir.WaitTimeout, weir.WaitTwin, weir.WaitJob):
		ending.Verdict = NobodyDecides
		return ending, true
	case all(open, weir.WaitQuota, weir.WaitPerson, weir.WaitTimeout, weir.WaitTwin, weir.WaitJob):
		ending.Verdict = QuotaUsed
	}
	if known(open) {
		return ending, true
	}
	if w.idleSince.IsZero() {
		w.idleSince = time.Now()
	}
	return ending, time.Since(w.idleSince) >= idlePatience
}

// acts reports whether an export can act within the patience.
func acts(s Standing, now time.Time) bool {
	return !s.Stand.ActsAt.IsZero() && s.Stand.ActsAt.Before(now.Add(idlePatience))
}

// looks reports an export that is the subject of an action right now, which may
// be no more than another look at limits or lists: neither acting nor idle.
func looks(s Standing) bool {
	code := s.Stand.Wait.Code
	return code == weir.WaitNone || code == weir.WaitTurn && s.Stand.ActsAt.IsZero()
}

func all(open []Standing, codes ...weir.WaitCode) bool {
	return !slices.ContainsFunc(open, func(s Standing) bool { return !slices.Contains(codes, s.Stand.Wait.Code) })
}

// known reports whether it is known of every export that it cannot act soon: an
// instant is known, only a person can act, or the quota is used up by what weir
// cannot see expire.
func known(open []Standing) bool {
	return !slices.ContainsFunc(open, func(s Standing) bool {
		return s.Stand.ActsAt.IsZero() && s.Stand.Wait.Code == weir.WaitSlot
	})
}

// unwritable finds a destination that could not be written when nothing else
// of the command's own is left to do.
func unwritable(open []Standing) (weir.Delivery, bool) {
	var found weir.Delivery
	for _, s := range open {
		for _, d := range s.Deliveries {
			if !d.Open() {
				continue
			}
			if d.Failure == nil || d.Failure.Code != weir.CodeDestination {
				return weir.Delivery{}, false
			}
			found = d
		}
	}
	return found, found.ID != 0
}

func soonest(open []Standing) time.Time {
	var first time.Time
	for _, s := range open {
		first = sooner(first, s.Stand.ActsAt)
	}
	return first
}

// ErrInterrupted is the cause of a context that SIGINT or SIGTERM ended.
var ErrInterrupted = errors.New("interrupted")
