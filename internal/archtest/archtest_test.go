package archtest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirhq/weir/internal/archtest"
	"github.com/weirhq/weir/internal/gosource"
)

func root(t *testing.T) string {
	t.Helper()
	dir, err := gosource.Root(".")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestModuleKeepsTheRules holds the real tree to the standing table.
func TestModuleKeepsTheRules(t *testing.T) {
	m, err := gosource.Load(os.DirFS(root(t)))
	if err != nil {
		t.Fatal(err)
	}
	for _, finding := range archtest.Check(m, archtest.Standing()) {
		t.Error(finding)
	}
}

// TestRoomsAreDocumented keeps the tables in the README and in CONTRIBUTING
// from missing a room, or promising one.
func TestRoomsAreDocumented(t *testing.T) {
	for _, page := range []string{"README.md", "CONTRIBUTING.md"} {
		text, err := os.ReadFile(filepath.Join(root(t), page))
		if err != nil {
			t.Fatal(err)
		}
		for _, room := range archtest.Standing().Rooms {
			path := room.Path
			if path == "." {
				path = "weir"
			}
			if named := strings.Contains(string(text), "`"+path+"`"); named == room.NotBuilt {
				t.Errorf("%s names %s: %t; built: %t", page, path, named, !room.NotBuilt)
			}
		}
	}
}
