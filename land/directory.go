package land

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// stagingDir holds files below a directory destination that are being written.
const stagingDir = "_tmp"

// OpenDestination opens a destination by its name: a directory, relative ones
// taken from baseDir. What dead runs left half-written there is swept. A name
// with a scheme such as s3:// is errors.ErrUnsupported here: the rooms below
// this one open those.
func OpenDestination(name, baseDir string) (Destination, error) {
	if scheme, _, found := strings.Cut(name, "://"); found {
		return nil, fmt.Errorf("open destination %s://: %w", scheme, errors.ErrUnsupported)
	}
	if name == "" {
		return nil, errors.New("open destination: empty name")
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(baseDir, name)
	}
	directory, err := OpenDirectory(name)
	if err != nil {
		return nil, err
	}
	return Files(directory), nil
}

// Directory is a [Store] in a directory of this machine. Nothing that it is
// asked for can reach outside the directory, through a path or a symbolic link.
// It holds nothing open.
type Directory struct{ path string }

// OpenDirectory sweeps what dead runs left half-written in the directory, which
// need not exist before something is created in it.
func OpenDirectory(path string) (*Directory, error) {
	if err := SweepSpool(filepath.Join(path, stagingDir)); err != nil {
		return nil, err
	}
	return &Directory{path: path}, nil
}

// Name is the directory's path.
func (d *Directory) Name() string { return d.path }

// Open reads a file.
func (d *Directory) Open(_ context.Context, name string) (io.ReadCloser, error) {
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return nil, err
	}
	file, err := root.Open(filepath.FromSlash(name))
	return file, errors.Join(err, root.Close())
}

// Create starts a file in the staging directory.
func (d *Directory) Create(_ context.Context, name string) (Staged, error) {
	work, err := newWorkdir(filepath.Join(d.path, stagingDir))
	if err != nil {
		return nil, err
	}
	path := filepath.Join(work.path, "file")
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, errors.Join(err, work.close())
	}
	return &stagedInDirectory{File: file, root: d.path, work: work, name: filepath.FromSlash(name)}, nil
}

// List walks a directory.
func (d *Directory) List(ctx context.Context, dir string) ([]string, error) {
	root, err := os.OpenRoot(d.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var paths []string
	err = fs.WalkDir(root.FS(), dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case entry.Type().IsRegular():
			paths = append(paths, path)
		}
		return ctx.Err()
	})
	slices.Sort(paths)
	return paths, err
}

// Remove takes a file away, and the directory of its snapshot with the last one.
func (d *Directory) Remove(_ context.Context, name string) error {
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return err
	}
	err = root.Remove(filepath.FromSlash(name))
	if above := path.Dir(name); err == nil && strings.HasPrefix(path.Base(above), "snapshot=") {
		_ = root.Remove(filepath.FromSlash(above)) // it stays while something is in it
	}
	return errors.Join(err, root.Close())
}

type stagedInDirectory struct {
	*os.File
	root string
	work *workdir
	name string
	// synced says that the bytes are on disk and the file is closed.
	synced bool
}

// Publish syncs the file, gives it its name, and syncs every directory on the
// way, so that a power cut takes none of it back.
func (s *stagedInDirectory) Publish(_ context.Context, replace bool) error {
	if !s.synced {
		if err := errors.Join(s.Sync(), s.Close()); err != nil {
			return err
		}
		s.synced = true
	}
	root, err := os.OpenRoot(s.root)
	if err != nil {
		return err
	}
	defer root.Close()
	if err := root.MkdirAll(filepath.Dir(s.name), 0o777); err != nil {
		return err
	}
	if err := s.settle(root, replace); err != nil {
		return err
	}
	return syncParents(root, filepath.ToSlash(s.name))
}

// settle names the file. A hard link never replaces a file; where the file
// system has none, a look before the renaming has to do.
func (s *stagedInDirectory) settle(root *os.Root, replace bool) error {
	staged := filepath.Join(stagingDir, filepath.Base(s.work.path), "file")
	if replace {
		return root.Rename(staged, s.name)
	}
	err := root.Link(staged, s.name)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, err := root.Lstat(s.name); !errors.Is(err, fs.ErrNotExist) {
		return errors.Join(err, fs.ErrExist)
	}
	return root.Rename(staged, s.name)
}

// Discard removes the staged file; a published one has its own name by then.
func (s *stagedInDirectory) Discard() error {
	if !s.synced {
		return errors.Join(s.Close(), s.work.close())
	}
	return s.work.close()
}

func syncParents(root *os.Root, name string) error {
	if runtime.GOOS == "windows" {
		return nil // directories cannot be synced there
	}
	for dir := path.Dir(name); ; dir = path.Dir(dir) {
		file, err := root.Open(dir)
		if err != nil {
			return err
		}
		if err := errors.Join(file.Sync(), file.Close()); err != nil {
			return err
		}
		if dir == "." {
			return nil
		}
	}
}
