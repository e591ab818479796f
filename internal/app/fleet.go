package app

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"sync"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/clari"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/engine/riverlander"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/pace"
)

// fleet is what all accounts of one server share: one owner whose leases are
// renewed together, connections to the API and, on PostgreSQL, the queue that
// spreads landings.
type fleet struct {
	crew  *engine.Crew
	river *riverlander.River // nil where the state is a file
	// asking is for short requests and landing for downloads, which may fill a
	// connection.
	asking, landing http.RoundTripper
}

// landingsAtOnce is how many landings run at once in one process: each keeps a
// core busy, or waits for the network.
func landingsAtOnce() int { return max(4, 2*runtime.GOMAXPROCS(0)) }

// riverIDLength keeps the queue's name of a process short: the random end of its
// owner's name is what is unique.
const riverIDLength = 12

// openFleet names the server and opens the queue where there can be one.
func (s *Service) openFleet(ctx context.Context) (*fleet, error) {
	owner, err := newOwner()
	if err != nil {
		return nil, err
	}
	f := &fleet{
		crew:   &engine.Crew{Ledger: s.Store, Owner: owner, Due: s.due, Log: s.Settings.Log},
		asking: clari.NewTransport(), landing: clari.NewTransport(),
	}
	database := s.Store.Postgres()
	if database == nil {
		return f, nil
	}
	if err := riverlander.Migrate(ctx, database); err != nil {
		return nil, err
	}
	queue := riverlander.Config{
		Database: database, Ledger: s.Store, ID: "weir-" + owner[max(0, len(owner)-riverIDLength):],
		Width: landingsAtOnce(), Hand: s.hand, Chores: s.chores(), Log: s.Settings.Log,
	}
	if s.Desk != nil {
		queue.Send = s.Desk.Send
	}
	if f.river, err = riverlander.Open(ctx, queue); err == nil && s.Desk != nil {
		s.Desk.Offer = f.river.OfferMessage
	}
	return f, err
}

// run serves the accounts until ctx ends; then stop, which ends them, is given
// as long as a stop may take. The crew outlives them: what they do last needs
// its leases.
func (f *fleet) run(ctx context.Context, serve func(), stop func()) {
	beating, end := context.WithCancel(context.WithoutCancel(ctx))
	var beats, queue sync.WaitGroup
	beats.Go(func() { _ = f.crew.Run(beating) })
	if f.river != nil {
		queue.Go(func() {
			if err := f.river.Run(ctx); err != nil && ctx.Err() == nil {
				f.crew.Log.Error("the queue does not run; landings wait", "error", err)
			}
		})
	}
	serve()
	stopped := make(chan struct{})
	go func() { defer close(stopped); stop(); queue.Wait() }()
	select {
	case <-stopped:
	case <-time.After(stopPatience):
		f.crew.Log.Warn("stop: not everything ended in time; leases run out by themselves", "after", stopPatience)
	}
	end()
	f.leave(ctx, stopped)
	beats.Wait()
}

const (
	// stopPatience is how long a service takes to end what it does, and
	// resignPatience how long to say that it has; together well under 10 s.
	stopPatience   = 6 * time.Second
	resignPatience = time.Second
)

// leave gives every right back, when nothing is done under it any more.
func (f *fleet) leave(ctx context.Context, stopped <-chan struct{}) {
	select {
	case <-stopped:
	default:
		return
	}
	resigning, cancel := context.WithTimeout(context.WithoutCancel(ctx), resignPatience)
	defer cancel()
	if err := f.crew.Ledger.Resign(resigning, f.crew.Owner); err != nil {
		f.crew.Log.Debug("resign", "error", err)
	}
}

func (f *fleet) close() error {
	if f.river == nil {
		return nil
	}
	return f.river.Close()
}

