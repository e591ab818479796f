package pace

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// TestOvertaken: a turn is void where the gate closes before its request wakes
// up, and the turn of a probe too.
func TestOvertaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(Config{Policy: Policy{Jitter: NoJitter}}, State{})
		turn := func() *Pass {
			pass, err := g.Wait(t.Context(), List)
			if err != nil {
				t.Fatal(err)
			}
			return pass
		}
		straggler, refused, asleep := turn(), turn(), turn()
		if g.overtaken(asleep) {
			t.Error("overtaken while the gate is open")
		}
		refused.Done(http.StatusTooManyRequests, nil, nil)
		if !g.overtaken(asleep) {
			t.Error("not overtaken by a 429")
		}
		probe := turn()
		if g.overtaken(probe) {
			t.Error("the probe is overtaken by its own incident")
		}
		straggler.Done(http.StatusTooManyRequests, http.Header{"Retry-After": {"9"}}, nil)
		if !g.overtaken(probe) {
			t.Error("the probe is not overtaken by a later 429")
		}
		time.Sleep(9 * time.Second)
		if g.overtaken(probe) {
			t.Error("overtaken by an instant that is over")
		}
	})
}

// hooked is a context that does something when it is first waited for: after the
// turn came and before its request wakes up.
type hooked struct {
	context.Context
	hook func()
}

func (h *hooked) Done() <-chan struct{} {
	if h.hook != nil {
		h.hook()
		h.hook = nil
	}
	return h.Context.Done()
}

func TestWaitAgainWhenOvertaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(Config{}, State{})
		other, err := g.Wait(t.Context(), List)
		if err != nil {
			t.Fatal(err)
		}
		ctx := &hooked{t.Context(), func() {
			other.Done(http.StatusTooManyRequests, http.Header{"Retry-After": {"9"}}, nil)
		}}
		began := time.Now()
		pass, err := g.Wait(ctx, List)
		if err != nil || !pass.Probe() || time.Since(began) != 9*time.Second {
			t.Errorf("%+v, %v after %v; want the probe after 9 s", pass, err, time.Since(began))
		}
		if n := g.Snapshot().InFlight; n != 1 {
			t.Errorf("%d in flight, want 1", n)
		}
	})
}

// TestTurnOfAnEndedContext: the turn and the end of the context come together.
func TestTurnOfAnEndedContext(t *testing.T) {
	for range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		g := NewGate(Config{}, State{FirstRefusedAt: time.Unix(1, 0), ClosedUntil: time.Unix(2, 0)})
		pass, err := g.Wait(&hooked{ctx, cancel}, List)
		if s := g.Snapshot(); err != nil && (pass != nil || s.Probing || s.InFlight != 0) {
			t.Fatalf("%v, and the turn is kept: %+v", err, s)
		}
	}
}
