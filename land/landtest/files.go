package landtest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"path"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/weirhq/weir/land"
)

// Files is a [Place] of files. Failing is made by a store that refuses.
type Files struct {
	// Store opens the place, as often as it is called.
	Store func(t *testing.T) land.Store
}

// Open opens the place.
func (f Files) Open(t *testing.T) land.Destination { return land.Files(f.Store(t)) }

// OpenFailing opens it so that every call from the nth on fails.
func (f Files) OpenFailing(t *testing.T, n int) (land.Destination, func() bool) {
	s := &failing{Store: f.Store(t)}
	s.left.Store(int64(n))
	return land.Files(s), func() bool { return s.left.Load() <= 0 }
}

// Look reads every file that a manifest names and compares its hash.
func (f Files) Look(t *testing.T) []land.Manifest { return LookFiles(t, f.Store(t)) }

// LookFiles gives the manifests of all snapshots of a store, and fails the test
// when a file is not as its manifest says.
func LookFiles(t *testing.T, store land.Store) []land.Manifest {
	t.Helper()
	var all []land.Manifest
	for _, place := range append([]string{""}, folders()...) {
		for _, name := range names(t, store, path.Join(place, "_manifests")) {
			m, err := land.ReadManifest(strings.NewReader(content(t, store, name)))
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			all = append(all, m)
			compareFiles(t, store, m)
		}
	}
	return all
}

func folders() []string {
	var all []string
	for _, f := range land.Formats() {
		all = append(all, string(f))
	}
	return all
}

func compareFiles(t *testing.T, store land.Store, m land.Manifest) {
	t.Helper()
	files := []land.File{m.Raw}
	for _, table := range m.Tables {
		files = append(files, table.Files...)
	}
	for _, file := range files {
		text := content(t, store, file.Path)
		sum := sha256.Sum256([]byte(text))
		if int64(len(text)) != file.Bytes || hex.EncodeToString(sum[:]) != file.SHA256 {
			t.Errorf("%s is not as its manifest says: %d bytes of %d", file.Path, len(text), file.Bytes)
		}
	}
}

// ErrInjected is what a failing place answers.
var ErrInjected = errors.New("injected fault")

// failing is a store whose calls fail from one on.
type failing struct {
	land.Store
	left atomic.Int64
}

func (s *failing) step() error {
	if s.left.Add(-1) <= 0 {
		return ErrInjected
	}
	return nil
}

func (s *failing) Open(ctx context.Context, path string) (io.ReadCloser, error) {
	if err := s.step(); err != nil {
		return nil, err
	}
	return s.Store.Open(ctx, path)
}

func (s *failing) Create(ctx context.Context, path string) (land.Staged, error) {
	if err := s.step(); err != nil {
		return nil, err
	}
	file, err := s.Store.Create(ctx, path)
	return &failingFile{Staged: file, store: s}, err
}

func (s *failing) List(ctx context.Context, dir string) ([]string, error) {
	if err := s.step(); err != nil {
		return nil, err
	}
	return s.Store.List(ctx, dir)
}

func (s *failing) Remove(ctx context.Context, path string) error {
	return errors.Join(s.step(), s.Store.Remove(ctx, path))
}

type failingFile struct {
	land.Staged
	store *failing
}

func (f *failingFile) Write(p []byte) (int, error) {
	if err := f.store.step(); err != nil {
		return 0, err
	}
	return f.Staged.Write(p)
}

func (f *failingFile) Publish(ctx context.Context, replace bool) error {
	if err := f.store.step(); err != nil {
		return err
	}
	return f.Staged.Publish(ctx, replace)
}
