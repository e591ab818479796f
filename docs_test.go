package weir_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir"
)

// The pages of docs say what the code does. These tests read numbers and codes
// out of the source itself, so that a page may name what no package exports.

func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// rowsOf are the cells of every table row between two headings of a page.
func rowsOf(text, heading string) [][]string {
	_, section, _ := strings.Cut(text, heading+"\n")
	if next := regexp.MustCompile(`(?m)^## `).FindStringIndex(section); next != nil {
		section = section[:next[0]]
	}
	var rows [][]string
	for line := range strings.Lines(section) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|--") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		rows = append(rows, cells)
	}
	return rows
}

func TestDocumentedMoves(t *testing.T) {
	whose := map[bool]string{false: "weir", true: "a person"}
	want := map[string]bool{}
	for _, m := range weir.Moves() {
		want[fmt.Sprintf("%s → %s by %s", m.From, m.To, whose[m.ByPerson])] = true
	}
	for i, cells := range rowsOf(page(t, "docs/rules.md"), "## States and moves") {
		if i == 0 {
			continue // the head
		}
		move := fmt.Sprintf("%s → %s by %s", cells[0], cells[1], cells[2])
		if !want[move] {
			t.Errorf("docs/rules.md has %q; weir.Moves has not, or it stands there twice", move)
		}
		delete(want, move)
	}
	for move := range want {
		t.Errorf("docs/rules.md lacks %q", move)
	}
}

var numberRow = regexp.MustCompile("(?m)^\\| `([a-z/]+)\\.([A-Za-z.]+)` \\| ([^|]+) \\|")

// TestDocumentedNumbers compares every row "| `package.name` | value |" with
// the constant, or the field of what the named function returns.
func TestDocumentedNumbers(t *testing.T) {
	sources := map[string]*source{}
	rows := numberRow.FindAllStringSubmatch(page(t, "docs/rules.md"), -1)
	for _, row := range rows {
		dir, name, said := row[1], row[2], strings.TrimSpace(row[3])
		if sources[dir] == nil {
			sources[dir] = parseSource(t, dir)
		}
		is, err := sources[dir].number(name)
		if err != nil {
			t.Errorf("docs/rules.md: %s.%s: %v", dir, name, err)
			continue
		}
		if want, err := readNumber(said); err != nil || want != is {
			t.Errorf("docs/rules.md says %s.%s is %s; the code has %s", dir, name, said, showNumber(is))
		}
	}
	if len(rows) < 70 {
		t.Errorf("only %d numbers are compared: has the table's form changed?", len(rows))
	}
}

// readNumber reads a duration, in nanoseconds, or a plain number.
func readNumber(text string) (float64, error) {
	if d, err := time.ParseDuration(text); err == nil && strings.ContainsAny(text, "hms") {
		return float64(d), nil
	}
	return strconv.ParseFloat(text, 64)
}

func showNumber(v float64) string {
	return fmt.Sprintf("%v (as a duration %v)", v, time.Duration(v))
}

// source is one package as it is written, tests apart.
type source struct {
	constants map[string]ast.Expr
	functions map[string]*ast.FuncDecl
	files     []*ast.File
}

func parseSource(t *testing.T, dir string) *source {
	t.Helper()
	s := &source{constants: map[string]ast.Expr{}, functions: map[string]*ast.FuncDecl{}}
	paths, err := filepath.Glob(filepath.Join(filepath.FromSlash(dir), "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("find the source of %s: %v", dir, err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		s.files = append(s.files, file)
		for _, decl := range file.Decls {
			s.declare(decl)
		}
	}
	return s
}

func (s *source) declare(decl ast.Decl) {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			s.functions[d.Name.Name] = d
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if v, ok := spec.(*ast.ValueSpec); ok && d.Tok == token.CONST && len(v.Values) == len(v.Names) {
				for i, name := range v.Names {
					s.constants[name.Name] = v.Values[i]
				}
			}
		}
	}
}

// number is the value of a constant, or of "Function.Field" in the composite
// literal that the function holds. Durations are in nanoseconds.
func (s *source) number(name string) (float64, error) {
	function, field, isField := strings.Cut(name, ".")
	if !isField {
		value, ok := s.constants[name]
		if !ok {
			return 0, fmt.Errorf("no constant has this name")
		}
		return s.eval(value)
	}
	decl, ok := s.functions[function]
	if !ok {
		return 0, fmt.Errorf("no function has this name")
	}
	var value ast.Expr
	ast.Inspect(decl, func(n ast.Node) bool {
		pair, ok := n.(*ast.KeyValueExpr)
		if key, named := keyOf(pair, ok); named && key == field {
			value = pair.Value
		}
		return true
	})
	if value == nil {
		return 0, fmt.Errorf("the function sets no such field")
	}
	return s.eval(value)
}

func keyOf(pair *ast.KeyValueExpr, ok bool) (string, bool) {
	if !ok {
		return "", false
	}
	key, named := pair.Key.(*ast.Ident)
	if !named {
		return "", false
	}
	return key.Name, true
}

func (s *source) eval(e ast.Expr) (float64, error) {
	switch e := e.(type) {
	case *ast.BasicLit:
		return strconv.ParseFloat(e.Value, 64)
	case *ast.ParenExpr:
		return s.eval(e.X)
	case *ast.Ident:
		return s.number(e.Name)
	case *ast.SelectorExpr:
		units := map[string]time.Duration{"Millisecond": time.Millisecond, "Second": time.Second, "Minute": time.Minute, "Hour": time.Hour}
		if unit, ok := units[e.Sel.Name]; ok {
			return float64(unit), nil
		}
	case *ast.BinaryExpr:
		x, errX := s.eval(e.X)
		y, errY := s.eval(e.Y)
		if errX == nil && errY == nil {
			return apply(e.Op, x, y)
		}
	}
	return 0, fmt.Errorf("its value is not a plain expression")
}

