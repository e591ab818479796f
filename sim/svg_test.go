package sim

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// svgTexts parses a chart and returns what it says.
func svgTexts(t *testing.T, rows []Row) string {
	t.Helper()
	var out bytes.Buffer
	if err := WriteSVG(&out, rows); err != nil {
		t.Fatal(err)
	}
	var says strings.Builder
	for d := xml.NewDecoder(&out); ; {
		token, err := d.Token()
		if err == io.EOF {
			return says.String()
		}
		if err != nil {
			t.Fatalf("the chart is no XML: %v", err)
		}
		switch x := token.(type) {
		case xml.CharData:
			says.Write(x)
			says.WriteByte('\n')
		case xml.StartElement:
			for _, a := range x.Attr {
				if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
					t.Errorf("<%s %s=%q>", x.Name.Local, a.Name.Local, a.Value)
				}
			}
			if x.Name.Local == "script" {
				t.Error("the chart has a script")
			}
		}
	}
}

// The chart is well-formed whatever a row holds, says every policy, its numbers
// and units, and marks who gave up.
func TestWriteSVG(t *testing.T) {
	rows := []Row{
		{Scenario: "S1", Policy: "weir", Seeds: 2, Ratio: 1.05, RequestsPerExport: 6.5, DetectMean: 2 * time.Second, Exports: 48},
		{Scenario: "S1", Policy: `<script>"&`, Seeds: 2, Ratio: 0.4, RequestsPerExport: 13.25, DetectMean: 15 * time.Second, Exports: 48, Failed: 12},
		{Scenario: "S9", Policy: "weir", Seeds: 2, BackfillEnd: 72 * time.Hour},
	}
	says := svgTexts(t, rows)
	for _, want := range []string{
		"S1: ", "(2 seeds)", "1.05×", "6.5", "2 s", "0.4×", "13.2", `<script>"&`, "failed 12 (25 %)", "backfill day 3",
		"makespan over the best possible", "gave up exports",
	} {
		if !strings.Contains(says, want) {
			t.Errorf("the chart does not say %q:\n%s", want, says)
		}
	}
	svgTexts(t, nil)
	rows[0].Err = errors.New("worth nothing")
	if err := WriteSVG(io.Discard, rows); !errors.Is(err, rows[0].Err) {
		t.Errorf("a run worth nothing: %v", err)
	}
}
