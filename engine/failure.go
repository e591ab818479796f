package engine

import (
	"errors"
	"math"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/clari"
	"github.com/weirhq/weir/pace"
	"github.com/weirhq/weir/plan"
)

// The back-off after errors that are no 429 (rules §4).
const (
	backoffBase   = 5 * time.Second
	backoffFactor = 1.5
	backoffMost   = 60 * time.Second
)

// backoff is the wait after the k-th failure in a row, k from 0.
func backoff(k int) time.Duration {
	return time.Duration(min(float64(backoffBase)*math.Pow(backoffFactor, float64(k)), float64(backoffMost)))
}

// isTry reports whether an error counts as a failed try: the server answered,
// and badly. A 429, a closed gate, a lost lease and a connection that could not
// be had are none.
func isTry(err error) bool {
	var said *clari.Error
	if errors.As(err, &said) && said.Status == 0 && !errors.Is(err, clari.ErrUndecodable) && !errors.Is(err, clari.ErrTooLarge) {
		return false
	}
	return !errors.Is(err, clari.ErrThrottled) && !errors.Is(err, clari.ErrNotSent) && !errors.Is(err, clari.ErrInterrupted)
}

// failed counts a failed read and says when it may be tried again.
func (c *Conductor) failed(reads *plan.ReadFailures, err error, now time.Time) {
	if !isTry(err) {
		return
	}
	c.Log.Warn("read", "error", err)
	reads.NotBefore = now.Add(backoff(reads.InARow))
	reads.InARow++
}

// heard keeps whether the server can be reached and takes the key. While it
// cannot be reached the whole account waits; that is no failure of any export.
func (c *Conductor) heard(err error) {
	now := c.clock.now()
	switch {
	case err == nil || reached(err):
		c.memory.failures = 0
		c.note(func(s *Condition) {
			s.UnreachableSince, s.Unreachable = time.Time{}, nil
			s.KeyRefused = nil
			if keyRefused(err) {
				s.KeyRefused = err
			}
		})
	case ours(err):
		return
	default:
		c.unreachable(err, now)
	}
	if keyRefused(err) {
		c.memory.hold = now.Add(time.Minute)
		c.memory.holdWhy = weir.Wait{Code: weir.WaitKey, Text: err.Error()}
	}
}

func (c *Conductor) unreachable(err error, now time.Time) {
	c.memory.hold = now.Add(backoff(c.memory.failures))
	c.memory.holdWhy = weir.Wait{Code: weir.WaitUnreachable, Text: "the server cannot be reached: " + err.Error()}
	c.memory.failures++
	c.note(func(s *Condition) {
		if s.UnreachableSince.IsZero() {
			s.UnreachableSince = now
		}
		s.Unreachable = err
	})
}

// reached reports whether the error is an answer: then the server is there.
func reached(err error) bool {
	var said *clari.Error
	return errors.As(err, &said) && said.Status != 0
}

// ours reports an error of weir's own making: a closed gate, an old lease, an
// interrupt. It says nothing about the server.
func ours(err error) bool {
	var closed *pace.ClosedError
	return errors.As(err, &closed) || errors.Is(err, ErrLeaseTooOld) || errors.Is(err, ErrPlanTooOld) || errors.Is(err, clari.ErrInterrupted)
}

// keyRefused reports a 401 that is about the key and not about one forecast.
func keyRefused(err error) bool {
	return errors.Is(err, clari.ErrNotAuthorised) && !errors.Is(err, clari.ErrNoOptIn) && !errors.Is(err, clari.ErrForbidden)
}
