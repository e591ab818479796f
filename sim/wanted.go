package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/weirhq/weir"
)

// wanted is one export that somebody wants.
type wanted struct {
	number    int // what the server's fate is drawn by
	request   weir.Request
	due       time.Time
	scheduled bool
}

// wants are all exports of a scenario, by the instant they are due.
func (w *world) wants() []wanted {
	var all []wanted
	for n := range w.scenario.Exports {
		all = append(all, wanted{number: n, request: w.scenario.request(n), due: w.now})
	}
	for day := range w.scenario.Days {
		for k := range w.scenario.PerDay {
			due := w.now.Add(time.Duration(day)*24*time.Hour + time.Duration(k+1)*8*time.Hour)
			request := weir.Request{Kind: weir.Forecast, ForecastID: fmt.Sprintf("daily%d", k), Period: "2026_Q1"}
			all = append(all, wanted{number: 10_000 + day*w.scenario.PerDay + k, request: request, due: due, scheduled: true})
		}
	}
	slices.SortStableFunc(all, func(a, b wanted) int { return a.due.Compare(b.due) })
	return all
}

// landing is how one export ended.
type landing struct {
	wanted
	at time.Time
	ok bool
}

// book keeps how exports ended.
type book struct {
	open  int
	ended []landing
}

func (b *book) close(x wanted, at time.Time, ok bool) {
	b.open--
	b.ended = append(b.ended, landing{x, at, ok})
}

// result sums up a book.
func (w *world) result(b *book) Result {
	landed, last := 0, w.tally.began
	backfill := time.Duration(0)
	missed := 0
	for _, l := range b.ended {
		late := !l.ok || l.at.Sub(l.due) > 24*time.Hour
		switch {
		case l.scheduled && late:
			missed++
		case !l.scheduled && l.ok:
			backfill = max(backfill, l.at.Sub(w.tally.began))
		}
		if l.ok {
			landed++
		}
		if l.at.After(last) {
			last = l.at
		}
	}
	r := w.finish(landed, len(b.ended)-landed+b.open, last)
	r.Missed, r.BackfillEnd = missed, backfill
	return r
}
