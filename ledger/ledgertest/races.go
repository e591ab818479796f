package ledgertest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

// racers is how many goroutines do the same thing at once.
const racers = 12

func raceCases() []testCase {
	return []testCase{
		{"one of many submits", raceSubmit},
		{"one of many acquires", raceAcquire},
		{"one of many claims", raceClaim},
		{"like wishes at once make one export", raceWish},
		{"deliveries that end at once land the export", raceFinish},
		{"jobs seen at once are numbered without gaps", raceSee},
		{"amendments at once are all kept", raceAmend},
	}
}

// race runs do in every racer and returns how many succeeded; every other must
// have failed with loser.
func (f *fixture) race(loser error, do func(i int) error) int {
	f.Helper()
	failed := make([]error, racers)
	var group sync.WaitGroup
	for i := range racers {
		group.Go(func() { failed[i] = do(i) })
	}
	group.Wait()
	won := 0
	for _, err := range failed {
		switch {
		case err == nil:
			won++
		case loser == nil || !errors.Is(err, loser):
			f.Errorf("a racer failed with %v, want %v", err, loser)
		}
	}
	return won
}

func raceSubmit(f *fixture) {
	e := f.planned()
	move := weir.Submit(f.cause("race"), 1)
	won := f.race(ledger.ErrStale, func(int) error {
		_, err := f.l.Move(f.ctx, weir.Lease{}, e.ID, move)
		return err
	})
	history, err := f.l.History(f.ctx, e.ID)
	f.ok(err)
	f.equal([]int{won, len(history)}, []int{1, 1})
}

func raceAcquire(f *fixture) {
	won := f.race(ledger.ErrHeld, func(i int) error {
		_, _, err := f.l.Acquire(f.ctx, account, fmt.Sprint(i), ttl, false)
		return err
	})
	f.equal(won, 1)
}

func raceClaim(f *fixture) {
	id, now := f.deliveries(f.in(weir.Ready))[0].ID, f.now()
	won := f.race(ledger.ErrStale, func(i int) error {
		_, err := f.l.Claim(f.ctx, id, fmt.Sprint(i), now)
		return err
	})
	f.equal(won, 1)
}

func raceWish(f *fixture) {
	w, now := f.wishFor(f.request()), f.now()
	won := f.race(nil, func(i int) error {
		mine := w
		mine.Destination = fmt.Sprint("/data/", i%3)
		_, err := f.l.Wish(f.ctx, now, []ledger.Wish{mine})
		return err
	})
	all, err := f.l.ListExports(f.ctx, ledger.Filter{})
	f.ok(err)
	f.equal([]int{won, len(all), len(f.deliveries(all[0]))}, []int{racers, 1, 3})
}

func raceFinish(f *fixture) {
	var formats []string
	for i := range racers {
		formats = append(formats, fmt.Sprint("format ", i))
	}
	e := f.ready(formats...)
	var claims []weir.Delivery
	for _, d := range f.deliveries(e) {
		claims = append(claims, f.claim(d.ID))
	}
	landed, c := f.landed(), f.cause("race")
	won := f.race(nil, func(i int) error {
		_, err := f.l.FinishDelivery(f.ctx, claims[i], landed, c)
		return err
	})
	f.equal([]any{won, f.export(e.ID).State}, []any{racers, weir.Landed})
}

func raceSee(f *fixture) {
	now := f.now()
	f.race(nil, func(i int) error {
		return f.l.SeeJobs(f.ctx, account, []weir.Job{{ID: fmt.Sprint(i)}, {ID: "shared"}}, now, i%2 == 0)
	})
	jobs, err := f.l.JobsSeenAfter(f.ctx, account, 0)
	f.ok(err)
	f.equal(len(jobs), racers+1)
	for i, j := range jobs {
		f.equal(j.Seq, int64(i+1))
	}
}

func raceAmend(f *fixture) {
	e := f.in(weir.Running)
	f.race(nil, func(int) error {
		_, err := f.l.Amend(f.ctx, weir.Lease{}, e.ID, weir.Running, func(e *weir.Export) { e.Polls++ })
		return err
	})
	f.equal(f.export(e.ID).Polls, racers)
}
