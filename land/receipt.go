package land

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/weirhq/weir"
)

// Receipt is a verified result, held in the spool until it is closed. Its
// methods are safe for concurrent use, Close apart.
type Receipt struct {
	src      Source
	at       time.Time
	job      string
	result   Result
	checks   []Check
	forecast *forecast
	work     *workdir
}

func newReceipt(src Source, in *intake, f *forecast, checks []Check, work *workdir) *Receipt {
	return &Receipt{
		src: src, at: src.SnapshotAt.UTC().Truncate(time.Millisecond), job: jobName(src, in),
		result: Result{Bytes: in.bytes, SHA256: in.sha256()}, checks: checks, forecast: f, work: work,
	}
}

// Checks are all checks with their outcomes.
func (r *Receipt) Checks() []Check { return slices.Clone(r.checks) }

// Rows is how many entries the result has.
func (r *Receipt) Rows() int64 { return r.forecast.evidence.rows }

// Result is what the server sent.
func (r *Receipt) Result() Result { return r.result }

// SnapshotAt is the instant that the result shows.
func (r *Receipt) SnapshotAt() time.Time { return r.at }

// Snapshot is the name of the snapshot: "20261123T150405Z-<jobId>".
func (r *Receipt) Snapshot() string { return snapshotName(r.at, r.job) }

// Request is what was asked.
func (r *Receipt) Request() weir.Request { return r.src.Request }

// Publish lands the result at a destination, once for each delivery. It is
// idempotent: when the snapshot is already there with the same content, its
// manifest is returned and nothing is written. The error Is [ErrDestination]
// when the place could not be written, [ErrRefused] with [CheckSnapshot] when
// the snapshot is there with other content, and the context's cause when the
// context ended; in each case nothing is published.
func (r *Receipt) Publish(ctx context.Context, dest Destination, target Target) (Manifest, error) {
	return dest.Land(ctx, r, target)
}

// Close removes the spool.
func (r *Receipt) Close() error {
	return writeError("remove spool", r.work.path, r.work.close())
}

func (r *Receipt) constants() constants {
	return constants{request: r.src.Request.Likeness(), job: r.src.Job.ID, instant: r.at.UnixMilli()}
}

// openRaw reads the result as it came, zstd-compressed.
func (r *Receipt) openRaw() (io.ReadCloser, error) {
	path := filepath.Join(r.work.path, rawName)
	file, err := os.Open(path)
	return file, writeError("read back", path, err)
}

// visit gives the rows of a table in batches as written, and for the entries
// what their ids did not find.
func (r *Receipt) visit(ctx context.Context, t Table, each func(*batch) error) (Dangling, error) {
	if l := r.forecast.lookups[t.Name]; l != nil {
		return Dangling{}, r.visitLookup(ctx, t, l, each)
	}
	path := filepath.Join(r.work.path, spoolName)
	file, err := os.Open(path)
	if err != nil {
		return Dangling{}, writeError("read back", path, err)
	}
	defer file.Close()
	spool := newSpoolReader(file, kinds(layout(t)))
	w := newWidener(t, r.forecast.lookups, r.constants())
	for {
		if ctx.Err() != nil {
			return Dangling{}, context.Cause(ctx)
		}
		b, err := spool.next()
		if err == io.EOF {
			return w.dangling, nil
		}
		if err != nil {
			return Dangling{}, writeError("read back", path, err)
		}
		if err := each(w.widen(b)); err != nil {
			return Dangling{}, err
		}
	}
}

func (r *Receipt) visitLookup(ctx context.Context, t Table, l *lookup, each func(*batch) error) error {
	w := newWidener(t, nil, r.constants())
	for from := 0; from < l.batch.rows; from += batchRows {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		part := l.batch.window(from, min(from+batchRows, l.batch.rows))
		if err := each(w.widen(part)); err != nil {
			return err
		}
	}
	return nil
}
