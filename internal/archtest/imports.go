package archtest

import (
	"slices"
	"strconv"
	"strings"

	"github.com/weirhq/weir/internal/gosource"
)

// imported is one import of one file.
type imported struct {
	path string
	at   string
	dir  string // of the importing package
	test bool   // the importer is a test, or for tests alone
}

func (c *checker) imports(p *gosource.Package) {
	if _, named := c.room(p.Dir); !named {
		c.report(p.Dir, "order", "no row of the table names this package")
		return
	}
	for _, f := range p.Files {
		for _, spec := range f.Syntax.Imports {
			path, _ := strconv.Unquote(spec.Path.Value) // the parser has read it already
			i := imported{path: path, at: c.module.Position(spec.Pos()), dir: p.Dir, test: f.Test || testOnly(p.Dir)}
			c.importOne(i)
			if spec.Name != nil && spec.Name.Name == "." {
				c.report(i.at, "pure", "a dot import hides where names come from")
			}
		}
	}
}

func (c *checker) importOne(i imported) {
	top, _, _ := strings.Cut(i.path, "/")
	switch {
	case within(i.path, c.module.Path):
		c.inside(i, localDir(c.module.Path, i.path))
	case i.path == "C":
		c.report(i.at, "third-party", "cgo: the program is one static binary")
	case strings.Contains(top, "."):
		c.thirdParty(i)
	}
	if !i.test {
		c.pureImport(i)
	}
}

func localDir(module, path string) string {
	if path == module {
		return "."
	}
	return strings.TrimPrefix(path, module+"/")
}

// inside judges an import of this module's own package in folder to.
func (c *checker) inside(i imported, to string) {
	own, _ := c.room(i.dir)
	other, named := c.room(to)
	if !named {
		return // reported where the package stands, or by the compiler
	}
	from, dest := c.rules.Rooms[own], c.rules.Rooms[other]
	if other > own && !(i.test && slices.Contains(from.TestsUse, dest.Path)) {
		c.report(i.at, "order", "room %s imports %s, which stands below it", from.Path, to)
	}
	if testOnly(to) && !i.test {
		c.report(i.at, "test-only", "%s is for tests, and this is none", to)
	}
	for _, a := range c.rules.Apart {
		if within(i.dir, a.Room) && within(to, a.From) {
			c.report(i.at, "apart", "%s must not import %s: %s", a.Room, a.From, a.Why)
		}
	}
}

func (c *checker) thirdParty(i imported) {
	row, named := c.moduleOf(i.path)
	if !named {
		c.report(i.at, "third-party", "no row of the table names %s", i.path)
		return
	}
	c.used[row.Path] = true
	allowed := len(row.In) == 0 || slices.ContainsFunc(row.In, func(dir string) bool { return c.admits(dir, i.dir) })
	switch {
	case !allowed:
		c.report(i.at, "third-party", "%s is let in only in %s: %s", row.Path, strings.Join(row.In, ", "), row.Why)
	case row.TestOnly && !i.test:
		c.report(i.at, "third-party", "%s is for tests: %s", row.Path, row.Why)
	}
}

// admits reports whether what is let in at a folder is let in at another one:
// it is the folder or below it, and no room of its own.
func (c *checker) admits(granted, dir string) bool {
	at, _ := c.room(dir)
	room := c.rules.Rooms[at].Path
	return within(dir, granted) && !(room != granted && within(room, granted))
}

func (c *checker) moduleOf(path string) (Module, bool) {
	var best Module
	for _, m := range c.rules.Modules {
		if within(path, m.Path) && len(m.Path) > len(best.Path) {
			best = m
		}
	}
	return best, best.Path != ""
}

func (c *checker) pureImport(i imported) {
	for _, p := range c.rules.Pure {
		if !within(i.dir, p.Room) {
			continue
		}
		for _, top := range p.Imports {
			if within(i.path, top) {
				c.report(i.at, "pure", "imports %s: %s", i.path, p.Why)
			}
		}
	}
}
