package engine

import (
	"context"
	"time"

	"github.com/weirhq/weir"
)

// offer hands the lander what may land now. It returns when to look again at
// what waits to land, although nobody stirs; zero when nothing but a word from
// whoever lands is waited for.
func (c *Conductor) offer(ctx context.Context, now time.Time) (again time.Time, err error) {
	// As far ahead as a conductor may rest: what becomes due later is seen then.
	waiting, err := c.Ledger.Deliverable(ctx, c.Account, now.Add(crewWatch))
	if err != nil {
		return time.Time{}, err
	}
	due, again := dueNow(waiting, now)
	if len(due) == 0 {
		return again, nil
	}
	opens, _ := GateOpens(c.Pace, c.Gate.Snapshot(), now)
	if opens = later(opens, c.memory.hold); now.Before(opens) {
		return sooner(again, opens), nil
	}
	return sooner(again, c.Lander.Offer(ctx, due, now)), nil
}

// dueNow parts the deliveries that may start at now from the instant at which
// the first of the others may.
func dueNow(waiting []weir.Delivery, now time.Time) (due []weir.Delivery, next time.Time) {
	for _, d := range waiting {
		if now.Before(d.NotBefore) {
			next = sooner(next, d.NotBefore)
			continue
		}
		due = append(due, d)
	}
	return due, next
}

// sooner is the earlier of two instants of which zero is never.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
