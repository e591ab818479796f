package browsertest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// axeVersion is the release of axe-core that install.sh brings.
const axeVersion = "4.10.3"

// axe is axe-core's source.
func axe(t testing.TB) string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(cache, "weir-tests", "axe-core-"+axeVersion, "package", "axe.min.js")
	source, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("read axe-core: %v; run internal/browsertest/install.sh, which needs npm", err)
	}
	return string(source)
}

// violation is what axe-core finds wrong.
type violation struct {
	ID, Impact, Help string
	Nodes            []struct {
		HTML   string
		Target []any
	}
}

// Accessible fails the test for every serious or critical fault of the page.
func (b *Tab) Accessible(what, source string) {
	b.t.Helper()
	Eval[bool](b, source+";true")
	text := Eval[string](b, `axe.run(document, {resultTypes: ["violations"]}).then((r) => JSON.stringify(r.violations))`)
	var found []violation
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		b.t.Fatal(err)
	}
	for _, v := range found {
		if v.Impact != "serious" && v.Impact != "critical" {
			continue
		}
		var at []string
		for _, n := range v.Nodes {
			at = append(at, fmt.Sprintf("%.160s", n.HTML))
		}
		b.t.Errorf("%s: %s (%s): %s\n  %s", what, v.ID, v.Impact, v.Help, strings.Join(at[:min(3, len(at))], "\n  "))
	}
}
