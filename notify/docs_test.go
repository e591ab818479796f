package notify_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/notify"
)

// docs/notifications.md names the kinds, the headers and the numbers of the code.
func TestDocumented(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "docs", "notifications.md"))
	if err != nil {
		t.Fatal(err)
	}
	short := func(d time.Duration) string {
		switch {
		case d%time.Hour == 0:
			return fmt.Sprintf("%d h", d/time.Hour)
		case d%time.Minute == 0:
			return fmt.Sprintf("%d m", d/time.Minute)
		}
		return fmt.Sprintf("%d s", d/time.Second)
	}
	want := []string{
		fmt.Sprintf("more than %s late", short(notify.LateAfter)), fmt.Sprintf("not landed %s after", short(notify.OverdueAfter)),
		fmt.Sprintf("gathers for %s into", short(notify.Gather)), fmt.Sprintf("no sooner than %s after", short(notify.Space)),
		fmt.Sprintf("quotes the first %d.", ledger.MaxSamples), fmt.Sprintf("tried again after %s,", short(notify.Pause(1))),
		fmt.Sprintf("given up after %s.", short(notify.GiveUpAfter)),
		"`" + notify.HeaderID + "`", "`" + notify.HeaderTimestamp + "`", "`" + notify.HeaderSignature + "`",
	}
	for _, kind := range notify.Kinds() {
		want = append(want, "\n| `"+kind+"` | ")
	}
	for _, one := range want {
		if !strings.Contains(string(text), one) {
			t.Errorf("docs/notifications.md does not say %q", one)
		}
	}
}
