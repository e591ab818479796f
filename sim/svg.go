package sim

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"strings"
)

// The chart's measures, in pixels.
const (
	svgWidth   = 1180
	svgNames   = 130 // the policies' names, left of the panels
	svgPanel   = 320
	svgGap     = 24
	svgRow     = 19
	svgTop     = 96 // title and legend
	svgHeading = 52 // a scenario's title and the panels' titles
	svgAxis    = 34 // ticks below a panel
	svgNote    = 6.2
)

// panel is one of the measures that a scenario shows side by side.
type panel struct {
	title, unit string
	of          func(Row) float64
	// log scales from 1, where the best possible is 1; others begin at 0.
	log bool
}

func panels() []panel {
	return []panel{
		{"makespan over the best possible", "×", func(r Row) float64 { return r.Ratio }, true},
		{"requests for each export", "", func(r Row) float64 { return r.RequestsPerExport }, false},
		{"a job's end is seen after, mean", " s", func(r Row) float64 { return r.DetectMean.Seconds() }, false},
	}
}

// WriteSVG draws the rows of a [Table]: for each scenario its policies side by
// side, in what they take, ask and overlook. It returns the error of the first
// run that is worth nothing.
func WriteSVG(w io.Writer, rows []Row) error {
	for _, r := range rows {
		if r.Err != nil {
			return r.Err
		}
	}
	d := &drawing{y: svgTop}
	for _, block := range byScenario(rows) {
		d.scenario(block)
	}
	_, err := io.WriteString(w, d.head()+d.out.String()+"</svg>\n")
	if err != nil {
		return fmt.Errorf("write chart: %w", err)
	}
	return nil
}

func byScenario(rows []Row) [][]Row {
	var blocks [][]Row
	for i, r := range rows {
		if i == 0 || r.Scenario != rows[i-1].Scenario {
			blocks = append(blocks, nil)
		}
		blocks[len(blocks)-1] = append(blocks[len(blocks)-1], r)
	}
	return blocks
}

// drawing collects elements from the top down.
type drawing struct {
	out strings.Builder
	y   int
}

func (d *drawing) add(format string, args ...any) { fmt.Fprintf(&d.out, format+"\n", args...) }

// text writes one; what it says is escaped.
func (d *drawing) text(class string, x, y float64, says string) {
	d.add(`<text class="%s" x="%.1f" y="%.1f">%s</text>`, class, x, y, escape(says))
}

func escape(text string) string {
	var out strings.Builder
	_ = xml.EscapeText(&out, []byte(text)) // a builder takes all
	return out.String()
}

const svgStyle = `
text{font:12px system-ui,sans-serif;fill:#1f2328}
.title{font-size:19px;font-weight:600}.scenario{font-size:14px;font-weight:600}
.panel,.tick{fill:#59636e}.tick{font-size:11px;text-anchor:middle}.name{text-anchor:end}.ours{font-weight:600}
.value{font-size:11px;fill:#59636e}
.page{fill:#fff}.grid{stroke:#d1d9e0;stroke-width:1}.best{stroke:#59636e;stroke-width:1;stroke-dasharray:3 3}
.bar{fill:#9aa7b4}.bar.ours{fill:#0969da}.bar.part{fill:#fff;stroke:#9aa7b4;stroke-width:1.5;stroke-dasharray:3 2}
@media (prefers-color-scheme:dark){
text{fill:#f0f6fc}.panel,.tick,.value{fill:#9198a1}.page{fill:#0d1117}.grid{stroke:#3d444d}.best{stroke:#9198a1}
.bar{fill:#656c76}.bar.ours{fill:#4493f8}.bar.part{fill:#0d1117;stroke:#656c76}}
`

// head is everything above the scenarios; it knows how high the drawing became.
func (d *drawing) head() string {
	height := d.y + 24
	var h drawing
	h.add(`<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">`, svgWidth, height, svgWidth, height)
	h.add(`<title>weir simulate: policies compared</title><style>%s</style>`, svgStyle)
	h.add(`<rect class="page" width="100%%" height="100%%"/>`)
	h.text("title", 24, 36, "What a policy costs, in virtual time")
	x := 24.0
	for _, key := range []struct{ class, says string }{
		{"bar ours", "weir"}, {"bar", "others, as models"}, {"bar part", "gave up exports: what was not done takes no time"},
	} {
		h.add(`<rect class="%s" x="%.1f" y="58" width="22" height="11" rx="2"/>`, key.class, x)
		h.text("panel", x+30, 68, key.says)
		x += 52 + float64(len(key.says))*svgNote
	}
	h.add(`<line class="best" x1="%.1f" y1="56" x2="%.1f" y2="72"/>`, x, x)
	h.text("panel", x+10, 68, "the best possible")
	return h.out.String()
}

