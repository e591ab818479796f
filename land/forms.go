package land

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// headBytes is how much of a result's beginning is remembered to name its form.
const headBytes = 512

// describe says in one line what a document that is not JSON looks like, or
// where JSON broke.
func describe(head []byte, err error) string {
	start := bytes.TrimLeft(head, " \t\r\n\ufeff")
	lower := strings.ToLower(string(start))
	switch {
	case strings.HasPrefix(lower, "<!doctype html") || strings.HasPrefix(lower, "<html"):
		return "an HTML page, not JSON"
	case strings.HasPrefix(lower, "<"):
		return "markup, not JSON"
	case looksLikeCSV(start):
		return "CSV, not JSON"
	}
	return describeSyntax(err)
}

// looksLikeCSV recognises a header line of several bare or quoted names.
func looksLikeCSV(start []byte) bool {
	line, _, _ := bytes.Cut(start, []byte("\n"))
	if len(line) == 0 || bytes.ContainsAny(line[:1], "{[") || !utf8.Valid(line) {
		return false
	}
	return bytes.Count(line, []byte(",")) >= 2
}

func describeSyntax(err error) string {
	var syntax *jsontext.SyntacticError
	if !errors.As(err, &syntax) {
		return fmt.Sprintf("not JSON: %s", oneLine(err.Error()))
	}
	what := "not JSON"
	if errors.Is(err, jsontext.ErrDuplicateName) {
		what = "a member stands twice in one object"
	}
	return fmt.Sprintf("%s at byte %d: %s", what, syntax.ByteOffset, oneLine(syntax.Err.Error()))
}

// oneLine makes text that quotes the document safe to print.
func oneLine(text string) string {
	quoted := shown(text)
	return strings.Trim(quoted, `"`)
}
