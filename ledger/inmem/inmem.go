package inmem

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/internal/rule"
)

// ErrKilled marks a call of a process that was killed.
var ErrKilled = errors.New("the process was killed")

// Options shape a ledger; the zero value is right for most tests.
type Options struct {
	// Clock is the store's clock. Default: time.Now.
	Clock func() time.Time
	// Skew is added to it.
	Skew time.Duration
	// Fault is asked before each call, by the method's name; an error that it
	// returns is the call's, and nothing is written. Default: no faults.
	Fault func(method string) error
}

// Ledger is one process's handle on the store. It is safe for concurrent use.
type Ledger struct {
	store *store
	proc  *process
}

var _ interface {
	ledger.Ledger
	ledger.Locker
} = (*Ledger)(nil)

// process is who calls; guarded by the store's mutex.
type process struct {
	name string
	dead bool
}

type store struct {
	options Options

	mu            sync.Mutex
	accounts      map[string]*account
	organisations map[string]*organisation
	exports       map[int64]*export
	deliveries    map[int64]*export // the export that has it
	lastExport    int64
	lastDelivery  int64
	locks         map[string]*process // holder of each account's conductor lock
	procs         []*process
	room          newsroom
	latest        map[place]ledger.Latest
	owners        map[string]right
}

// right is how long the leases and claims of an owner stand.
type right struct {
	until  time.Time
	serves bool
}

// account is what is kept of one account, with the indexes that keep every
// question about what is open independent of how much has ended.
type account struct {
	weir.Account
	gate        string
	org         *organisation
	lease       weir.Lease // owner "" once released
	wantedBy    string     // another server that asks for the account
	wantedUntil time.Time
	stirs       int64 // what others than its conductor changed
	stirredAt   time.Time
	all         []*export // by id
	open        map[int64]*export
	like        map[string][]*export // by fingerprint, by id
	jobs        map[string]*weir.Job
	seen        []*weir.Job // by Seq
	lastSeq     int64
	listed      index // listed jobs by the end of their result
	bought      index // jobs that use quota by when they were bought
	listedAt    time.Time
	ran         map[string]index
	ranJobs     map[string]time.Duration

	schedules map[string]*ledger.Schedule // by name
	cursors   map[spot]cursor
}

// export is an export with its history and deliveries, both in order.
type export struct {
	weir.Export
	events     []weir.Event
	deliveries []weir.Delivery
}

// New makes an empty ledger and returns the handle of a process without a name.
func New(options Options) *Ledger {
	if options.Clock == nil {
		options.Clock = time.Now
	}
	s := &store{
		options:       options,
		accounts:      map[string]*account{},
		organisations: map[string]*organisation{},
		exports:       map[int64]*export{},
		deliveries:    map[int64]*export{},
		locks:         map[string]*process{},
		room:          newsroom{news: map[string]*told{}},
		latest:        map[place]ledger.Latest{},
		owners:        map[string]right{},
	}
	return s.attach("")
}

// Attach returns the handle of another process on the same store.
func (l *Ledger) Attach(name string) *Ledger {
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	return l.store.attach(name)
}

func (s *store) attach(name string) *Ledger {
	p := &process{name: name}
	s.procs = append(s.procs, p)
	return &Ledger{store: s, proc: p}
}

// Kill ends every process attached under that name: see the package's comment.
// A process attached under the name later is another one.
func (l *Ledger) Kill(name string) {
	s := l.store
	s.mu.Lock()
	defer s.mu.Unlock()
	var alive []*process
	for _, p := range s.procs {
		if p.name == name {
			p.dead = true
		} else {
			alive = append(alive, p)
		}
	}
	s.procs = alive
	for account, holder := range s.locks {
		if holder.dead {
			delete(s.locks, account)
		}
	}
}

// begin enters the store; on success the caller unlocks the mutex.
func (l *Ledger) begin(ctx context.Context, method string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", method, context.Cause(ctx))
	}
	if l.store.options.Fault != nil {
		if err := l.store.options.Fault(method); err != nil {
			return fmt.Errorf("%s: %w", method, err)
		}
	}
	l.store.mu.Lock()
	if l.proc.dead {
		l.store.mu.Unlock()
		return fmt.Errorf("%s: %w", method, ErrKilled)
	}
	return nil
}

// now is the store's clock.
func (s *store) now() time.Time {
	return rule.Instant(s.options.Clock().Add(s.options.Skew))
}

// Now is the store's clock.
func (l *Ledger) Now(ctx context.Context) (time.Time, error) {
	if err := l.begin(ctx, "Now"); err != nil {
		return time.Time{}, err
	}
	defer l.store.mu.Unlock()
	return l.store.now(), nil
}

// Salt is the same for every in-memory ledger, so that runs repeat.
func (l *Ledger) Salt(ctx context.Context) ([]byte, error) {
	if err := l.begin(ctx, "Salt"); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	salt := sha256.Sum256([]byte("an in-memory ledger"))
	return salt[:], nil
}

// Close does nothing: the store lives as long as somebody has a handle.
func (l *Ledger) Close() error { return nil }
