package gosource

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// ErrNoModule marks a folder that is in no Go module.
var ErrNoModule = errors.New("no go.mod with a module line")

// File is one Go file. Path is relative to the module's root, with slashes.
type File struct {
	Path   string
	Test   bool // its name ends in _test.go
	Syntax *ast.File
}

// Package is the Go files of one folder, in the order of their names; tests of
// package x and x_test stand together. Dir is "." for the root.
type Package struct {
	Dir   string
	Files []File
}

// Module is every package of a module, in the order of their folders.
type Module struct {
	Path     string
	Fset     *token.FileSet
	Packages []*Package
}

// Position is where pos stands, as "folder/file.go:line".
func (m *Module) Position(pos token.Pos) string {
	p := m.Fset.Position(pos)
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}

// ImportPath is the path by which the package in dir is imported.
func (m *Module) ImportPath(dir string) string { return path.Join(m.Path, dir) }

// Root finds the module that dir is in and returns the folder of its go.mod,
// or [ErrNoModule].
func Root(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("find module: %w", err)
	}
	for here := dir; ; here = filepath.Dir(here) {
		if _, err := os.Stat(filepath.Join(here, "go.mod")); err == nil {
			return here, nil
		}
		if here == filepath.Dir(here) {
			return "", fmt.Errorf("find module of %s: %w", dir, ErrNoModule)
		}
	}
}

// Load reads the module whose go.mod stands at the top of fsys. Files that do
// not parse are all reported together.
func Load(fsys fs.FS) (*Module, error) {
	text, err := fs.ReadFile(fsys, "go.mod")
	if err != nil {
		return nil, fmt.Errorf("load module: %w", err)
	}
	m := &Module{Path: modfile.ModulePath(text), Fset: token.NewFileSet()}
	if m.Path == "" {
		return nil, fmt.Errorf("load module: %w", ErrNoModule)
	}
	l := loader{fsys: fsys, module: m}
	if err := fs.WalkDir(fsys, ".", l.visit); err != nil {
		return nil, fmt.Errorf("load module %s: %w", m.Path, err)
	}
	slices.SortFunc(m.Packages, func(a, b *Package) int { return strings.Compare(a.Dir, b.Dir) })
	return m, errors.Join(l.faults...)
}

type loader struct {
	fsys   fs.FS
	module *Module
	faults []error
}

// visit sees the files of a folder in the order of their names, but those of
// its subfolders in between.
func (l *loader) visit(name string, entry fs.DirEntry, err error) error {
	switch {
	case err != nil:
		return err
	case entry.IsDir() && l.foreign(name):
		return fs.SkipDir
	case entry.IsDir() || !strings.HasSuffix(name, ".go") || hidden(entry.Name()):
		return nil
	}
	text, err := fs.ReadFile(l.fsys, name)
	if err != nil {
		return err
	}
	syntax, err := parser.ParseFile(l.module.Fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		l.faults = append(l.faults, fmt.Errorf("parse %w", err))
		return nil
	}
	p := l.module.in(path.Dir(name))
	p.Files = append(p.Files, File{Path: name, Test: strings.HasSuffix(name, "_test.go"), Syntax: syntax})
	return nil
}

func (l *loader) foreign(dir string) bool {
	if dir == "." {
		return false
	}
	base := path.Base(dir)
	if base == "testdata" || base == "vendor" || hidden(base) {
		return true
	}
	_, err := fs.Stat(l.fsys, path.Join(dir, "go.mod"))
	return err == nil
}

func hidden(base string) bool { return base[0] == '.' || base[0] == '_' }

func (m *Module) in(dir string) *Package {
	for _, p := range m.Packages {
		if p.Dir == dir {
			return p
		}
	}
	p := &Package{Dir: dir}
	m.Packages = append(m.Packages, p)
	return p
}