// due starts a run of one of this server's accounts. Others may start it too:
// the ledger lets one.
func (s *Service) due(ctx context.Context, due ledger.Schedule, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.workers[due.Account]
	if w == nil || w.firing {
		return
	}
	w.firing = true
	go func() {
		if err := w.scheduler.Fire(ctx, due, now); err != nil && ctx.Err() == nil {
			w.session.Settings.Log.Warn("start run; it stays due", "schedule", due.Name, "error", err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		w.firing = false
	}()
}

// hand is what this process can do for an account in the queue.
func (s *Service) hand(account string) (riverlander.Hand, bool) {
	s.mu.Lock()
	w := s.workers[account]
	s.mu.Unlock()
	if w == nil || w.session.hand.Deliver == nil {
		return riverlander.Hand{}, false
	}
	return w.session.hand, true
}

// spread makes the account's landings work of the whole fleet. The requests for
// results, which any server may send, come out of the pace of the conductor.
func (s *Session) spread(f *fleet) error {
	transport := engine.NewTransport(f.landing, unpaced, f.crew.Fresh, s.Counts)
	client, err := clari.New(s.Settings.BaseURL, s.Settings.Key, clientOptions(s.Settings, transport)...)
	if err != nil {
		return err
	}
	deliverer := &engine.Deliverer{
		Ledger: s.Conductor.Ledger, API: &elsewhere{s.watched().API(client), s}, Owner: f.crew.Owner, Log: s.Settings.Log,
		Receiver: s.watched().Receiver(&receiver{spoolDir: s.SpoolDir}),
		Able:     opens, Heard: s.Conductor.HeardLanding,
	}
	deliver := func(ctx context.Context, export int64, now time.Time) error {
		ctx, end := f.crew.While(ctx)
		defer end()
		return deliverer.Deliver(ctx, export, now)
	}
	s.hand = riverlander.Hand{Able: opens, Deliver: deliver, Done: s.Conductor.Wake}
	s.Conductor.Lander = f.river.Lander(s.Account.Name, s.ticket, s.Conductor.Wake)
	return nil
}

func unpaced(base http.RoundTripper) http.RoundTripper { return base }

// opens reports whether this process can open a delivery's destination.
func opens(d weir.Delivery) bool {
	_, err := OpenDestination(d.Destination)
	return err == nil
}

// errTicket is the outcome of a request that another process sends: the gate
// learns nothing from it but that it was sent.
var errTicket = errors.New("sent by the process that lands")

// ticketPatience is how long a landing waits for its turn at the gate before it
// is offered anew.
const ticketPatience = 10 * time.Second

// ticket takes one download of the account's pace.
func (s *Session) ticket(ctx context.Context) error {
	pass, err := s.Gate.Wait(pace.WithMaxWait(ctx, ticketPatience), pace.Download)
	if err != nil {
		return err
	}
	pass.Done(0, nil, errTicket)
	if pass.Probe() { // whether the door is open must be seen by whoever asked
		return errTicket
	}
	return nil
}

// elsewhere is the API as a landing away from the conductor uses it. A refusal
// for pace closes the account for every process.
type elsewhere struct {
	engine.API
	session *Session
}

// Results starts the download.
func (e *elsewhere) Results(ctx context.Context, id string) (*clari.Result, error) {
	result, err := e.API.Results(ctx, id)
	e.heed(ctx, err)
	return result, err
}

// Forecast starts a read without a job; the landing's ticket was for it.
func (e *elsewhere) Forecast(ctx context.Context, id string, period weir.Period) (*clari.Result, error) {
	result, err := e.API.Forecast(ctx, id, period)
	e.heed(ctx, err)
	return result, err
}

// AuditEvents reads the first page; the landing's ticket was for it.
func (e *elsewhere) AuditEvents(ctx context.Context, q clari.AuditQuery) (clari.AuditPage, error) {
	page, err := e.API.AuditEvents(ctx, q)
	e.heed(ctx, err)
	return page, err
}

// NextAuditEvents reads a further page, which takes a ticket of its own.
func (e *elsewhere) NextAuditEvents(ctx context.Context, link string) (clari.AuditPage, error) {
	if err := e.session.ticket(ctx); err != nil {
		return clari.AuditPage{}, err
	}
	page, err := e.API.NextAuditEvents(ctx, link)
	e.heed(ctx, err)
	return page, err
}

// heed closes the account where the server asked for a slower pace.
func (e *elsewhere) heed(ctx context.Context, err error) {
	if errors.Is(err, clari.ErrThrottled) {
		e.session.close(ctx, err)
	}
}

// close keeps the account from asking until the server said it may.
func (s *Session) close(ctx context.Context, refusal error) {
	wait := pace.DefaultBackOffBase
	var said *clari.Error
	if errors.As(refusal, &said) {
		now := time.Now()
		date := ""
		if !said.Date.IsZero() {
			date = said.Date.UTC().Format(http.TimeFormat)
		}
		if told, ok := pace.ParseRetryAfter(said.RetryAfter, now, date); ok {
			wait = told
		}
	}
	now, err := s.Ledger.Now(ctx)
	if err == nil {
		until := now.Add(wait)
		err = s.Ledger.HoldAccount(ctx, s.Account.Name, until, weir.Wait{
			Code: weir.WaitThrottled, Text: "the server asked for a slower pace; next request at " + until.UTC().Format(time.RFC3339),
		})
	}
	if err != nil {
		s.Settings.Log.Warn("keep the server's pace", "error", err)
	}
}

// isUnavailable reports a ledger that may be there again soon.
func isUnavailable(err error) bool {
	return errors.Is(err, ledger.ErrUnwritable) || errors.Is(err, ledger.ErrBusy)
}
