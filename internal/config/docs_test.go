package config

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

const docsPage = "../../docs/configuration.md"

// documented is the example of the page.
func documented(t testing.TB) []byte {
	t.Helper()
	page, err := os.ReadFile(docsPage)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```yaml\n(# weir.yaml\n.*?)```").FindSubmatch(page)
	if found == nil {
		t.Fatal("the page has no example that begins with # weir.yaml")
	}
	return found[1]
}

func TestDocumentedExample(t *testing.T) {
	c, err := Parse("weir.yaml", documented(t))
	if faults, ok := errors.AsType[Faults](err); ok {
		for _, f := range faults {
			t.Error(f)
		}
	}
	if len(c.Accounts) == 0 || len(c.Exports) == 0 || len(c.Schedules) == 0 || len(c.Destinations) == 0 || len(c.Notifications) == 0 {
		t.Errorf("the example leaves a part out: %+v", c)
	}
}

// TestDocumentedReference: the page's table is the description. Run with
// WEIR_WRITE_DOCS=1 to write it anew.
func TestDocumentedReference(t *testing.T) {
	page, err := os.ReadFile(docsPage)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- reference: begin -->\n", "<!-- reference: end -->\n"
	before, rest, ok := strings.Cut(string(page), begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		t.Fatal("the page has no place for the reference")
	}
	want := before + begin + reference() + end + after
	if want == string(page) {
		return
	}
	if os.Getenv("WEIR_WRITE_DOCS") == "" {
		t.Fatal("the page's reference is not the description: run WEIR_WRITE_DOCS=1 go test ./internal/config -run DocumentedReference")
	}
	if err := os.WriteFile(docsPage, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// reference is the description as a table.
func reference() string {
	var b strings.Builder
	b.WriteString("| key | value | what it is |\n|---|---|---|\n")
	top := described()
	rows(&b, "", top)
	rows(&b, "SOURCE", top.Defs["source"])
	return b.String()
}

func rows(b *strings.Builder, path string, s *schema) {
	for _, name := range s.order {
		below, at := s.Properties[name], join(path, name)
		about := below.Description
		if below.Default != nil {
			about += " Default `" + strings.Trim(strings.ReplaceAll(fmt.Sprint(below.Default), " ", ", "), "[]") + "`."
		}
		if required(s, name) {
			about += " **Required.**"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", at, strings.ReplaceAll(value(below), "|", `\|`), strings.ReplaceAll(about, "|", `\|`))
		descend(b, at, below)
	}
}

func descend(b *strings.Builder, at string, s *schema) {
	rows(b, at, s)
	if s.Items != nil {
		rows(b, at+"[]", s.Items)
	}
	if values, ok := s.AdditionalProperties.(*schema); ok {
		rows(b, at+".NAME", values)
	}
	for _, option := range s.AnyOf {
		rows(b, at, option)
	}
}

func required(s *schema, name string) bool {
	for _, known := range s.Required {
		if known == name {
			return true
		}
	}
	return false
}

// value is what may stand after a key, in few words.
func value(s *schema) string {
	switch {
	case s.Ref != "":
		return "SOURCE"
	case len(s.AnyOf) > 0:
		var options []string
		for _, option := range s.AnyOf {
			options = append(options, value(option))
		}
		return strings.Join(options, ", or ")
	case len(s.Enum) > 0:
		return "`" + strings.Join(s.Enum, "` `") + "`"
	case s.Minimum != nil:
		return fmt.Sprintf("number, %s to %s", strconv.FormatFloat(*s.Minimum, 'f', -1, 64), strconv.FormatFloat(*s.Maximum, 'f', -1, 64))
	case s.Type == "array" && s.Items.Type != "object":
		return "list: " + value(s.Items)
	case s.Type == "array":
		return "list"
	case s.Type == "object" && s.PropertyNames != nil:
		return "by name"
	case s.Type == "object":
		return "mapping"
	case strings.Contains(s.Pattern, "(forever|"):
		return "`forever`, or duration"
	case strings.Contains(s.Pattern, "(ms|s|m|h|d)"):
		return "duration"
	case s.Type == "boolean":
		return "`true` `false`"
	}
	return "text"
}
