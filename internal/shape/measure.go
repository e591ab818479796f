package main

import (
	"fmt"
	"go/ast"
	"slices"

	"github.com/weirhq/weir/internal/gosource"
)

// Size is the length of one function or file, in lines, and where it begins.
type Size struct {
	Name  string
	At    string // "folder/file.go:line"
	Lines int
}

// Sizes are the files and functions of one kind, longest first.
type Sizes struct {
	Files, Functions []Size
}

// Shape is the size of everything, tests apart.
type Shape struct {
	Code, Tests Sizes
}

// Budget is what sizes must stay within; every number is allowed itself.
type Budget struct {
	Median, P90, Function int // lines of functions; the first two of code only
	File, TestFile        int // lines of files
}

// standing is the budget of this module. CONTRIBUTING.md states it too, which
// a test compares.
func standing() Budget {
	return Budget{Median: 12, P90: 40, Function: 80, File: 400, TestFile: 800}
}

// Measure reads the sizes out of a module's syntax trees.
func Measure(m *gosource.Module) Shape {
	var shape Shape
	for _, p := range m.Packages {
		for _, f := range p.Files {
			switch {
			case ast.IsGenerated(f.Syntax):
			case f.Test:
				shape.Tests.add(m, f)
			default:
				shape.Code.add(m, f)
			}
		}
	}
	shape.Code.sort()
	shape.Tests.sort()
	return shape
}

func (s *Sizes) add(m *gosource.Module, f gosource.File) {
	lines := m.Fset.File(f.Syntax.FileStart).LineCount()
	s.Files = append(s.Files, Size{Name: f.Path, At: f.Path + ":1", Lines: lines})
	for _, decl := range f.Syntax.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok && fn.Body != nil {
			from, to := m.Fset.Position(fn.Type.Func).Line, m.Fset.Position(fn.Body.Rbrace).Line
			s.Functions = append(s.Functions, Size{Name: fn.Name.Name, At: m.Position(fn.Type.Func), Lines: to - from + 1})
		}
	}
}

func (s *Sizes) sort() {
	longest := func(a, b Size) int { return b.Lines - a.Lines }
	slices.SortStableFunc(s.Files, longest)
	slices.SortStableFunc(s.Functions, longest)
}

// Over lists every excess over the budget, each with where it stands.
func (b Budget) Over(s Shape) []string {
	var over []string
	if p50 := percentile(s.Code.Functions, 50); p50 > b.Median {
		over = append(over, fmt.Sprintf("the median function has %d lines, the budget is %d", p50, b.Median))
	}
	if p90 := percentile(s.Code.Functions, 90); p90 > b.P90 {
		over = append(over, fmt.Sprintf("the 90th percentile of functions is %d lines, the budget is %d", p90, b.P90))
	}
	over = append(over, tooLong("function", s.Code.Functions, b.Function)...)
	over = append(over, tooLong("test function", s.Tests.Functions, b.Function)...)
	over = append(over, tooLong("file", s.Code.Files, b.File)...)
	return append(over, tooLong("test file", s.Tests.Files, b.TestFile)...)
}

func tooLong(what string, sizes []Size, limit int) []string {
	var over []string
	for _, size := range sizes {
		if size.Lines > limit {
			over = append(over, fmt.Sprintf("%s: %s %s has %d lines, the budget is %d", size.At, what, size.Name, size.Lines, limit))
		}
	}
	return over
}

// percentile is the smallest size that at least p percent of all are no longer
// than, by the nearest rank; 0 of nothing. Sizes stand longest first.
func percentile(sizes []Size, p int) int {
	if len(sizes) == 0 {
		return 0
	}
	rank := (len(sizes)*p + 99) / 100
	return sizes[len(sizes)-rank].Lines
}
