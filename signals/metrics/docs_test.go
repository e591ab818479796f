package metrics_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/weirhq/weir/signals/metrics"
)

var metricsBlock = regexp.MustCompile(`(?s)<!-- metrics -->\n.*?<!-- end -->`)

// The table of docs/signals.md is written from the reference: run with
// WEIR_WRITE_DOCS=1.
func TestDocumented(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "signals.md")
	text, err := os.ReadFile(path)
	must(t, err)
	var table strings.Builder
	table.WriteString("<!-- metrics -->\n| Metric | Type | Labels | From | What it says |\n|---|---|---|---|---|\n")
	for _, m := range metrics.Reference() {
		labels := ""
		if len(m.Labels) > 0 {
			labels = "`" + strings.Join(m.Labels, "` `") + "`"
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s | %s |\n", m.Name, m.Type, labels, m.From, m.Help)
	}
	table.WriteString("<!-- end -->")
	want := metricsBlock.ReplaceAllLiteral(text, []byte(table.String()))
	if string(want) == string(text) {
		return
	}
	if os.Getenv("WEIR_WRITE_DOCS") == "" {
		t.Fatal("the table of docs/signals.md is not what the code has: run with WEIR_WRITE_DOCS=1")
	}
	must(t, os.WriteFile(path, want, 0o644))
}

// The bounds that the page names are those of the code.
func TestDocumentedBounds(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "signals.md"))
	must(t, err)
	if want := fmt.Sprintf("at most %d of an\naccount, %d in all", metrics.MaxSnapshots, metrics.MaxSeries); !strings.Contains(string(text), want) {
		t.Errorf("docs/signals.md does not say %q", want)
	}
}
