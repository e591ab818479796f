package bucket_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/weirhq/weir/land/bucket"
)

// docs/destinations.md names every parameter of a bucket's URL, and its numbers
// are those of the code.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/destinations.md")
	if err != nil {
		t.Fatal(err)
	}
	page := strings.Join(strings.Fields(string(text)), " ")
	want := []string{
		fmt.Sprintf("parts of %d MiB", bucket.PartBytes>>20), fmt.Sprintf("%d MiB of memory", 2*bucket.PartBytes>>20),
		"sent again, six times in all",
	}
	if bucket.Tries != 6 {
		t.Errorf("%d tries; the page says six", bucket.Tries)
	}
	for _, scheme := range bucket.Schemes() {
		want = append(want, "`"+scheme+"://")
		for _, param := range bucket.Params(scheme) {
			want = append(want, param+"=")
		}
	}
	for _, text := range want {
		if !strings.Contains(page, text) {
			t.Errorf("the page lacks %q", text)
		}
	}
}
