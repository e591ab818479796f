package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/config"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/notify"
	"github.com/weirhq/weir/signals/metrics"
	"github.com/weirhq/weir/signals/tracing"
)

// Service runs the conductors and schedules of a configuration until it is told
// to stop. Accounts stand apart: what befalls one does not touch the others.
type Service struct {
	// Path is the configuration file, read again on every reload.
	Path     string
	Settings Settings
	Getenv   func(string) string
	Store    *ledger.Store
	// Metrics are scraped at /metrics, under the login of the web page; nil for
	// none.
	Metrics *metrics.Metrics
	// Desk tells people what they should know; nil tells nobody.
	Desk *notify.Desk

	tracer *tracing.Tracer
	file   config.File // at Path

	mu      sync.Mutex
	workers map[string]*worker
	faults  map[string]error // accounts that could not be started
	fleet   *fleet
	keep    config.Keep // how long finished exports stay in the ledger
}

// worker is one account at work.
type worker struct {
	spec      string
	session   *Session
	scheduler *engine.Scheduler
	when      map[string]string // in words, by schedule
	stop      context.CancelCauseFunc
	done      chan struct{}
	firing    bool // a run is being started
}

// errReloaded ends a worker whose configuration changed.
var errReloaded = errors.New("the configuration changed")

// again is how often a worker that failed, an account that could not be
// started, or a refused key is tried again.
const again = time.Minute

// Run serves until ctx ends. Each value on reload reads the configuration
// again; one that cannot be read changes nothing.
func (s *Service) Run(ctx context.Context, reload <-chan struct{}, ready func()) error {
	s.mu.Lock()
	s.workers, s.faults = map[string]*worker{}, map[string]error{}
	s.mu.Unlock()
	var err error
	if s.fleet, err = s.openFleet(ctx); err != nil {
		return err
	}
	defer s.fleet.close() //nolint:errcheck // the process's end gives it back too
	var failed error
	s.fleet.run(ctx, func() { failed = s.serve(ctx, reload, ready) }, func() { s.stopAll(context.Cause(ctx)) })
	return failed
}

// serve applies the configuration, again and again, until ctx ends.
func (s *Service) serve(ctx context.Context, reload <-chan struct{}, ready func()) error {
	if err := s.apply(ctx); err != nil {
		return err
	}
	defer closeTraces(s.tracer, serviceFlush, s.Settings.Log)
	defer s.startDesk(ctx)()
	defer s.startChores(ctx)()
	debug.FreeOSMemory() // opening thousands of accounts leaves as much behind as they need
	ready()
	tick := time.NewTicker(again)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-reload:
			s.Settings.Log.Info("reload configuration", "path", s.Path)
		case <-tick.C: // a rotated key is picked up, a failed account started
		}
		if err := s.apply(ctx); err != nil && ctx.Err() == nil {
			s.Settings.Log.Error("configuration is not applied; the one before goes on", "error", err)
		}
	}
}

// apply makes what runs what the configuration says. Accounts that did not
// change are not touched.
func (s *Service) apply(ctx context.Context) error {
	s.file.Path = s.Path
	c, err := s.file.Load()
	if err != nil {
		return configurationFault(s.Path, err)
	}
	s.notifyOf(c)
	s.retainAs(c.Retention.Ledger)
	for _, name := range s.names() {
		if _, wanted := c.Accounts[name]; !wanted {
			s.stop(name, errReloaded)
		}
	}
	concerning, shared := byAccount(c), commonOf(c, s.Getenv)
	for _, name := range slices.Sorted(maps.Keys(c.Accounts)) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := s.applyAccount(ctx, concerning[name], shared, name); err != nil {
			s.Settings.Log.Error("account is not at work", "account", name, "error", err, "hint", FaultOf(err).Hint)
		}
	}
	return nil
}

