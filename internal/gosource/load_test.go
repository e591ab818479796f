package gosource_test

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/weirhq/weir/internal/gosource"
)

func tree(files map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

func TestLoadReadsWhatTheGoToolReads(t *testing.T) {
	m, err := gosource.Load(tree(map[string]string{
		"go.mod":                "// a comment\nmodule example.com/m\n",
		"a.go":                  "package m\n",
		"z_test.go":             "package m_test\n",
		"b/b.go":                "//go:build never\n\npackage b\n",
		"b/_draft.go":           "package b\n",
		"b/.hidden.go":          "package b\n",
		"b/notes.txt":           "package b\n",
		"b/testdata/x.go":       "package broken {{{\n",
		"vendor/v/v.go":         "package v\n",
		".cache/c.go":           "package c\n",
		"_old/o.go":             "package o\n",
		"nested/go.mod":         "module example.com/nested\n",
		"nested/inner/inner.go": "package inner\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range m.Packages {
		for _, f := range p.Files {
			got = append(got, p.Dir+" "+f.Path)
		}
	}
	want := []string{". a.go", ". z_test.go", "b b/b.go"}
	if !slices.Equal(got, want) || m.Path != "example.com/m" {
		t.Errorf("module %s holds %q, want example.com/m with %q", m.Path, got, want)
	}
}

func TestLoadKeepsOnePackagePerFolder(t *testing.T) {
	m, err := gosource.Load(tree(map[string]string{
		"go.mod": "module m\n", "k/k.go": "package k\n", "m.go": "package m\n", "z_test.go": "package m\n\nfunc TestZ() {}\n",
	}))
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Packages) != 2 || m.Packages[0].Dir != "." || m.Packages[1].Dir != "k" {
		t.Fatalf("got %d packages, want the root and k", len(m.Packages))
	}
	last := m.Packages[0].Files[1]
	if !last.Test || m.Packages[0].Files[0].Test {
		t.Error("z_test.go is a test and a.go is none")
	}
	if at := m.Position(last.Syntax.Decls[0].Pos()); at != "z_test.go:3" {
		t.Errorf("position %s, want z_test.go:3", at)
	}
	if got := m.ImportPath("k"); got != "m/k" {
		t.Errorf("import path %s, want m/k", got)
	}
}

func TestLoadReportsEveryFileThatDoesNotParse(t *testing.T) {
	_, err := gosource.Load(tree(map[string]string{
		"go.mod": "module m\n", "a.go": "package m {\n", "b/b.go": "packing\n",
	}))
	if err == nil || !strings.Contains(err.Error(), "a.go:1") || !strings.Contains(err.Error(), "b/b.go:1") {
		t.Errorf("got %v, want both files named", err)
	}
}

func TestLoadNeedsAModule(t *testing.T) {
	if _, err := gosource.Load(tree(map[string]string{"go.mod": "go 1.26\n"})); !errors.Is(err, gosource.ErrNoModule) {
		t.Errorf("got %v, want ErrNoModule", err)
	}
	if _, err := gosource.Load(tree(nil)); err == nil {
		t.Error("an empty folder loads as a module")
	}
}

func TestRootIsTheNearestModule(t *testing.T) {
	root, err := gosource.Root(".")
	if err != nil {
		t.Fatal(err)
	}
	if rel, err := filepath.Rel(root, mustAbs(t, ".")); err != nil || filepath.ToSlash(rel) != "internal/gosource" {
		t.Errorf("this package stands at %q under %s, want internal/gosource", rel, root)
	}
	if _, err := gosource.Root(t.TempDir()); !errors.Is(err, gosource.ErrNoModule) {
		t.Errorf("got %v, want ErrNoModule", err)
	}
}

func mustAbs(t *testing.T, dir string) string {
	t.Helper()
	abs, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}
