package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/weirhq/weir"
)

func readLease(r row) (weir.Lease, error) {
	var l weir.Lease
	err := r.Scan(&l.Account, &l.Owner, &l.Generation)
	return l, err
}

// Acquire takes the account's lease. takenOver reports that an earlier holder,
// even the same owner, had not given it back.
func (s *Store) Acquire(ctx context.Context, account, owner string, ttl time.Duration, provedDead bool) (weir.Lease, bool, error) {
	var lease weir.Lease
	var takenOver bool
	what := fmt.Sprintf("acquire lease of account %q", account)
	err := s.write(ctx, what, func(tx *sql.Tx) (err error) {
		before, err := s.lastLease(ctx, tx, account)
		if err != nil {
			return err
		}
		takenOver = before.Owner != ""
		if takenOver && before.Owner != owner {
			if err := s.succeed(ctx, tx, before.Owner, provedDead); err != nil {
				return err
			}
		}
		if err := s.extend(ctx, tx, owner, ttl, false); err != nil {
			return err
		}
		lease, err = readLease(tx.QueryRowContext(ctx, `UPDATE leases SET owner = $2, generation = generation + 1, wanted_by = '', wanted_until = 0
			WHERE account = $1 AND generation = $3 RETURNING account, owner, generation`, account, owner, before.Generation))
		if errors.Is(err, sql.ErrNoRows) {
			return ErrHeld
		}
		return err
	})
	if err != nil {
		return weir.Lease{}, false, err
	}
	return lease, takenOver, nil
}

// succeed makes sure that an earlier owner has no right left. One that is
// proved dead loses what it had.
func (s *Store) succeed(ctx context.Context, tx *sql.Tx, earlier string, provedDead bool) error {
	if provedDead && !strings.HasSuffix(earlier, WithoutLock) {
		_, err := tx.ExecContext(ctx, `UPDATE owners SET until = 0 WHERE owner = $1`, earlier)
		return err
	}
	lives, err := s.lives(ctx, tx, earlier)
	if err == nil && lives {
		err = ErrHeld
	}
	return err
}

// LastOwner is who took the account's lease last and has not given it back.
func (s *Store) LastOwner(ctx context.Context, account string) (string, error) {
	owner, err := readText(s.db.QueryRowContext(ctx, `SELECT owner FROM leases WHERE account = $1`, account))
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", s.fail(ctx, fmt.Sprintf("read last owner of account %q", account), err)
	}
	return owner, nil
}

// lastLease returns the account's lease row, making an unheld one if it has none.
func (s *Store) lastLease(ctx context.Context, tx *sql.Tx, account string) (weir.Lease, error) {
	_, err := tx.ExecContext(ctx, `INSERT INTO leases (account, owner, generation) VALUES ($1, '', 0) ON CONFLICT (account) DO NOTHING`, account)
	if err != nil {
		return weir.Lease{}, err
	}
	return readLease(tx.QueryRowContext(ctx, `SELECT account, owner, generation FROM leases WHERE account = $1`+s.dialect.forUpdate, account))
}

// Renew extends all leases of owner. One that expired while nobody took it over
// is still held.
func (s *Store) Renew(ctx context.Context, owner string, ttl time.Duration) ([]weir.Lease, error) {
	return s.renew(ctx, owner, ttl, false)
}

// Release gives a lease back; giving back a lost one is no error.
func (s *Store) Release(ctx context.Context, l weir.Lease) error {
	_, err := s.db.ExecContext(ctx, `UPDATE leases SET owner = '' WHERE account = $1 AND owner = $2 AND generation = $3`,
		l.Account, l.Owner, l.Generation)
	if err != nil {
		return s.fail(ctx, fmt.Sprintf("release lease of account %q", l.Account), err)
	}
	return nil
}

// Holder returns who holds the account's lease and until when; ErrNotFound when
// nobody does, an expired lease included.
func (s *Store) Holder(ctx context.Context, account string) (weir.Lease, time.Time, error) {
	var l weir.Lease
	var until time.Time
	err := s.db.QueryRowContext(ctx, `SELECT l.account, l.owner, l.generation, o.until
		FROM leases l JOIN owners o ON o.owner = l.owner WHERE l.account = $1 AND `+s.alive(), account).Scan(&l.Account, &l.Owner, &l.Generation, into(&until))
	if err != nil {
		return weir.Lease{}, time.Time{}, s.fail(ctx, fmt.Sprintf("read lease of account %q", account), err)
	}
	return l, until, nil
}
