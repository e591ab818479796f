package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/weirhq/weir/land"
)

// The pages commands.md and files.md hold blocks that are written from the
// program. These tests fail when a block and the program differ. Run with
// WEIR_WRITE_DOCS=1 to write the blocks anew; a command that the page does not
// name gets a section at its end, to be moved to where it belongs.

const writeDocs = "WEIR_WRITE_DOCS"

var docsBlock = regexp.MustCompile(`(?s)<!-- (flags|columns): ([a-z_ ]+) -->\n(.*?)<!-- end -->`)

func TestDocumentedCommands(t *testing.T) {
	tree := map[string]*cobra.Command{}
	all := commands(newRoot(&globals{}))
	for _, cmd := range all {
		tree[cmd.CommandPath()] = cmd
	}
	checkPage(t, "commands.md", func(page string) string {
		for _, cmd := range all {
			path := cmd.CommandPath()
			if path != "weir" && !strings.Contains(page, "\n### "+path+"\n") {
				t.Errorf("docs/commands.md has no section for %s", path)
				page += sectionOf(path, cmd)
			}
		}
		return page
	}, func(path string) (string, bool) {
		cmd := tree[path]
		if cmd == nil {
			return "", false
		}
		return flagTable(path, cmd, tree), true
	})
}

// TestCommandsInReadme: the README's table has every command that does something.
func TestCommandsInReadme(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, cmd := range commands(newRoot(&globals{})) {
		named := regexp.MustCompile("(?m)^\\|.*`" + cmd.CommandPath() + "\\b")
		if !cmd.HasSubCommands() && !named.Match(text) {
			t.Errorf("the table of commands in README.md lacks %s", cmd.CommandPath())
		}
	}
}

func TestDocumentedColumns(t *testing.T) {
	tables := map[string]land.Table{}
	for _, table := range land.AllTables() {
		tables[table.Name] = table
	}
	checkPage(t, "files.md", func(page string) string {
		for name := range tables {
			if !strings.Contains(page, "<!-- columns: "+name+" -->") {
				t.Errorf("docs/files.md has no table %s", name)
			}
		}
		return page
	}, func(name string) (string, bool) {
		table, ok := tables[name]
		return columnTable(table), ok
	})
}

// checkPage compares every block of a page with what it should be, or writes
// the page anew. Complete adds what the page lacks altogether.
func checkPage(t *testing.T, name string, complete func(string) string, block func(string) (string, bool)) {
	t.Helper()
	path := filepath.Join("..", "..", "docs", name)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	page := docsBlock.ReplaceAllStringFunc(complete(string(text)), func(old string) string {
		part := docsBlock.FindStringSubmatch(old)
		want, ok := block(part[2])
		if !ok {
			t.Errorf("docs/%s has %s of %q, which is not there", name, part[1], part[2])
			return old
		}
		if want != part[3] {
			t.Errorf("docs/%s: the %s of %s are not the program's: run %s=1 go test ./internal/cli -run Documented\nhas\n%s\nwant\n%s",
				name, part[1], part[2], writeDocs, part[3], want)
		}
		return fmt.Sprintf("<!-- %s: %s -->\n%s<!-- end -->", part[1], part[2], want)
	})
	if os.Getenv(writeDocs) != "" && page != string(text) {
		if err := os.WriteFile(path, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func sectionOf(path string, cmd *cobra.Command) string {
	about := cmd.Long
	if about == "" {
		about = cmd.Short
	}
	return fmt.Sprintf("\n### %s\n\n%s\n\n<!-- flags: %s -->\n<!-- end -->\n", path, about, path)
}

// flagTable is a command's own flags; those of "weir" are everybody's. A
// command that takes what another one takes says so.
func flagTable(path string, cmd *cobra.Command, tree map[string]*cobra.Command) string {
	rows := flagRows(cmd)
	like, isKind := strings.CutPrefix(path, "weir plan ")
	if other := tree["weir export "+like]; isKind && other != nil && flagRows(other) == rows {
		return "The flags of `weir export " + like + "`.\n"
	}
	if rows == "" {
		return ""
	}
	return "| Flag | Default | What it does |\n|---|---|---|\n" + rows
}

func flagRows(cmd *cobra.Command) string {
	var b strings.Builder
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if f.Name == "help" || f.Hidden {
			return
		}
		kind := f.Value.Type()
		switch kind {
		case "bool":
			kind = ""
		case "stringArray":
			kind = " string.."
		default:
			kind = " " + kind
		}
		fmt.Fprintf(&b, "| `--%s%s` | %s | %s |\n", f.Name, kind, defaultOf(f), strings.ReplaceAll(f.Usage, "|", `\|`))
	})
	return b.String()
}

func defaultOf(f *pflag.Flag) string {
	value := strings.Trim(f.DefValue, "[]")
	if value == "" || value == "false" || strings.Contains(f.Usage, "(default") {
		return "" // none, or the words say it
	}
	return "`" + value + "`"
}

// columnTable is a table's columns with their types, what they are and where they
// come from.
func columnTable(table land.Table) string {
	var b strings.Builder
	b.WriteString("| Column | Type | What it is | Null means | From |\n|---|---|---|---|---|\n")
	for _, c := range table.Columns {
		words := table.Words(c.Name)
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", c.Name, c.Kind, words.About, words.Null, originOf(table, c))
	}
	return b.String()
}

func originOf(table land.Table, c land.Column) string {
	switch {
	case c.Rest:
		return "every other member"
	case c.Constant != "":
		return "weir"
	case c.Lookup != "":
		return "looked up: `" + c.Lookup + "`"
	case c.Made != "":
		return c.Made
	}
	return "`" + table.Array + "[]." + c.Member + "`"
}
