package ledger

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger/internal/rule"
)

// Past answers what people look back at. Every answer is bounded and costs what
// it holds, however much has ended.
type Past interface {
	// RecentExports returns the account's exports that moved at or after an
	// instant and at least once since they were made, the last to move first, at
	// most limit.
	RecentExports(ctx context.Context, account string, since time.Time, limit int) ([]weir.Export, error)
	// ListPage returns exports by descending id, at most p.Limit.
	ListPage(ctx context.Context, p Page) ([]weir.Export, error)
	// LatestLanded returns of each request of the account the landed export that
	// moved last, the newest first, at most limit.
	LatestLanded(ctx context.Context, account string, limit int) ([]weir.Export, error)
	// LandedLike returns the landed exports of one fingerprint, the last to move
	// first, at most limit.
	LandedLike(ctx context.Context, account, fingerprint string, limit int) ([]weir.Export, error)
	// HistoryOf returns the events of several exports, each oldest first.
	HistoryOf(ctx context.Context, ids ...int64) (map[int64][]weir.Event, error)
	// DeliveriesOfEach returns the deliveries of several exports, each by id.
	DeliveriesOfEach(ctx context.Context, ids ...int64) (map[int64][]weir.Delivery, error)
}

// Page selects exports to leaf through; zero fields select all.
type Page struct {
	Account string
	// Before is the id below which the page begins; 0 begins with the newest.
	Before int64
	State  weir.State
	Limit  int // at least 1
}

const exportsMoved = `FROM exports WHERE account = $1 AND changed_at >= $2 AND changed_at > created_at ORDER BY changed_at DESC, id DESC LIMIT $3`

// RecentExports returns the exports that moved since an instant.
func (s *Store) RecentExports(ctx context.Context, account string, since time.Time, limit int) ([]weir.Export, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+exportColumns+` `+exportsMoved, account, rule.Millis(since), limit)
	all, err := collect(rows, err, readExport)
	if err != nil {
		return nil, s.fail(ctx, "list recent exports", err)
	}
	return all, nil
}

// ListPage returns exports by descending id.
func (s *Store) ListPage(ctx context.Context, p Page) ([]weir.Export, error) {
	query, args := pageQuery(p)
	rows, err := s.db.QueryContext(ctx, query, args...)
	all, err := collect(rows, err, readExport)
	if err != nil {
		return nil, s.fail(ctx, "list a page of exports", err)
	}
	return all, nil
}

// pageQuery says of a state whether it is open, because the indices do.
func pageQuery(p Page) (string, []any) {
	var where []string
	var args []any
	is := func(condition string, value any) {
		args = append(args, value)
		where = append(where, fmt.Sprintf(condition, len(args)))
	}
	if p.Account != "" {
		is("account = $%d", p.Account)
	}
	if p.Before > 0 {
		is("id < $%d", p.Before)
	}
	if p.State != "" {
		is(fmt.Sprintf("is_open = %d AND state = $%%d", bit(p.State.Open())), string(p.State))
	}
	query := `SELECT ` + exportColumns + ` FROM exports`
	if len(where) > 0 {
		query += ` WHERE ` + strings.Join(where, " AND ")
	}
	return query + fmt.Sprintf(` ORDER BY id DESC LIMIT %d`, max(1, p.Limit)), args
}

// The requests of an account are found by leaps through the index, one for each,
// and of each its newest landed export.
const selectLatestLanded = `WITH RECURSIVE asked (fingerprint) AS (
		SELECT min(fingerprint) FROM exports WHERE account = $1
		UNION ALL
		SELECT (SELECT min(fingerprint) FROM exports WHERE account = $1 AND fingerprint > asked.fingerprint)
		FROM asked WHERE asked.fingerprint IS NOT NULL
	), newest (id) AS (
		SELECT (SELECT id FROM exports e WHERE e.account = $1 AND e.fingerprint = asked.fingerprint AND e.state = 'landed'
			ORDER BY e.changed_at DESC LIMIT 1)
		FROM asked WHERE asked.fingerprint IS NOT NULL
	)
	SELECT ` + exportColumns + ` FROM exports WHERE id IN (SELECT id FROM newest WHERE id IS NOT NULL)
	ORDER BY changed_at DESC, id DESC LIMIT $2`

// LatestLanded returns of each request the landed export that moved last.
func (s *Store) LatestLanded(ctx context.Context, account string, limit int) ([]weir.Export, error) {
	rows, err := s.db.QueryContext(ctx, selectLatestLanded, account, limit)
	all, err := collect(rows, err, readExport)
	if err != nil {
		return nil, s.fail(ctx, "list what landed last", err)
	}
	return all, nil
}

const exportsLandedLike = `FROM exports WHERE account = $1 AND fingerprint = $2 AND state = 'landed' ORDER BY changed_at DESC LIMIT $3`

// LandedLike returns the landed exports of one fingerprint.
func (s *Store) LandedLike(ctx context.Context, account, fingerprint string, limit int) ([]weir.Export, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+exportColumns+` `+exportsLandedLike, account, fingerprint, limit)
	all, err := collect(rows, err, readExport)
	if err != nil {
		return nil, s.fail(ctx, "list landed exports", err)
	}
	return all, nil
}

// numbered is "$1, $2, .." with the ids as arguments.
func numbered(ids []int64) (string, []any) {
	marks, args := make([]string, len(ids)), make([]any, len(ids))
	for i, id := range ids {
		marks[i], args[i] = fmt.Sprintf("$%d", i+1), id
	}
	return strings.Join(marks, ", "), args
}

// HistoryOf returns the events of several exports.
func (s *Store) HistoryOf(ctx context.Context, ids ...int64) (map[int64][]weir.Event, error) {
	of := map[int64][]weir.Event{}
	for some := range slices.Chunk(ids, chunk) {
		marks, args := numbered(some)
		rows, err := s.db.QueryContext(ctx, `SELECT `+eventColumns+` FROM events WHERE export_id IN (`+marks+`) ORDER BY export_id, version`, args...)
		all, err := collect(rows, err, readEvent)
		if err != nil {
			return nil, s.fail(ctx, fmt.Sprintf("read history of %d exports", len(ids)), err)
		}
		for _, e := range all {
			of[e.ExportID] = append(of[e.ExportID], e)
		}
	}
	return of, nil
}

// DeliveriesOfEach returns the deliveries of several exports.
func (s *Store) DeliveriesOfEach(ctx context.Context, ids ...int64) (map[int64][]weir.Delivery, error) {
	of := map[int64][]weir.Delivery{}
	for some := range slices.Chunk(ids, chunk) {
		marks, args := numbered(some)
		rows, err := s.db.QueryContext(ctx, `SELECT `+deliveryColumns+` FROM deliveries d WHERE d.export_id IN (`+marks+`) ORDER BY d.id`, args...)
		all, err := collect(rows, err, readDelivery)
		if err != nil {
			return nil, s.fail(ctx, fmt.Sprintf("read deliveries of %d exports", len(ids)), err)
		}
		for _, d := range all {
			of[d.ExportID] = append(of[d.ExportID], d)
		}
	}
	return of, nil
}
