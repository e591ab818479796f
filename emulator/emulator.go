package emulator

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// Emulator is a Clari. It is safe for concurrent use; its data are made on the
// way out and never held whole.
type Emulator struct {
	config Config
	clock  clock
	draw   draw

	mu       sync.Mutex
	office   *office
	limiters map[string]*limiter
	closed   map[string]time.Time // until when a key was told to stay away
	rules    []struck
	log      requestLog
	counts   Counters
	serial   int64
	inside   int // requests being served
}

// New builds an emulator whose clock starts now. It reports everything that is
// wrong with the configuration together, wrapping [ErrConfig].
func New(c Config) (*Emulator, error) {
	c = c.withDefaults()
	if err := c.validate(); err != nil {
		return nil, err
	}
	clock := newClock(c)
	seed := draw(0x57656972).with(c.Seed)
	return &Emulator{
		config: c, clock: clock, draw: seed,
		office:   newOffice(c, clock.start, seed.text("office")),
		limiters: map[string]*limiter{}, closed: map[string]time.Time{},
		rules: make([]struck, len(c.Scenario.Rules)),
		log:   requestLog{size: c.LogSize}, counts: newCounters(),
	}, nil
}

// ServeHTTP answers one request. Where a scenario cuts the connection it
// aborts the handler in the way that net/http provides for, with
// [http.ErrAbortHandler].
func (e *Emulator) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := e.arrive(r)
	cut := CutRefused
	if !v.refused() {
		cut = v.serve(w)
	}
	v.leave(cut)
	if cut != "" {
		panic(http.ErrAbortHandler)
	}
}

// BaseURL is the address to give to a client of a listener.
func BaseURL(address net.Addr) string { return "http://" + address.String() + BasePath }

// drain is how long Serve lets running answers finish.
const drain = 2 * time.Second

// Serve answers on the listener until the context ends, then lets running
// answers finish for at most two seconds. It returns nil after such an end and
// the cause after any other.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute, ErrorLog: silent()}
	stopped := make(chan struct{})
	release := context.AfterFunc(ctx, func() {
		defer close(stopped)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), drain)
		defer cancel()
		if server.Shutdown(grace) != nil {
			_ = server.Close() // what is left is cut, as announced
		}
	})
	err := server.Serve(listener)
	if !release() {
		<-stopped
		return nil
	}
	return err
}
