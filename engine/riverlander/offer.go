package riverlander

import (
	"context"
	"sync"
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/weirhq/weir"
)

const (
	// offersMost is how many landings of one account are under way in the queue:
	// as many requests may leave at once.
	offersMost = 4
	// offerAgain is how long an offer may stay unclaimed before it is looked at
	// again. A worker that has not claimed from one look to the next is dead: a
	// claim is the first thing it does.
	offerAgain = 10 * time.Second
	// refusedAgain is how soon an offer is made again that got no ticket, or that
	// the queue did not take.
	refusedAgain = time.Second
)

// Lander offers one account's deliveries to every server. It implements
// engine.Lander.
type Lander struct {
	river   *River
	account string
	ticket  func(ctx context.Context) error
	wake    func()

	mu      sync.Mutex
	offers  map[int64]offer // by export
	sending sync.WaitGroup
}

type offer struct {
	round   int64
	turn    int
	running int64     // the job in the queue that a worker had at the last look
	at      time.Time // by the store's clock
}

// Lander makes the lander of an account. ticket takes one request of the
// account's pace, or says why there is none now. wake is called, from whatever
// goroutine, when an offer that failed may be made again.
func (r *River) Lander(account string, ticket func(ctx context.Context) error, wake func()) *Lander {
	return &Lander{river: r, account: account, ticket: ticket, wake: wake, offers: map[int64]offer{}}
}

// Offer puts into the queue what is not there yet, the first of the list first.
// Whoever lands stirs the conductor, also with what a dead worker had claimed:
// again is for offers that nobody has claimed for long.
func (l *Lander) Offer(ctx context.Context, deliveries []weir.Delivery, now time.Time) (again time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	order, rounds := roundsOf(deliveries)
	l.forget(rounds)
	for _, export := range order {
		before, known := l.offers[export]
		switch {
		case known && before.round == rounds[export] && now.Sub(before.at) < offerAgain:
			continue
		case !known && len(l.offers) >= offersMost:
			continue
		}
		next := offer{round: rounds[export], at: now}
		if known && before.round == next.round {
			next.turn, next.running = before.turn, before.running
		}
		l.offers[export] = next
		l.sending.Go(func() { l.send(ctx, export, next) })
	}
	return l.again()
}

// forget drops the offers of what is not open any more.
func (l *Lander) forget(open map[int64]int64) {
	for export := range l.offers {
		if _, is := open[export]; !is {
			delete(l.offers, export)
		}
	}
}

// again is when the oldest offer is to be looked at; zero without any.
func (l *Lander) again() (first time.Time) {
	for _, o := range l.offers {
		if at := o.at.Add(offerAgain); first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first
}

// roundsOf returns the exports in the order of their first delivery, with the
// sum of the generations of what is open of each.
func roundsOf(deliveries []weir.Delivery) (order []int64, rounds map[int64]int64) {
	rounds = map[int64]int64{}
	for _, d := range deliveries {
		if _, known := rounds[d.ExportID]; !known {
			order = append(order, d.ExportID)
		}
		rounds[d.ExportID] += d.Generation
	}
	return order, rounds
}

// Drain waits for what is being put into the queue. What is in it belongs to
// whoever claims it.
func (l *Lander) Drain(context.Context) { l.sending.Wait() }

// send inserts one job. What cannot be inserted now is offered again soon.
func (l *Lander) send(ctx context.Context, export int64, o offer) {
	err := l.ticket(ctx)
	if err == nil {
		err = l.insert(ctx, export, o)
	}
	if err == nil {
		return
	}
	if ctx.Err() == nil {
		l.river.config.Log.Debug("offer landing", "account", l.account, "export", export, "error", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.offers[export] == o {
		delete(l.offers, export)
		time.AfterFunc(refusedAgain, l.wake)
	}
}

func (l *Lander) insert(ctx context.Context, export int64, o offer) error {
	args := landArgs{Account: l.account, Export: export, Round: o.round, Turn: o.turn}
	result, err := l.river.client.Insert(ctx, args, nil)
	if err != nil || !result.UniqueSkippedAsDuplicate {
		return err
	}
	seen, died := o.look(result.Job)
	l.mu.Lock()
	if l.offers[export] == o {
		l.offers[export] = seen
	}
	l.mu.Unlock()
	if !died {
		return nil
	}
	args.Turn = seen.turn
	_, err = l.river.client.Insert(ctx, args, nil)
	return err
}

// look is the offer after its job was found in the queue, and whether a dead
// worker has it: no clock is asked, because no two agree.
func (o offer) look(job *rivertype.JobRow) (seen offer, died bool) {
	seen = o
	switch {
	case job.State != rivertype.JobStateRunning:
		seen.running = 0
	case job.ID == o.running:
		seen.running, seen.turn = 0, o.turn+1
		return seen, true
	default:
		seen.running = job.ID
	}
	return seen, false
}
