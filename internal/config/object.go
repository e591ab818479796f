package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// field is one key of an object.
type field[T any] struct {
	name     string
	required bool
	// alike are words that people write instead; they are only hinted at.
	alike []string
	says  *schema
	read  func(r *reader, n ast.Node, path string, into *T)
	fill  func(into *T)
	write func(T) any
}

// one is a key whose value goes to one place of T.
func one[T, V any](name, about string, of shape[V], place func(*T) *V) field[T] {
	says := of.says
	says.Description = about
	return field[T]{
		name: name, says: &says,
		read:  func(r *reader, n ast.Node, path string, into *T) { *place(into) = of.read(r, n, path) },
		fill:  func(into *T) { *place(into) = of.empty() },
		write: func(v T) any { return of.show(*place(&v)) },
	}
}

// must makes a key required.
func (f field[T]) must() field[T] {
	f.required = true
	return f
}

// not names words that people write instead.
func (f field[T]) not(words ...string) field[T] {
	f.alike = words
	return f
}

// object is a mapping with known keys.
func object[T any](fields ...field[T]) shape[T] { return objectOf(fields, false) }

// quiet is an object whose unknown keys are not repeated in messages: somebody
// may have written a secret there.
func quiet[T any](fields ...field[T]) shape[T] { return objectOf(fields, true) }

func objectOf[T any](fields []field[T], quiet bool) shape[T] {
	says := schema{Type: "object", Properties: map[string]*schema{}, AdditionalProperties: false}
	for _, f := range fields {
		says.Properties[f.name] = f.says
		says.order = append(says.order, f.name)
		if f.required {
			says.Required = append(says.Required, f.name)
		}
	}
	return shape[T]{
		says: says,
		read: func(r *reader, n ast.Node, path string) T { return readObject(r, n, path, fields, quiet) },
		vacant: func() T {
			var v T
			for _, f := range fields {
				f.fill(&v)
			}
			return v
		},
		write: func(v T) any {
			written := record{}
			for _, f := range fields {
				if value := f.write(v); value != nil {
					written = append(written, entry{f.name, value})
				}
			}
			return written
		},
	}
}

func readObject[T any](r *reader, n ast.Node, path string, fields []field[T], quiet bool) T {
	var v T
	for _, f := range fields {
		f.fill(&v)
	}
	members, ok := r.members(n, path)
	if !ok {
		return v
	}
	seen := map[string]bool{}
	for _, m := range members {
		i := slices.IndexFunc(fields, func(f field[T]) bool { return f.name == m.key })
		if i < 0 {
			r.unknown(m, path, spellings(fields), quiet)
			continue
		}
		seen[m.key] = true
		fields[i].read(r, m.value, join(path, m.key), &v)
	}
	for _, f := range fields {
		if f.required && !seen[f.name] {
			r.fault(r.startOf(path, n), path, f.name+" is missing", f.says.Description)
		}
	}
	return v
}

// spellings are the known keys and what is written instead of them.
func spellings[T any](fields []field[T]) map[string]string {
	words := map[string]string{}
	for _, f := range fields {
		words[f.name] = f.name
		for _, word := range f.alike {
			words[word] = f.name
		}
	}
	return words
}

func (r *reader) unknown(m member, path string, words map[string]string, quiet bool) {
	known := slices.Compact(slices.Sorted(maps.Values(words)))
	hint := "known: " + strings.Join(known, ", ")
	if word := words[m.key]; word != "" {
		hint += "; did you mean " + word + "?"
	} else if !quiet {
		hint += meant(m.key, known)
	}
	message := "unknown key"
	if !quiet {
		message = fmt.Sprintf("unknown key %q", m.key)
	}
	r.fault(m.at, path, message, hint)
}

