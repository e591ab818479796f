package config

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

// judge is as much of JSON Schema as [Schema] uses. A keyword that it does not
// know fails the test, so that it cannot pass over one.
type judge struct {
	top map[string]any
}

func newJudge(t testing.TB) judge {
	t.Helper()
	var top map[string]any
	if err := json.Unmarshal(Schema(), &top); err != nil {
		t.Fatal(err)
	}
	return judge{top}
}

// refuses says why a schema refuses a value; empty where it does not.
func (j judge) refuses(s map[string]any, v any, path string) string {
	for _, keyword := range slices.Sorted(maps.Keys(s)) {
		if why := j.keyword(s, keyword, s[keyword], v, path); why != "" {
			return why
		}
	}
	return ""
}

func (j judge) keyword(s map[string]any, keyword string, want, v any, path string) string {
	switch keyword {
	case "$schema", "$defs", "title", "description", "default":
		return ""
	case "$ref":
		name := strings.TrimPrefix(want.(string), "#/$defs/")
		return j.refuses(j.top["$defs"].(map[string]any)[name].(map[string]any), v, path)
	case "type":
		if got := typeOf(v); got != want && (got != "integer" || want != "number") {
			return fmt.Sprintf("%s: %s is no %s", path, got, want)
		}
		return ""
	case "oneOf", "anyOf":
		return j.combined(keyword, want.([]any), v, path)
	}
	switch value := v.(type) {
	case string:
		return j.text(keyword, want, value, path)
	case float64:
		if keyword == "minimum" && value < want.(float64) || keyword == "maximum" && value > want.(float64) {
			return fmt.Sprintf("%s: %v against %s %v", path, value, keyword, want)
		}
	case []any:
		return j.list(keyword, want, value, path)
	case map[string]any:
		return j.mapping(s, keyword, want, value, path)
	}
	return ""
}

func (j judge) combined(keyword string, options []any, v any, path string) string {
	fitting := 0
	var why []string
	for _, option := range options {
		if refusal := j.refuses(option.(map[string]any), v, path); refusal != "" {
			why = append(why, refusal)
		} else {
			fitting++
		}
	}
	if fitting == 0 || keyword == "oneOf" && fitting > 1 {
		return fmt.Sprintf("%s: fits %d of %d (%s)", path, fitting, len(options), strings.Join(why, "; "))
	}
	return ""
}

func typeOf(v any) string {
	switch value := v.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case []any:
		return "array"
	case float64:
		if value == float64(int64(value)) {
			return "integer"
		}
		return "number"
	}
	return "object"
}

func (j judge) text(keyword string, want any, value, path string) string {
	refused := false
	switch keyword {
	case "enum":
		refused = !slices.Contains(want.([]any), any(value))
	case "pattern":
		refused = !regexp.MustCompile(want.(string)).MatchString(value)
	case "minLength":
		refused = utf8.RuneCountInString(value) < int(want.(float64))
	case "maxLength":
		refused = utf8.RuneCountInString(value) > int(want.(float64))
	default:
		return path + ": unknown keyword for text: " + keyword
	}
	if refused {
		return fmt.Sprintf("%s: %q against %s %v", path, value, keyword, want)
	}
	return ""
}

func (j judge) list(keyword string, want any, values []any, path string) string {
	refused := false
	switch keyword {
	case "items":
		for i, item := range values {
			if why := j.refuses(want.(map[string]any), item, fmt.Sprintf("%s[%d]", path, i)); why != "" {
				return why
			}
		}
	case "minItems":
		refused = len(values) < int(want.(float64))
	case "maxItems":
		refused = len(values) > int(want.(float64))
	case "uniqueItems":
		seen := map[any]bool{}
		for _, item := range values {
			refused = refused || seen[item]
			seen[item] = true
		}
	default:
		return path + ": unknown keyword for a list: " + keyword
	}
	if refused {
		return fmt.Sprintf("%s: against %s", path, keyword)
	}
	return ""
}

func (j judge) mapping(s map[string]any, keyword string, want any, values map[string]any, path string) string {
	known, _ := s["properties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(values)) {
		at, why := path+"."+name, ""
		switch keyword {
		case "properties":
			if below, ok := known[name].(map[string]any); ok {
				why = j.refuses(below, values[name], at)
			}
		case "propertyNames":
			why = j.refuses(want.(map[string]any), name, at)
		case "additionalProperties":
			if below, ok := want.(map[string]any); ok && known[name] == nil {
				why = j.refuses(below, values[name], at)
			} else if want == false && known[name] == nil {
				why = at + ": unknown key"
			}
		case "required", "maxProperties", "minProperties":
		default:
			why = path + ": unknown keyword for a mapping: " + keyword
		}
		if why != "" {
			return why
		}
	}
	switch keyword {
	case "required":
		for _, name := range want.([]any) {
			if _, ok := values[name.(string)]; !ok {
				return path + ": " + name.(string) + " is missing"
			}
		}
	case "maxProperties", "minProperties":
		if n := len(values); keyword == "maxProperties" && n > int(want.(float64)) || keyword == "minProperties" && n < int(want.(float64)) {
			return path + ": against " + keyword
		}
	}
	return ""
}

