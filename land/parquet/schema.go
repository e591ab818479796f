package parquet

import (
	parquetgo "github.com/parquet-go/parquet-go"
)

// ordered is a group whose fields keep the order of the table; the library's
// own group sorts them by name.
type ordered struct {
	parquetgo.Group
	fields []parquetgo.Field
}

// Fields gives the columns in the order of the table.
func (o *ordered) Fields() []parquetgo.Field { return o.fields }

func schemaOf(table string, columns []Column) *parquetgo.Schema {
	group := parquetgo.Group{}
	for _, c := range columns {
		group[c.Name] = parquetgo.Optional(node(c.Kind))
	}
	byName := map[string]parquetgo.Field{}
	for _, field := range group.Fields() {
		byName[field.Name()] = field
	}
	root := &ordered{Group: group}
	for _, c := range columns {
		root.fields = append(root.fields, byName[c.Name])
	}
	return parquetgo.NewSchema(table, root)
}

func node(kind Kind) parquetgo.Node {
	switch kind {
	case String:
		return parquetgo.Encoded(parquetgo.String(), &parquetgo.RLEDictionary)
	case Document:
		return parquetgo.String()
	case Double:
		return parquetgo.Leaf(parquetgo.DoubleType)
	case Bool:
		return parquetgo.Leaf(parquetgo.BooleanType)
	case Millis:
		return parquetgo.Timestamp(parquetgo.Millisecond)
	case Date:
		return parquetgo.Date()
	}
	return parquetgo.Int(32)
}
