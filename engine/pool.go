package engine

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

// Lander lands finished jobs. The deliveries in the ledger are the guarantee
// and are offered again at every step; a lander may drop an offer.
type Lander interface {
	// Offer hands over open deliveries that may start at now. It does not wait
	// for them to land. It returns when what is still open then wants to be
	// offered again although nothing has changed since; after now, and zero for
	// never.
	Offer(ctx context.Context, deliveries []weir.Delivery, now time.Time) (again time.Time)
	// Drain waits until what was taken has ended or given its claims back.
	Drain(ctx context.Context)
}

// poolWidth is how many exports land at once: one downloads while another is
// encoded.
const poolWidth = 2

// Pool is the embedded lander: a few goroutines of this process, driven by the
// delivery rows.
type Pool struct {
	// Deliver lands the open deliveries of one export.
	Deliver func(ctx context.Context, exportID int64, now time.Time) error
	// Done is called after each landing.
	Done func()
	// Fail is told of a ledger that no waiting mends; nil logs it.
	Fail func(error)
	Log  *slog.Logger

	mu      sync.Mutex
	busy    map[int64]bool
	rests   map[int64]time.Time // exports whose landing failed in the ledger, until when
	working sync.WaitGroup
}

// deliverAgain is how long an export is left alone whose landing could not be
// written down.
const deliverAgain = 5 * time.Second

// poolAgain is how soon a pool wants to see again what it was offered.
const poolAgain = time.Second

// Offer starts a landing for each export that has none running, as far as
// there is room.
func (p *Pool) Offer(ctx context.Context, deliveries []weir.Delivery, now time.Time) (again time.Time) {
	for _, d := range deliveries {
		if p.enter(d.ExportID, now) {
			p.working.Go(func() {
				defer p.leave(d.ExportID)
				if err := p.Deliver(ctx, d.ExportID, now); err != nil && ctx.Err() == nil {
					p.failed(d.ExportID, now, err)
				}
			})
		}
	}
	return now.Add(poolAgain)
}

func (p *Pool) failed(exportID int64, now time.Time, err error) {
	p.mu.Lock()
	if p.rests == nil {
		p.rests = map[int64]time.Time{}
	}
	p.rests[exportID] = now.Add(deliverAgain)
	p.mu.Unlock()
	if p.Fail != nil && (errors.Is(err, ledger.ErrUnwritable) || errors.Is(err, ledger.ErrNotALedger)) {
		p.Fail(err)
		return
	}
	p.Log.Error("deliver export", "export", exportID, "error", err)
}

// Drain waits for the landings that run; ctx, once ended, makes them stop soon.
func (p *Pool) Drain(context.Context) { p.working.Wait() }

func (p *Pool) enter(exportID int64, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy == nil {
		p.busy = map[int64]bool{}
	}
	if p.busy[exportID] || len(p.busy) >= poolWidth || now.Before(p.rests[exportID]) {
		return false
	}
	delete(p.rests, exportID)
	p.busy[exportID] = true
	return true
}

func (p *Pool) leave(exportID int64) {
	p.mu.Lock()
	delete(p.busy, exportID)
	p.mu.Unlock()
	p.Done()
}
