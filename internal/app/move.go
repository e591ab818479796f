package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/weirhq/weir/engine/riverlander"
	"github.com/weirhq/weir/ledger"
)

// Migrate brings a state's schema up to this version's and says that it is.
func Migrate(ctx context.Context, s Settings) error {
	store, err := OpenLedger(ctx, s)
	if err != nil {
		return err
	}
	if database := store.Postgres(); database != nil {
		err = riverlander.Migrate(ctx, database)
	}
	return errors.Join(err, store.Close())
}

// Move takes a whole state along to an empty one: from a laptop's file to a
// PostgreSQL that many machines share, or back. The source stays as it is.
func Move(ctx context.Context, from, to string) (exports int64, err error) {
	source, err := ledger.Open(ctx, from, ledger.Options{})
	if err != nil {
		return 0, err
	}
	defer source.Close()
	unlock, err := lockAll(ctx, source)
	if err != nil {
		return 0, err
	}
	defer unlock()
	target, err := ledger.Open(ctx, to, ledger.Options{})
	if err != nil {
		return 0, err
	}
	defer target.Close()
	exports, err = ledger.Carry(ctx, source, target)
	if errors.Is(err, ledger.ErrNotEmpty) {
		err = &Fault{Exit: ExitUsage, Code: "state_full", Hint: "move into a state that nobody has used yet", Err: err}
	}
	return exports, err
}

// lockAll makes sure that nobody conducts an account while it is copied.
func lockAll(ctx context.Context, store *ledger.Store) (unlock func(), err error) {
	accounts, err := store.ListAccounts(ctx)
	if err != nil {
		return nil, err
	}
	var held []ledger.Lock
	unlock = func() {
		for _, l := range held {
			_ = l.Unlock()
		}
	}
	for _, a := range accounts {
		l, err := store.ConductorLock(a.Name)
		if err != nil || l == nil {
			return unlock, err
		}
		got, err := l.TryLock()
		if err == nil && !got {
			err = &Fault{Exit: ExitUsage, Code: "state_busy", Hint: "end the weir that works on it first",
				Err: fmt.Errorf("move state: a process works on account %s", a.Name)}
		}
		if err != nil {
			unlock()
			return nil, err
		}
		held = append(held, l)
	}
	return unlock, nil
}
