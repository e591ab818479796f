package engine

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

const (
	// surveyOverlap is how far back a survey looks for what was stirred: a
	// transaction that began earlier may be committed later.
	surveyOverlap = 15 * time.Second
	// surveyGap is the least time between two surveys.
	surveyGap = 100 * time.Millisecond
	// crewWatch is how often a conductor in a crew looks at its account although
	// nobody stirred it.
	crewWatch = 5 * time.Minute
	// sweepEvery is how often the claims of dead processes are looked for.
	sweepEvery = 3 * time.Second
	// crewAgain is how long a conductor waits after the ledger failed it.
	crewAgain = time.Second
)

// ErrHandedOver ends a term because another server asked for the account.
var ErrHandedOver = errors.New("another server asked for the account")

// CrewLedger is what a crew asks of the ledger.
type CrewLedger interface {
	ledger.Fleet
	Now(ctx context.Context) (time.Time, error)
	Release(ctx context.Context, lease weir.Lease) error
}

// Crew is the conductors of one server. One beat renews the leases of all of
// them, and one look at the ledger says which accounts may be had, which are
// asked for by other servers, which were changed by somebody else, and which
// schedules are due: an account that has nothing to do costs nothing.
//
// Accounts are spread over the servers that live: see seats. An account that no
// server with room takes is taken by whoever can.
type Crew struct {
	Ledger CrewLedger
	// Owner names the server among all that share the ledger; every conductor
	// and deliverer of the crew has the same.
	Owner string
	// Due is called with each schedule whose run is due, of whatever account.
	Due func(ctx context.Context, due ledger.Schedule, now time.Time)
	Log *slog.Logger

	once sync.Once
	kick chan struct{}

	mu          sync.Mutex
	members     map[string]*member
	renewed     time.Time // the last renewal, with the monotonic reading
	looked      time.Time // the last survey, by the store's clock
	vacantSince map[string]time.Time
	asked       time.Time       // when another server was last asked for accounts
	right       context.Context // ends when the server's right was not renewed in time
	lapse       context.CancelCauseFunc
}

// member is the crew's side of one conductor.
type member struct {
	conductor *Conductor
	try       chan struct{}
	hold      *hold // nil while it does not conduct
	cancel    context.CancelCauseFunc
	stirs     int64
}

// Run beats until ctx ends. Then it waits for nobody: end the conductors first,
// and resign.
func (w *Crew) Run(ctx context.Context) error {
	var both sync.WaitGroup
	both.Go(func() { w.renewals(ctx) })
	both.Go(func() { w.surveys(ctx) })
	both.Wait()
	return context.Cause(ctx)
}

// Resign gives back at once whatever right is left, so that other servers need
// not wait for its end.
func (w *Crew) Resign(ctx context.Context) error {
	resigning, cancel := lasting(ctx)
	defer cancel()
	return w.Ledger.Resign(resigning, w.Owner)
}

func (w *Crew) kicked() chan struct{} {
	w.once.Do(func() { w.kick = make(chan struct{}, 1) })
	return w.kick
}

// conduct runs one conductor whenever the crew has its account.
func (w *Crew) conduct(ctx context.Context, c *Conductor) error {
	m := w.join(c)
	defer w.leave(c)
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			continue
		case <-m.try:
		}
		err := c.term(ctx)
		select { // whatever was said of the account before is old now
		case <-m.try:
		default:
		}
		switch {
		case err == nil, ctx.Err() != nil, errors.Is(err, ledger.ErrHeld), errors.Is(err, ledger.ErrFenced),
			errors.Is(err, ErrLeaseTooOld), errors.Is(err, ErrHandedOver):
		case errors.Is(err, ledger.ErrUnwritable), errors.Is(err, ledger.ErrBusy):
			c.Log.Warn("conduct: the ledger cannot be used", "account", c.Account, "error", err)
			pause(ctx, crewAgain)
		default:
			return err
		}
	}
	return context.Cause(ctx)
}

func (w *Crew) join(c *Conductor) *member {
	m := &member{conductor: c, try: make(chan struct{}, 1)}
	if c.Lock != nil { // whoever gets the file lock need not ask
		m.try <- struct{}{}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.members == nil {
		w.members, w.vacantSince = map[string]*member{}, map[string]time.Time{}
	}
	w.members[c.Account] = m
	select {
	case w.kicked() <- struct{}{}:
	default:
	}
	return m
}

func (w *Crew) leave(c *Conductor) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m := w.members[c.Account]; m != nil && m.conductor == c {
		delete(w.members, c.Account)
	}
}

