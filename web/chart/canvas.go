package chart

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"
	"time"
)

// The margins around the plot, in the drawing's own units: about pixels.
const (
	width       = 960.0
	left, right = 56.0, 16.0
	top, bottom = 26.0, 30.0
)

// canvas collects the elements of one drawing over a stretch of time.
type canvas struct {
	text     strings.Builder
	height   float64
	from, to time.Time
	low, top float64 // of the value axis
}

func newCanvas(height float64, from, to time.Time) *canvas {
	return &canvas{height: height, from: from, to: to, top: 1}
}

// x is where an instant lies, kept within the plot.
func (c *canvas) x(at time.Time) float64 {
	whole := c.to.Sub(c.from).Seconds()
	if whole <= 0 {
		return left
	}
	part := at.Sub(c.from).Seconds() / whole
	return left + min(max(part, 0), 1)*(width-left-right)
}

// y is where a value lies.
func (c *canvas) y(value float64) float64 {
	base := c.height - bottom
	return base - (value-c.low)/(c.top-c.low)*(base-top)
}

func (c *canvas) put(format string, args ...any) { fmt.Fprintf(&c.text, format, args...) }

// rect is a rectangle with a title; what is too narrow to see is widened.
func (c *canvas) rect(class string, x0, y, x1, height float64, title string) {
	c.put(`<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="%.1f">%s</rect>`,
		class, x0, y, max(x1-x0, 1), height, min(2, height/4), titled(title))
}

func titled(text string) string {
	if text == "" {
		return ""
	}
	return "<title>" + html.EscapeString(text) + "</title>"
}

func (c *canvas) label(class, anchor string, x, y float64, text string) {
	c.put(`<text class="%s" text-anchor="%s" x="%.1f" y="%.1f">%s</text>`, class, anchor, x, y, html.EscapeString(text))
}

func (c *canvas) line(class string, x0, y0, x1, y1 float64) {
	c.put(`<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, class, x0, y0, x1, y1)
}

// done closes the drawing.
func (c *canvas) done() template.HTML {
	return template.HTML(fmt.Sprintf(`<svg class="chart" viewBox="0 0 %.0f %.0f" aria-hidden="true" focusable="false">%s</svg>`, width, c.height, c.text.String()))
}

// timeAxis marks round instants in UTC.
func (c *canvas) timeAxis() {
	base := c.height - bottom
	step := timeStep(c.to.Sub(c.from))
	layout := "15:04"
	switch {
	case step >= 24*time.Hour:
		layout = "2 Jan"
	case step < time.Minute:
		layout = "15:04:05"
	}
	for at := c.from.UTC().Truncate(step); !at.After(c.to); at = at.Add(step) {
		if at.Before(c.from) {
			continue
		}
		x := c.x(at)
		c.line("grid", x, top, x, base)
		if x < width-right-40 {
			c.label("tick", "middle", x, base+16, at.Format(layout))
		}
	}
	c.line("axis", left, base, width-right, base)
	c.label("unit", "end", width-right, base+16, "UTC")
}

// timeStep is a round distance that makes about eight of a stretch.
func timeStep(whole time.Duration) time.Duration {
	for _, step := range []time.Duration{
		10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
		time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 2 * 24 * time.Hour, 5 * 24 * time.Hour,
	} {
		if whole/step <= 10 {
			return step
		}
	}
	days := math.Ceil(whole.Hours() / 24 / 8)
	return time.Duration(days) * 24 * time.Hour
}

// valueAxis scales the plot to hold a range of values and marks round ones.
func (c *canvas) valueAxis(low, high float64, unit string, word func(float64) string) {
	step := valueStep(high - low)
	c.low, c.top = math.Floor(low/step)*step, math.Ceil(high/step)*step
	if c.top <= c.low {
		c.top = c.low + step
	}
	for n := 0; n <= 12; n++ {
		value := c.low + float64(n)*step
		if value > c.top+step/2 {
			break
		}
		y := c.y(value)
		c.line("grid", left, y, width-right, y)
		c.label("tick", "end", left-6, y+4, word(value))
	}
	c.label("unit", "start", 4, 10, unit)
}

// valueStep is 1, 2 or 5 times a power of ten that makes about five of a range.
func valueStep(span float64) float64 {
	if span <= 0 || math.IsInf(span, 0) || math.IsNaN(span) {
		return 1
	}
	power := math.Pow(10, math.Floor(math.Log10(span/5)))
	for _, factor := range []float64{1, 2, 5, 10} {
		if span/(power*factor) <= 6 {
			return power * factor
		}
	}
	return power * 10
}

// short writes a value in few digits: 1.2 M.
func short(value float64) string {
	if math.Abs(value) >= 1e15 {
		return fmt.Sprintf("%.0e", value)
	}
	for _, unit := range []struct {
		size float64
		name string
	}{{1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e3, " k"}} {
		if math.Abs(value) >= unit.size {
			return trimmed(value/unit.size) + unit.name
		}
	}
	return trimmed(value)
}

func trimmed(value float64) string {
	text := fmt.Sprintf("%.2f", value)
	return strings.TrimRight(strings.TrimRight(text, "0"), ".")
}
