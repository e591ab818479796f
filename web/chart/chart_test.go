package chart_test

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/web/chart"
	"github.com/weirhq/weir/web/view"
)

func noon() time.Time { return time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC) }

// wellFormed reads a drawing as XML and returns its texts, titles among them.
func wellFormed(t *testing.T, drawing string) string {
	t.Helper()
	var texts strings.Builder
	for d := xml.NewDecoder(strings.NewReader(drawing)); ; {
		token, err := d.Token()
		if err == io.EOF {
			return texts.String()
		}
		if err != nil {
			t.Fatalf("not well-formed: %v\n%s", err, drawing)
		}
		switch token := token.(type) {
		case xml.CharData:
			texts.Write(token)
			texts.WriteString("\n")
		case xml.StartElement:
			for _, a := range token.Attr {
				if a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
					t.Errorf("<%s> has %s=%q", token.Name.Local, a.Name.Local, a.Value)
				}
			}
			if token.Name.Local == "script" {
				t.Error("a drawing holds a script")
			}
		}
	}
}

func contains(t *testing.T, texts string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(texts, w) {
			t.Errorf("the drawing does not say %q:\n%s", w, texts)
		}
	}
}

func TestTimeline(t *testing.T) {
	from := noon()
	at := func(seconds int) time.Time { return from.Add(time.Duration(seconds) * time.Second) }
	texts := wellFormed(t, string(chart.Timeline(view.Timeline{
		From: from, To: at(600), Slots: 2, Lanes: 1,
		Bars: []view.Bar{
			{Export: 1, Title: `a"<script>`, Posted: at(10), Started: at(30), Ended: at(90), Landed: at(100), Outcome: "landed"},
			{Export: 2, Title: "b", Posted: at(200), Outcome: "running"},
		},
		Marks:      []view.Mark{{At: at(150), Kind: view.Throttled, Text: "told <b>to wait"}},
		Busy:       []view.Step{{At: from, N: 0}, {At: at(10), N: 1}},
		ClosedFrom: at(150), ClosedUntil: at(180),
	})))
	contains(t, texts, `a"<script>: ran for 1 min, landed`, "queued for 20 s", "landing for 10 s", "b: queued for 6 min 40 s", "told <b>to wait", "slots held", "UTC", "12:05", "the gate is closed until")
}

func TestQuota(t *testing.T) {
	q := view.Quota{At: noon(), Uses: view.Uses{Limit: 100, Used: 30, Ours: 10, Others: 20, Kept: 5}, FinishAt: noon().Add(72 * time.Hour),
		Used: []view.Step{{At: noon(), N: 30}, {At: noon().Add(48 * time.Hour), N: 20}}, Projected: []view.Step{{At: noon(), N: 30}, {At: noon().Add(48 * time.Hour), N: 60}}}
	contains(t, wellFormed(t, string(chart.Quota(q))), "limit 100", "less 5 kept for people", "all that waits has had its job", "exports in 30 days", "UTC")
	if chart.Quota(view.Quota{}) != "" {
		t.Error("an unknown quota is drawn")
	}
}

func TestTotals(t *testing.T) {
	one := view.Series{Name: "<commit>", Points: []view.Point{{At: noon(), Value: 1.5e6}}}
	contains(t, wellFormed(t, string(chart.Totals([]view.Series{one}))), "<commit>, 2026-11-26 12:00:00 UTC: 1.5 M")
	wild := view.Series{Name: "x", Points: []view.Point{{At: noon(), Value: -1e300}, {At: noon().Add(time.Hour), Value: 1e300}}}
	wellFormed(t, string(chart.Totals([]view.Series{one, wild})))
	if chart.Totals(nil) != "" {
		t.Error("nothing is drawn")
	}
}

func TestSlots(t *testing.T) {
	for _, s := range []view.Slots{{Limit: 3, Ours: 1, Others: 1}, {Limit: 500, Ours: 500}} {
		texts := wellFormed(t, string(chart.Slots(s)))
		contains(t, texts, "a job of weir's")
	}
	if chart.Slots(view.Slots{Limit: -1}) != "" {
		t.Error("unknown slots are drawn")
	}
}