// keep lets the crew renew a lease until ctx ends, and then closes the channel.
// It has no goroutine: there may be thousands of accounts.
func (w *Crew) keep(ctx context.Context, c *Conductor, h *hold, cancel context.CancelCauseFunc) <-chan struct{} {
	w.set(c, h, cancel)
	left := make(chan struct{})
	context.AfterFunc(ctx, func() { defer close(left); w.set(c, nil, nil) })
	return left
}

func (w *Crew) set(c *Conductor, h *hold, cancel context.CancelCauseFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if m := w.members[c.Account]; m != nil && m.conductor == c {
		m.hold, m.cancel = h, cancel
	}
}

func (w *Crew) surveys(ctx context.Context) {
	tick := time.NewTicker(LeaseRenewal)
	defer tick.Stop()
	var swept time.Time
	for ctx.Err() == nil {
		if err := w.survey(ctx); err != nil && ctx.Err() == nil {
			w.Log.Warn("survey", "error", err)
		}
		if time.Since(swept) >= sweepEvery {
			swept = time.Now()
			w.sweep(ctx)
		}
		pause(ctx, surveyGap)
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-w.kicked():
		}
	}
}

func (w *Crew) sweep(ctx context.Context) {
	swept, err := w.Ledger.SweepDead(ctx)
	switch {
	case ctx.Err() != nil:
	case err != nil:
		w.Log.Warn("sweep claims", "error", err)
	case swept > 0:
		w.Log.Info("landings of a process that ended are done again", "deliveries", swept)
	}
}

// survey looks at the fleet once and does what follows.
func (w *Crew) survey(ctx context.Context) error {
	w.mu.Lock()
	since := w.looked.Add(-surveyOverlap)
	w.mu.Unlock()
	found, err := w.Ledger.Survey(ctx, w.Owner, since)
	if err != nil {
		return err
	}
	w.wake(found)
	if w.Due != nil {
		for _, due := range found.Due {
			w.Due(ctx, due, found.Now)
		}
	}
	s := w.seat(found)
	if len(s.ask) == 0 {
		return nil
	}
	return w.ask(ctx, s.ask)
}

// wake wakes the conductors whose accounts somebody else has changed. What was
// stirred before the first look is known to a conductor that begins after it.
func (w *Crew) wake(found ledger.Survey) {
	w.mu.Lock()
	defer w.mu.Unlock()
	first := w.looked.IsZero()
	w.looked = found.Now
	for name, n := range found.Stirred {
		m := w.members[name]
		if m == nil || m.stirs == n {
			continue
		}
		m.stirs = n
		if !first || m.hold != nil {
			m.conductor.Wake()
		}
	}
}

// seat lets members try for accounts and gives away what other servers should
// have.
func (w *Crew) seat(found ledger.Survey) seating {
	w.mu.Lock()
	defer w.mu.Unlock()
	able := make(map[string]bool, len(w.members))
	for name, m := range w.members {
		able[name] = true
		if m.conductor.Lock != nil && m.hold == nil {
			m.mayTry()
		}
	}
	w.noteVacant(found)
	s := seats(w.Owner, found, able, w.vacantSince)
	for _, name := range s.take {
		if m := w.members[name]; m.hold == nil {
			m.mayTry()
		}
	}
	for _, name := range s.give {
		if m := w.members[name]; m != nil && m.hold != nil {
			w.Log.Info("hand over account", "account", name)
			m.cancel(ErrHandedOver)
		}
	}
	if found.Now.Sub(w.asked) < askEvery {
		s.ask = nil
	} else if len(s.ask) > 0 {
		w.asked = found.Now
	}
	return s
}

func (w *Crew) noteVacant(found ledger.Survey) {
	vacant := map[string]time.Time{}
	for _, name := range found.Vacant {
		vacant[name] = found.Now
		if since, known := w.vacantSince[name]; known {
			vacant[name] = since
		}
	}
	w.vacantSince = vacant
}

func (m *member) mayTry() {
	select {
	case m.try <- struct{}{}:
	default:
	}
}

// ask asks richer servers for accounts that this one can conduct.
func (w *Crew) ask(ctx context.Context, ask map[string]int) error {
	for owner, n := range ask {
		held, err := w.Ledger.Held(ctx, owner)
		if err != nil {
			return err
		}
		w.mu.Lock()
		held = slices.DeleteFunc(held, func(name string) bool { return w.members[name] == nil })
		w.mu.Unlock()
		held = inOrderOf(w.Owner, held)
		if err := w.Ledger.Want(ctx, w.Owner, held[:min(n, len(held))], wantFor); err != nil {
			return err
		}
	}
	return nil
}
