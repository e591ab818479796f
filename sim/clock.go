package sim

import (
	"container/heap"
	"time"
)

// clock is virtual time: a list of what will happen, played in order. Things of
// one instant happen in the order in which they were planned.
type clock struct {
	now    time.Time
	coming agenda
	serial int
}

type event struct {
	at     time.Time
	serial int
	play   func()
}

// after plans something; never before now.
func (c *clock) after(d time.Duration, play func()) { c.at(c.now.Add(d), play) }

func (c *clock) at(t time.Time, play func()) {
	if t.Before(c.now) {
		t = c.now
	}
	c.serial++
	heap.Push(&c.coming, event{t, c.serial, play})
}

// run plays until done says so, nothing is left, or the deadline.
func (c *clock) run(done func() bool, deadline time.Time) {
	for len(c.coming) > 0 && !done() {
		next := heap.Pop(&c.coming).(event)
		if next.at.After(deadline) {
			return
		}
		c.now = next.at
		next.play()
	}
}

type agenda []event

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	if !a[i].at.Equal(a[j].at) {
		return a[i].at.Before(a[j].at)
	}
	return a[i].serial < a[j].serial
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(event)) }
func (a *agenda) Pop() any {
	last := len(*a) - 1
	x := (*a)[last]
	(*a)[last] = event{}
	*a = (*a)[:last]
	return x
}
