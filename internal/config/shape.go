package config

import (
	"fmt"
	"reflect"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// shape is one kind of value: how it is read from a document, how it is written
// again, and what a JSON Schema says about it. The three are built together, so
// that parser, schema and documentation cannot differ.
type shape[T any] struct {
	// read reports what is wrong and then returns whatever it could make out.
	read func(r *reader, n ast.Node, path string) T
	// write gives a string, bool, int, float64, []any, or record; nil is left
	// out.
	write func(T) any
	says  schema
	// standard is what holds where the document says nothing; nil is the zero
	// value, or what empty makes.
	standard *T
	vacant   func() T
}

// or gives the shape a default.
func (s shape[T]) or(standard T) shape[T] {
	s.standard = &standard
	s.says.Default = s.write(standard)
	return s
}

// empty is the value where the document says nothing.
func (s shape[T]) empty() T {
	switch {
	case s.standard != nil:
		return *s.standard
	case s.vacant != nil:
		return s.vacant()
	}
	var zero T
	return zero
}

// show writes a value unless it is what its absence means.
func (s shape[T]) show(v T) any {
	if s.standard == nil && reflect.ValueOf(&v).Elem().IsZero() {
		return nil
	}
	return s.write(v)
}

// record is a mapping with its keys in order.
type record []entry

type entry struct {
	key   string
	value any
}

// mapped reads A and means B. from is the inverse of to.
func mapped[A, B any](s shape[A], to func(A) B, from func(B) A) shape[B] {
	return shape[B]{
		read:  func(r *reader, n ast.Node, path string) B { return to(s.read(r, n, path)) },
		write: func(v B) any { return s.write(from(v)) },
		says:  s.says,
	}
}

// present is a value whose zero differs from its absence.
func present[T any](s shape[T]) shape[*T] {
	return shape[*T]{
		read: func(r *reader, n ast.Node, path string) *T {
			v := s.read(r, n, path)
			return &v
		},
		write: func(v *T) any { return s.write(*v) },
		says:  s.says,
	}
}

// either reads a scalar by the short shape and everything else by the long one.
// short reports whether a value can be written the short way.
func either[S, T any](brief shape[S], to func(S) T, short func(T) (S, bool), long shape[T]) shape[T] {
	return shape[T]{
		read: func(r *reader, n ast.Node, path string) T {
			switch plain(n).(type) {
			case *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode, nil:
				return long.read(r, n, path)
			}
			return to(brief.read(r, n, path))
		},
		write: func(v T) any {
			if s, ok := short(v); ok {
				return brief.write(s)
			}
			return long.write(v)
		},
		says:   schema{AnyOf: []*schema{&brief.says, &long.says}},
		vacant: long.vacant,
	}
}

// listOf is a list of at least least values, without repetition where they are
// to be different.
func listOf[T comparable](item shape[T], least, most int, different bool) shape[[]T] {
	says := schema{Type: "array", Items: &item.says, MinItems: least, MaxItems: most, UniqueItems: different}
	return shape[[]T]{
		says: says,
		read: func(r *reader, n ast.Node, path string) []T {
			nodes := r.items(n, path, least, most)
			var values []T
			first := map[T]int{}
			for i, node := range nodes {
				at := fmt.Sprintf("%s[%d]", path, i)
				r.spots[at] = spotOf(node)
				value := item.read(r, node, at)
				if j, twice := first[value]; !twice {
					first[value] = i
				} else if different && r.sound(at) {
					r.refuse(at, fmt.Sprintf("repeats item %d", j), "")
				}
				values = append(values, value)
			}
			return values
		},
		write: writeList(item),
	}
}

// rowsOf is a list of objects.
func rowsOf[T any](item shape[T], most int) shape[[]T] {
	return shape[[]T]{
		says: schema{Type: "array", Items: &item.says, MaxItems: most},
		read: func(r *reader, n ast.Node, path string) []T {
			var values []T
			for i, node := range r.items(n, path, 0, most) {
				at := fmt.Sprintf("%s[%d]", path, i)
				r.spots[at] = spotOf(node)
				values = append(values, item.read(r, node, at))
			}
			return values
		},
		write: writeList(item),
	}
}

func writeList[T any](item shape[T]) func([]T) any {
	return func(values []T) any {
		list := make([]any, len(values))
		for i, v := range values {
			list[i] = item.write(v)
		}
		return list
	}
}

// items are the nodes of a list.
func (r *reader) items(n ast.Node, path string, least, most int) []ast.Node {
	node := plain(n)
	list, ok := node.(*ast.SequenceNode)
	switch {
	case node == nil && n != nil:
		return nil
	case !ok:
		r.fault(spotOf(n), path, "want a list, found "+kindOf(node), "write it as [a, b], or one item a line after a dash")
		return nil
	case len(list.Values) < least:
		r.fault(spotOf(n), path, "the list is empty", "")
	case len(list.Values) > most:
		r.fault(spotOf(n), path, fmt.Sprintf("the list has more than %d items", most), "")
		return nil
	}
	return list.Values
}

// spotOf is where a node begins.
func spotOf(n ast.Node) spot {
	switch node := n.(type) {
	case nil:
		return spot{}
	case *ast.MappingNode:
		if !node.IsFlowStyle && len(node.Values) > 0 {
			return spotOf(node.Values[0])
		}
		return spotOfToken(node.Start)
	case *ast.MappingValueNode:
		return spotOf(node.Key)
	case *ast.MappingKeyNode:
		return spotOfToken(node.Start)
	}
	return spotOfToken(firstToken(n))
}

// firstToken guards against nodes that the library makes without a token.
func firstToken(n ast.Node) *token.Token {
	if v := reflect.ValueOf(n); v.Kind() == reflect.Pointer && v.IsNil() {
		return nil
	}
	return n.GetToken()
}

// kindOf names what a node is, and nothing of what it says.
func kindOf(n ast.Node) string {
	switch n.(type) {
	case nil, *ast.NullNode:
		return "nothing"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.SequenceNode:
		return "a list"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	}
	return "something else"
}