func apply(op token.Token, x, y float64) (float64, error) {
	switch op {
	case token.MUL:
		return x * y, nil
	case token.QUO:
		return x / y, nil
	case token.ADD:
		return x + y, nil
	case token.SUB:
		return x - y, nil
	case token.SHL:
		return float64(int64(x) << int64(y)), nil
	}
	return 0, fmt.Errorf("its operator %s is not known here", op)
}

// strings are the values of the string constants whose names match.
func (s *source) strings(name *regexp.Regexp) []string {
	var all []string
	for constant, value := range s.constants {
		if literal, ok := value.(*ast.BasicLit); ok && literal.Kind == token.STRING && name.MatchString(constant) {
			all = append(all, literal.Value)
		}
	}
	return all
}

// TestDocumentedCodes: every code that a failure, a fault or an ending can have
// stands on the page about trouble.
func TestDocumentedCodes(t *testing.T) {
	trouble := page(t, "docs/troubleshooting.md")
	codes := parseSource(t, ".").strings(regexp.MustCompile(`^(Code[A-Z]|Wait[A-Z])`))
	codes = append(codes, faultCodes(t)...)
	codes = append(codes, verdicts(t)...)
	for _, quoted := range codes {
		code, err := strconv.Unquote(quoted)
		if err != nil || code == "" {
			continue
		}
		if !strings.Contains(trouble, "`"+code+"`") {
			t.Errorf("docs/troubleshooting.md does not say what %q means", code)
		}
	}
	if len(codes) < 30 {
		t.Errorf("only %d codes were found: have they moved?", len(codes))
	}
}

func verdicts(t *testing.T) []string {
	found := parseSource(t, "engine").strings(regexp.MustCompile(`^(KeyRefused|QuotaUsed|NothingActs|DeadlineOver|Unwritable|NobodyDecides)$`))
	if len(found) != 6 {
		t.Errorf("%d of 6 verdicts found in engine", len(found))
	}
	return found
}

// faultCodes are the codes of faults: the field Code of a literal, and the
// third field of a row of the rules.
func faultCodes(t *testing.T) []string {
	var codes []string
	add := func(e ast.Expr) {
		if literal, ok := e.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			codes = append(codes, literal.Value)
		}
	}
	for _, dir := range []string{"internal/app", "internal/cli"} {
		for _, file := range parseSource(t, dir).files {
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.KeyValueExpr:
					if key, named := keyOf(n, true); named && key == "Code" {
						add(n.Value)
					}
				case *ast.CompositeLit:
					if n.Type == nil && len(n.Elts) == 4 { // a row of faultRules
						add(n.Elts[2])
					}
				}
				return true
			})
		}
	}
	return codes
}

// TestDocumentedChecks: every check of a result stands on the page about files.
func TestDocumentedChecks(t *testing.T) {
	files := page(t, "docs/files.md")
	checks := parseSource(t, "land").strings(regexp.MustCompile(`^Check[A-Z]`))
	for _, quoted := range checks {
		name, _ := strconv.Unquote(quoted)
		if !strings.Contains(files, "| `"+name+"` |") {
			t.Errorf("docs/files.md does not say what the check %q refuses", name)
		}
	}
	if len(checks) < 10 {
		t.Errorf("only %d checks were found: have they moved?", len(checks))
	}
}

// TestDocumentedExitCodes: the page's table has exactly the program's codes.
func TestDocumentedExitCodes(t *testing.T) {
	app := parseSource(t, "internal/app")
	want := map[string]bool{}
	for name := range app.constants {
		if strings.HasPrefix(name, "Exit") {
			code, err := app.number(name)
			if err != nil {
				t.Fatal(err)
			}
			want[strconv.Itoa(int(code))] = true
		}
	}
	for _, name := range []string{"docs/commands.md", "README.md"} {
		seen := map[string]bool{}
		for _, cells := range rowsOf(page(t, name), "## Exit codes") {
			if _, err := strconv.Atoi(cells[0]); err == nil {
				seen[cells[0]] = true
			}
		}
		if fmt.Sprint(seen) != fmt.Sprint(want) {
			t.Errorf("%s has the exit codes %v, the program %v", name, seen, want)
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

// TestDocumentedLinks: links between pages lead somewhere.
func TestDocumentedLinks(t *testing.T) {
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(pages, "README.md", "CONTRIBUTING.md", "SECURITY.md") {
		for _, found := range link.FindAllStringSubmatch(page(t, name), -1) {
			target := filepath.Join(filepath.Dir(name), filepath.FromSlash(found[1]))
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s links to %s: %v", name, found[1], err)
				continue
			}
			if found[2] != "" && !hasHeading(page(t, target), found[2][1:]) {
				t.Errorf("%s links to %s%s: no such heading", name, found[1], found[2])
			}
		}
	}
}

var notAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)

func hasHeading(text, anchor string) bool {
	for line := range strings.Lines(text) {
		heading := strings.TrimSpace(strings.TrimLeft(line, "#"))
		slug := strings.ReplaceAll(notAnchor.ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
		if strings.HasPrefix(line, "#") && slug == anchor {
			return true
		}
	}
	return false
}

// TestDocumentedPages: the list of pages names every page.
func TestDocumentedPages(t *testing.T) {
	list := page(t, "docs/README.md")
	entries, err := fs.Glob(os.DirFS("docs"), "*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range entries {
		if name != "README.md" && !strings.Contains(list, "]("+name+")") {
			t.Errorf("docs/README.md does not name %s", name)
		}
	}
}
