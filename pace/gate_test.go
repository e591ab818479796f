package pace_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/pace"
)

var errLost = errors.New("connection reset")

// log keeps what happened, with the seconds since it was made.
type log struct {
	mu    sync.Mutex
	began time.Time
	lines []entry
}

type entry struct {
	what    string
	seconds float64
}

func newLog() *log { return &log{began: time.Now()} }

func (l *log) add(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, entry{what, time.Since(l.began).Seconds()})
}

func (l *log) want(t *testing.T, want ...entry) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !slices.Equal(l.lines, want) {
		t.Errorf("happened:\n%v\nwant:\n%v", l.lines, want)
	}
}

// take waits for a turn that must come.
func take(t *testing.T, g *pace.Gate, p pace.Priority) *pace.Pass {
	t.Helper()
	pass, err := g.Wait(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return pass
}

// closeFor closes a gate for so many seconds by a told 429.
func closeFor(t *testing.T, g *pace.Gate, seconds string) {
	t.Helper()
	take(t, g, pace.Post).Done(429, headers("Retry-After", seconds), nil)
}

// queueUp starts a waiter and returns once it stands in line.
func queueUp(g *pace.Gate, ctx context.Context, p pace.Priority, then func(*pace.Pass, error)) {
	go func() { then(g.Wait(ctx, p)) }()
	synctest.Wait()
}

func TestGatePaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, l := pace.NewGate(pace.Config{Policy: pace.Policy{Rate: 2, Burst: 2}}, pace.State{}), newLog()
		for range 5 {
			take(t, g, pace.List).Done(200, nil, nil)
			l.add("go")
		}
		l.want(t, entry{"go", 0}, entry{"go", 0}, entry{"go", 0.5}, entry{"go", 1}, entry{"go", 1.5})
	})
}

func TestGateOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := pace.NewGate(pace.Config{Policy: pace.Policy{Rate: 1, Burst: 1}}, pace.State{})
		take(t, g, pace.List).Done(200, nil, nil)
		l := newLog()
		for _, who := range []struct {
			name string
			p    pace.Priority
		}{{"download", pace.Download}, {"list 1", pace.List}, {"list 2", 0}, {"post 1", pace.Post}, {"list 3", 77}, {"post 2", pace.Post}} {
			queueUp(g, t.Context(), who.p, func(pass *pace.Pass, err error) {
				l.add(who.name)
				pass.Done(200, nil, err)
			})
		}
		time.Sleep(time.Minute)
		l.want(t, entry{"post 1", 1}, entry{"post 2", 2}, entry{"list 1", 3}, entry{"list 2", 4}, entry{"list 3", 5}, entry{"download", 6})
	})
}

func TestGateProbesAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := pace.NewGate(pace.Config{Policy: exact()}, pace.State{})
		var together []*pace.Pass
		for range 3 {
			together = append(together, take(t, g, pace.List))
		}
		l := newLog()
		for _, pass := range together {
			pass.Done(429, nil, nil)
		}
		outcome := []int{429, 0, 200, 200, 200}
		for i := range outcome {
			queueUp(g, t.Context(), pace.List, func(pass *pace.Pass, err error) {
				what := "other"
				if pass.Probe() {
					what = "probe"
				}
				l.add(what)
				time.Sleep(time.Second)
				if outcome[i] == 0 {
					pass.Done(0, nil, errLost)
					return
				}
				pass.Done(outcome[i], nil, err)
			})
		}
		time.Sleep(time.Hour)
		// Probes at 5 s (429 at 6 s), at 13.5 s (lost at 14.5 s) and at 14.5 s, which
		// is accepted at 15.5 s; then a burst of two.
		l.want(t, entry{"probe", 5}, entry{"probe", 13.5}, entry{"probe", 14.5}, entry{"other", 15.5}, entry{"other", 15.5})
	})
}

