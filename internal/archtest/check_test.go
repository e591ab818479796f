package archtest_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/weirhq/weir/internal/archtest"
	"github.com/weirhq/weir/internal/gosource"
)

// synthetic is the table for the trees in testdata.
func synthetic() archtest.Rules {
	return archtest.Rules{
		Rooms: []archtest.Room{
			{Path: "."},
			{Path: "client", TestsUse: []string{"emulator"}},
			{Path: "plan"},
			{Path: "ledger", Tests: []string{"ledger/ledgertest"}},
			{Path: "ledger/heavy"},
			{Path: "emulator"},
			{Path: "web", NotBuilt: true},
			{Path: "cmd/m"},
		},
		Modules: []archtest.Module{
			{Path: "example.org/sql", In: []string{"ledger"}, Why: "heavy"},
			{Path: "example.org/sql/admin", In: []string{"ledger/heavy"}, Why: "heavier"},
			{Path: "example.org/page", In: []string{"web"}, Why: "heavy"},
			{Path: "example.org/cmp", TestOnly: true, Why: "differences"},
		},
		Apart:        []archtest.Apart{{Room: "emulator", From: "client", Why: "no shared types"}},
		Pure:         []archtest.Pure{{Room: "plan", Imports: []string{"net", "os"}, Names: []string{"time.Now"}, Why: "the instant is a parameter"}},
		Constructors: []string{"errors.New", "regexp.MustCompile"},
		Drawers:      []string{"util", "helpers"},
	}
}

// TestRulesAreKeptOrBroken lays each tree of testdata over good.txtar and
// wants exactly the findings in its comment, one on each line after "want:". A
// file that is empty in the overlay is taken away.
func TestRulesAreKeptOrBroken(t *testing.T) {
	good := read(t, "good.txtar")
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) < 2 {
		t.Fatalf("found %q: %v", paths, err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			over := read(t, filepath.Base(path))
			want := wanted(over.Comment)
			if path != filepath.Join("testdata", "good.txtar") && len(want) == 0 {
				t.Fatal("the tree wants no finding, so it proves nothing")
			}
			got := findings(t, lay(good, over), synthetic())
			if !slices.Equal(got, want) {
				t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
			}
		})
	}
}

func read(t *testing.T, name string) *txtar.Archive {
	t.Helper()
	a, err := txtar.ParseFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func wanted(comment []byte) []string {
	var want []string
	for line := range strings.Lines(string(comment)) {
		if text, ok := strings.CutPrefix(line, "want: "); ok {
			want = append(want, strings.TrimSpace(text))
		}
	}
	slices.Sort(want)
	return want
}

func lay(base, over *txtar.Archive) *txtar.Archive {
	laid := &txtar.Archive{}
	replaced := func(f txtar.File) bool {
		return slices.ContainsFunc(over.Files, func(o txtar.File) bool { return o.Name == f.Name })
	}
	laid.Files = slices.DeleteFunc(slices.Clone(base.Files), replaced)
	for _, f := range over.Files {
		if len(f.Data) > 0 {
			laid.Files = append(laid.Files, f)
		}
	}
	return laid
}

func findings(t *testing.T, a *txtar.Archive, rules archtest.Rules) []string {
	t.Helper()
	fsys, err := txtar.FS(a)
	if err != nil {
		t.Fatal(err)
	}
	m, err := gosource.Load(fsys)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range archtest.Check(m, rules) {
		found = append(found, f.String())
	}
	slices.Sort(found)
	return found
}

// TestStaleRules breaks the table instead of the tree.
func TestStaleRules(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*archtest.Rules)
		want   string
	}{
		{"room that is not there", func(r *archtest.Rules) { r.Rooms[6].NotBuilt = false },
			"rules: stale: room web does not exist"},
		{"room said to be not built", func(r *archtest.Rules) { r.Rooms[2].NotBuilt = true },
			"rules: stale: room plan is marked as not built, and exists"},
		{"test-only package that is not there", func(r *archtest.Rules) { r.Rooms[1].Tests = []string{"client/clienttest"} },
			"rules: stale: room client names client/clienttest, which it does not hold"},
		{"test-only package of another room", func(r *archtest.Rules) { r.Rooms[1].Tests = []string{"ledger/ledgertest"} },
			"rules: stale: room client names ledger/ledgertest, which it does not hold"},
		{"tests that use no room", func(r *archtest.Rules) { r.Rooms[2].TestsUse = []string{"gone"} },
			"rules: stale: the tests of room plan: no room is called gone"},
		{"apart from no room", func(r *archtest.Rules) { r.Apart[0].From = "gone" },
			"rules: stale: the rule that keeps emulator apart from gone: no room is called gone"},
		{"purity of no room", func(r *archtest.Rules) { r.Pure[0].Room = "gone" },
			"rules: stale: the purity of gone: no room is called gone"},
		{"module let in nowhere", func(r *archtest.Rules) { r.Modules[0].In = []string{"ledger", "gone"} },
			"rules: stale: example.org/sql is let in at gone, which does not exist"},
		{"module that nothing imports", func(r *archtest.Rules) {
			r.Modules = append(r.Modules, archtest.Module{Path: "example.org/old", In: []string{"ledger"}})
		}, "rules: stale: example.org/old is let in and nothing imports it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			rules := synthetic()
			c.change(&rules)
			if got := findings(t, read(t, "good.txtar"), rules); !slices.Equal(got, []string{c.want}) {
				t.Errorf("got %q, want only %q", got, c.want)
			}
		})
	}
}

func ExampleCheck() {
	fsys, _ := txtar.FS(txtar.Parse([]byte("-- go.mod --\nmodule m\n-- doc.go --\n// Package m counts.\npackage m\n\nvar count int\n")))
	m, err := gosource.Load(fsys)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, finding := range archtest.Check(m, archtest.Rules{Rooms: []archtest.Room{{Path: "."}}}) {
		fmt.Println(finding)
	}
	// Output: doc.go:4: state: count starts empty or from many values at once, so it is there to change
}
