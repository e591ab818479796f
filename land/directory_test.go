package land_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/weirhq/weir/land"
	"github.com/weirhq/weir/land/landtest"
)

func TestDirectoryKeepsTheContract(t *testing.T) {
	landtest.Store(t, func(t *testing.T) land.Store {
		store, err := land.OpenDirectory(filepath.Join(t.TempDir(), "new"))
		if err != nil {
			t.Fatal(err)
		}
		return store
	})
}

// Even a path that is not escaped stays inside.
func TestDirectoryStaysInside(t *testing.T) {
	parent := t.TempDir()
	store, err := land.OpenDirectory(filepath.Join(parent, "in", "side"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"../x", "a/../../x", "/x", "../../etc/x"} {
		file, err := store.Create(t.Context(), path)
		if err == nil {
			_, err = io.WriteString(file, "x")
			if err != nil {
				t.Fatal(err)
			}
			if err = file.Publish(t.Context(), true); err == nil {
				t.Errorf("%s was published", path)
			}
			if err := file.Discard(); err != nil {
				t.Error(err)
			}
		}
		if err := store.Remove(t.Context(), path); err == nil {
			t.Errorf("%s was removed", path)
		}
	}
	if left := tree(t, parent); len(left) != 0 {
		t.Errorf("files %v", left)
	}
}

func TestUnwritableDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dest, err := land.OpenDestination(path, "")
	if err == nil {
		_, err = receive(t, document(entry(""))).Publish(t.Context(), dest, csv)
	}
	if err == nil {
		t.Fatal("no error")
	}
	checkDestinationError(t, err)
}
