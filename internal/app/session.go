package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/clari"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/engine/riverlander"
	"github.com/weirhq/weir/land"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/pace"
	"github.com/weirhq/weir/signals"
	"github.com/weirhq/weir/signals/tracing"
)

// Session is one account opened for work: its state, its pace, its client and
// its conductor.
type Session struct {
	Settings  Settings
	Account   weir.Account
	Ledger    *ledger.Store
	Client    *clari.Client
	Gate      *pace.Gate
	Conductor *engine.Conductor
	Counts    *engine.Counts
	SpoolDir  string

	closeLedger bool
	fleet       *fleet           // of a service, else nil
	hand        riverlander.Hand // what this process does for the fleet's landings
	tracer      *tracing.Tracer
}

// OpenLedger opens the state alone, for commands that ask the server nothing.
func OpenLedger(ctx context.Context, s Settings) (*ledger.Store, error) {
	store, err := ledger.Open(ctx, s.State, ledger.Options{Password: s.StatePassword})
	if err == nil || ctx.Err() != nil || FaultOf(err).Exit != ExitFailed {
		return store, err
	}
	return nil, &Fault{Exit: ExitUnwritable, Code: "state_unwritable", Hint: "check the path given with --state and the folders above it", Err: err}
}

// Open opens a session with a ledger of its own. Close it.
func Open(ctx context.Context, s Settings) (*Session, error) {
	if _, err := clari.New(s.BaseURL, s.Key, clientOptions(s, nil)...); err != nil {
		return nil, err // before a state file is made
	}
	store, err := OpenLedger(ctx, s)
	if err != nil {
		return nil, err
	}
	tracer, err := traces(s, store)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	if tracer != nil {
		s.Watchers = append(s.Watchers, tracer)
	}
	session, err := OpenOn(ctx, store, s)
	if err != nil {
		closeTraces(tracer, commandFlush, s.Log)
		return nil, errors.Join(err, store.Close())
	}
	session.closeLedger, session.tracer = true, tracer
	return session, nil
}

// OpenOn opens a session on a ledger that stays the caller's.
func OpenOn(ctx context.Context, store *ledger.Store, s Settings) (*Session, error) {
	return openIn(ctx, store, s, nil)
}

// openIn opens a session of a service.
func openIn(ctx context.Context, store *ledger.Store, s Settings, f *fleet) (*Session, error) {
	probe, err := clari.New(s.BaseURL, s.Key, clientOptions(s, nil)...)
	if err != nil {
		return nil, err
	}
	session := &Session{Settings: s, Ledger: store, Counts: new(engine.Counts), fleet: f}
	return session, session.open(ctx, probe.BaseURL())
}

func (s *Session) open(ctx context.Context, baseURL string) error {
	salt, err := s.Ledger.Salt(ctx)
	if err != nil {
		return err
	}
	wanted := weir.Account{Name: s.Settings.Account, BaseURL: baseURL, KeyFingerprint: s.Settings.Key.Fingerprint(salt)}
	if s.Account, err = s.Ledger.OpenAccount(ctx, wanted); errors.Is(err, ledger.ErrOtherKey) {
		s.Account, err = s.rotate(ctx, wanted, err)
	}
	if err != nil {
		return err
	}
	if s.SpoolDir, err = spoolDir(s.Settings); err != nil {
		return err
	}
	return s.connect(ctx)
}

// rotate accepts another key for a known account when it can read a job of
// ours: then it is the same user's. So it does while the account never had a
// job, because then no key has anything to lose. Anything else is another
// account's key.
func (s *Session) rotate(ctx context.Context, wanted weir.Account, refusal error) (weir.Account, error) {
	jobs, err := s.Ledger.Jobs(ctx, wanted.Name)
	if err != nil {
		return weir.Account{}, err
	}
	id, any := newestOwn(jobs)
	switch {
	case !any:
		s.Settings.Log.Info("the account never had a job; it takes this key and address", "account", wanted.Name)
		err = s.Ledger.Rehome(ctx, wanted.Name, wanted.BaseURL)
	case s.Account.BaseURL != wanted.BaseURL:
		err = fmt.Errorf("open account %s at %s: it was opened at %s: %w", wanted.Name, wanted.BaseURL, s.Account.BaseURL, refusal)
	default:
		err = s.canRead(ctx, id, refusal)
	}
	if err == nil {
		err = s.Ledger.RotateKey(ctx, wanted.Name, wanted.KeyFingerprint)
	}
	if err != nil {
		return weir.Account{}, err
	}
	s.Settings.Log.Info("the account has a new key", "account", wanted.Name)
	return s.Ledger.Account(ctx, wanted.Name)
}

// canRead proves that the key is of the user whose job this is.
func (s *Session) canRead(ctx context.Context, jobID string, refusal error) error {
	client, err := clari.New(s.Settings.BaseURL, s.Settings.Key, clientOptions(s.Settings, nil)...)
	if err != nil {
		return err
	}
	_, _, err = client.Job(ctx, jobID)
	if errors.Is(err, clari.ErrNotFound) || errors.Is(err, clari.ErrInvalidJob) || errors.Is(err, clari.ErrForbidden) {
		return refusal
	}
	return err
}