func TestGateRefusesAtOnce(t *testing.T) {
	short := func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithTimeout(ctx, 29*time.Second)
	}
	enough := func(ctx context.Context) (context.Context, context.CancelFunc) {
		return context.WithTimeout(ctx, 31*time.Second)
	}
	most := func(d time.Duration) func(context.Context) (context.Context, context.CancelFunc) {
		return func(ctx context.Context) (context.Context, context.CancelFunc) {
			return pace.WithMaxWait(ctx, d), func() {}
		}
	}
	tests := map[string]struct {
		config  pace.Config
		ctx     func(context.Context) (context.Context, context.CancelFunc)
		refused bool
	}{
		"a deadline before the instant":  {pace.Config{}, short, true},
		"a deadline after it":            {pace.Config{}, enough, false},
		"little patience":                {pace.Config{}, most(29 * time.Second), true},
		"patience enough":                {pace.Config{}, most(30 * time.Second), false},
		"none":                           {pace.Config{}, most(0), true},
		"less than none":                 {pace.Config{}, most(-1), true},
		"a gate of little patience":      {pace.Config{MaxWait: time.Second}, enough, true},
		"the context's word over it":     {pace.Config{MaxWait: time.Second}, most(time.Minute), false},
		"a gate of patience enough":      {pace.Config{MaxWait: time.Minute}, enough, false},
		"patience, and a short deadline": {pace.Config{MaxWait: time.Minute}, short, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := pace.NewGate(test.config, pace.State{})
				closeFor(t, g, "30")
				began := time.Now()
				ctx, cancel := test.ctx(t.Context())
				defer cancel()
				_, err := g.Wait(ctx, pace.Post)
				if !test.refused {
					if waited := time.Since(began); err != nil || waited != 30*time.Second {
						t.Errorf("after %v: %v; want a turn after 30 s", waited, err)
					}
					return
				}
				var closed *pace.ClosedError
				if !errors.As(err, &closed) || !closed.Until.Equal(began.Add(30*time.Second)) || closed.Reason != pace.RetryAfter {
					t.Errorf("%v, want a ClosedError until 30 s from now", err)
				}
				if waited := time.Since(began); waited != 0 {
					t.Errorf("refused after %v", waited)
				}
			})
		})
	}
}

func TestClosedErrorText(t *testing.T) {
	err := &pace.ClosedError{Until: t0.In(time.FixedZone("", 3600)), Reason: pace.RetryAfter}
	const want = "wait at gate: not before 2026-03-01T12:00:00Z: the server said when to come back (429 with Retry-After)"
	if err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
}

// TestGateCountsTheLine: the place in line is part of the wait.
func TestGateCountsTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := pace.NewGate(pace.Config{Policy: pace.Policy{Rate: 1, Burst: 1}}, pace.State{})
		take(t, g, pace.List)
		for range 3 {
			queueUp(g, t.Context(), pace.List, func(pass *pace.Pass, err error) { pass.Done(200, nil, err) })
		}
		began := time.Now()
		var closed *pace.ClosedError
		if _, err := g.Wait(pace.WithMaxWait(t.Context(), 3500*time.Millisecond), pace.List); !errors.As(err, &closed) {
			t.Fatalf("fourth in line for 3.5 s: %v", err)
		}
		if closed.Until.Sub(began) != 4*time.Second || closed.Reason != pace.Paced {
			t.Errorf("refused until %v for %q, want 4 s for paced", closed.Until.Sub(began), closed.Reason)
		}
		if _, err := g.Wait(pace.WithMaxWait(t.Context(), 3500*time.Millisecond), pace.Post); err != nil || time.Since(began) != time.Second {
			t.Errorf("a post after %v: %v, want a turn after 1 s", time.Since(began), err)
		}
	})
}

// TestGateTurnsAwayTheLine: a 429 makes the wait of those in line too long.
func TestGateTurnsAwayTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := pace.NewGate(pace.Config{Policy: pace.Policy{Rate: 1, Burst: 1}}, pace.State{})
		pass, l := take(t, g, pace.List), newLog()
		note := func(_ *pace.Pass, err error) {
			var closed *pace.ClosedError
			if errors.As(err, &closed) {
				l.add("refused")
				return
			}
			l.add("go")
		}
		queueUp(g, pace.WithMaxWait(t.Context(), 10*time.Second), pace.List, note)
		queueUp(g, t.Context(), pace.List, note)
		time.Sleep(500 * time.Millisecond)
		pass.Done(429, headers("Retry-After", "20"), nil)
		time.Sleep(time.Minute)
		l.want(t, entry{"refused", 0.5}, entry{"go", 20.5})
	})
}

