package app

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weirhq/weir/land"
	"github.com/weirhq/weir/land/bucket"
	"github.com/weirhq/weir/land/postgres"
)

// CheckDestination gives a destination its one spelling: a directory becomes
// absolute, so that a resumed landing finds the same place whatever the working
// directory is, and a URL is refused when it holds a secret.
func CheckDestination(name string) (string, error) {
	scheme, _, isURL := strings.Cut(name, "://")
	switch {
	case name == "":
		return "", Usage("give a directory or a URL", "read --to: it is empty")
	case slices.Contains(bucket.Schemes(), scheme):
		return place(bucket.Parse(name))
	case slices.Contains(postgres.Schemes(), scheme):
		return place(postgres.Parse(name))
	case isURL:
		return "", Usage("destinations are directories, s3://, gs://, azblob:// and postgres://", "read --to: not a destination's URL")
	case strings.ContainsRune(name, 0):
		return "", Usage("", "read --to: it holds a NUL")
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return "", fmt.Errorf("read --to: %w", err)
	}
	return path, nil
}

// place makes a refused URL a mistake of the caller's.
func place(name string, err error) (string, error) {
	if err != nil {
		return "", Usage("see docs/destinations.md", "read --to: %w", err)
	}
	return name, nil
}

// DestinationFormats are the formats that a destination wants of those asked
// for: a database has one form for all.
func DestinationFormats(name string, formats []string) []string {
	if scheme, _, _ := strings.Cut(name, "://"); slices.Contains(postgres.Schemes(), scheme) {
		return formats[:min(1, len(formats))]
	}
	return formats
}

// OpenDestination opens what CheckDestination returned. No request is made.
func OpenDestination(name string) (land.Destination, error) { return passwords(nil).open(name) }

func (p passwords) open(name string) (land.Destination, error) {
	if scheme, _, _ := strings.Cut(name, "://"); slices.Contains(postgres.Schemes(), scheme) {
		db, err := postgres.Open(name, postgres.Options{Password: p[name]})
		if err != nil {
			return nil, err
		}
		return land.Tables(db), nil
	}
	store, err := openStore(name)
	if err != nil {
		return nil, err
	}
	return land.Files(store), nil
}

// openStore opens a place for files.
func openStore(name string) (land.Store, error) {
	if scheme, _, found := strings.Cut(name, "://"); found {
		if slices.Contains(bucket.Schemes(), scheme) {
			return bucket.Open(name)
		}
		return nil, Usage("name a directory or a bucket", "open %s://..: %w", scheme, errors.ErrUnsupported)
	}
	return land.OpenDirectory(name)
}

// stands reports whether a snapshot still stands at a destination.
func stands(ctx context.Context, destination, manifest string) (bool, error) {
	opened, err := OpenDestination(destination)
	if err != nil {
		return false, err
	}
	return opened.Stands(ctx, manifest)
}
