package cli

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// cmdUnseen fails where a text of the script shows what is confidential in the
// only raw file of a destination: people's names and addresses, and amounts.
func cmdUnseen(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) > 1, "unseen DEST FILE...")
	var doc struct {
		Entries []map[string]json.RawMessage `json:"entries"`
		Users   []map[string]string          `json:"users"`
	}
	ts.Check(json.Unmarshal(readRaw(ts, args[0]), &doc))
	var secret []string
	for _, u := range doc.Users {
		secret = append(secret, u["name"], u["email"])
	}
	for _, e := range doc.Entries {
		for _, name := range []string{"forecastValue", "quotaValue", "crmTotal"} {
			secret = append(secret, string(e[name]))
		}
	}
	looked := 0
	for _, text := range secret {
		const telling = 5 // shorter ones stand anywhere
		if len(text) < telling {
			continue
		}
		looked++
		alone := regexp.MustCompile(`(^|[^0-9A-Za-z.])` + regexp.QuoteMeta(text) + `($|[^0-9A-Za-z])`)
		for _, name := range args[1:] {
			if shown := ts.ReadFile(name); strings.Contains(shown, text) && alone.MatchString(shown) {
				ts.Fatalf("%s shows %s:\n%s", name, text, shown)
			}
		}
	}
	if looked < 100 {
		ts.Fatalf("only %d texts to look for", looked)
	}
}
