package land_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirhq/weir/land"
)

// difficult is a document of numbers that no double names, of exponents, of a
// negative zero, of null, and of field ids that a CSV cannot give back to the
// letter.
func difficult(first string) string {
	one := func(field, members string) string {
		return `{"userId":"u` + field + `","fieldId":"` + field + `","timeFrameId":"TF:2026-01-05","timePeriodId":"2026_Q1"` + members + `}`
	}
	return document(
		one("f1", `,"forecastValue":`+first+`,"quotaValue":1e400,"crmTotal":null`), one("f2", `,"forecastValue":0.1,"quotaValue":-0`),
		one("f3", `,"forecastValue":12345678901234567.89,"quotaValue":9007199254740993,"mood":1`), one("", `,"crmClosed":1.5e-7`),
		one("=f", `,"forecastValue":3`), one("'=f", `,"forecastValue":4`), one(`f\r\n`, `,"forecastValue":5,"adjustmentValue":"six"`), one(`f\u0000`, `,"aggregationTotal":-7.25`))
}

// forge puts another file in place of the entries', and lets the manifest have
// its size and hash.
func forge(t *testing.T, dir string, m land.Manifest, content []byte) {
	t.Helper()
	file := m.Tables[0].Files[0]
	sum := sha256.Sum256(content)
	if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(file.Path)), content, 0o600); err != nil {
		t.Fatal(err)
	}
	manifest := filepath.Join(dir, filepath.FromSlash(m.Path))
	text := strings.Replace(read(t, manifest), file.SHA256, hex.EncodeToString(sum[:]), 1)
	text = strings.Replace(text, fmt.Sprintf(`"bytes": %d,`+"\n          "+`"sha256": "%x"`, file.Bytes, sum), fmt.Sprintf(`"bytes": %d,`+"\n          "+`"sha256": "%x"`, len(content), sum), 1)
	if err := os.WriteFile(manifest, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// In every format the totals are found as they were recorded, and other numbers
// are found out even where the manifest has their hash.
func TestRecheckSumsAnew(t *testing.T) {
	targets := []land.Target{{Format: land.CSV, Primary: true, CSVSafe: true}}
	for _, f := range land.Formats() {
		targets = append(targets, land.Target{Format: f, Primary: true})
	}
	for _, target := range targets {
		dest, dir := directory(t)
		m := publish(t, receive(t, difficult("1234.5")), dest, target)
		if faults := faultsIn(t, dir); len(faults) != 0 {
			t.Errorf("%s: %q", target.Format, faults)
		}
		other, elsewhere := directory(t)
		forged := publish(t, receive(t, difficult("1234.6")), other, target)
		forge(t, dir, m, []byte(read(t, onlyFile(t, forged, elsewhere))))
		faults := faultsIn(t, dir)
		if len(faults) != 1 || faults[0] != `totals: forecast_value of field "f1" does not add up to what the manifest says` {
			t.Errorf("%s, one number altered: %q", target.Format, faults)
		}
	}
}

// A number altered by hand in a CSV: by little, to none, and to what is none.
func TestRecheckOfAlteredCSV(t *testing.T) {
	for altered, want := range map[string]string{
		"1234.51": "does not add up", "1234.50": "", "12345e-1": "", "": "does not add up", "much": "no number", "NaN": "no number",
	} {
		dest, dir := directory(t)
		m := publish(t, receive(t, document(entry(`,"forecastValue":1234.5`))), dest, land.Target{Format: land.CSV, Primary: true})
		text := read(t, onlyFile(t, m, dir))
		if strings.Count(text, "1234.5") != 1 {
			t.Fatalf("the CSV is\n%s", text)
		}
		forge(t, dir, m, []byte(strings.Replace(text, "1234.5", altered, 1)))
		faults := strings.Join(faultsIn(t, dir), "\n")
		if want == "" && faults != "" || want != "" && (!strings.HasPrefix(faults, "totals: ") || !strings.Contains(faults, want)) {
			t.Errorf("%q: %q", altered, faults)
		}
		if strings.Contains(faults, "1234") {
			t.Errorf("%q: the figure is told: %q", altered, faults)
		}
	}
}

// Of more fields than have totals, those that have them are summed again.
func TestRecheckOfManyFields(t *testing.T) {
	many := func(first, last string) string {
		var entries []string
		for n := range 2100 {
			value := "1"
			switch n {
			case 0:
				value = first
			case 2099:
				value = last
			}
			entries = append(entries, strings.Replace(entry(`,"forecastValue":`+value), `"f1"`, fmt.Sprintf(`"f%04d"`, n), 1))
		}
		return document(entries...)
	}
	for altered, want := range map[[2]string]int{{"1", "1"}: 0, {"2", "1"}: 1, {"1", "2"}: 0} {
		dest, dir := directory(t)
		m := publish(t, receive(t, many("1", "1")), dest, land.Target{Format: land.JSONL, Primary: true})
		other, elsewhere := directory(t)
		forged := publish(t, receive(t, many(altered[0], altered[1])), other, land.Target{Format: land.JSONL, Primary: true})
		forge(t, dir, m, []byte(read(t, onlyFile(t, forged, elsewhere))))
		if faults := faultsIn(t, dir); len(faults) != want || !m.TotalsCut {
			t.Errorf("%v: %q, totals cut: %t", altered, faults, m.TotalsCut)
		}
	}
}
