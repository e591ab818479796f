package config

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
)

// textRule bounds a text. Every bound stands in the schema too, but check.
type textRule struct {
	want    string   // what it should be, for messages: "a name such as acme"
	pattern string   // in the syntax that Go and JSON Schema share
	one     []string // or one of these
	most    int      // characters; 4096 where 0
	// secret keeps the value out of messages.
	secret bool
	// check judges what no pattern can: a message and a hint where it refuses.
	check func(string) (message, hint string)
}

func (t textRule) limit() int {
	if t.most == 0 {
		return 4096
	}
	return t.most
}

// text is a text by a rule.
func text[T ~string](rule textRule) shape[T] {
	says := schema{Type: "string", Enum: rule.one, Pattern: rule.pattern, MinLength: 1, MaxLength: rule.limit()}
	if len(rule.one) > 0 {
		says.MinLength, says.MaxLength = 0, 0
	}
	var pattern *regexp.Regexp
	if rule.pattern != "" {
		pattern = regexp.MustCompile(rule.pattern)
	}
	return shape[T]{
		says:  says,
		write: func(v T) any { return string(v) },
		read: func(r *reader, n ast.Node, path string) T {
			value, ok := r.text(n, path)
			if !ok {
				return ""
			}
			if message, hint := rule.judge(value, pattern); message != "" {
				r.fault(spotOf(n), path, message, hint)
			}
			return T(value)
		},
	}
}

// text is what a scalar says, where it is text.
func (r *reader) text(n ast.Node, path string) (string, bool) {
	switch node := plain(n).(type) {
	case nil:
		if n == nil {
			r.fault(r.spots[path], path, "is empty", "")
		}
		return "", false
	case *ast.StringNode:
		return node.Value, true
	case *ast.LiteralNode:
		if node.Value != nil {
			return node.Value.Value, true
		}
		return "", true
	case *ast.NullNode:
		r.fault(spotOf(n), path, "is empty", "give a value, or remove the line")
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		r.fault(spotOf(n), path, "want text, found "+kindOf(node), "put it in quotes")
	default:
		r.fault(spotOf(n), path, "want text, found "+kindOf(node), "")
	}
	return "", false
}

func (t textRule) judge(value string, pattern *regexp.Regexp) (message, hint string) {
	switch {
	case value == "":
		return "is empty", "give a value, or remove the line"
	case utf8.RuneCountInString(value) > t.limit():
		return fmt.Sprintf("is longer than %d characters", t.limit()), ""
	case strings.ContainsFunc(value, unicode.IsControl):
		return "holds a control character or a line break", ""
	case len(t.one) > 0 && !slices.Contains(t.one, value):
		return "unknown word" + t.quoted(value), "known: " + strings.Join(t.one, ", ") + meant(value, t.one)
	case pattern != nil && !pattern.MatchString(value):
		return "not " + t.want + t.quoted(value), ""
	case t.check != nil:
		return t.check(value)
	}
	return "", ""
}

func (t textRule) quoted(value string) string {
	if t.secret {
		return ""
	}
	if runes := []rune(value); len(runes) > 60 {
		value = string(runes[:60]) + ".."
	}
	return fmt.Sprintf(": %q", value)
}

// switchOf is true or false.
func switchOf() shape[bool] {
	return shape[bool]{
		says:  schema{Type: "boolean"},
		write: func(v bool) any { return v },
		read: func(r *reader, n ast.Node, path string) bool {
			node := plain(n)
			if b, ok := node.(*ast.BoolNode); ok {
				return b.Value
			}
			if node != nil {
				r.fault(spotOf(n), path, "want true or false, found "+kindOf(node), "")
			}
			return false
		},
	}
}

// plainNumber leaves out the spellings on which YAML's versions differ, such as
// 010 and 1_000.
var plainNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,40})?$`)

// whole is an integer, both bounds included.
func whole(least, most int) shape[int] {
	return shape[int]{
		says:  schema{Type: "integer", Minimum: bound(least), Maximum: bound(most)},
		write: func(v int) any { return v },
		read: func(r *reader, n ast.Node, path string) int {
			literal, ok := r.number(n, path, "a whole number")
			if !ok {
				return 0
			}
			value, err := strconv.Atoi(literal)
			if err != nil || value < least || value > most {
				r.fault(spotOf(n), path, fmt.Sprintf("not a whole number from %d to %d", least, most), "")
				return 0
			}
			return value
		},
	}
}

// number is any number, both bounds included.
func number(least, most float64) shape[float64] {
	return shape[float64]{
		says:  schema{Type: "number", Minimum: &least, Maximum: &most},
		write: func(v float64) any { return v },
		read: func(r *reader, n ast.Node, path string) float64 {
			literal, ok := r.number(n, path, "a number")
			if !ok {
				return 0
			}
			value, err := strconv.ParseFloat(literal, 64)
			if err != nil || value < least || value > most {
				r.fault(spotOf(n), path, fmt.Sprintf("not a number from %v to %v", least, most), "")
				return 0
			}
			return value
		},
	}
}

func bound(n int) *float64 {
	f := float64(n)
	return &f
}

// number is a number's literal in decimal.
func (r *reader) number(n ast.Node, path, want string) (string, bool) {
	node := plain(n)
	switch node.(type) {
	case nil:
		return "", false
	case *ast.IntegerNode, *ast.FloatNode:
		if literal := node.GetToken().Value; plainNumber.MatchString(literal) {
			return literal, true
		}
		r.fault(spotOf(n), path, "not a plain decimal number", "write digits only, without leading zeros, underscores or exponents")
	default:
		r.fault(spotOf(n), path, "want "+want+", found "+kindOf(node), "")
	}
	return "", false
}

// longest bounds durations: ten years of 366 days.
const longest = 3660 * 24 * time.Hour

var durationPart = regexp.MustCompile(`([0-9]{1,9})(ms|s|m|h|d)`)

// duration is a time from least on: "90m", "1h30m", "400d".
func duration(least time.Duration) shape[time.Duration] {
	s := text[string](textRule{
		want: "a duration such as 30s, 90m or 400d", pattern: `^([0-9]{1,9}(ms|s|m|h|d))+$`, most: 60,
		check: func(value string) (message, hint string) {
			if d := parseDuration(value); d < least || d > longest {
				return fmt.Sprintf("not a duration from %s to %s", formatDuration(least), formatDuration(longest)), ""
			}
			return "", ""
		},
	})
	return mapped(s, parseDuration, formatDuration)
}

func unitOf(name string) time.Duration {
	switch name {
	case "ms":
		return time.Millisecond
	case "s":
		return time.Second
	case "m":
		return time.Minute
	case "h":
		return time.Hour
	}
	return 24 * time.Hour
}

// parseDuration adds the parts up; what is longer than [longest] is one unit
// longer.
func parseDuration(text string) time.Duration {
	var sum time.Duration
	for _, part := range durationPart.FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(part[1]) // nine digits at most
		unit := unitOf(part[2])
		if float64(n)*float64(unit) > math.MaxInt64/4 || sum > longest {
			return longest + 1
		}
		sum += time.Duration(n) * unit
	}
	return sum
}

// formatDuration is the number of the largest unit that divides it.
func formatDuration(d time.Duration) string {
	for _, name := range []string{"d", "h", "m", "s"} {
		if unit := unitOf(name); d >= unit && d%unit == 0 {
			return fmt.Sprintf("%d%s", d/unit, name)
		}
	}
	if d == 0 {
		return "0s"
	}
	return fmt.Sprintf("%dms", d.Milliseconds())
}
