package ledger

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger/internal/rule"
)

const exportColumns = `id, account, fingerprint, state, rank, as_of, job_id, not_before, created_at, changed_at, version, detail`

// exportRow is an export with the number that every write of it raises.
type exportRow struct {
	weir.Export
	version int64
}

func readExportRow(r row) (exportRow, error) {
	var e exportRow
	var text string
	err := r.Scan(&e.ID, &e.Account, &e.Fingerprint, &e.State, &e.Rank, into(&e.AsOf), &e.JobID, into(&e.NotBefore),
		into(&e.CreatedAt), into(&e.ChangedAt), &e.version, &text)
	if err != nil {
		return exportRow{}, err
	}
	return e, decodeDetail(text, &e.Export)
}

func readExport(r row) (weir.Export, error) {
	e, err := readExportRow(r)
	return e.Export, err
}

// loadExport reads an export that this transaction is going to write.
func (s *Store) loadExport(ctx context.Context, tx *sql.Tx, id int64) (exportRow, error) {
	return readExportRow(tx.QueryRowContext(ctx, `SELECT `+exportColumns+` FROM exports WHERE id = $1`+s.dialect.forUpdate, id))
}

// saveExport writes an export over the version that was read, compare-and-set.
func saveExport(ctx context.Context, tx *sql.Tx, before exportRow, after weir.Export) (exportRow, error) {
	text, err := encodeDetail(after)
	if err != nil {
		return exportRow{}, err
	}
	result, err := tx.ExecContext(ctx, `UPDATE exports SET state = $4, is_open = $5, rank = $6, as_of = $7, job_id = $8,
		not_before = $9, changed_at = $10, detail = $11, version = version + 1
		WHERE id = $1 AND state = $2 AND version = $3`,
		after.ID, string(before.State), before.version, string(after.State), bit(after.State.Open()), int(after.Rank),
		rule.Millis(after.AsOf), after.JobID, rule.Millis(after.NotBefore), rule.Millis(after.ChangedAt), text)
	if err != nil {
		return exportRow{}, err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return exportRow{}, ErrStale
	}
	return exportRow{after, before.version + 1}, nil
}

// addExport inserts an export under a new id.
func addExport(ctx context.Context, tx *sql.Tx, e weir.Export) (exportRow, error) {
	id, err := nextID(ctx, tx, "export")
	if err != nil {
		return exportRow{}, err
	}
	e.ID = id
	text, err := encodeDetail(e)
	if err != nil {
		return exportRow{}, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO exports (`+exportColumns+`, is_open, spanned)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, $12, $13)`,
		e.ID, e.Account, e.Fingerprint, string(e.State), int(e.Rank), rule.Millis(e.AsOf), e.JobID, rule.Millis(e.NotBefore),
		rule.Millis(e.CreatedAt), rule.Millis(e.ChangedAt), text, bit(e.State.Open()), bit(e.Request.Spanned()))
	return exportRow{e, 1}, err
}

// Export returns one export, or ErrNotFound.
func (s *Store) Export(ctx context.Context, id int64) (weir.Export, error) {
	e, err := readExport(s.db.QueryRowContext(ctx, `SELECT `+exportColumns+` FROM exports WHERE id = $1`, id))
	if err != nil {
		return weir.Export{}, s.fail(ctx, fmt.Sprintf("read export %d", id), err)
	}
	return e, nil
}

// ListExports returns exports by ascending id.
func (s *Store) ListExports(ctx context.Context, f Filter) ([]weir.Export, error) {
	query, args := listQuery(f)
	rows, err := s.db.QueryContext(ctx, query, args...)
	all, err := collect(rows, err, readExport)
	if err != nil {
		return nil, s.fail(ctx, "list exports", err)
	}
	if f.Limit > 0 {
		slices.Reverse(all)
	}
	return all, nil
}

// listQuery reads the newest first where there is a limit.
func listQuery(f Filter) (string, []any) {
	var where []string
	var args []any
	is := func(column, value string) {
		args = append(args, value)
		where = append(where, fmt.Sprintf("%s = $%d", column, len(args)))
	}
	if f.Account != "" {
		is("account", f.Account)
	}
	if f.Fingerprint != "" {
		is("fingerprint", f.Fingerprint)
	}
	if f.OpenOnly {
		where = append(where, "is_open = 1")
	}
	query := `SELECT ` + exportColumns + ` FROM exports`
	if len(where) > 0 {
		query += ` WHERE ` + strings.Join(where, " AND ")
	}
	if f.Limit <= 0 {
		return query + ` ORDER BY id`, args
	}
	return query + fmt.Sprintf(` ORDER BY id DESC LIMIT %d`, f.Limit), args
}

const eventColumns = `export_id, at, from_state, to_state, why, request, job_id`

func readEvent(r row) (e weir.Event, err error) {
	err = r.Scan(&e.ExportID, into(&e.At), &e.From, &e.To, &e.Why, &e.Request, &e.JobID)
	return e, err
}

// History returns every event of an export, oldest first.
func (s *Store) History(ctx context.Context, id int64) ([]weir.Event, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+eventColumns+` FROM events WHERE export_id = $1 ORDER BY version`, id)
	all, err := collect(rows, err, readEvent)
	if err != nil {
		return nil, s.fail(ctx, fmt.Sprintf("read history of export %d", id), err)
	}
	return all, nil
}
