package cli

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/app"
)

// ink paints words where there is colour.
type ink bool

const (
	green  = "32"
	yellow = "33"
	red    = "31"
	dim    = "2"
	bold   = "1"
)

func (i ink) paint(code, text string) string {
	if !i || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

// frame is a picture as lines that fit a terminal: who, the limits, what holds a
// slot, what lands, what waits, what ended.
func frame(p app.Picture, width, height int, color bool) []string {
	paint := ink(color)
	lines := []string{
		paint.paint(bold, "weir "+clip(plain(p.Account.Name), width/2)) + paint.paint(dim, "  "+instant(p.At)),
		limitLine(p, width, paint),
		gateLine(p, width, paint),
		"",
	}
	var rows []string
	for _, s := range p.Open {
		rows = append(rows, openRow(s, p.At, width, paint))
	}
	for i := len(p.Ended) - 1; i >= 0; i-- {
		rows = append(rows, endedRow(p.Ended[i], width, paint))
	}
	if len(rows) == 0 {
		rows = []string{paint.paint(dim, "no exports yet; begin with: weir export forecast ID --period 2026_Q1")}
	}
	if room := max(1, height-len(lines)-2); len(rows) > room {
		more := len(rows) - room + 1
		rows = append(rows[:room-1], paint.paint(dim, fmt.Sprintf("  and %d more", more)))
	}
	return append(append(lines, rows...), "", paint.paint(dim, clip(footer(p), width)))
}

func limitLine(p app.Picture, width int, paint ink) string {
	if !p.Budget.Known() {
		return paint.paint(dim, clip(limitsText(p), width))
	}
	b := p.Budget
	taken := p.Taken
	slots, quota := fmt.Sprintf("%d of %d (%d weir's)", taken, b.Slots, p.Holding), ""
	if b.Quota > 0 && p.QuotaLeft >= 0 {
		quota = fmt.Sprintf("%d of %d left", p.QuotaLeft, b.Quota)
	}
	room := width - len("slots     quota  ") - len(slots) - len(quota)
	if room < 8 {
		return clip(limitsText(p), width)
	}
	short := min(max(b.Slots, 3), 20, room/2)
	line := "slots " + gauge(taken, b.Slots, short, paint) + " " + slots
	if quota != "" {
		line += "   quota " + gauge(b.Quota-p.QuotaLeft, b.Quota, min(30, room-short), paint) + " " + quota
	}
	return line
}

// gauge is a bar that fills with what is used, and warns when little is left.
func gauge(used, of, cells int, paint ink) string {
	full := 0
	if of > 0 {
		full = min(cells, (max(0, used)*cells+of-1)/of)
	}
	color := green
	if used*10 >= of*9 {
		color = yellow
	}
	return paint.paint(color, strings.Repeat("█", full)) + paint.paint(dim, strings.Repeat("░", cells-full))
}

func gateLine(p app.Picture, width int, paint ink) string {
	gate := paint.paint(green, "open") + fmt.Sprintf(", %.3g requests/s", p.Rate)
	if p.GateOpens.After(p.At) {
		gate = paint.paint(yellow, "closed for "+short(p.GateOpens.Sub(p.At))) + paint.paint(dim, "  "+clip(plain(p.GateWhy.Text), max(0, width-50)))
	}
	who := paint.paint(yellow, "nobody conducts it: weir resume, or weir serve")
	if p.Conductor != "" {
		who = paint.paint(dim, "conducted by "+clip(plain(p.Conductor), width/2))
	}
	return "gate  " + gate + "   " + who
}

// titleWidth is the column of the export's name.
const titleWidth = 22

func openRow(s engine.Standing, now time.Time, width int, paint ink) string {
	head := fmt.Sprintf("%5d  %-*s ", s.Export.ID, titleWidth, clip(plain(s.Export.Request.Title()), titleWidth))
	room := max(10, width-utf8.RuneCountInString(head)-11)
	state := func(color string) string { return paint.paint(color, fmt.Sprintf("%-10s", stateText(s))) }
	switch {
	case s.Export.State.HoldsSlot():
		age, cells := now.Sub(s.Export.SubmittedAt), min(20, room/2)
		full := int(filled(age, s.Expected)) * cells / barGrain
		bar := paint.paint(green, strings.Repeat("█", full)) + paint.paint(dim, strings.Repeat("░", cells-full))
		about := clip(fmt.Sprintf(" %s of about %s", short(age), short(s.Expected)), room-cells)
		return head + state(green) + bar + paint.paint(dim, about)
	case s.Export.State == weir.Ready:
		return head + state(green) + paint.paint(dim, clip(plain(s.Stand.Wait.Text), room))
	}
	return head + state(yellow) + paint.paint(dim, clip(plain(s.Stand.Wait.Text), room))
}

func endedRow(e weir.Export, width int, paint ink) string {
	head := fmt.Sprintf("%5d  %-*s ", e.ID, titleWidth, clip(plain(e.Request.Title()), titleWidth))
	color, why := dim, e.ChangedAt.UTC().Format("at 15:04:05")
	if e.Failure != nil {
		color, why = red, e.Failure.Code+": "+e.Failure.Message
	}
	room := max(10, width-utf8.RuneCountInString(head)-11)
	return head + paint.paint(color, fmt.Sprintf("%-10s", e.State)) + paint.paint(dim, clip(plain(why), room))
}

func footer(p app.Picture) string {
	waiting := 0
	for _, s := range p.Open {
		if s.Export.State == weir.Planned {
			waiting++
		}
	}
	text := fmt.Sprintf("%d open, %d of them waiting", len(p.Open), waiting)
	if outlook := planOutlook(p.Outlook, p.At); outlook != "" {
		text += "; " + outlook
	}
	return text + "   Ctrl-C leaves"
}

// clip cuts text to so many characters.
func clip(text string, most int) string {
	if utf8.RuneCountInString(text) <= most {
		return text
	}
	if most <= 1 {
		return ""
	}
	return string([]rune(text)[:most-1]) + "…"
}