func newestOwn(jobs []weir.Job) (id string, any bool) {
	var newest weir.Job
	for _, j := range jobs {
		if j.ExportID != 0 && (newest.ID == "" || j.Seq > newest.Seq) {
			newest = j
		}
	}
	return newest.ID, newest.ID != ""
}

// connect builds gate, transport, client and conductor.
func (s *Session) connect(ctx context.Context) error {
	state, err := engine.LoadGate(ctx, s.Ledger, s.Account.Name, time.Now())
	if err != nil {
		return err
	}
	policy := engine.PacePolicy(s.Settings.Policy, s.Settings.Rate)
	s.Gate = pace.NewGate(pace.Config{Policy: policy, OnChange: s.keepGate}, state)
	owner, err := s.owner()
	if err != nil {
		return err
	}
	s.Conductor = &engine.Conductor{
		Account: s.Account.Name, Owner: owner, Ledger: s.watched().Ledger(s.Ledger), Gate: s.Gate, Pace: policy,
		Policy: s.Settings.Policy, Log: s.Settings.Log, Planned: s.watched().Planned(),
	}
	if s.Conductor.Lock, err = s.Ledger.ConductorLock(s.Account.Name); err != nil {
		return err
	}
	paced := func(base http.RoundTripper) http.RoundTripper {
		transport := &pace.Transport{Base: base, Gate: s.Gate}
		if s.Settings.Policy.Sequential {
			return newSingle(transport)
		}
		return transport
	}
	conducting := engine.NewTransport(s.network(), paced, s.Conductor.Fence, s.Counts)
	if s.Client, err = clari.New(s.Settings.BaseURL, s.Settings.Key, clientOptions(s.Settings, conducting)...); err != nil {
		return err
	}
	s.Conductor.API = s.watched().API(s.Client)
	s.Conductor.Lander = s.lander(owner)
	if s.fleet == nil {
		return nil
	}
	s.Conductor.Crew = s.fleet.crew
	if s.fleet.river == nil || s.Settings.Policy.Sequential { // one request at a time: in one process
		return nil
	}
	return s.spread(s.fleet)
}

// network is what the conductor's requests go through: all accounts of a server
// share its connections, and a landing's are others.
func (s *Session) network() http.RoundTripper {
	if s.fleet != nil {
		return s.fleet.asking
	}
	return clari.NewTransport()
}

// owner is the name under which the session acts: the server's, or its own.
func (s *Session) owner() (string, error) {
	if s.fleet != nil {
		return s.fleet.crew.Owner, nil
	}
	return newOwner()
}

// watched puts the settings' watchers between the engine and what it uses.
func (s *Session) watched() signals.Watched {
	return signals.Watched{Account: s.Account.Name, Watchers: s.Settings.Watchers}
}

func (s *Session) lander(owner string) engine.Lander {
	deliverer := &engine.Deliverer{
		Ledger: s.Conductor.Ledger, API: s.Conductor.API, Owner: owner, Log: s.Settings.Log,
		Receiver: s.watched().Receiver(&receiver{spoolDir: s.SpoolDir, passwords: s.Settings.passwords}),
		Heard:    s.Conductor.HeardLanding,
	}
	return &engine.Pool{Deliver: deliverer.Deliver, Done: s.Conductor.Wake, Fail: s.Conductor.Fail, Log: s.Settings.Log}
}

// keepGate writes the pace down. Losing a write costs pace, never an export.
func (s *Session) keepGate(state pace.State) {
	text, err := state.MarshalJSON()
	if err == nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		err = s.Ledger.SaveGate(ctx, s.Account.Name, string(text))
	}
	if err != nil {
		s.Settings.Log.Debug("keep pace", "error", err)
	}
}

// Close gives everything back that is the session's own.
func (s *Session) Close() error {
	if s.fleet == nil {
		s.Client.CloseIdleConnections()
	}
	if !s.closeLedger {
		return nil
	}
	closeTraces(s.tracer, commandFlush, s.Settings.Log)
	return s.Ledger.Close()
}

func clientOptions(s Settings, transport http.RoundTripper) []clari.Option {
	options := []clari.Option{clari.WithUserAgent("weir/" + Version())}
	if s.Insecure {
		options = append(options, clari.WithInsecureBaseURL())
	}
	if s.IdleTimeout > 0 {
		options = append(options, clari.WithIdleTimeout(s.IdleTimeout))
	}
	if transport != nil {
		options = append(options, clari.WithTransport(transport))
	}
	return options
}

// newOwner names this process among all that share a ledger.
func newOwner() (string, error) {
	var random [6]byte
	if _, err := rand.Read(random[:]); err != nil {
		return "", fmt.Errorf("name this process: %w", err)
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s/%d/%s", host, os.Getpid(), hex.EncodeToString(random[:])), nil
}

// spoolDir is where results wait beside the ledger while they land, or in
// Settings.SpoolDir where the ledger is no file. What dead runs left there is
// swept.
func spoolDir(s Settings) (string, error) {
	dir := s.SpoolDir
	if dir == "" {
		dir = filepath.Join(filepath.Dir(s.State), "spool")
	}
	return dir, land.SweepSpool(dir)
}
