package ledger

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger/internal/rule"
)

// ofAccount is the id of the organisation of the account named $1.
const ofAccount = `(SELECT organisation FROM accounts WHERE name = $1)`

// Organisation returns what the account shares with others.
func (s *Store) Organisation(ctx context.Context, name string) (weir.Organisation, error) {
	var o weir.Organisation
	var text string
	var members int
	err := s.db.QueryRowContext(ctx, `SELECT o.budget, o.readings, o.version,
		(SELECT COUNT(*) FROM accounts m WHERE m.organisation = o.id)
		FROM organisations o WHERE o.id = `+ofAccount, name).Scan(&text, &o.Readings, &o.Version, &members)
	if err == nil {
		o.Budget, err = decodeBudget(text)
	}
	if err != nil {
		return weir.Organisation{}, s.fail(ctx, fmt.Sprintf("read organisation of account %q", name), err)
	}
	o.Shared = members > 1
	return o, nil
}

// Budget returns the organisation's last observed budget, zero when none was
// kept.
func (s *Store) Budget(ctx context.Context, name string) (weir.Budget, error) {
	o, err := s.Organisation(ctx, name)
	return o.Budget, err
}

func decodeBudget(text string) (b weir.Budget, err error) {
	if text == "" {
		return b, nil
	}
	if err := json.Unmarshal([]byte(text), &b); err != nil {
		return weir.Budget{}, fmt.Errorf("read budget: %w: %w", ErrNotALedger, err)
	}
	return rule.Budget(b), nil
}

// BeginReading numbers a reading of the limits.
func (s *Store) BeginReading(ctx context.Context, name string) (number int64, err error) {
	err = s.db.QueryRowContext(ctx, `UPDATE organisations SET readings = readings + 1 WHERE id = `+ofAccount+` RETURNING readings`, name).Scan(&number)
	if err != nil {
		return 0, s.fail(ctx, fmt.Sprintf("begin reading the limits of account %q", name), err)
	}
	return number, nil
}

// ChangeBudget changes the organisation's budget as it stands.
func (s *Store) ChangeBudget(ctx context.Context, name string, change func(weir.Budget) weir.Budget) error {
	return s.write(ctx, fmt.Sprintf("change budget of account %q", name), func(tx *sql.Tx) error {
		o, err := s.lockOrganisation(ctx, tx, `id = `+ofAccount, name)
		if err != nil {
			return err
		}
		o.budget = change(o.budget)
		return saveOrganisation(ctx, tx, o)
	})
}

// organisationRow is a row that this transaction is going to write.
type organisationRow struct {
	id       string
	budget   weir.Budget
	readings int64
}

func (s *Store) lockOrganisation(ctx context.Context, tx *sql.Tx, where string, args ...any) (organisationRow, error) {
	var o organisationRow
	var text string
	err := tx.QueryRowContext(ctx, `SELECT id, budget, readings FROM organisations WHERE `+where+s.dialect.forUpdate, args...).Scan(&o.id, &text, &o.readings)
	if err == nil {
		o.budget, err = decodeBudget(text)
	}
	return o, err
}

