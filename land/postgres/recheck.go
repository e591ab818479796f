package postgres

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/weirhq/weir/land"
)

// Recheck looks again at every snapshot, or at those whose manifest path
// contains only: each table has the rows that the manifest says, all of them of
// that job and request, and the columns that weir gives it, and the values add
// up to the manifest's totals.
func (d *Database) Recheck(ctx context.Context, only string, each func(land.Rechecked) error) error {
	all, err := d.Snapshots(ctx, land.Selection{})
	if err != nil {
		return err
	}
	return d.with(ctx, func(conn *pgx.Conn) error {
		there, err := d.relations(ctx, conn)
		if err != nil {
			return fault("read", d.Name(), err)
		}
		for _, m := range all {
			if !strings.Contains(m.Path, only) {
				continue
			}
			r := land.Rechecked{Manifest: m.Path, Snapshot: m}
			if r.Faults, err = d.faults(ctx, conn, m, there); err != nil {
				return err
			}
			if err := each(r); err != nil {
				return err
			}
		}
		return nil
	})
}

// faults say what is wrong with a snapshot, one line each.
func (d *Database) faults(ctx context.Context, conn *pgx.Conn, m land.Manifest, there map[string][]column) ([]string, error) {
	var all []string
	for _, t := range m.Tables {
		fault, err := d.recheck(ctx, conn, m, t, there[t.Name])
		if err != nil {
			return nil, err
		}
		if fault != "" {
			all = append(all, fault)
		}
	}
	sums := land.NewRecount(m)
	reading := sums.Reading()
	if len(all) > 0 || reading.Table == "" { // what another fault explains is not told twice
		return all, nil
	}
	columns, err := reading.ColumnsOf()
	if err != nil {
		return nil, err
	}
	if err := d.read(ctx, conn, m, reading.Table, selected(columns, there[reading.Table]), columns, sums.Add); err != nil {
		return nil, err
	}
	return sums.Faults(), nil
}

// recheck says what is wrong with one table's rows of a snapshot, or "".
func (d *Database) recheck(ctx context.Context, conn *pgx.Conn, m land.Manifest, t land.ManifestTable, there []column) (string, error) {
	if len(there) == 0 {
		return "table " + t.Name + " is gone", nil
	}
	for _, wanted := range land.AllTables() {
		if wanted.Name == t.Name && lacks(there, tableOf(wanted).columns) {
			return "table " + t.Name + " has other columns than this weir's", nil
		}
	}
	var rows, own int64
	err := conn.QueryRow(ctx, "SELECT count(*), count(*) FILTER (WHERE _weir_request = $4 AND coalesce(_weir_job_id, '') = $5) FROM "+
		d.name(t.Name)+ofSnapshot(t.Name), placeArgs(m, m.Likeness, m.Job.ID)...).Scan(&rows, &own)
	switch {
	case err != nil:
		return "", fault("read", t.Name, err)
	case rows != t.Rows:
		return fmt.Sprintf("table %s has %d rows of it, the manifest says %d", t.Name, rows, t.Rows), nil
	case own != rows:
		return fmt.Sprintf("table %s has %d rows of it that are of another job or request", t.Name, rows-own), nil
	}
	return "", nil
}
