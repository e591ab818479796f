package archtest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/weirhq/weir/internal/gosource"
)

// Finding is one place where a module breaks a rule.
type Finding struct {
	At   string // "folder/file.go:line", a folder, or "rules" for a row of the table
	Rule string
	Text string
}

func (f Finding) String() string { return f.At + ": " + f.Rule + ": " + f.Text }

// Check holds a module to rules and returns every place where it breaks one,
// in the order of places. It does no I/O.
func Check(m *gosource.Module, rules Rules) []Finding {
	c := &checker{module: m, rules: rules, used: map[string]bool{}}
	for _, p := range m.Packages {
		c.folder(p)
		c.imports(p)
		c.content(p)
	}
	c.stale()
	slices.SortStableFunc(c.findings, func(a, b Finding) int {
		return cmp.Or(strings.Compare(a.At, b.At), strings.Compare(a.Rule, b.Rule), strings.Compare(a.Text, b.Text))
	})
	return c.findings
}

type checker struct {
	module   *gosource.Module
	rules    Rules
	used     map[string]bool // third parties that some file imports
	findings []Finding
}

func (c *checker) report(at, rule, format string, args ...any) {
	c.findings = append(c.findings, Finding{At: at, Rule: rule, Text: fmt.Sprintf(format, args...)})
}

// room is the index of the row with the longest path that dir is in. The root's
// row holds the root alone: a package beside it needs a row of its own.
func (c *checker) room(dir string) (int, bool) {
	best := -1
	for i, r := range c.rules.Rooms {
		if within(dir, r.Path) && (best < 0 || len(r.Path) > len(c.rules.Rooms[best].Path)) {
			best = i
		}
	}
	return best, best >= 0
}

// within reports whether a path is another one or below it; "." holds only
// itself.
func within(path, top string) bool {
	return path == top || strings.HasPrefix(path, top+"/")
}

// testOnly reports whether the folder holds a package for tests alone.
func testOnly(dir string) bool { return strings.HasSuffix(dir, "test") }
