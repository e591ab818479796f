package inmem

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
)

// Acquire takes the account's lease. takenOver reports that an earlier holder,
// even the same owner, had not given it back.
func (l *Ledger) Acquire(ctx context.Context, name, owner string, ttl time.Duration, provedDead bool) (lease weir.Lease, takenOver bool, err error) {
	err = l.with(ctx, "Acquire", name, func(a *account) error {
		earlier := a.lease.Owner
		if earlier != "" && earlier != owner {
			switch {
			case provedDead && !strings.HasSuffix(earlier, ledger.WithoutLock):
				delete(l.store.owners, earlier)
			case l.store.lives(earlier):
				return fmt.Errorf("acquire lease of account %q: %w", name, ledger.ErrHeld)
			}
		}
		l.store.extend(owner, ttl, false)
		a.lease = weir.Lease{Account: name, Owner: owner, Generation: a.lease.Generation + 1}
		a.wantedBy, a.wantedUntil = "", time.Time{}
		lease, takenOver = a.lease, earlier != ""
		return nil
	})
	return lease, takenOver, err
}

// LastOwner is who took the account's lease last and has not given it back.
func (l *Ledger) LastOwner(ctx context.Context, name string) (owner string, err error) {
	err = l.with(ctx, "LastOwner", name, func(a *account) error {
		owner = a.lease.Owner
		return nil
	})
	return owner, err
}

// Renew extends all leases of owner. One that expired while nobody took it over
// is still held.
func (l *Ledger) Renew(ctx context.Context, owner string, ttl time.Duration) ([]weir.Lease, error) {
	return l.renew(ctx, "Renew", owner, ttl, false)
}

func (l *Ledger) renew(ctx context.Context, method, owner string, ttl time.Duration, server bool) ([]weir.Lease, error) {
	if err := l.begin(ctx, method); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	if owner == "" {
		return nil, nil
	}
	l.store.extend(owner, ttl, server)
	var held []weir.Lease
	for _, a := range l.store.accounts {
		if a.lease.Owner == owner {
			held = append(held, a.lease)
		}
	}
	slices.SortFunc(held, func(a, b weir.Lease) int { return strings.Compare(a.Account, b.Account) })
	return held, nil
}

// Release gives a lease back; giving back a lost one is no error.
func (l *Ledger) Release(ctx context.Context, lease weir.Lease) error {
	if err := l.begin(ctx, "Release"); err != nil {
		return err
	}
	defer l.store.mu.Unlock()
	if a, ok := l.store.accounts[lease.Account]; ok && a.lease == lease {
		a.lease.Owner = ""
	}
	return nil
}

// Holder returns who holds the account's lease and until when; ErrNotFound when
// nobody does, an expired lease included.
func (l *Ledger) Holder(ctx context.Context, name string) (lease weir.Lease, until time.Time, err error) {
	err = l.with(ctx, "Holder", name, func(a *account) error {
		if !l.store.lives(a.lease.Owner) {
			return fmt.Errorf("read lease of account %q: %w", name, ledger.ErrNotFound)
		}
		lease, until = a.lease, l.store.owners[a.lease.Owner].until
		return nil
	})
	return lease, until, err
}

// fence refuses a decision whose lease another owner or generation has by now.
func (s *store) fence(account string, lease weir.Lease) error {
	if lease == (weir.Lease{}) {
		return nil
	}
	a, ok := s.accounts[account]
	if !ok || lease.Owner == "" || a.lease != lease {
		return ledger.ErrFenced
	}
	return nil
}

// conductorLock is an account's lock in the hands of one process.
type conductorLock struct {
	ledger  *Ledger
	account string
	held    bool
}

// ConductorLock returns the lock of the account's conductor, not yet taken.
func (l *Ledger) ConductorLock(account string) (ledger.Lock, error) {
	return &conductorLock{ledger: l, account: account}, nil
}

// TryLock takes the lock when no living process has it. Like an operating
// system's, it keeps two holders of one process apart too.
func (c *conductorLock) TryLock() (bool, error) {
	if err := c.ledger.begin(context.Background(), "TryLock"); err != nil {
		return false, err
	}
	defer c.ledger.store.mu.Unlock()
	if _, taken := c.ledger.store.locks[c.account]; taken && !c.held {
		return false, nil
	}
	c.ledger.store.locks[c.account] = c.ledger.proc
	c.held = true
	return true, nil
}

// Unlock gives the lock back.
func (c *conductorLock) Unlock() error {
	s := c.ledger.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.held && !c.ledger.proc.dead {
		delete(s.locks, c.account)
	}
	c.held = false
	return nil
}
