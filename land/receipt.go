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
	asked   weir.Request
	src     Source
	at      time.Time
	job     string
	result  Result
	checks  []Check
	content content
	work    *workdir
}

func newReceipt(src Source, in *intake, c content, checks []Check, work *workdir) *Receipt {
	asked := src.Request
	src.Request = showing(src.Request, c)
	return &Receipt{
		asked: asked, src: src, at: src.SnapshotAt.UTC().Truncate(time.Millisecond), job: jobName(src, in),
		result: Result{Bytes: in.bytes, SHA256: in.sha256()}, checks: checks, content: c, work: work,
	}
}

// Checks are all checks with their outcomes.
func (r *Receipt) Checks() []Check { return slices.Clone(r.checks) }

// Rows is how many rows its first table has: the entries of a forecast, the
// activities, the audit events.
func (r *Receipt) Rows() int64 { return r.content.rows(r.content.tables()[0]) }

// Result is what the server sent.
func (r *Receipt) Result() Result { return r.result }

// SnapshotAt is the instant that the result shows.
func (r *Receipt) SnapshotAt() time.Time { return r.at }

// Snapshot is the name of the snapshot: "20261123T150405Z-<jobId>".
func (r *Receipt) Snapshot() string { return snapshotName(r.at, r.job) }

// Request is what was asked.
func (r *Receipt) Request() weir.Request { return r.asked }

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
	return r.content.visit(ctx, t, r.constants(), each)
}
