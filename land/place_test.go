package land_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/weirhq/weir/land"
	"github.com/weirhq/weir/land/landtest"
)

func TestDirectoryTakesSnapshots(t *testing.T) {
	landtest.Run(t, func(t *testing.T) landtest.Place {
		path := filepath.Join(t.TempDir(), "data")
		return landtest.Files{Store: func(t *testing.T) land.Store {
			store, err := land.OpenDirectory(path)
			if err != nil {
				t.Fatal(err)
			}
			return store
		}}
	}, func(t *testing.T) land.Destination {
		path := filepath.Join(t.TempDir(), "data")
		store, err := land.OpenDirectory(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil { // a file takes its place
			t.Fatal(err)
		}
		return land.Files(store)
	})
}