func saveOrganisation(ctx context.Context, tx *sql.Tx, o organisationRow) error {
	text, err := json.Marshal(rule.Budget(o.budget))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE organisations SET budget = $2, readings = $3, version = version + 1 WHERE id = $1`, o.id, string(text), o.readings)
	return err
}

// SetOrg keeps the organisation that the server named, and joins the account to
// the others of it.
func (s *Store) SetOrg(ctx context.Context, name, orgID string) error {
	return s.write(ctx, fmt.Sprintf("keep organisation of account %q", name), func(tx *sql.Tx) error {
		if err := s.lockAccount(ctx, tx, name); err != nil {
			return err
		}
		a, err := account(ctx, tx, name)
		if err != nil {
			return err
		}
		joined := rule.OrganisationOf(a.BaseURL, orgID)
		if _, err := tx.ExecContext(ctx, `INSERT INTO organisations (id) VALUES ($1) ON CONFLICT (id) DO NOTHING`, joined); err != nil {
			return err
		}
		return s.join(ctx, tx, name, orgID, joined)
	})
}

// join moves the account from the organisation that it was to another one.
func (s *Store) join(ctx context.Context, tx *sql.Tx, name, orgID, joined string) error {
	own, err := s.lockOrganisation(ctx, tx, `id = `+ofAccount, name)
	if err != nil || own.id == joined {
		return err
	}
	of, err := s.lockOrganisation(ctx, tx, `id = $1`, joined)
	if err != nil {
		return err
	}
	of.budget, of.readings = rule.JoinOrganisation(of.budget, of.readings, own.budget, own.readings)
	if err := saveOrganisation(ctx, tx, of); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `UPDATE accounts SET org_id = $2, organisation = $3 WHERE name = $1`, name, orgID, joined)
	return err
}

// Rehome replaces the account's base URL. Elsewhere it is of no organisation yet.
func (s *Store) Rehome(ctx context.Context, name, baseURL string) error {
	return s.write(ctx, fmt.Sprintf("move account %q", name), func(tx *sql.Tx) error {
		err := changed(tx.ExecContext(ctx, `UPDATE accounts SET base_url = $2, org_id = '', organisation = $3 WHERE name = $1`,
			name, baseURL, rule.OwnOrganisation(name)))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE organisations SET budget = '', version = version + 1 WHERE id = $1`, rule.OwnOrganisation(name))
		return err
	})
}

// takeSlot lets a move that takes a slot rest on the organisation as it was when
// that was decided, and makes others decide again.
func takeSlot(ctx context.Context, tx *sql.Tx, name string, t weir.Transition) error {
	if !rule.TakesSlot(t) {
		return nil
	}
	err := changed(tx.ExecContext(ctx, `UPDATE organisations SET version = version + 1
		WHERE id = `+ofAccount+` AND ($2 = 0 OR version = $2)`, name, t.Version))
	if err == ErrNotFound { //nolint:errorlint // changed returns it bare
		return fmt.Errorf("its organisation has gone on: %w", ErrStale)
	}
	return err
}

const whereBeside = ` FROM exports WHERE is_open = 1 AND account <> $1 AND account IN
	(SELECT name FROM accounts WHERE organisation = ` + ofAccount + `) AND state IN `

// Beside returns, by id, the exports of the organisation's other accounts that
// hold a slot, or those in doubt alone.
func (s *Store) Beside(ctx context.Context, name string, inDoubt bool) ([]weir.Export, error) {
	states := `('submitting', 'unknown', 'running')`
	if inDoubt {
		states = `('submitting', 'unknown')`
	}
	rows, err := s.db.QueryContext(ctx, `SELECT `+exportColumns+whereBeside+states+` ORDER BY id`, name)
	all, err := collect(rows, err, readExport)
	if err != nil {
		return nil, s.fail(ctx, fmt.Sprintf("list exports beside account %q", name), err)
	}
	return all, nil
}

// JobsBeside returns, by id, which of these jobs the organisation's other
// accounts have given to an export of theirs.
func (s *Store) JobsBeside(ctx context.Context, name string, ids ...string) ([]weir.Job, error) {
	var all []weir.Job
	for len(ids) > 0 {
		part := ids[:min(len(ids), chunk)]
		ids = ids[len(part):]
		marks, args := make([]string, len(part)), []any{name}
		for i, id := range part {
			marks[i] = fmt.Sprintf("$%d", i+2)
			args = append(args, id)
		}
		some, err := s.jobsWhere(ctx, `a.organisation = `+ofAccount+` AND a.name <> $1 AND j.export_id <> 0
			AND j.id IN (`+strings.Join(marks, ", ")+`) ORDER BY j.id`, args...)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

const whereBought = `a.organisation = ` + ofAccount + ` AND j.export_id <> 0 AND j.seen_in >= $2 ORDER BY j.id`

// BoughtSince returns, by id, the jobs of all exports of the organisation that
// were first seen after the numbered reading began.
func (s *Store) BoughtSince(ctx context.Context, name string, reading int64) ([]weir.Job, error) {
	return s.jobsWhere(ctx, whereBought, name, reading)
}
