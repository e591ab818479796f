package inmem

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/internal/rule"
)

// lives reports whether an owner's right stands.
func (s *store) lives(owner string) bool {
	return owner != "" && s.now().Before(s.owners[owner].until)
}

// extend lets the rights of an owner stand for ttl from now.
func (s *store) extend(owner string, ttl time.Duration, server bool) {
	r := s.owners[owner]
	if until := s.now().Add(ttl.Truncate(time.Millisecond)); until.After(r.until) {
		r.until = until
	}
	r.serves = r.serves || server
	s.owners[owner] = r
}

// stir tells the account's conductor that somebody else has changed what it
// decides on.
func (s *store) stir(name string) {
	if a := s.accounts[name]; a != nil {
		a.stirs++
		a.stirredAt = s.now()
	}
}

// Enlist is Renew for a server.
func (l *Ledger) Enlist(ctx context.Context, owner string, ttl time.Duration) ([]weir.Lease, error) {
	return l.renew(ctx, "Enlist", owner, ttl, true)
}

// Resign ends every right of owner.
func (l *Ledger) Resign(ctx context.Context, owner string) error {
	if err := l.begin(ctx, "Resign"); err != nil {
		return err
	}
	defer l.store.mu.Unlock()
	for _, a := range l.store.accounts {
		if owner != "" && a.lease.Owner == owner {
			a.lease.Owner = ""
		}
	}
	delete(l.store.owners, owner)
	return nil
}

// Survey is how the fleet stands.
func (l *Ledger) Survey(ctx context.Context, owner string, since time.Time) (ledger.Survey, error) {
	if err := l.begin(ctx, "Survey"); err != nil {
		return ledger.Survey{}, err
	}
	defer l.store.mu.Unlock()
	now := l.store.now()
	found := ledger.Survey{Now: now, Stirred: map[string]int64{}, Servers: map[string]int{}}
	for name, r := range l.store.owners {
		if r.serves && now.Before(r.until) {
			found.Servers[name] = 0
		}
	}
	for _, a := range l.store.accounts {
		l.store.surveyAccount(a, owner, rule.Instant(since), &found)
	}
	slices.Sort(found.Vacant)
	slices.Sort(found.Wanted)
	slices.SortFunc(found.Due, func(a, b ledger.Schedule) int {
		return cmp.Or(a.NextRunAt.Compare(b.NextRunAt), strings.Compare(a.Account, b.Account), strings.Compare(a.Name, b.Name))
	})
	return found, nil
}

func (s *store) surveyAccount(a *account, owner string, since time.Time, found *ledger.Survey) {
	wanted := a.wantedBy != "" && a.wantedBy != owner && found.Now.Before(a.wantedUntil)
	switch {
	case !s.lives(a.lease.Owner) && !wanted:
		found.Vacant = append(found.Vacant, a.Name)
	case a.lease.Owner == owner && wanted:
		found.Wanted = append(found.Wanted, a.Name)
	}
	if a.stirs > 0 && !a.stirredAt.Before(since) {
		found.Stirred[a.Name] = a.stirs
	}
	for _, scheduled := range a.schedules {
		if !scheduled.Paused && !scheduled.NextRunAt.After(found.Now) {
			found.Due = append(found.Due, *scheduled)
		}
	}
	if _, serves := found.Servers[a.lease.Owner]; serves {
		found.Servers[a.lease.Owner]++
	}
}

// Held returns the accounts whose leases owner has.
func (l *Ledger) Held(ctx context.Context, owner string) ([]string, error) {
	if err := l.begin(ctx, "Held"); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	var held []string
	for name, a := range l.store.accounts {
		if owner != "" && a.lease.Owner == owner {
			held = append(held, name)
		}
	}
	slices.Sort(held)
	return held, nil
}

// Want asks the holders of the accounts to hand them to owner.
func (l *Ledger) Want(ctx context.Context, owner string, accounts []string, ttl time.Duration) error {
	if err := l.begin(ctx, "Want"); err != nil {
		return err
	}
	defer l.store.mu.Unlock()
	now := l.store.now()
	for _, name := range accounts {
		a := l.store.accounts[name]
		if a == nil || a.lease.Generation == 0 || a.wantedBy != "" && a.wantedBy != owner && now.Before(a.wantedUntil) {
			continue
		}
		a.wantedBy, a.wantedUntil = owner, now.Add(ttl.Truncate(time.Millisecond))
	}
	return nil
}

// SweepDead opens again every claim of an owner whose right has run out.
func (l *Ledger) SweepDead(ctx context.Context) (swept int, err error) {
	if err := l.begin(ctx, "SweepDead"); err != nil {
		return 0, err
	}
	defer l.store.mu.Unlock()
	for name, a := range l.store.accounts {
		if n := l.store.unclaimDead(a, ""); n > 0 {
			swept += n
			l.store.stir(name)
		}
	}
	return swept, nil
}

// unclaimDead opens again the claims of owners without a right, but for one.
func (s *store) unclaimDead(a *account, except string) (n int) {
	for _, e := range a.open {
		for i, d := range e.deliveries {
			if d.State == weir.DeliveryLanding && d.Owner != except && !s.lives(d.Owner) {
				e.deliveries[i] = rule.Unclaim(d)
				n++
			}
		}
	}
	return n
}
