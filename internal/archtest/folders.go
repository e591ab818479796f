package archtest

import (
	"path"
	"slices"
	"strings"

	"github.com/weirhq/weir/internal/gosource"
)

// folder judges the names and the documentation of a package.
func (c *checker) folder(p *gosource.Package) {
	for element := range strings.SplitSeq(p.Dir, "/") {
		c.drawer(p.Dir, element)
	}
	for _, f := range p.Files {
		base := strings.TrimSuffix(strings.TrimSuffix(path.Base(f.Path), ".go"), "_test")
		c.drawer(f.Path, base)
	}
	c.doc(p)
	at, named := c.room(p.Dir)
	if named && testOnly(p.Dir) && c.rules.Rooms[at].Path != p.Dir && !slices.Contains(c.rules.Rooms[at].Tests, p.Dir) {
		c.report(p.Dir, "test-only", "the row of room %s does not name this package", c.rules.Rooms[at].Path)
	}
}

func (c *checker) drawer(at, name string) {
	if slices.Contains(c.rules.Drawers, name) {
		c.report(at, "drawer", "%q does not say what is inside", name)
	}
}

func (c *checker) doc(p *gosource.Package) {
	at := slices.IndexFunc(p.Files, func(f gosource.File) bool { return path.Base(f.Path) == "doc.go" })
	if at < 0 {
		c.report(p.Dir, "doc", "the package has no doc.go")
		return
	}
	syntax := p.Files[at].Syntax
	begin := "Package " + syntax.Name.Name + " "
	if syntax.Name.Name == "main" {
		begin = "Command " + path.Base(c.module.ImportPath(p.Dir)) + " "
	}
	if !strings.HasPrefix(syntax.Doc.Text(), begin) {
		c.report(p.Files[at].Path, "doc", "the package comment does not begin with %q", begin)
	}
}

// stale finds rows that speak of what is not there.
func (c *checker) stale() {
	for _, r := range c.rules.Rooms {
		built := c.exists(r.Path)
		if built && r.NotBuilt {
			c.report("rules", "stale", "room %s is marked as not built, and exists", r.Path)
		}
		if !built && !r.NotBuilt {
			c.report("rules", "stale", "room %s does not exist", r.Path)
		}
		for _, dir := range r.Tests {
			if !c.exists(dir) || !within(dir, r.Path) {
				c.report("rules", "stale", "room %s names %s, which it does not hold", r.Path, dir)
			}
		}
		c.rows("the tests of room "+r.Path, r.TestsUse...)
	}
	for _, a := range c.rules.Apart {
		c.rows("the rule that keeps "+a.Room+" apart from "+a.From, a.Room, a.From)
	}
	for _, p := range c.rules.Pure {
		c.rows("the purity of "+p.Room, p.Room)
	}
	for _, m := range c.rules.Modules {
		c.staleModule(m)
	}
}

// rows reports each path that is no room of the table.
func (c *checker) rows(what string, paths ...string) {
	for _, path := range paths {
		if !slices.ContainsFunc(c.rules.Rooms, func(r Room) bool { return r.Path == path }) {
			c.report("rules", "stale", "%s: no room is called %s", what, path)
		}
	}
}

func (c *checker) staleModule(m Module) {
	pending := false // a room that may use it is still to come
	for _, dir := range m.In {
		at, named := c.room(dir)
		switch {
		case c.exists(dir):
		case named && (c.rules.Rooms[at].NotBuilt || c.rules.Rooms[at].Path == dir):
			pending = true // marked as not built, or reported already
		default:
			c.report("rules", "stale", "%s is let in at %s, which does not exist", m.Path, dir)
		}
	}
	if !pending && !c.used[m.Path] {
		c.report("rules", "stale", "%s is let in and nothing imports it", m.Path)
	}
}

// exists reports whether the folder holds a package, itself or below it.
func (c *checker) exists(dir string) bool {
	return slices.ContainsFunc(c.module.Packages, func(p *gosource.Package) bool { return within(p.Dir, dir) })
}
