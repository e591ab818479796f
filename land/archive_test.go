package land_test

import (
	"testing"

	"github.com/weirhq/weir/land"
	"github.com/weirhq/weir/land/landtest"
)

func TestDirectoryIsAnArchive(t *testing.T) {
	landtest.Archive(t, func(t *testing.T) landtest.ArchivePlace {
		dir := t.TempDir()
		return landtest.Files{Store: func(t *testing.T) land.Store {
			store, err := land.OpenDirectory(dir)
			if err != nil {
				t.Fatal(err)
			}
			return store
		}}
	})
}
