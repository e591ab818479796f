package ledger

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger/internal/rule"
)

const accountColumns = `name, base_url, key_fingerprint, org_id, created_at, not_before, wait_code, wait_text`

func readAccount(r row) (weir.Account, error) {
	var a weir.Account
	err := r.Scan(&a.Name, &a.BaseURL, &a.KeyFingerprint, &a.OrgID, into(&a.CreatedAt), into(&a.NotBefore), &a.Wait.Code, &a.Wait.Text)
	return a, err
}

// Salt returns the ledger's salt, making it at the first call.
func (s *Store) Salt(ctx context.Context) ([]byte, error) {
	fresh := make([]byte, 32)
	rand.Read(fresh) //nolint:errcheck // it never fails
	var text string
	err := s.write(ctx, "read salt", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO settings (name, value) VALUES ('salt', $1) ON CONFLICT (name) DO NOTHING`, hex.EncodeToString(fresh))
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT value FROM settings WHERE name = 'salt'`).Scan(&text)
	})
	if err != nil {
		return nil, err
	}
	return hex.DecodeString(text)
}

// OpenAccount returns the account of that name, creating it when it is new.
func (s *Store) OpenAccount(ctx context.Context, wanted weir.Account) (weir.Account, error) {
	what := fmt.Sprintf("open account %q", wanted.Name)
	if wanted.Name == "" {
		return weir.Account{}, fmt.Errorf("%s: %w", what, errNoName)
	}
	var a weir.Account
	err := s.write(ctx, what, func(tx *sql.Tx) (err error) {
		if err := s.addAccount(ctx, tx, wanted); err != nil {
			return err
		}
		a, err = account(ctx, tx, wanted.Name)
		return err
	})
	if err == nil && (a.KeyFingerprint != wanted.KeyFingerprint || a.BaseURL != wanted.BaseURL) {
		err = fmt.Errorf("%s: %w", what, ErrOtherKey)
	}
	return a, err
}

// errNoName marks an account without a name.
var errNoName = errors.New("empty account name")

func (s *Store) addAccount(ctx context.Context, tx *sql.Tx, a weir.Account) error {
	created := s.now()
	if !a.CreatedAt.IsZero() {
		created = fmt.Sprintf("CAST(%d AS BIGINT)", rule.Millis(a.CreatedAt))
	}
	own := rule.OwnOrganisation(a.Name)
	if _, err := tx.ExecContext(ctx, `INSERT INTO organisations (id) VALUES ($1) ON CONFLICT (id) DO NOTHING`, own); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO accounts (name, base_url, key_fingerprint, organisation, created_at)
		VALUES ($1, $2, $3, $4, `+created+`) ON CONFLICT (name) DO NOTHING`,
		a.Name, a.BaseURL, a.KeyFingerprint, own)
	return err
}

func account(ctx context.Context, q querier, name string) (weir.Account, error) {
	return readAccount(q.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM accounts WHERE name = $1`, name))
}

// Account returns one account, or ErrNotFound.
func (s *Store) Account(ctx context.Context, name string) (weir.Account, error) {
	a, err := account(ctx, s.db, name)
	if err != nil {
		return weir.Account{}, s.fail(ctx, fmt.Sprintf("read account %q", name), err)
	}
	return a, nil
}

// ListAccounts returns all accounts by name.
func (s *Store) ListAccounts(ctx context.Context) ([]weir.Account, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+accountColumns+` FROM accounts ORDER BY name`)
	all, err := collect(rows, err, readAccount)
	if err != nil {
		return nil, s.fail(ctx, "list accounts", err)
	}
	return all, nil
}

// RotateKey replaces the account's key fingerprint.
func (s *Store) RotateKey(ctx context.Context, name, fingerprint string) error {
	return s.setAccount(ctx, name, "rotate key", `key_fingerprint = $2`, fingerprint)
}

// HoldAccount keeps an account-wide wait; a zero instant clears it.
func (s *Store) HoldAccount(ctx context.Context, name string, until time.Time, why weir.Wait) error {
	if until.IsZero() {
		why = weir.Wait{}
	}
	return s.write(ctx, fmt.Sprintf("hold of account %q", name), func(tx *sql.Tx) error {
		err := changed(tx.ExecContext(ctx, `UPDATE accounts SET not_before = $2, wait_code = $3, wait_text = $4 WHERE name = $1`,
			name, rule.Millis(until), string(why.Code), why.Text))
		if err != nil {
			return err
		}
		return s.stir(ctx, tx, name)
	})
}

// SaveGate keeps the account's pace.
func (s *Store) SaveGate(ctx context.Context, name, state string) error {
	return s.setAccount(ctx, name, "save gate", `gate = $2`, state)
}

// setAccount runs one UPDATE; assignments number their parameters from $2.
func (s *Store) setAccount(ctx context.Context, name, verb, assignments string, values ...any) error {
	args := append([]any{name}, values...)
	err := changed(s.db.ExecContext(ctx, `UPDATE accounts SET `+assignments+` WHERE name = $1`, args...))
	if err != nil {
		return s.fail(ctx, fmt.Sprintf("%s of account %q", verb, name), err)
	}
	return nil
}

// Gate returns the account's pace, "" when none was saved.
func (s *Store) Gate(ctx context.Context, name string) (string, error) {
	return s.accountText(ctx, name, "gate")
}

func (s *Store) accountText(ctx context.Context, name, column string) (text string, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT `+column+` FROM accounts WHERE name = $1`, name).Scan(&text)
	if err != nil {
		return "", s.fail(ctx, fmt.Sprintf("read %s of account %q", column, name), err)
	}
	return text, nil
}
