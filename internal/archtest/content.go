package archtest

import (
	"go/ast"
	"go/types"
	"iter"
	"path"
	"slices"
	"strings"

	"github.com/weirhq/weir/internal/gosource"
)

// content judges what stands inside the files of a package: the names it uses,
// its variables and its init functions.
func (c *checker) content(p *gosource.Package) {
	var code []*ast.File
	for _, f := range p.Files {
		c.initFunctions(f)
		if !f.Test {
			code = append(code, f.Syntax)
		}
	}
	s := c.resolve(code)
	if !testOnly(p.Dir) {
		c.pureNames(p.Dir, code, s)
	}
	c.variables(code, s)
	for n := range nodes(code) {
		c.write(n, s)
	}
}

func (c *checker) initFunctions(f gosource.File) {
	for _, decl := range f.Syntax.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
			c.report(c.module.Position(fn.Pos()), "state", "init runs before anybody can say how: call it by name")
		}
	}
}

// source is the code of one package with its names resolved, as far as that
// needs nothing of the packages it imports.
type source struct {
	scope *types.Scope
	uses  map[*ast.Ident]types.Object
}

// resolve binds names to the package-level variables and imports they mean.
// Imported packages are empty shells, so the type errors that follow say
// nothing and are dropped.
func (c *checker) resolve(files []*ast.File) source {
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: shells{}, Error: func(error) {}}
	p, _ := conf.Check(c.module.Path, c.module.Fset, files, info)
	return source{scope: p.Scope(), uses: info.Uses}
}

// shells imports every package as an empty one with the name its path suggests.
type shells struct{}

func (shells) Import(name string) (*types.Package, error) {
	base := path.Base(name)
	if len(base) > 1 && base[0] == 'v' && strings.Trim(base[1:], "0123456789") == "" {
		base = path.Base(path.Dir(name))
	}
	p := types.NewPackage(name, base)
	p.MarkComplete()
	return p, nil
}

// qualified is "path.Name" where the expression names something of an imported
// package.
func (s source) qualified(e ast.Expr) (string, bool) {
	selector, ok := e.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	from, ok := selector.X.(*ast.Ident)
	if !ok {
		return "", false
	}
	p, ok := s.uses[from].(*types.PkgName)
	if !ok {
		return "", false
	}
	return p.Imported().Path() + "." + selector.Sel.Name, true
}

// pureNames finds the names that a pure room must not use, called or not.
func (c *checker) pureNames(dir string, files []*ast.File, s source) {
	for _, p := range c.rules.Pure {
		if !within(dir, p.Room) {
			continue
		}
		for n := range nodes(files) {
			e, _ := n.(ast.Expr)
			if name, ok := s.qualified(e); ok && slices.Contains(p.Names, name) {
				c.report(c.module.Position(n.Pos()), "pure", "uses %s: %s", name, p.Why)
			}
		}
	}
}

func nodes(files []*ast.File) iter.Seq[ast.Node] {
	return func(yield func(ast.Node) bool) {
		for _, f := range files {
			for n := range ast.Preorder(f) {
				if !yield(n) {
					return
				}
			}
		}
	}
}
