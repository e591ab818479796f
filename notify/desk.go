package notify

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/plan"
	"github.com/weirhq/weir/signals"
)

// The desk's numbers.
const (
	// Gather is how long a message waits for more of its kind, and Space the
	// least time between two of one kind, about one account, to one receiver.
	Gather = 5 * time.Second
	Space  = 15 * time.Minute
	// OverdueAfter is how long after its due instant a scheduled snapshot is
	// called missing, and LateAfter how late a run is called missed.
	OverdueAfter = 6 * time.Hour
	LateAfter    = time.Minute

	lookEvery  = 5 * time.Second
	sendEvery  = 2 * time.Second
	sweepEvery = time.Hour
	// lookBack is how far back the desk looks for what nobody was told of.
	lookBack = 24 * time.Hour
	// keepFor is how long what was told is remembered.
	keepFor = 30 * 24 * time.Hour
	// atOnce bounds every question to the ledger.
	atOnce = 500
	// outlookEvery is how often an account's quota is projected.
	outlookEvery = time.Minute
)

// Book is the part of a ledger that the desk works with.
type Book interface {
	ledger.Newsroom
	ledger.Mailbox
	Now(ctx context.Context) (time.Time, error)
}

// Addressee is one receiver and what it is told.
type Addressee struct {
	Name  string
	Kinds []string
	To    Receiver
}

// Desk finds news and sends messages. Set its fields before Run; Use changes
// who is told. It is a [signals.Watcher]: what conductors plan is where it
// learns of quota and of decisions.
type Desk struct {
	signals.Nobody
	Book  Book
	Owner string // names this process among all that share the ledger
	// Refused says of an account at work here whether the server refuses its
	// key; nil knows of none.
	Refused func() map[string]bool
	// Offer puts a message that is due into a queue, whose workers call Send; nil
	// where there is none: then Run sends. What a queue loses is offered again for
	// as long as it is due.
	Offer func(ctx context.Context, m ledger.Message, now time.Time) error
	// Sent is told every attempt's kind and end; nil for nobody.
	Sent func(kind, outcome string)
	Log  *slog.Logger

	mu         sync.Mutex
	addressees []Addressee
	accounts   map[string]bool
	seen       map[string]*sight
}

// sight is what the last plan of an account showed.
type sight struct {
	at       time.Time
	deciding []weir.Export // those that wait for a person
	shortAt  time.Time
	lookedAt time.Time
}

// Use replaces who is told and about which accounts.
func (d *Desk) Use(accounts []string, addressees []Addressee) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.addressees, d.accounts = addressees, map[string]bool{}
	for _, name := range accounts {
		d.accounts[name] = true
	}
}

// Planned keeps what a plan shows, for the next look.
func (d *Desk) Planned(p signals.Planned) {
	now := time.Now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.seen == nil {
		d.seen = map[string]*sight{}
	}
	s := d.seen[p.Account]
	if s == nil {
		s = &sight{}
		d.seen[p.Account] = s
	}
	s.at, s.deciding = now, nil
	for _, e := range p.View.Exports {
		if e.NeedsPerson != "" {
			s.deciding = append(s.deciding, e)
		}
	}
	if now.Sub(s.lookedAt) >= outlookEvery {
		s.lookedAt, s.shortAt = now, plan.LookOut(p.View, p.At).QuotaShortAt
	}
}

// Run looks for news and sends what is due, or offers it, until ctx ends. What
// goes wrong is logged and tried again.
func (d *Desk) Run(ctx context.Context) {
	look, send, sweep := time.NewTicker(lookEvery), time.NewTicker(sendEvery), time.NewTicker(sweepEvery)
	defer look.Stop()
	defer send.Stop()
	defer sweep.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-look.C:
			err = d.Look(ctx)
		case <-send.C:
			err = d.SendDue(ctx)
		case <-sweep.C:
			err = d.sweep(ctx)
		}
		if err != nil && ctx.Err() == nil {
			d.Log.Warn("notify", "error", err)
		}
	}
}

// sweep forgets what was told long ago.
func (d *Desk) sweep(ctx context.Context) error {
	now, err := d.Book.Now(ctx)
	if err != nil {
		return err
	}
	_, err = d.Book.ForgetNews(ctx, now.Add(-keepFor), atOnce)
	return err
}

// Look finds what is news and queues it. What one question brings does not
// depend on the others.
func (d *Desk) Look(ctx context.Context) error {
	if len(d.receivers()) == 0 {
		return nil // what nobody is to be told is no news yet
	}
	now, err := d.Book.Now(ctx)
	if err != nil {
		return err
	}
	return errors.Join(d.troubles(ctx, now), d.missed(ctx, now), d.standing(ctx, now), d.mended(ctx, now))
}

// troubles tells of exports that failed or were refused.
func (d *Desk) troubles(ctx context.Context, now time.Time) error {
	troubles, err := d.Book.Troubles(ctx, now.Add(-lookBack), atOnce)
	for _, t := range troubles {
		kind := Failed
		if t.State == weir.Rejected {
			kind = Rejected
		}
		err = errors.Join(err, d.tell(ctx, ledger.News{
			Key: t.Key, Account: t.Export.Account, Kind: kind, Subject: t.Export.Fingerprint, Export: t.Export.ID, Text: failureText(t), At: now,
		}))
	}
	return err
}

// missed tells of runs that started late and of scheduled exports that have not
// landed.
func (d *Desk) missed(ctx context.Context, now time.Time) error {
	late, err := d.Book.LateRuns(ctx, now.Add(-lookBack), LateAfter)
	for _, s := range late {
		err = errors.Join(err, d.tell(ctx, ledger.News{
			Key: lateKey(s), Account: s.Account, Kind: Missed, Subject: "schedule " + s.Name, Text: lateText(s), At: now,
		}))
	}
	overdue, failed := d.Book.Overdue(ctx, now.Add(-OverdueAfter), atOnce)
	err = errors.Join(err, failed)
	for _, e := range overdue {
		err = errors.Join(err, d.tell(ctx, ledger.News{
			Account: e.Account, Kind: Missed, Subject: e.Fingerprint, Export: e.ID, Text: overdueText(e, now), At: now,
		}))
	}
	return err
}

// lateKey names one late run.
func lateKey(s ledger.Schedule) string {
	return "late/" + s.Account + "/" + s.Name + "/" + s.LastDueAt.Format(time.RFC3339Nano)
}

// mended tells of what landed after all.
func (d *Desk) mended(ctx context.Context, now time.Time) error {
	mended, err := d.Book.Mended(ctx, atOnce)
	for _, n := range mended {
		n.Text, n.At = "landed: "+n.Text, now
		err = errors.Join(err, d.recover(ctx, n))
	}
	return err
}

// tell queues news of an account that is served here.
func (d *Desk) tell(ctx context.Context, n ledger.News) error {
	to, mine := d.to(n.Account, n.Kind)
	if !mine {
		return nil
	}
	_, err := d.Book.Tell(ctx, n, to)
	return err
}

func (d *Desk) recover(ctx context.Context, n ledger.News) error {
	to, mine := d.to(n.Account, Recovered)
	if !mine {
		return nil
	}
	_, err := d.Book.Recover(ctx, n, to)
	return err
}

// to are the receivers of a kind of news; mine says whether the account is
// served here.
func (d *Desk) to(account, kind string) (to ledger.Addressees, mine bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	to = ledger.Addressees{Gather: Gather, Space: Space}
	for _, a := range d.addressees {
		if slices.Contains(a.Kinds, kind) {
			to.Receivers = append(to.Receivers, a.Name)
		}
	}
	return to, d.accounts[account]
}