// refusesYAML judges a document as an editor would: by the values in it.
func (j judge) refusesYAML(t testing.TB, text []byte) string {
	t.Helper()
	data, err := yaml.YAMLToJSON(text)
	if err != nil {
		return err.Error()
	}
	var v any
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	if v == nil { // an empty text says nothing at all
		return ""
	}
	return j.refuses(j.top, v, "")
}

func TestSchemaAccepts(t *testing.T) {
	j := newJudge(t)
	text, err := os.ReadFile("testdata/whole.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{"whole": text, "whole, written": wholeConfig().Text(), "documented": documented(t)} {
		if why := j.refusesYAML(t, text); why != "" {
			t.Errorf("%s: %s", name, why)
		}
	}
}

// TestSchemaRefuses: what can be said in a schema is refused by it as well as
// by the parser.
func TestSchemaRefuses(t *testing.T) {
	j := newJudge(t)
	for _, text := range []string{
		"acounts: {}",
		"accounts: []",
		"accounts: {a: {}}",
		"accounts: {a: {key: secret}}",
		"accounts: {a: {key: {}}}",
		"accounts: {a: {key: {env: A, file: b}}}",
		"accounts: {a: {key: {env: 'A B'}}}",
		"accounts: {a: {key: {command: []}}}",
		"accounts: {'a b': {key: {env: A}}}",
		"accounts: {a: {key: {env: A}, slots: 0}}",
		"accounts: {a: {key: {env: A}, slots: 1.5}}",
		"accounts: {a: {key: {env: A}, slots: '1'}}",
		"accounts: {a: {key: {env: A}, fiscal_year_starts: feb}}",
		"state: {password: {env: A}}",
		"destinations: {a: {to: ''}}",
		"destinations: {a: {to: x, formats: [xlsx]}}",
		"destinations: {a: {to: x, formats: [csv, csv]}}",
		"exports: [{name: a, periods: [yesterday]}]",
		"exports: [{name: a, kind: deals}]",
		"exports: [{name: a, fresh: 90}]",
		"exports: [{name: a, currency: euro}]",
		"exports: [{forecasts: [a]}]",
		"schedules: {a: {exports: [x]}}",
		"schedules: {a: {exports: [x], cron: '* * * * *', at: quarter-close}}",
		"schedules: {a: {exports: [x], at: quarter-close, days_after: [0]}}",
		"schedules:",
		"retention: {snapshots: {}}",
		"retention: {snapshots: never}",
		"retention: {ledger: always}",
		"notifications: {a: {events: [failed]}}",
		"policy: fast",
		"policy: {poll_factor: 0.5}",
		"rate: 0",
		"rate: fast",
		"log: {level: 1}",
		"[]",
	} {
		if why := j.refusesYAML(t, []byte(text)); why == "" {
			t.Errorf("the schema accepts %s", text)
		}
		if _, err := Parse("weir.yaml", []byte(text)); err == nil {
			t.Errorf("the parser accepts %s", text)
		}
	}
}

func TestSchemaIsDraft202012(t *testing.T) {
	j := newJudge(t)
	if j.top["$schema"] != "https://json-schema.org/draft/2020-12/schema" {
		t.Errorf("$schema is %v", j.top["$schema"])
	}
	if again := Schema(); string(again) != string(Schema()) {
		t.Error("two calls differ")
	}
	if strings.Count(string(Schema()), `"#/$defs/source"`) < 5 {
		t.Error("sources do not share one definition")
	}
}

// FuzzParse: nothing panics; what is accepted is written and read to the same
// configuration, and the schema accepts it too.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.yaml")
	faulty, _ := filepath.Glob("testdata/faults/*.yaml")
	for _, file := range append(files, faulty...) {
		if text, err := os.ReadFile(file); err == nil {
			f.Add(text)
		}
	}
	for _, text := range []string{
		"rules: !0 #000", "a: &a [*a]", "rate: 1.5", "state: \"\\u00e9\\U0001F30A\"", "state: |\n  x", "? a\n: b", "accounts: {a: {key: {env: A}}}",
		"state: 'a''b'", "policy: {delay: 0s, poll_min: 1h1ms}", "retention: {ledger: 31d1s}", "state: >-\n  a\n  b\n", "log: {level: info}\r\nrate: 2\r\n",
	} {
		f.Add([]byte(text))
	}
	j := newJudge(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse("weir.yaml", text)
		if err != nil {
			return
		}
		written := c.Text()
		again, err := Parse("again", written)
		if err != nil {
			t.Fatalf("%v\n%s", err, written)
		}
		if diff := cmp.Diff(c, again); diff != "" {
			t.Fatalf("written and read again it differs (-first +again)\n%s", diff)
		}
		for _, accepted := range [][]byte{text, written} {
			if why := j.refusesYAML(t, accepted); why != "" {
				t.Fatalf("the schema refuses what was accepted: %s\n%s", why, accepted)
			}
		}
	})
}
