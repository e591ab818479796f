package land

import (
	"context"
	"io"

	"github.com/weirhq/weir"
)

// Destination is a place where snapshots land: a directory now, a bucket, or a
// database that takes the rows.
type Destination interface {
	// Name is how messages call the place; it holds no secrets.
	Name() string
	// Land makes the snapshot appear there whole or not at all. A snapshot that
	// is already there with the same content is left alone and its manifest
	// returned. Safe for concurrent use.
	Land(ctx context.Context, r *Receipt, t Target) (Manifest, error)
	// Find gives the manifests of the snapshots of exactly this request that
	// stand there in the format, newest first. A database has one form for all
	// formats.
	Find(ctx context.Context, r weir.Request, f Format) ([]Manifest, error)
	// Stands reports whether the snapshot still stands whose [Manifest.Path]
	// this is.
	Stands(ctx context.Context, manifest string) (bool, error)
}

// Store is a place for files. Paths are relative, slash-separated and made of
// safe elements. Every file appears whole or not at all.
type Store interface {
	Name() string
	// Open reads a file; the error Is fs.ErrNotExist when there is none.
	Open(ctx context.Context, path string) (io.ReadCloser, error)
	// Create starts a file that nobody sees before it is published.
	Create(ctx context.Context, path string) (Staged, error)
	// List gives the paths of all files below a directory, sorted; none when
	// the directory does not exist.
	List(ctx context.Context, dir string) ([]string, error)
	// Remove takes a file away that belongs to no finished snapshot.
	Remove(ctx context.Context, path string) error
}

// Staged is a file being written.
type Staged interface {
	io.Writer
	// Publish makes the file appear under its path and survive a power cut. If
	// there is one already, replace says whether it is replaced; otherwise the
	// error Is fs.ErrExist and the file there stays as it was.
	Publish(ctx context.Context, replace bool) error
	// Discard drops the file; after Publish it does nothing.
	Discard() error
}

// Format is the form of the files of a delivery.
type Format string

// The formats.
const (
	Parquet Format = "parquet"
	CSV     Format = "csv"
	JSONL   Format = "jsonl"
	// The same, each file compressed.
	CSVGzip   Format = "csv.gz"
	CSVZstd   Format = "csv.zst"
	JSONLGzip Format = "jsonl.gz"
	JSONLZstd Format = "jsonl.zst"
)

// Formats are the formats that can be asked for.
func Formats() []Format {
	return []Format{Parquet, CSV, JSONL, CSVGzip, CSVZstd, JSONLGzip, JSONLZstd}
}

// Target is in which form a snapshot lands at a destination.
type Target struct {
	Format Format
	// Primary asks for the plain place under the destination; other formats go
	// to a folder of their own. Where the plain place of a snapshot is taken by
	// another format, this one goes to its folder too.
	Primary bool
	// CSVSafe prefixes ' in text columns of a CSV that a spreadsheet would take
	// for a formula.
	CSVSafe bool
}
