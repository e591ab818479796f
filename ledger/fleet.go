package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger/internal/rule"
)

// Fleet is what servers that share a ledger must know of each other. A server
// asks once a second for all of its accounts, whatever their number.
type Fleet interface {
	// Enlist is Renew for a server: a process that takes whatever account is
	// free. It is counted among the servers for as long as its leases live.
	Enlist(ctx context.Context, owner string, ttl time.Duration) ([]weir.Lease, error)
	// Resign ends at once every right of owner: its leases are free, and its
	// claims can be swept.
	Resign(ctx context.Context, owner string) error
	// Survey is what a server looks at; Stirred names what was stirred at or
	// after the instant since, by the store's clock.
	Survey(ctx context.Context, owner string, since time.Time) (Survey, error)
	// Held returns the accounts whose leases owner has, by name.
	Held(ctx context.Context, owner string) ([]string, error)
	// Want asks the holders of the accounts to hand them to owner, and everybody
	// else to leave them to it, for as long as ttl.
	Want(ctx context.Context, owner string, accounts []string, ttl time.Duration) error
	// SweepDead opens again every claim of an owner whose right has run out.
	SweepDead(ctx context.Context) (int, error)
}

// Survey is how the fleet stands.
type Survey struct {
	Now time.Time
	// Vacant are the accounts whose lease may be had and that nobody else asks
	// for, by name.
	Vacant []string
	// Wanted are the owner's own accounts that another server asks for.
	Wanted []string
	// Stirred counts, for each account, what others than its conductor changed.
	Stirred map[string]int64
	// Due are the schedules of any account whose run is due.
	Due []Schedule
	// Servers are how many accounts each living server holds, by its owner.
	Servers map[string]int
}

// alive is the condition that an owner's right stands; it names table o.
func (s *Store) alive() string { return "o.until > " + s.now() }

// extend lets the rights of an owner stand for ttl from now.
func (s *Store) extend(ctx context.Context, q querier, owner string, ttl time.Duration, server bool) error {
	_, err := q.ExecContext(ctx, `INSERT INTO owners (owner, until, serves) VALUES ($1, `+s.now()+` + $2, $3)
		ON CONFLICT (owner) DO UPDATE SET until = CASE WHEN owners.until > excluded.until THEN owners.until ELSE excluded.until END,
			serves = CASE WHEN owners.serves > excluded.serves THEN owners.serves ELSE excluded.serves END`,
		owner, ttl.Milliseconds(), bit(server))
	return err
}

// lives reports whether another owner's right stands, and keeps it from being
// extended until the transaction ends.
func (s *Store) lives(ctx context.Context, tx *sql.Tx, owner string) (bool, error) {
	var stands int
	err := tx.QueryRowContext(ctx, `SELECT CASE WHEN `+s.alive()+` THEN 1 ELSE 0 END FROM owners o WHERE o.owner = $1`+s.dialect.forUpdate, owner).Scan(&stands)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return stands == 1, err
}

// Enlist is Renew for a server.
func (s *Store) Enlist(ctx context.Context, owner string, ttl time.Duration) ([]weir.Lease, error) {
	return s.renew(ctx, owner, ttl, true)
}

func (s *Store) renew(ctx context.Context, owner string, ttl time.Duration, server bool) (held []weir.Lease, err error) {
	if owner == "" {
		return nil, nil
	}
	// Two statements: what is read must be newer than the right is. Whoever takes
	// a lease over locks the owner's row until that is committed.
	err = s.write(ctx, fmt.Sprintf("renew leases of %q", owner), func(tx *sql.Tx) error {
		if err := s.extend(ctx, tx, owner, ttl, server); err != nil {
			return err
		}
		rows, err := tx.QueryContext(ctx, `SELECT account, owner, generation FROM leases WHERE owner = $1 ORDER BY account`, owner)
		held, err = collect(rows, err, readLease)
		return err
	})
	return held, err
}

// Resign ends every right of owner.
func (s *Store) Resign(ctx context.Context, owner string) error {
	return s.write(ctx, fmt.Sprintf("resign as %q", owner), func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE leases SET owner = '' WHERE owner = $1 AND owner <> ''`, owner); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM owners WHERE owner = $1`, owner)
		return err
	})
}

// Survey is how the fleet stands.
func (s *Store) Survey(ctx context.Context, owner string, since time.Time) (Survey, error) {
	found := Survey{Stirred: map[string]int64{}, Servers: map[string]int{}}
	err := s.survey(ctx, owner, since, &found)
	if err != nil {
		return Survey{}, s.fail(ctx, "survey the fleet", err)
	}
	return found, nil
}

