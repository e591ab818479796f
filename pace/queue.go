package pace

import (
	"iter"
	"slices"
	"time"
)

// waiter is one request that waits for its turn. Its fields are guarded by the
// gate; done is closed once pass or err is set.
type waiter struct {
	priority Priority
	limit    time.Time // the latest instant to start; zero for none
	told     Waiting   // what OnWait was last told
	closing  time.Time // and when the gate was to let the next through
	pass     *Pass
	err      error
	done     chan struct{}
}

func (w *waiter) settled() bool { return w.pass != nil || w.err != nil }

func (w *waiter) grant(p *Pass) {
	w.pass = p
	close(w.done)
}

func (w *waiter) refuse(err error) {
	w.err = err
	close(w.done)
}

// queue holds the waiters by priority, each in the order they came.
type queue struct {
	lines [Download + 1][]*waiter
}

func (q *queue) push(w *waiter) {
	q.lines[w.priority] = append(q.lines[w.priority], w)
}

// pop takes the first waiter of the highest priority, or nil.
func (q *queue) pop() *waiter {
	for i, line := range q.lines {
		if len(line) > 0 {
			first := line[0]
			q.lines[i] = slices.Delete(line, 0, 1)
			return first
		}
	}
	return nil
}

func (q *queue) remove(w *waiter) {
	line := q.lines[w.priority]
	if i := slices.Index(line, w); i >= 0 {
		q.lines[w.priority] = slices.Delete(line, i, i+1)
	}
}

func (q *queue) empty() bool {
	for range q.all() {
		return false
	}
	return true
}

// all yields the waiters in the order of their turns. The waiter just yielded
// may be removed.
func (q *queue) all() iter.Seq[*waiter] {
	return func(yield func(*waiter) bool) {
		for i := range q.lines {
			for _, w := range slices.Clone(q.lines[i]) {
				if !yield(w) {
					return
				}
			}
		}
	}
}
