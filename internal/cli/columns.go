package cli

import (
	"strings"

	"github.com/mattn/go-runewidth"
)

// table writes rows under a heading in columns: texts to the left, from column
// numbers on to the right. On a terminal the first two columns give way where
// the line would be too long.
func (p *page) table(rows [][]string, numbers int) {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, text := range row {
			widths[i] = max(widths[i], runewidth.StringWidth(text))
		}
	}
	narrow(widths, p.width)
	for n, row := range rows {
		var parts []string
		for i, text := range row {
			parts = append(parts, p.fitted(text, widths[i], i >= numbers, n > 0 && i == len(row)-1))
		}
		line := strings.TrimRight(strings.Join(parts, gap), " ")
		if n == 0 {
			line = p.paint(bold, line)
		}
		p.line("%s", line)
	}
}

const gap = "  "

// narrow shortens the first two columns, the wider one first, as far as a line
// of that width needs and 8 characters of each remain.
func narrow(widths []int, most int) {
	const least = 8
	if most <= 0 {
		return
	}
	total := (len(widths) - 1) * len(gap)
	for _, width := range widths {
		total += width
	}
	for ; total > most; total-- {
		wider := 0
		if widths[1] > widths[0] {
			wider = 1
		}
		if widths[wider] <= least {
			return
		}
		widths[wider]--
	}
}

// fitted cuts or fills a text to a width, and colours what grew or shrank.
func (p *page) fitted(text string, width int, right, delta bool) string {
	text = runewidth.Truncate(text, width, "…")
	blank := strings.Repeat(" ", width-runewidth.StringWidth(text))
	painted := text
	switch {
	case delta && strings.HasPrefix(text, "+"):
		painted = p.paint(green, text)
	case delta && strings.HasPrefix(text, "-") && text != "-":
		painted = p.paint(red, text)
	}
	if right {
		return blank + painted
	}
	return painted + blank
}