func (s *Store) survey(ctx context.Context, owner string, since time.Time, found *Survey) error {
	rows, err := s.db.QueryContext(ctx, `SELECT a.name FROM accounts a LEFT JOIN leases l ON l.account = a.name LEFT JOIN owners o ON o.owner = l.owner
		WHERE (l.account IS NULL OR l.owner = '' OR o.owner IS NULL OR NOT (`+s.alive()+`))
			AND (l.account IS NULL OR l.wanted_by IN ('', $1) OR l.wanted_until <= `+s.now()+`) ORDER BY a.name`, owner)
	if found.Vacant, err = collect(rows, err, readText); err != nil {
		return err
	}
	rows, err = s.db.QueryContext(ctx, `SELECT account FROM leases
		WHERE owner = $1 AND wanted_by <> '' AND wanted_by <> $1 AND wanted_until > `+s.now()+` ORDER BY account`, owner)
	if found.Wanted, err = collect(rows, err, readText); err != nil {
		return err
	}
	rows, err = s.db.QueryContext(ctx, `SELECT account, n FROM stirs WHERE at >= $1`, rule.Millis(since))
	if err := collectInto(found.Stirred, rows, err); err != nil {
		return err
	}
	rows, err = s.db.QueryContext(ctx, `SELECT `+scheduleColumns+` FROM schedules
		WHERE paused = 0 AND next_run_at <= `+s.now()+` ORDER BY next_run_at, account, name`)
	if found.Due, err = collect(rows, err, readSchedule); err != nil {
		return err
	}
	rows, err = s.db.QueryContext(ctx, `SELECT o.owner, (SELECT COUNT(*) FROM leases l WHERE l.owner = o.owner)
		FROM owners o WHERE o.serves = 1 AND `+s.alive())
	if err := collectInto(found.Servers, rows, err); err != nil {
		return err
	}
	return s.db.QueryRowContext(ctx, "SELECT "+s.now()).Scan(into(&found.Now))
}

// collectInto reads rows of a name and a number.
func collectInto[N int | int64](counts map[string]N, rows *sql.Rows, err error) error {
	_, err = collect(rows, err, func(r row) (struct{}, error) {
		var name string
		var n N
		err := r.Scan(&name, &n)
		counts[name] = n
		return struct{}{}, err
	})
	return err
}

// Held returns the accounts whose leases owner has.
func (s *Store) Held(ctx context.Context, owner string) ([]string, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT account FROM leases WHERE owner = $1 AND owner <> '' ORDER BY account`, owner)
	held, err := collect(rows, err, readText)
	if err != nil {
		return nil, s.fail(ctx, fmt.Sprintf("read leases of %q", owner), err)
	}
	return held, nil
}

// Want asks the holders of the accounts to hand them to owner.
func (s *Store) Want(ctx context.Context, owner string, accounts []string, ttl time.Duration) error {
	return s.write(ctx, fmt.Sprintf("want %d accounts for %q", len(accounts), owner), func(tx *sql.Tx) error {
		for _, name := range accounts {
			_, err := tx.ExecContext(ctx, `UPDATE leases SET wanted_by = $2, wanted_until = `+s.now()+` + $3
				WHERE account = $1 AND (wanted_by IN ('', $2) OR wanted_until <= `+s.now()+`)`, name, owner, ttl.Milliseconds())
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// SweepDead opens again every claim of an owner whose right has run out.
func (s *Store) SweepDead(ctx context.Context) (swept int, err error) {
	err = s.write(ctx, "sweep claims of dead processes", func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `UPDATE deliveries SET state = 'open', owner = '', claimed_at = 0
			WHERE state = 'landing' AND NOT EXISTS (SELECT 1 FROM owners o WHERE o.owner = deliveries.owner AND `+s.alive()+`)
			RETURNING (SELECT e.account FROM exports e WHERE e.id = deliveries.export_id)`)
		accounts, err := collect(rows, err, readText)
		if err != nil {
			return err
		}
		swept = len(accounts)
		return s.stir(ctx, tx, accounts...)
	})
	return swept, err
}

// stir tells the conductors of the accounts that somebody else has changed what
// they decide on. It is the last thing a transaction does, so that the rows are
// locked for a moment and in no cycle.
func (s *Store) stir(ctx context.Context, q querier, accounts ...string) error {
	for _, name := range slices.Compact(slices.Sorted(slices.Values(accounts))) {
		_, err := q.ExecContext(ctx, `INSERT INTO stirs (account, n, at) VALUES ($1, 1, `+s.now()+`)
			ON CONFLICT (account) DO UPDATE SET n = stirs.n + 1, at = excluded.at`, name)
		if err != nil {
			return err
		}
	}
	return nil
}

// stirUnlessConducted stirs after a decision of a person's.
func (s *Store) stirUnlessConducted(ctx context.Context, tx *sql.Tx, l weir.Lease, account string) error {
	if l != (weir.Lease{}) {
		return nil
	}
	return s.stir(ctx, tx, account)
}

// stirWished stirs the accounts of wishes.
func (s *Store) stirWished(ctx context.Context, tx *sql.Tx, wishes []Wish) error {
	var names []string
	for _, w := range wishes {
		names = append(names, w.Account)
	}
	return s.stir(ctx, tx, names...)
}