// TestGatePatienceWithAProbe: how long a probe takes nobody knows, so the
// patience runs out by the clock.
func TestGatePatienceWithAProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := pace.NewGate(pace.Config{Policy: exact()}, pace.State{})
		closeFor(t, g, "10")
		probe, l := take(t, g, pace.List), newLog()
		note := func(what string) func(*pace.Pass, error) {
			return func(_ *pace.Pass, err error) {
				var closed *pace.ClosedError
				if errors.As(err, &closed) && closed.Reason == pace.ProbeOut {
					what += " refused"
				}
				l.add(what)
			}
		}
		queueUp(g, pace.WithMaxWait(t.Context(), 0), pace.List, note("hasty"))
		queueUp(g, pace.WithMaxWait(t.Context(), 2*time.Second), pace.List, note("short"))
		queueUp(g, pace.WithMaxWait(t.Context(), 10*time.Second), pace.List, note("long"))
		time.Sleep(4 * time.Second)
		probe.Done(200, nil, nil)
		synctest.Wait()
		l.want(t, entry{"hasty refused", 0}, entry{"short refused", 2}, entry{"long", 4})
	})
}

func TestGateCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := pace.NewGate(pace.Config{Policy: pace.Policy{Rate: 1, Burst: 1}}, pace.State{})
		take(t, g, pace.List).Done(200, nil, nil)
		reason := errors.New("shutting down")
		ctx, cancel := context.WithCancelCause(t.Context())
		l := newLog()
		queueUp(g, ctx, pace.List, func(_ *pace.Pass, err error) {
			if !errors.Is(err, context.Canceled) || !errors.Is(err, reason) {
				t.Errorf("cancelled with %v", err)
			}
			l.add("cancelled")
		})
		queueUp(g, t.Context(), pace.List, func(*pace.Pass, error) { l.add("go") })
		time.Sleep(250 * time.Millisecond)
		cancel(reason)
		time.Sleep(time.Minute)
		l.want(t, entry{"cancelled", 0.25}, entry{"go", 1})
		if _, err := g.Wait(ctx, pace.List); !errors.Is(err, reason) {
			t.Errorf("with an ended context: %v", err)
		}
		if n := g.Snapshot().Requests; n != 2 {
			t.Errorf("%d requests, want 2", n)
		}
	})
}

// TestGateCancelledProbe: whatever becomes of a probe, the next gets its turn.
func TestGateCancelledProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := pace.NewGate(pace.Config{Policy: exact()}, pace.State{})
		closeFor(t, g, "10")
		l := newLog()
		ctx, cancel := context.WithCancel(t.Context())
		queueUp(g, ctx, pace.List, func(pass *pace.Pass, _ error) {
			l.add("probe")
			<-ctx.Done()
			pass.Done(0, nil, ctx.Err())
		})
		queueUp(g, t.Context(), pace.List, func(pass *pace.Pass, _ error) {
			l.add("probe") // and it is never heard of again
		})
		queueUp(g, t.Context(), pace.List, func(pass *pace.Pass, _ error) {
			l.add("probe")
			pass.Done(200, nil, nil)
		})
		queueUp(g, t.Context(), pace.List, func(pass *pace.Pass, _ error) { l.add("go") })
		time.Sleep(11 * time.Second)
		cancel()
		time.Sleep(time.Hour)
		l.want(t, entry{"probe", 10}, entry{"probe", 11}, entry{"probe", 71}, entry{"go", 71})
	})
}

func TestGateForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, l := pace.NewGate(pace.Config{}, pace.State{}), newLog()
		closeFor(t, g, "86400")
		queueUp(g, t.Context(), pace.List, func(*pace.Pass, error) { l.add("go") })
		time.Sleep(time.Minute)
		g.Forget()
		synctest.Wait()
		l.want(t, entry{"go", 60})
	})
}

func TestGateTellsWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		g := pace.NewGate(pace.Config{Policy: pace.Policy{Rate: 1, Burst: 1}, OnWait: func(w pace.Waiting) {
			l.add(w.Priority.String() + " " + string(w.Reason) + " " + w.Until.Sub(l.began).String())
		}}, pace.State{})
		first := take(t, g, pace.Post)
		for _, p := range []pace.Priority{pace.List, pace.Download} {
			queueUp(g, t.Context(), p, func(pass *pace.Pass, err error) {
				time.Sleep(time.Second)
				pass.Done(200, nil, err)
			})
		}
		time.Sleep(500 * time.Millisecond)
		first.Done(429, headers("Retry-After", "4"), nil)
		time.Sleep(time.Minute)
		l.want(t,
			entry{"list paced 1s", 0}, entry{"download paced 2s", 0},
			entry{"list retry_after 4.5s", 0.5}, entry{"download retry_after 5.5s", 0.5},
			entry{"download probe 1m4.5s", 4.5})
	})
}

func TestGateTellsChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kept []pace.State
		var g *pace.Gate
		g = pace.NewGate(pace.Config{Policy: exact(), OnChange: func(s pace.State) {
			kept = append(kept, s)
			g.Snapshot() // must not deadlock
		}}, pace.State{})
		take(t, g, pace.List).Done(200, nil, nil)
		if len(kept) != 0 {
			t.Errorf("an ordinary request was worth keeping: %+v", kept)
		}
		take(t, g, pace.List).Done(429, nil, nil)
		take(t, g, pace.List).Done(200, nil, nil)
		if len(kept) != 2 || !kept[0].Closed() || kept[1].Closed() || kept[1].Rate == 0 {
			t.Fatalf("kept %+v, want the incident and its end", kept)
		}
		next := pace.NewGate(pace.Config{Policy: exact()}, kept[0])
		if !next.Snapshot().Closed() {
			t.Error("the next run does not know of the incident")
		}
		if after := pace.NewGate(pace.Config{}, kept[1]); after.Rate() != kept[1].Rate {
			t.Errorf("the next run paces at %v, want %v", after.Rate(), kept[1].Rate)
		}
	})
}

// TestGateResumes: a probe of the former run is out no more.
func TestGateResumes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		stored := pace.State{FirstRefusedAt: now, ClosedUntil: now.Add(time.Second), Probing: true, ProbeAt: now.Add(time.Second), InFlight: 1}
		g, l := pace.NewGate(pace.Config{}, stored), newLog()
		pass := take(t, g, pace.List)
		l.add("go")
		pass.Done(200, nil, nil)
		l.want(t, entry{"go", 1})
		if s := g.Snapshot(); s.Closed() || s.InFlight != 0 {
			t.Errorf("after its probe: %+v", s)
		}
	})
}

func TestGateTellsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLog()
		g := pace.NewGate(pace.Config{OnWait: func(w pace.Waiting) { l.add(w.Until.Sub(l.began).String()) }}, pace.State{})
		straggler := take(t, g, pace.List)
		closeFor(t, g, "10")
		queueUp(g, t.Context(), pace.List, func(*pace.Pass, error) {})
		time.Sleep(time.Second)
		straggler.Done(429, headers("Retry-After", "20"), nil)
		l.want(t, entry{"10s", 0}, entry{"21s", 1})
	})
}

// TestGatePatienceToTheInstant: a turn due when patience ends is a turn.
func TestGatePatienceToTheInstant(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			g := pace.NewGate(pace.Config{}, pace.State{})
			closeFor(t, g, "10")
			if _, err := g.Wait(pace.WithMaxWait(t.Context(), 10*time.Second), pace.List); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestDoneCountsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := pace.NewGate(pace.Config{}, pace.State{})
		pass := take(t, g, pace.List)
		pass.Done(200, http.Header{}, nil)
		pass.Done(429, http.Header{}, nil)
		if s := g.Snapshot(); s.Closed() || s.InFlight != 0 {
			t.Errorf("the second outcome counted: %+v", s)
		}
	})
}

// TestGateCrowd lets many requests with short patience, cancellations, lost
// connections and 429 answers run through one gate: everybody's wait ends, and
// nothing starts while the gate is closed.
func TestGateCrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := pace.NewGate(pace.Config{Policy: pace.Policy{Rate: 20}}, pace.State{})
		var all sync.WaitGroup
		for i := range 400 {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i%7+1)*time.Minute)
				defer cancel()
				if i%3 == 0 {
					ctx = pace.WithMaxWait(ctx, time.Duration(i%11)*time.Second)
				}
				pass, err := g.Wait(ctx, pace.Priority(i%3+1))
				if err != nil {
					return
				}
				// A 429 of this very instant may have come after the turn.
				if s := g.Snapshot(); s.Closed() && s.FirstRefusedAt.Before(time.Now()) && !pass.Probe() {
					t.Errorf("request %d starts in an incident of %v ago", i, time.Since(s.FirstRefusedAt))
				}
				time.Sleep(time.Duration(i%5) * 100 * time.Millisecond)
				pass.Done([]int{200, 200, 0, 200, 429, 500}[i%6], nil, nil)
			})
		}
		all.Wait()
		if s := g.Snapshot(); s.InFlight != 0 || s.Throttled == 0 {
			t.Errorf("%d in flight, %d throttled at the end", s.InFlight, s.Throttled)
		}
	})
}