// scenario draws one block: a row for each policy, a panel for each measure.
func (d *drawing) scenario(rows []Row) {
	text := rows[0].Scenario
	for _, s := range Scenarios() {
		if s.Name == rows[0].Scenario {
			text += ": " + s.Text
		}
	}
	d.text("scenario", 24, float64(d.y)+18, fmt.Sprintf("%s (%d seeds)", text, rows[0].Seeds))
	top := d.y + svgHeading
	bottom := top + len(rows)*svgRow
	for i, r := range rows {
		d.text("name "+ours(r), svgNames+16, float64(top+i*svgRow)+13, r.Policy)
	}
	for i, p := range panels() {
		left := float64(svgNames + 24 + i*(svgPanel+svgGap))
		d.text("panel", left, float64(top)-8, p.title)
		s := scaleOf(p, rows)
		for _, tick := range s.ticks {
			class := "grid"
			if p.log && tick == 1 {
				class = "best"
			}
			x := left + s.at(tick)
			d.add(`<line class="%s" x1="%.1f" y1="%d" x2="%.1f" y2="%d"/>`, class, x, top-2, x, bottom+2)
			d.text("tick", x, float64(bottom)+16, number(tick)+p.unit)
		}
		for j, r := range rows {
			d.bar(p, s, r, left, top+j*svgRow)
		}
	}
	d.y = bottom + svgAxis + 14
}

func ours(r Row) string {
	if strings.HasPrefix(r.Policy, "weir") {
		return "ours"
	}
	return ""
}

// bar draws one value with its number, and what it means under the pointer.
func (d *drawing) bar(p panel, s scale, r Row, left float64, y int) {
	if p.log && r.BackfillEnd > 0 {
		d.text("value", left+4, float64(y)+13, "the schedule sets the end; backfill "+dayText(r))
		return
	}
	value, class := p.of(r), "bar "+ours(r)
	if r.Failed > 0 {
		class = "bar part"
	}
	from, to := s.at(s.from()), s.at(value)
	if to < from {
		from, to = to, from
	}
	shown := number(value) + p.unit
	d.add(`<g><title>%s</title>`, escape(fmt.Sprintf("%s: %s %s; failed %s", r.Policy, p.title, shown, partText(r.Failed, r.Exports))))
	d.add(`<rect class="%s" x="%.1f" y="%d" width="%.1f" height="%d" rx="2"/>`, class, left+from, y+3, max(1, to-from), svgRow-6)
	d.text("value", left+to+5, float64(y)+13, shown)
	d.add(`</g>`)
}

// scale maps values to a panel's pixels.
type scale struct {
	log         bool
	least, most float64
	ticks       []float64
}

// from is where bars begin: at the best possible, or at nothing.
func (s scale) from() float64 {
	if s.log {
		return 1
	}
	return 0
}

// at is where a value lies; room is left for its number.
func (s scale) at(value float64) float64 {
	const room = svgPanel - 46
	if !s.log {
		return value / s.most * room
	}
	value = max(value, s.least)
	return (math.Log(value) - math.Log(s.least)) / (math.Log(s.most) - math.Log(s.least)) * room
}

func scaleOf(p panel, rows []Row) scale {
	s := scale{log: p.log, least: 1}
	for _, r := range rows {
		if !p.log || r.BackfillEnd == 0 {
			s.most, s.least = max(s.most, p.of(r)), min(s.least, p.of(r))
		}
	}
	if p.log {
		s.least, s.most = max(0.1, s.least), max(1.2, s.most)
		for _, tick := range []float64{0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500} {
			if tick == 1 || tick >= s.least && tick <= s.most {
				s.ticks = append(s.ticks, tick)
			}
		}
		return s
	}
	s.most = cmp.Or(s.most, 1)
	step := niceStep(s.most)
	for i := range 12 {
		if tick := step * float64(i); tick <= s.most*1.0001 {
			s.ticks = append(s.ticks, tick)
		}
	}
	return s
}

// niceStep divides a length into four to eight round parts.
func niceStep(most float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(most/4)))
	for _, factor := range []float64{1, 2, 5} {
		if most/(power*factor) <= 6 {
			return power * factor
		}
	}
	return power * 10
}

// number shows a value as short as it is exact enough.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return strings.TrimSuffix(fmt.Sprintf("%.1f", v), ".0")
	}
	return strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.2f", v), "0"), ".")
}
