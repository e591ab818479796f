package archtest

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"
)

// variables finds package-level variables that are more than constants.
func (c *checker) variables(files []*ast.File, s source) {
	for _, f := range files {
		for _, decl := range f.Decls {
			group, ok := decl.(*ast.GenDecl)
			if !ok || group.Tok != token.VAR {
				continue
			}
			for _, spec := range group.Specs {
				v := spec.(*ast.ValueSpec) // the only kind of spec under var
				if !embedded(group.Doc) && !embedded(v.Doc) {
					c.variable(v, s)
				}
			}
		}
	}
}

func embedded(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(line *ast.Comment) bool {
		return strings.HasPrefix(line.Text, "//go:embed ")
	})
}

func (c *checker) variable(v *ast.ValueSpec, s source) {
	for i, name := range v.Names {
		at := c.module.Position(name.Pos())
		switch {
		case name.Name == "_": // asserts that a type has an interface's methods
		case len(v.Values) != len(v.Names):
			c.report(at, "state", "%s starts empty or from many values at once, so it is there to change", name.Name)
		case c.frozen(v.Values[i], s):
		case !table(v.Values[i]):
			c.report(at, "state", "%s can change: make it a const, a func or a parameter", name.Name)
		case name.IsExported() && !strings.HasPrefix(name.Name, "Err"):
			c.report(at, "state", "%s can be changed by whoever imports it: return it from a func", name.Name)
		}
	}
}

// frozen reports whether the value is the result of a constructor of values
// that never change.
func (c *checker) frozen(value ast.Expr, s source) bool {
	call, ok := value.(*ast.CallExpr)
	if !ok {
		return false
	}
	name, ok := s.qualified(call.Fun)
	return ok && slices.Contains(c.rules.Constructors, name)
}

// table reports whether the value is written out in place: a composite literal
// or a literal turned into a slice.
func table(value ast.Expr) bool {
	switch v := value.(type) {
	case *ast.CompositeLit:
		return true
	case *ast.UnaryExpr:
		return v.Op == token.AND && table(v.X)
	case *ast.CallExpr:
		_, conversion := v.Fun.(*ast.ArrayType)
		return conversion
	}
	return false
}

// write finds statements that change a package-level variable, or that let it
// be changed through its address.
func (c *checker) write(n ast.Node, s source) {
	for _, target := range targets(n, s) {
		name, ok := s.packageLevel(target)
		if ok {
			c.report(c.module.Position(n.Pos()), "state", "%s is a package-level variable, and this can change it", name)
		}
	}
}

func targets(n ast.Node, s source) []ast.Expr {
	switch n := n.(type) {
	case *ast.AssignStmt:
		return n.Lhs // := binds new names, so what it means is never package-level
	case *ast.IncDecStmt:
		return []ast.Expr{n.X}
	case *ast.RangeStmt:
		if n.Tok == token.ASSIGN {
			return []ast.Expr{n.Key, n.Value}
		}
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			return []ast.Expr{n.X}
		}
	case *ast.CallExpr:
		if s.changesArgument(n) && len(n.Args) > 0 {
			return n.Args[:1]
		}
	}
	return nil
}

// changesArgument reports whether the call writes into what its first argument
// holds, as far as the standard library's usual ways go.
func (s source) changesArgument(call *ast.CallExpr) bool {
	if id, ok := call.Fun.(*ast.Ident); ok {
		_, builtin := s.uses[id].(*types.Builtin)
		return builtin && slices.Contains([]string{"delete", "clear", "copy"}, id.Name)
	}
	name, ok := s.qualified(call.Fun)
	return ok && (strings.HasPrefix(name, "sort.S") || strings.HasPrefix(name, "slices.Sort") ||
		name == "slices.Reverse" || name == "maps.Copy")
}

// packageLevel is the name of the package-level variable that the expression
// is, or is a part of.
func (s source) packageLevel(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.Ident:
		v, ok := s.uses[e].(*types.Var)
		return e.Name, ok && v.Parent() == s.scope
	case *ast.SelectorExpr:
		return s.packageLevel(e.X)
	case *ast.IndexExpr:
		return s.packageLevel(e.X)
	case *ast.SliceExpr:
		return s.packageLevel(e.X)
	case *ast.StarExpr:
		return s.packageLevel(e.X)
	case *ast.ParenExpr:
		return s.packageLevel(e.X)
	}
	return "", false
}
