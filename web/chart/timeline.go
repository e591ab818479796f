package chart

import (
	"fmt"
	"html/template"
	"time"

	"github.com/weirhq/weir/web/view"
)

// maxLanes bounds how many bars lie beside each other in a drawing.
const maxLanes = 120

// Timeline draws the jobs of an account as bars, one lane for each slot that was
// held, marks above them and the number of slots held below.
func Timeline(t view.Timeline) template.HTML {
	lanes := min(max(t.Lanes, t.Slots, 1), maxLanes)
	pitch := lanePitch(lanes)
	field := float64(lanes)*pitch + 22
	c := newCanvas(top+field+busyHeight+bottom+24, t.From, t.To)
	c.timeAxis()
	c.label("unit", "start", 4, 12, "slot")
	if !t.ClosedUntil.IsZero() {
		c.rect("closed", c.x(t.ClosedFrom), top, c.x(t.ClosedUntil), field, "the gate is closed until "+view.Instant(t.ClosedUntil)+" UTC")
	}
	for lane := range lanes {
		c.lane(lane, pitch, lane < t.Slots || t.Slots < 0)
	}
	for _, b := range t.Bars {
		if b.Lane < maxLanes {
			c.bar(b, pitch, t.To)
		}
	}
	for _, m := range t.Marks {
		c.mark(m, field)
	}
	c.busy(t, top+field+24)
	return c.done()
}

const busyHeight = 64.0

// lanePitch is the distance of two lanes.
func lanePitch(lanes int) float64 {
	switch {
	case lanes <= 12:
		return 22
	case lanes <= 40:
		return 12
	}
	return 6
}

const lanesBegin = top + 14

func (c *canvas) lane(n int, pitch float64, slot bool) {
	class := "lane"
	if !slot {
		class = "lane beyond"
	}
	y := lanesBegin + float64(n)*pitch
	c.rect(class, left, y, width-right, pitch-3, "")
	if pitch > 10 {
		c.label("tick", "end", left-6, y+pitch/2+2, fmt.Sprint(n+1))
	}
}

// bar draws the three parts of a job one behind the other.
func (c *canvas) bar(b view.Bar, pitch float64, now time.Time) {
	y, height := lanesBegin+float64(b.Lane)*pitch, pitch-3
	ended := b.Ended
	if ended.IsZero() {
		ended = now
	}
	started := b.Started
	if started.IsZero() {
		started = b.Posted
		if b.Outcome == "running" || b.Outcome == "unknown" {
			started = ended // the server has not said that it runs
		}
	}
	c.put(`<a href="/exports/%d" tabindex="-1">`, b.Export)
	if landed := b.Landed; !b.Ended.IsZero() && (b.Outcome == "landing" || !landed.IsZero()) {
		if landed.IsZero() {
			landed = now
		}
		c.rect("landing", c.x(ended), y+height*0.35, c.x(landed), height*0.3, b.Title+": landing for "+view.Span(landed.Sub(ended)))
	}
	if started.Sub(b.Posted) > time.Second {
		c.rect("queued", c.x(b.Posted), y, c.x(started), height, b.Title+": queued for "+view.Span(started.Sub(b.Posted)))
	}
	if ended.After(started) {
		c.rect("ran "+b.Outcome, c.x(started), y, c.x(ended), height, fmt.Sprintf("%s: ran for %s, %s", b.Title, view.Span(ended.Sub(started)), b.Outcome))
	}
	c.put(`</a>`)
}

// mark is a triangle over the lanes with a hair line through them.
func (c *canvas) mark(m view.Mark, field float64) {
	x := c.x(m.At)
	c.put(`<g class="mark %s">%s`, m.Kind, titled(view.Instant(m.At)+" UTC: "+m.Text))
	c.line("hair", x, top+8, x, top+field)
	c.put(`<path d="M%.1f %.1fl-6 -10h12z"/></g>`, x, top+9)
}

// busy draws how many slots were held, and the limit.
func (c *canvas) busy(t view.Timeline, from float64) {
	most := max(t.Slots, t.Lanes, 1)
	base := from + busyHeight
	y := func(n int) float64 { return base - float64(n)/float64(most)*busyHeight }
	c.put(`<path class="busy" d="M%.1f %.1f`, left, base)
	for i, s := range t.Busy {
		until := t.To
		if i+1 < len(t.Busy) {
			until = t.Busy[i+1].At
		}
		c.put("L%.1f %.1fL%.1f %.1f", c.x(s.At), y(s.N), c.x(until), y(s.N))
	}
	c.put(`L%.1f %.1fZ">%s</path>`, width-right, base, titled("slots held by weir's jobs"))
	c.label("tick", "end", left-6, base, "0")
	if t.Slots > 0 {
		c.line("limit", left, y(t.Slots), width-right, y(t.Slots))
		c.label("tick", "end", left-6, y(t.Slots)+4, fmt.Sprint(t.Slots))
	}
	c.label("unit", "start", 4, from-12, "slots held")
}
