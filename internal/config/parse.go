package config

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// maxFile bounds a configuration: 10,000 accounts take about 2 MiB.
const maxFile = 8 << 20

// Load reads and parses a file. Relative paths in it are meant from the file's
// own folder, and come back absolute. What is wrong in the text is [Faults];
// other errors are those of reading the file.
func Load(path string) (Config, error) {
	text, err := readText(path)
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	return parseAt(path, text)
}

// parseAt parses the text of a file.
func parseAt(path string, text []byte) (Config, error) {
	c, err := Parse(path, text)
	if err != nil {
		return Config{}, err
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return Config{}, fmt.Errorf("read configuration: %w", err)
	}
	return c.from(dir), nil
}

func readText(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxFile+1)) // Parse refuses the byte too many
}

// Parse reads a configuration. name stands in the faults and is not opened. A
// text with anything wrong gives [Faults] and no Config; it never panics and
// never does I/O. An empty text is a configuration that says nothing.
func Parse(name string, text []byte) (Config, error) {
	r := &reader{file: name, spots: map[string]spot{}, unsound: map[string]bool{}}
	body, ok := r.document(text)
	if !ok {
		return Config{}, sorted(r.faults)
	}
	shape := configShape()
	var c Config
	if body == nil {
		c = shape.empty()
	} else {
		c = shape.read(r, body, "")
	}
	r.check(&c)
	if len(r.faults) > 0 {
		return Config{}, sorted(r.faults)
	}
	return c, nil
}

// reader collects faults, and where each path of the document stands.
type reader struct {
	file   string
	faults []Fault
	spots  map[string]spot
	// unsound are the paths of faults and all paths above them.
	unsound map[string]bool
}

type spot struct{ line, column int }

func (r *reader) fault(at spot, path, message, hint string) {
	r.faults = append(r.faults, Fault{
		File: r.file, Line: max(1, at.line), Column: max(1, at.column), Path: path, Message: message, Hint: hint,
	})
	for path != "" && !r.unsound[path] {
		r.unsound[path] = true
		path = path[:max(0, strings.LastIndexAny(path, ".["))]
	}
}

// refuse reports a fault at a path that has been read.
func (r *reader) refuse(path, message, hint string) { r.fault(r.spots[path], path, message, hint) }

// sound reports whether nothing at or below the path is at fault.
func (r *reader) sound(path string) bool { return !r.unsound[path] }

// document is the one document of a text, nil where it is empty; false means
// that nothing can be said about its contents.
func (r *reader) document(text []byte) (body ast.Node, ok bool) {
	switch {
	case len(text) > maxFile:
		r.fault(spot{}, "", fmt.Sprintf("the file is larger than %d MiB", maxFile>>20), "")
		return nil, false
	case !utf8.Valid(text):
		r.fault(spot{}, "", "the file is not UTF-8 text", "save it as UTF-8")
		return nil, false
	}
	// the library's scanner loses a tag that ends the text without a line break
	file, err := r.syntax(strings.TrimPrefix(string(text), "\ufeff") + "\n")
	if err != nil {
		r.fault(spotOfError(err), "", "malformed YAML: "+reason(err), "")
		return nil, false
	}
	if file == nil {
		return nil, false
	}
	return r.single(file)
}

// single is the body of a file's one document.
func (r *reader) single(file *ast.File) (ast.Node, bool) {
	var bodies []ast.Node
	for _, doc := range file.Docs {
		if doc.Body != nil && doc.Body.Type() != ast.CommentType {
			bodies = append(bodies, doc.Body)
		}
	}
	if len(bodies) > 1 {
		r.fault(spotOf(bodies[1]), "", "a second document begins here", "keep one document in the file: remove the line ---")
		return nil, false
	}
	if len(bodies) == 0 {
		return nil, true
	}
	return bodies[0], true
}

var errMalformed = errors.New("this text makes no sense as YAML")

// syntax reads YAML into its tree. The library has panicked on malformed texts;
// that is an error like any other. A nil tree without an error means that the
// faults are reported.
func (r *reader) syntax(text string) (file *ast.File, err error) {
	defer func() {
		if recover() != nil {
			file, err = nil, errMalformed
		}
	}()
	tokens := lexer.Tokenize(text)
	if r.guard(tokens) {
		return nil, nil
	}
	return parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
}

const (
	// maxNesting bounds flow collections and collections that begin on one
	// line: the library's parser is recursive, and this format is not deep.
	maxNesting = 32
	// maxOddities bounds what is reported one by one.
	maxOddities = 20
)

// guard reports what this format leaves out of YAML: anchors, aliases, merges,
// tags and directives, for which no schema speaks, and deep nesting. It reports
// whether the text must not be read further.
func (r *reader) guard(tokens token.Tokens) bool {
	odd, depth, started, line := 0, 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			line, started = t.Position.Line, 0
		}
		switch t.Type {
		case token.AnchorType, token.AliasType, token.MergeKeyType, token.TagType, token.DirectiveType:
			odd++
			r.fault(spotOfToken(t), "", "anchors, aliases, merges, tags and directives are not read here", "write the value out")
		case token.MappingStartType, token.SequenceStartType:
			depth++
		case token.MappingEndType, token.SequenceEndType:
			depth--
		case token.SequenceEntryType, token.MappingKeyType:
			started++
		}
		if depth > maxNesting || started > maxNesting {
			r.fault(spotOfToken(t), "", fmt.Sprintf("nested deeper than %d", maxNesting), "")
			return true
		}
		if odd >= maxOddities {
			return true
		}
	}
	return false
}

// plain is a node without the anchor or tag before it; nil where only an alias
// or a merge stands, which [reader.guard] has reported.
func plain(n ast.Node) ast.Node {
	for {
		switch wrapped := n.(type) {
		case *ast.AnchorNode:
			n = wrapped.Value
		case *ast.TagNode:
			n = wrapped.Value
		case *ast.AliasNode, *ast.MergeKeyNode, *ast.DirectiveNode:
			return nil
		default:
			return n
		}
	}
}

func spotOfToken(t *token.Token) spot {
	if t == nil || t.Position == nil {
		return spot{}
	}
	return spot{t.Position.Line, t.Position.Column}
}

func spotOfError(err error) spot {
	if said, ok := errors.AsType[yaml.Error](err); ok {
		return spotOfToken(said.GetToken())
	}
	return spot{}
}

// reason is the library's own message without its excerpt of the text, which
// may hold a secret.
func reason(err error) string {
	if said, ok := errors.AsType[yaml.Error](err); ok {
		return said.GetMessage()
	}
	return errMalformed.Error()
}