func (s *Service) applyAccount(ctx context.Context, c config.Config, shared common, name string) error {
	settings, err := configuredSettings(ctx, s.Settings, c, shared, name, s.Getenv)
	if err == nil {
		spec := accountSpec(c, shared, settings)
		if s.unchanged(name, spec) {
			return nil
		}
		s.stop(name, errReloaded)
		err = s.start(ctx, c, settings, spec)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[name] = err
	return err
}

func (s *Service) unchanged(name, spec string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.workers[name]
	if w == nil || w.spec != spec {
		return false
	}
	select {
	case <-w.done: // it ended by itself
		return false
	default:
		return true
	}
}

// start opens a session and sets its conductor and scheduler to work.
func (s *Service) start(ctx context.Context, c config.Config, settings Settings, spec string) error {
	session, err := openIn(ctx, s.Store, settings, s.fleet)
	if err != nil {
		return err
	}
	working, stop := context.WithCancelCause(ctx)
	scheduler := &engine.Scheduler{
		Ledger: s.Store, Account: settings.Account, Entries: configuredSchedules(c, settings.Account), Log: settings.Log,
		Fired: func(string, time.Time, []ledger.Granted) { session.Conductor.Wake() },
	}
	session.Conductor.Scheduled = lookedAheadHourly(scheduler.Entries)
	w := &worker{spec: spec, session: session, scheduler: scheduler, when: whenDue(c), stop: stop, done: make(chan struct{})}
	go w.run(working)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.workers[settings.Account] = w
	settings.Log.Info("account at work", "schedules", len(scheduler.Entries))
	return nil
}

// lookedAheadHourly computes the scheduled instants at most once an hour: the
// conductor asks at every step.
func lookedAheadHourly(entries []engine.Entry) func(time.Time) []time.Time {
	var at time.Time
	var instants []time.Time
	return func(now time.Time) []time.Time {
		if at.IsZero() || now.Sub(at) >= time.Hour || now.Before(at) {
			at, instants = now, scheduledAhead(entries, now)
		}
		first := slices.IndexFunc(instants, func(t time.Time) bool { return t.After(now) })
		if first < 0 {
			return nil
		}
		return instants[first:]
	}
}

// run conducts until it ends. Runs that are due are started by the crew's look
// at all accounts; here they are armed.
func (w *worker) run(ctx context.Context) {
	defer close(w.done)
	defer w.session.Close()
	err := w.arm(ctx)
	if err == nil {
		err = w.session.Conductor.Run(ctx)
	}
	if ctx.Err() == nil {
		w.session.Settings.Log.Error("account stopped", "error", err)
	}
	w.stop(err)
}

// arm keeps the schedules with their next runs, as soon as the ledger can.
func (w *worker) arm(ctx context.Context) error {
	for {
		err := w.scheduler.Arm(ctx)
		if err == nil || ctx.Err() != nil || !isUnavailable(err) {
			return err
		}
		w.session.Settings.Log.Warn("arm schedules", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
	}
}

func (s *Service) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.workers))
}

func (s *Service) stop(name string, cause error) {
	s.mu.Lock()
	w := s.workers[name]
	delete(s.workers, name)
	s.mu.Unlock()
	if w != nil {
		w.stop(cause)
		<-w.done
	}
}

func (s *Service) stopAll(cause error) {
	var all sync.WaitGroup
	for _, name := range s.names() {
		all.Go(func() { s.stop(name, cause) })
	}
	all.Wait()
}

// Health is nil while every configured account is at work.
func (s *Service) Health() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var faults []error
	for name, err := range s.faults {
		if err != nil {
			faults = append(faults, fmt.Errorf("account %s: %w", name, err))
		}
	}
	for name, w := range s.workers {
		if _, condition := w.session.Conductor.Latest(); condition.KeyRefused != nil {
			faults = append(faults, fmt.Errorf("account %s is paused: %w", name, condition.KeyRefused))
		}
	}
	return errors.Join(faults...)
}
