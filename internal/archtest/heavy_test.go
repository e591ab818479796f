package archtest_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestProgramLeavesOut keeps out of the program what came along once with a new
// release of something else: a sixth of a cold build, for nothing that is used.
func TestProgramLeavesOut(t *testing.T) {
	list := exec.Command("go", "list", "-deps", "./cmd/weir")
	list.Dir = root(t)
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := strings.Fields(string(out))
	if len(packages) < 100 {
		t.Fatalf("the program has %d packages", len(packages))
	}
	for _, left := range []struct{ path, why string }{
		{"github.com/apache/arrow-go", "the Azure SDK's azblob lists blobs by it from 1.8.1 on, which is not asked for: stay at 1.8.0"},
		{"github.com/goccy/go-json", "Arrow's"},
		{"github.com/chromedp", "for the tests alone"},
	} {
		for _, p := range packages {
			if strings.HasPrefix(p, left.path) {
				t.Errorf("the program holds %s: %s", p, left.why)
			}
		}
	}
}
