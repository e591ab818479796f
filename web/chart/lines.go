package chart

import (
	"fmt"
	"html/template"
	"math"
	"time"

	"github.com/weirhq/weir/web/view"
)

// Quota draws how the uses that count now come back, what is planned on top of
// them, the limit, and what is kept for people.
func Quota(q view.Quota) template.HTML {
	if len(q.Used) == 0 {
		return ""
	}
	c := newCanvas(300, q.At, q.At.Add(view.QuotaWindow))
	most := float64(q.Uses.Limit)
	for _, s := range q.Projected {
		most = max(most, float64(s.N))
	}
	c.valueAxis(0, most, "exports in 30 days", func(v float64) string { return view.Number(int64(math.Round(v))) })
	c.timeAxis()
	c.steps("used", q.Used, true, "used now, and when it comes back")
	c.steps("others", []view.Step{{At: c.from, N: q.Uses.Others}}, true, "used by others: nobody knows when these come back")
	c.steps("projected", q.Projected, false, "with what waits and what is scheduled")
	c.level("limit", float64(q.Uses.Limit), "limit "+view.Number(int64(q.Uses.Limit)))
	if q.Uses.Kept > 0 {
		c.level("reserve", float64(q.Uses.Limit-q.Uses.Kept), "less "+view.Number(int64(q.Uses.Kept))+" kept for people")
	}
	c.moment("finish", q.FinishAt, "all that waits has had its job")
	c.moment("short", q.ShortAt, "a schedule finds no quota")
	return c.done()
}

// steps draws a staircase, filled to the axis or as a line.
func (c *canvas) steps(class string, steps []view.Step, filled bool, title string) {
	base := c.y(0)
	c.put(`<path class="%s" d="`, class)
	if filled {
		c.put("M%.1f %.1fL%.1f %.1f", c.x(c.from), base, c.x(c.from), c.y(float64(steps[0].N)))
	} else {
		c.put("M%.1f %.1f", c.x(c.from), c.y(float64(steps[0].N)))
	}
	for i, s := range steps {
		if i > 0 && s.N == steps[i-1].N && i < len(steps)-1 {
			continue
		}
		c.put("H%.1fV%.1f", c.x(s.At), c.y(float64(s.N)))
	}
	c.put("H%.1f", c.x(c.to))
	if filled {
		c.put("V%.1fZ", base)
	}
	c.put(`">%s</path>`, titled(title))
}

func (c *canvas) level(class string, value float64, text string) {
	y := c.y(value)
	c.line(class, left, y, width-right, y)
	c.label("note", "start", left+6, y-5, text)
}

// moment is an upright line at an instant within the plot.
func (c *canvas) moment(class string, at time.Time, text string) {
	if at.IsZero() || at.Before(c.from) || at.After(c.to) {
		return
	}
	x := c.x(at)
	c.put(`<g class="moment %s">%s`, class, titled(view.Instant(at)+" UTC: "+text))
	c.line("hair", x, top, x, c.height-bottom)
	c.put("</g>")
	anchor, beside := "start", 5.0
	if x > width*0.7 {
		anchor, beside = "end", -5.0
	}
	c.label("note", anchor, x+beside, top+12, text)
}

// Totals draws each series as a line with its points.
func Totals(series []view.Series) template.HTML {
	var from, to time.Time
	low, high := 0.0, 0.0
	for _, s := range series {
		for _, p := range s.Points {
			if from.IsZero() || p.At.Before(from) {
				from = p.At
			}
			if p.At.After(to) {
				to = p.At
			}
			low, high = min(low, p.Value), max(high, p.Value)
		}
	}
	if from.IsZero() {
		return ""
	}
	if !to.After(from) {
		from, to = from.Add(-time.Hour), to.Add(time.Hour)
	}
	c := newCanvas(280, from, to)
	c.valueAxis(low, high, "sum, as it came", short)
	c.timeAxis()
	for n, s := range series {
		c.polyline(n, s)
	}
	return c.done()
}

func (c *canvas) polyline(n int, s view.Series) {
	c.put(`<g class="series s%d"><path d="`, n+1)
	for i, p := range s.Points {
		verb := "L"
		if i == 0 {
			verb = "M"
		}
		c.put("%s%.1f %.1f", verb, c.x(p.At), c.y(p.Value))
	}
	c.put(`"/>`)
	for _, p := range s.Points {
		c.put(`<circle cx="%.1f" cy="%.1f" r="3.5">%s</circle>`, c.x(p.At), c.y(p.Value),
			titled(fmt.Sprintf("%s, %s UTC: %s", s.Name, view.Instant(p.At), short(p.Value))))
	}
	c.put("</g>")
}

// Slots draws the slots of an account as a row of pills: ours, others', free.
func Slots(s view.Slots) template.HTML {
	if s.Limit <= 0 {
		return ""
	}
	const pill, gap, height = 22.0, 4.0, 12.0
	shown := min(s.Limit, 40)
	var c canvas
	for i := range shown {
		class, title := "slot free", "free"
		// Beyond forty slots a pill stands for several.
		switch at := i * s.Limit / shown; {
		case at < s.Ours:
			class, title = "slot ours", "a job of weir's"
		case at < s.Ours+s.Others:
			class, title = "slot others", "a job of somebody else's"
		}
		c.rect(class, float64(i)*(pill+gap), 0, float64(i)*(pill+gap)+pill, height, title)
	}
	whole := float64(shown)*(pill+gap) - gap
	return template.HTML(fmt.Sprintf(`<svg class="slots" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f" aria-hidden="true" focusable="false">%s</svg>`, whole, height, whole, height, c.text.String()))
}
