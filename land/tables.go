package land

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"

	"github.com/weirhq/weir"
)

// Database is a place that takes rows where a [Store] takes files.
type Database interface {
	// Name is how messages call the place; it holds no secrets.
	Name() string
	// Begin starts what makes a snapshot appear whole or not at all. Of several
	// that land the same snapshot all but one wait until it has ended.
	Begin(ctx context.Context, s Landing) (Loading, error)
	// Find gives the manifests of a request's snapshots, newest first, by its
	// fingerprint.
	Find(ctx context.Context, fingerprint string) ([]Manifest, error)
	// Stands reports whether a snapshot stands, by its manifest's path.
	Stands(ctx context.Context, manifest string) (bool, error)
}

// Landing is the snapshot that lands.
type Landing struct {
	// Path is the path that its manifest would have among files. It tells
	// snapshots apart.
	Path     string
	Request  weir.Request
	Snapshot string
	Tables   []Table
}

// Loading is a snapshot being loaded. Nobody sees it before Commit.
type Loading interface {
	// Manifest is that of the snapshot if it has landed before, else nil.
	Manifest() *Manifest
	// Load takes the rows of one table. It says how many NUL characters it had
	// to replace by U+FFFD because the database holds none.
	Load(ctx context.Context, t Table, rows iter.Seq2[*Rows, error]) (replaced int64, err error)
	// Commit makes the snapshot appear.
	Commit(ctx context.Context, m Manifest) error
	// Close drops what was not committed.
	Close() error
}

// InTables is the format of a snapshot that stands in a database.
const InTables Format = "tables"

// Tables makes a destination of a database. Whatever format a delivery names,
// its rows land once, and the raw file is not kept there.
func Tables(db Database) Destination { return tables{db} }

type tables struct{ db Database }

func (d tables) Name() string { return d.db.Name() }

func (d tables) Find(ctx context.Context, r weir.Request, _ Format) ([]Manifest, error) {
	found, err := d.db.Find(ctx, r.Fingerprint())
	return found, explain(ctx, d.Name(), err)
}

func (d tables) Stands(ctx context.Context, manifest string) (bool, error) {
	stands, err := d.db.Stands(ctx, manifest)
	return stands, explain(ctx, d.Name(), err)
}

// Land loads every table in one transaction. A snapshot that is there is
// compared and its manifest returned.
func (d tables) Land(ctx context.Context, r *Receipt, _ Target) (Manifest, error) {
	p := &publication{r: r, target: Target{Format: InTables}, paths: pathsOf(r.src.Request, r.Snapshot())}
	m, err := d.land(ctx, p)
	if err = explain(ctx, d.Name(), err); err != nil {
		return Manifest{}, err
	}
	return m, nil
}

func (d tables) land(ctx context.Context, p *publication) (m Manifest, err error) {
	m = p.manifest("")
	loading, err := d.db.Begin(ctx, Landing{Path: m.Path, Request: m.Request, Snapshot: m.Snapshot, Tables: p.r.content.tables()})
	if err != nil {
		return Manifest{}, err
	}
	defer func() { err = errors.Join(err, loading.Close()) }()
	if there := loading.Manifest(); there != nil {
		return *there, p.compare(there)
	}
	if err := p.loadTables(ctx, loading, &m); err != nil {
		return Manifest{}, err
	}
	return m, loading.Commit(ctx, m)
}

func (p *publication) loadTables(ctx context.Context, loading Loading, m *Manifest) error {
	var replaced int64
	for _, t := range p.r.content.tables() {
		var rows int64
		var missing Dangling
		n, err := loading.Load(ctx, t, p.r.rowsOf(ctx, t, &rows, &missing))
		if err != nil {
			return writeError("load", t.Name, err)
		}
		if want := p.r.content.rows(t); rows != want {
			return writeError("read back", t.Name, fmt.Errorf("%d rows of %d: %w", rows, want, errSpool))
		}
		if missing.total() > 0 {
			m.Dangling = missing
		}
		replaced += n
		m.Tables = append(m.Tables, ManifestTable{Name: t.Name, Rows: rows, Files: []File{}})
	}
	m.Checks = append(append(m.Checks, p.r.content.written(m.Dangling)...), checkText(replaced), check(CheckRows, Passed, ""))
	return nil
}

func checkText(replaced int64) Check {
	if replaced > 0 {
		return check(CheckText, Noted, "%s replaced by U+FFFD, as the database holds none", count(replaced, "NUL character"))
	}
	return check(CheckText, Passed, "")
}

var errStopped = errors.New("stopped")

// rowsOf gives a table's rows in batches, counted, each valid until the next.
func (r *Receipt) rowsOf(ctx context.Context, t Table, rows *int64, missing *Dangling) iter.Seq2[*Rows, error] {
	return func(yield func(*Rows, error) bool) {
		dangling, err := r.visit(ctx, t, func(b *batch) error {
			*rows += int64(b.rows)
			part, err := newRows(t, b)
			if err != nil {
				return err
			}
			if !yield(part, nil) {
				return errStopped
			}
			return nil
		})
		*missing = dangling
		if err != nil && !errors.Is(err, errStopped) {
			yield(nil, err)
		}
	}
}

// Rows are some rows of a table, as a database with doubles takes them. A
// number that no double names is in _extra too, with its literal.
type Rows struct {
	batch   *batch
	doubles [][]float64 // of Number columns; NaN is null
	extra   *vector     // in place of the batch's column _extra, if any
	rest    int         // the index of that column
}

func newRows(t Table, b *batch) (*Rows, error) {
	r := &Rows{batch: b, doubles: make([][]float64, len(b.cols)), rest: t.column("_extra")}
	lost := newLostNumbers(b, r.rest)
	for i := range b.cols {
		v := &b.cols[i]
		if v.kind != Number {
			continue
		}
		r.doubles[i] = make([]float64, b.rows)
		for row, tag := range v.tags {
			value, survives := math.NaN(), true
			if tag != tagNull {
				value, survives = v.float(row)
			}
			r.doubles[i][row] = value
			if !survives {
				lost.add(row, i)
			}
		}
	}
	if lost.rows == nil {
		return r, nil
	}
	var err error
	r.extra, err = lost.extra(t)
	return r, err
}

// Len is the number of rows.
func (r *Rows) Len() int { return r.batch.rows }

// Text is a value of a [Text] or [JSON] column, which must not be changed; false
// is null.
func (r *Rows) Text(column, row int) ([]byte, bool) {
	v := &r.batch.cols[column]
	if column == r.rest && r.extra != nil {
		v = r.extra
	}
	if v.codes[row] == 0 {
		return nil, false
	}
	return v.texts.at(v.codes[row]), true
}

// Double is a value of a [Number] column; false is null.
func (r *Rows) Double(column, row int) (float64, bool) {
	value := r.doubles[column][row]
	return value, !math.IsNaN(value)
}

// Int is a value of any other column; false is null. Bool: 1 is true. Instant:
// Unix milliseconds. Date: days since 1970-01-01.
func (r *Rows) Int(column, row int) (int64, bool) {
	v := &r.batch.cols[column]
	if v.tags[row] == tagNull {
		return 0, false
	}
	return v.vals[row], true
}