// choosing asks for exactly one of some keys.
func choosing[T any](s shape[T], names ...string) shape[T] {
	for _, name := range names {
		s.says.OneOf = append(s.says.OneOf, &schema{Required: []string{name}})
	}
	read := s.read
	s.read = func(r *reader, n ast.Node, path string) T {
		v := read(r, n, path)
		var given []string
		for _, name := range names {
			if _, ok := r.spots[join(path, name)]; ok {
				given = append(given, name)
			}
		}
		if _, isMap := plain(n).(ast.MapNode); isMap && len(given) != 1 {
			r.fault(r.startOf(path, n), path, fmt.Sprintf("want exactly one of %s", strings.Join(names, ", ")), "")
		}
		return v
	}
	return s
}

// some asks for at least one key; [reader.check] says so where it judges the
// meaning too.
func some[T any](s shape[T]) shape[T] {
	s.says.MinProperties = 1
	return s
}

// namePattern is that of names: no dots, so that paths can be read.
const namePattern = `^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`

func nameRule() textRule {
	return textRule{want: "a name of letters, digits, _ and -", pattern: namePattern, most: 64}
}

// byName is a mapping from names to values.
func byName[T any](of shape[T], most int) shape[map[string]T] {
	pattern := regexp.MustCompile(namePattern)
	return shape[map[string]T]{
		says: schema{
			Type: "object", AdditionalProperties: &of.says, MaxProperties: most,
			PropertyNames: &schema{Pattern: namePattern},
		},
		read: func(r *reader, n ast.Node, path string) map[string]T {
			members, _ := r.members(n, path)
			if len(members) > most {
				r.fault(r.startOf(path, n), path, fmt.Sprintf("more than %d names", most), "")
				return nil
			}
			var values map[string]T
			for _, m := range members {
				if !pattern.MatchString(m.key) {
					r.fault(m.at, path, fmt.Sprintf("%q is not %s", m.key, nameRule().want), "")
				}
				if values == nil {
					values = map[string]T{}
				}
				values[m.key] = of.read(r, m.value, join(path, m.key))
			}
			return values
		},
		write: func(values map[string]T) any {
			written := record{}
			for _, name := range slices.Sorted(maps.Keys(values)) {
				written = append(written, entry{name, of.write(values[name])})
			}
			return written
		},
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// member is a key and its value in a document.
type member struct {
	key   string
	at    spot
	value ast.Node
}

// members are those of a mapping, each key once; further ones are faults.
func (r *reader) members(n ast.Node, path string) ([]member, bool) {
	node := plain(n)
	mapping, ok := node.(ast.MapNode)
	if !ok {
		if node != nil || n == nil {
			r.fault(r.startOf(path, n), path, "want a mapping, found "+kindOf(node), "write it as name: value, or remove it")
		}
		return nil, false
	}
	var members []member
	first := map[string]spot{}
	for values := mapping.MapRange(); values.Next(); {
		key, ok := r.key(values.Key(), path)
		if !ok {
			continue
		}
		m := member{key: key, at: spotOf(values.Key()), value: values.Value()}
		if earlier, twice := first[key]; twice {
			r.fault(m.at, path, fmt.Sprintf("this key stands here twice, first in line %d", earlier.line), "")
			continue
		}
		first[key] = m.at
		r.spots[join(path, key)] = valueSpot(m)
		members = append(members, m)
	}
	return members, true
}

// key is a mapping's key as it is written; numbers and words such as null are
// names here.
func (r *reader) key(n ast.MapKeyNode, path string) (string, bool) {
	if _, merge := n.(*ast.MergeKeyNode); merge {
		return "", false
	}
	if scalar, ok := plain(n).(ast.ScalarNode); ok && firstToken(scalar) != nil {
		return scalar.GetToken().Value, true
	}
	r.fault(spotOf(n), path, "a key must be a plain word", "")
	return "", false
}

// valueSpot is where a fault about a value points: a scalar itself, else its
// key.
func valueSpot(m member) spot {
	switch plain(m.value).(type) {
	case *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode, *ast.NullNode, nil:
		return m.at
	}
	return spotOf(m.value)
}

// startOf is where a path stands, else where its node does.
func (r *reader) startOf(path string, n ast.Node) spot {
	if at, ok := r.spots[path]; ok {
		return at
	}
	return spotOf(n)
}
