package land

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/weirhq/weir"
)

// The forms of the server's file, as in [weir.Request.ExportFormat].
const (
	formJSON = "JSON"
	formCSV  = "CSV"
)

func formOf(r weir.Request) string { return r.Normal().ExportFormat }

// extensionOf ends the name of a raw file.
func extensionOf(r weir.Request) string { return "." + strings.ToLower(formOf(r)) + ".zst" }

// headBytes is how much of a result's beginning is remembered to name its form.
const headBytes = 512

// describe says in one line what a document that is not of the wanted form
// looks like, or where it broke.
func describe(head []byte, err error, form string) string {
	start := bytes.TrimLeft(head, " \t\r\n\ufeff")
	lower := strings.ToLower(string(start))
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		return "gzip data that the server did not announce, not " + form
	case strings.HasPrefix(lower, "<!doctype html") || strings.HasPrefix(lower, "<html"):
		return "an HTML page, not " + form
	case strings.HasPrefix(lower, "<"):
		return "markup, not " + form
	case form == formCSV:
		return describeSheet(start, err)
	case looksLikeCSV(start):
		return "CSV, not JSON"
	}
	return describeSyntax(err)
}

func describeSheet(start []byte, err error) string {
	var syntax *csv.ParseError
	switch {
	case bytes.HasPrefix(start, []byte("{")) || bytes.HasPrefix(start, []byte("[")):
		return "JSON, not CSV"
	case !errors.As(err, &syntax):
		return "not CSV: " + oneLine(err.Error())
	}
	return fmt.Sprintf("not CSV in line %d: %s", syntax.Line, oneLine(syntax.Err.Error()))
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
