package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger/internal/rule"
	"github.com/weirhq/weir/plan"
)

// errNoFormat marks a wish for no format at all.
var errNoFormat = errors.New("no format is wanted")

// Wish records wishes in one transaction and returns how each is served.
func (s *Store) Wish(ctx context.Context, now time.Time, wishes []Wish) ([]Granted, error) {
	var granted []Granted
	err := s.write(ctx, "record wishes", func(tx *sql.Tx) error {
		var err error
		granted, err = s.grantAll(ctx, tx, wishes, now)
		return err
	})
	if err != nil {
		return nil, err
	}
	return granted, nil
}

// grantAll serves wishes in order.
func (s *Store) grantAll(ctx context.Context, tx *sql.Tx, wishes []Wish, now time.Time) ([]Granted, error) {
	granted := make([]Granted, 0, len(wishes))
	made := map[int64]bool{}
	for _, w := range wishes {
		g, err := s.grant(ctx, tx, w, now)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", w.Request.Title(), err)
		}
		if !g.Joined {
			made[g.Export.ID] = true
		}
		g.Joined = !made[g.Export.ID]
		granted = append(granted, g)
	}
	return granted, s.stirWished(ctx, tx, wishes)
}

// grant serves one wish, by an export that is there or by a new one.
func (s *Store) grant(ctx context.Context, tx *sql.Tx, w Wish, now time.Time) (Granted, error) {
	if len(w.Formats) == 0 {
		return Granted{}, errNoFormat
	}
	w.AsOf = rule.Instant(w.AsOf)
	if err := s.lockAccount(ctx, tx, w.Account); err != nil {
		return Granted{}, err
	}
	if w.SinceLast {
		return s.grantSince(ctx, tx, w, now)
	}
	e, joined, err := s.serve(ctx, tx, w, now)
	if err != nil {
		return Granted{}, err
	}
	deliveries, e, err := s.want(ctx, tx, e, w, now)
	return Granted{Export: e.Export, Deliveries: deliveries, Joined: joined}, err
}

// lockAccount keeps two transactions from both finding nothing that serves.
func (s *Store) lockAccount(ctx context.Context, tx *sql.Tx, name string) error {
	_, err := readText(tx.QueryRowContext(ctx, `SELECT name FROM accounts WHERE name = $1`+s.dialect.forUpdate, name))
	return err
}

func (s *Store) serve(ctx context.Context, tx *sql.Tx, w Wish, now time.Time) (e exportRow, joined bool, err error) {
	want := plan.Want{AsOf: w.AsOf, Fresh: w.Fresh}
	candidates, err := s.candidates(ctx, tx, w, want, now)
	if err != nil {
		return exportRow{}, false, err
	}
	chosen, ok := plan.Serve(want, candidates, now)
	if !ok {
		e, err = addExport(ctx, tx, newExport(w, now))
		return e, false, err
	}
	before, err := s.loadExport(ctx, tx, chosen.ID)
	if err != nil {
		return exportRow{}, false, err
	}
	after, changed := rule.Join(before.Export, newExport(w, now))
	if !changed {
		return before, true, nil
	}
	e, err = saveExport(ctx, tx, before, after)
	return e, true, err
}

func newExport(w Wish, now time.Time) weir.Export {
	return rule.Born(weir.Export{
		Account: w.Account, Request: w.Request, Fingerprint: w.Request.Fingerprint(), State: weir.Planned,
		Rank: w.Rank, AsOf: w.AsOf, CreatedAt: now, ChangedAt: now, JobsAllowed: w.JobsAllowed, Fresh: w.Fresh, NoAdopt: w.NoAdopt,
	})
}

const (
	selectOpenLike = `SELECT ` + exportColumns + ` FROM exports
		WHERE account = $1 AND fingerprint = $2 AND is_open = 1 ORDER BY id`
	selectLandedLike = `SELECT ` + exportColumns + ` FROM exports
		WHERE account = $1 AND fingerprint = $2 AND is_open = 0 AND state = 'landed' AND changed_at >= $3 ORDER BY id`
)

// candidates are the like exports that could serve: the open ones, and those
// that landed recently enough.
func (s *Store) candidates(ctx context.Context, tx *sql.Tx, w Wish, want plan.Want, now time.Time) ([]plan.Candidate, error) {
	fingerprint := w.Request.Fingerprint()
	rows, err := tx.QueryContext(ctx, selectOpenLike, w.Account, fingerprint)
	all, err := collect(rows, err, readExport)
	if err != nil {
		return nil, err
	}
	if since, ok := rule.LandedSince(want, now); ok {
		rows, err := tx.QueryContext(ctx, selectLandedLike, w.Account, fingerprint, rule.Millis(since))
		landed, err := collect(rows, err, readExport)
		if err != nil {
			return nil, err
		}
		all = append(all, landed...)
	}
	return withSnapshots(ctx, tx, all)
}

func withSnapshots(ctx context.Context, tx *sql.Tx, exports []weir.Export) ([]plan.Candidate, error) {
	candidates := make([]plan.Candidate, 0, len(exports))
	for _, e := range exports {
		var ended time.Time
		if e.State != weir.Landed { // an open export has no snapshot yet
			candidates = append(candidates, rule.Candidate(e, ended))
			continue
		}
		err := tx.QueryRowContext(ctx, `SELECT ended_at FROM jobs WHERE account = $1 AND id = $2`, e.Account, e.JobID).Scan(into(&ended))
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		candidates = append(candidates, rule.Candidate(e, ended))
	}
	return candidates, nil
}

// want makes sure that the export has the wish's deliveries, and reopens a
// landed one that gets another.
func (s *Store) want(ctx context.Context, tx *sql.Tx, e exportRow, w Wish, now time.Time) ([]weir.Delivery, exportRow, error) {
	have, err := deliveriesOf(ctx, tx, e.ID)
	if err != nil {
		return nil, e, err
	}
	wanted := make([]weir.Delivery, 0, len(w.Formats))
	added := false
	for _, format := range w.Formats {
		d, ok := rule.At(have, w.Destination, format)
		if !ok {
			d = rule.Want(e.ID, have, w.Destination, format, w.CSVSafe)
			d.Primary = d.Primary && !w.Secondary
			d, err = addDelivery(ctx, tx, d)
			if err != nil {
				return nil, e, err
			}
			have, added = append(have, d), true
		}
		wanted = append(wanted, d)
	}
	if !added || e.State != weir.Landed {
		return wanted, e, nil
	}
	e, err = s.apply(ctx, tx, e, weir.Reopen(rule.OneMore(w.Destination, now)))
	return wanted, e, err
}

// AddDeliveries wants an export at further places. An export that ended
// without a result takes none: that is ErrStale.
func (s *Store) AddDeliveries(ctx context.Context, exportID int64, w Wish, now time.Time) ([]weir.Delivery, error) {
	var wanted []weir.Delivery
	err := s.write(ctx, fmt.Sprintf("add deliveries to export %d", exportID), func(tx *sql.Tx) error {
		e, err := s.loadExport(ctx, tx, exportID)
		if err != nil {
			return err
		}
		if !e.State.Open() && e.State != weir.Landed {
			return fmt.Errorf("it is %s: %w", e.State, ErrStale)
		}
		if wanted, _, err = s.want(ctx, tx, e, w, now); err != nil {
			return err
		}
		return s.stir(ctx, tx, e.Account)
	})
	if err != nil {
		return nil, err
	}
	return wanted, nil
}
