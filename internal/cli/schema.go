package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/app"
	"github.com/weirhq/weir/land"
)

func newSchema(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "schema [TABLE]", Short: "print the data dictionary of the tables", Args: cobra.MaximumNArgs(1),
		Long: `Print every column of every table, or of one: its name, its type, what it is, what
it means where it is null, and where its value comes from. Markdown, or with --json
a JSON Schema of a row.`,
		RunE: func(_ *cobra.Command, args []string) error {
			tables := land.AllTables()
			if len(args) == 1 {
				var err error
				if tables, err = tableNamed(tables, args[0]); err != nil {
					return err
				}
			}
			if g.json {
				g.printJSON(schemasOf(tables))
				return nil
			}
			for _, t := range tables {
				g.showTable(t)
			}
			return nil
		},
	}
}

func tableNamed(tables []land.Table, name string) ([]land.Table, error) {
	var known []string
	for _, t := range tables {
		if t.Name == name {
			return []land.Table{t}, nil
		}
		known = append(known, t.Name)
	}
	return nil, app.Usage("tables are "+strings.Join(known, ", "), "read table: unknown table %q", name)
}

func (g *globals) showTable(t land.Table) {
	fmt.Fprintf(g.Out, "## %s\n\n| column | type | what it is | null means | from |\n|---|---|---|---|---|\n", t.Name)
	for _, c := range t.Columns {
		words := t.Words(c.Name)
		fmt.Fprintf(g.Out, "| `%s` | %s | %s | %s | %s |\n", c.Name, c.Kind, words.About, words.Null, sourceText(t, c))
	}
	fmt.Fprintln(g.Out)
}

// sourceText says where a column's value comes from.
func sourceText(t land.Table, c land.Column) string {
	switch {
	case c.Lookup != "":
		return "looked up: `" + c.Lookup + "`"
	case c.Made != "":
		return c.Made
	case c.Rest:
		return "every field of `" + t.Array + "` that no column takes, as JSON"
	case c.Constant == "request":
		return "the request"
	case c.Constant == "job":
		return "the job"
	case c.Constant != "":
		return "the job's `endTime`, or the answer's `Date`"
	}
	return "`" + t.Array + "[]." + c.Member + "`"
}

// schemasOf are JSON Schemas of a row of each table, as JSONL has it.
func schemasOf(tables []land.Table) map[string]any {
	schemas := map[string]any{}
	for _, t := range tables {
		properties := map[string]any{}
		var required []string
		for _, c := range t.Columns {
			property := jsonType(c.Kind)
			property["description"] = t.Words(c.Name).String() + " From: " + sourceText(t, c) + "."
			properties[c.Name] = property
			required = append(required, c.Name)
		}
		schemas[t.Name] = map[string]any{"type": "object", "properties": properties, "required": required, "additionalProperties": false}
	}
	return map[string]any{"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": schemas}
}

func jsonType(k land.Kind) map[string]any {
	switch k {
	case land.Number:
		return map[string]any{"type": []string{"number", "null"}}
	case land.Integer:
		return map[string]any{"type": []string{"integer", "null"}}
	case land.Bool:
		return map[string]any{"type": []string{"boolean", "null"}}
	case land.Instant:
		return map[string]any{"type": []string{"string", "null"}, "format": "date-time"}
	case land.Date:
		return map[string]any{"type": []string{"string", "null"}, "format": "date"}
	case land.JSON:
		return map[string]any{"type": []string{"object", "null"}}
	}
	return map[string]any{"type": []string{"string", "null"}}
}
