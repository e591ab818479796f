package inmem

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/ledger/internal/rule"
)

// account finds an account, or fails with ErrNotFound.
func (s *store) account(name string) (*account, error) {
	a, ok := s.accounts[name]
	if !ok {
		return nil, fmt.Errorf("read account %q: %w", name, ledger.ErrNotFound)
	}
	return a, nil
}

// with runs do on one account, for a method of that name.
func (l *Ledger) with(ctx context.Context, method, name string, do func(*account) error) error {
	if err := l.begin(ctx, method); err != nil {
		return err
	}
	defer l.store.mu.Unlock()
	a, err := l.store.account(name)
	if err != nil {
		return err
	}
	return do(a)
}

// errNoName marks an account without a name.
var errNoName = errors.New("empty account name")

// OpenAccount returns the account of that name, creating it when it is new.
func (l *Ledger) OpenAccount(ctx context.Context, wanted weir.Account) (weir.Account, error) {
	if err := l.begin(ctx, "OpenAccount"); err != nil {
		return weir.Account{}, err
	}
	defer l.store.mu.Unlock()
	if wanted.Name == "" {
		return weir.Account{}, fmt.Errorf("open account %q: %w", wanted.Name, errNoName)
	}
	a, ok := l.store.accounts[wanted.Name]
	if !ok {
		a = l.store.newAccount(wanted)
	}
	if a.KeyFingerprint != wanted.KeyFingerprint || a.BaseURL != wanted.BaseURL {
		return a.Account, fmt.Errorf("open account %q: %w", wanted.Name, ledger.ErrOtherKey)
	}
	return a.Account, nil
}

func (s *store) newAccount(wanted weir.Account) *account {
	if wanted.CreatedAt.IsZero() {
		wanted.CreatedAt = s.now()
	}
	wanted.NotBefore, wanted.Wait, wanted.OrgID = time.Time{}, weir.Wait{}, ""
	a := &account{
		Account: rule.Account(wanted),
		org:     s.organisation(rule.OwnOrganisation(wanted.Name)),
		open:    map[int64]*export{},
		like:    map[string][]*export{},
		jobs:    map[string]*weir.Job{},
		ran:     map[string]index{},
		ranJobs: map[string]time.Duration{}, schedules: map[string]*ledger.Schedule{}, cursors: map[spot]cursor{},
	}
	s.accounts[wanted.Name] = a
	return a
}

// Account returns one account, or ErrNotFound.
func (l *Ledger) Account(ctx context.Context, name string) (found weir.Account, err error) {
	err = l.with(ctx, "Account", name, func(a *account) error {
		found = a.Account
		return nil
	})
	return found, err
}

// ListAccounts returns all accounts by name.
func (l *Ledger) ListAccounts(ctx context.Context) ([]weir.Account, error) {
	if err := l.begin(ctx, "ListAccounts"); err != nil {
		return nil, err
	}
	defer l.store.mu.Unlock()
	var all []weir.Account
	for _, a := range l.store.accounts {
		all = append(all, a.Account)
	}
	slices.SortFunc(all, func(a, b weir.Account) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// RotateKey replaces the account's key fingerprint.
func (l *Ledger) RotateKey(ctx context.Context, name, fingerprint string) error {
	return l.with(ctx, "RotateKey", name, func(a *account) error {
		a.KeyFingerprint = fingerprint
		return nil
	})
}

// HoldAccount keeps an account-wide wait; a zero instant clears it.
func (l *Ledger) HoldAccount(ctx context.Context, name string, until time.Time, why weir.Wait) error {
	return l.with(ctx, "HoldAccount", name, func(a *account) error {
		a.NotBefore, a.Wait = rule.Instant(until), why
		if until.IsZero() {
			a.Wait = weir.Wait{}
		}
		l.store.stir(name)
		return nil
	})
}

// SaveGate keeps the account's pace.
func (l *Ledger) SaveGate(ctx context.Context, name, state string) error {
	return l.with(ctx, "SaveGate", name, func(a *account) error {
		a.gate = state
		return nil
	})
}

// Gate returns the account's pace, "" when none was saved.
func (l *Ledger) Gate(ctx context.Context, name string) (state string, err error) {
	err = l.with(ctx, "Gate", name, func(a *account) error {
		state = a.gate
		return nil
	})
	return state, err
}
