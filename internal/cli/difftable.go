package cli

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/weirhq/weir/history"
	"github.com/weirhq/weir/internal/app"
	"github.com/weirhq/weir/land"
)

// diffTable tells a person what changed: the whole first, then people, totals
// and the largest changes.
func (g *globals) diffTable(ctx context.Context, out io.Writer, x diffFlags, pair app.Pair) error {
	most := history.Largest{Limit: x.limit}
	s, err := pair.Compare(ctx, most.Add)
	if err != nil {
		return err
	}
	p := page{out: out}
	if x.output == "" && g.OutTerminal {
		p.width, p.colour = g.OutWidth, !g.noColor
	}
	p.heading(pair, s)
	p.people(s)
	p.totals(s)
	p.changes(&most)
	return p.err
}

// page writes text for a person; its first error stays.
type page struct {
	out    io.Writer
	width  int // of the terminal; 0 is unbounded
	colour bool
	err    error
}

func (p *page) line(format string, args ...any) {
	if p.err == nil {
		_, err := fmt.Fprintf(p.out, format+"\n", args...)
		p.err = outputFault("standard output", err)
	}
}

// paint colours text on a terminal.
func (p *page) paint(code, text string) string { return ink(p.colour).paint(code, text) }

func (p *page) heading(pair app.Pair, s history.Summary) {
	p.line("%s", p.paint(bold, plain(pair.To.Request.Title())))
	for _, side := range []struct {
		word string
		m    land.Manifest
		rows int64
	}{{"from", pair.From, s.FromRows}, {"to", pair.To, s.ToRows}} {
		p.line("%-4s  %s  %s  %s rows", side.word, plain(side.m.Snapshot), instant(side.m.SnapshotAt), grouped(fmt.Sprint(side.rows)))
	}
	p.line("")
	p.line("%s changed, %s appeared, %s vanished, %s the same", count(s.Changed, "row"), grouped(fmt.Sprint(s.Appeared)),
		grouped(fmt.Sprint(s.Vanished)), grouped(fmt.Sprint(s.Same)))
}

func count(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return grouped(fmt.Sprint(n)) + " " + what + "s"
}

// people names who left, went to zero and came.
func (p *page) people(s history.Summary) {
	const shown = 20
	for _, group := range []struct {
		what   history.Presence
		text   string
		colour string
	}{{history.Left, "left the forecast", red}, {history.Zeroed, "went to zero", red}, {history.Joined, "appeared", green}} {
		if s.Counts.People[group.what] == 0 {
			continue
		}
		var names []string
		for _, person := range s.People {
			if person.Presence == group.what && len(names) < shown {
				names = append(names, fmt.Sprintf("%s (%s)", called(person.Name, person.ID), count(person.Rows, "row")))
			}
		}
		if more := s.Counts.People[group.what] - int64(len(names)); more > 0 {
			names = append(names, fmt.Sprintf("%s more", grouped(fmt.Sprint(more))))
		}
		who := "people"
		if s.Counts.People[group.what] == 1 {
			who = "person"
		}
		p.line("%s", p.paint(group.colour, fmt.Sprintf("%s %s %s: %s", grouped(fmt.Sprint(s.Counts.People[group.what])), who, group.text, strings.Join(names, ", "))))
	}
}

// called is a name to show, or the id where there is none.
func called(name, id string) string {
	switch {
	case name != "":
		return plain(name)
	case id != "":
		return plain(id)
	}
	return "(none)"
}

func (p *page) totals(s history.Summary) {
	rows := [][]string{{"TOTAL", "VALUE", "FROM", "TO", "DELTA"}}
	for _, t := range s.Totals {
		rows = append(rows, []string{called(t.FieldName, t.FieldID), t.Column, money(t.From), money(t.To), signed(t.Delta)})
	}
	if len(rows) > 1 {
		p.line("")
		p.table(rows, 2)
	}
	if s.TotalsCut {
		p.line("there are more fields than totals are kept of")
	}
}

func (p *page) changes(l *history.Largest) {
	all := l.Sorted()
	if len(all) == 0 {
		return
	}
	rows := [][]string{{"PERSON", "FIELD", "WEEK", "VALUE", "FROM", "TO", "DELTA"}}
	for _, c := range all {
		week := c.Date()
		if week == "" {
			week = plain(c.TimeFrameID)
		}
		rows = append(rows, []string{called(c.UserName, c.UserID), called(c.FieldName, c.FieldID), week, history.Columns()[c.Column],
			side(c.From[c.Column], c.Kind == history.Appeared), side(c.To[c.Column], c.Kind == history.Vanished), signed(c.Delta(c.Column))})
	}
	p.line("")
	p.table(rows, 4)
	if len(all) < l.Seen {
		p.line("%s", p.paint(dim, fmt.Sprintf("the largest %d of %s; all of them: --limit 0, or --format csv", len(all), count(int64(l.Seen), "change"))))
	}
}

// side is a value before or after; a row that is not there is told from a value
// that is not.
func side(n history.Number, gone bool) string {
	if gone {
		return "no row"
	}
	return money(n)
}

// money is a number for a person: digits in groups, two decimals at least,
// nothing as a dash.
func money(n history.Number) string {
	if !n.There() {
		return "-"
	}
	text := n.String()
	switch at := strings.IndexByte(text, '.'); {
	case at == len(text)-2 && at > 0:
		text += "0"
	case at < 0 && !strings.ContainsAny(text, "eE"):
		text += ".00"
	}
	return grouped(text)
}

func signed(n history.Number) string {
	text := money(n)
	if n.Counts() && !strings.HasPrefix(text, "-") {
		return "+" + text
	}
	return text
}

// grouped puts commas between the thousands of a plain decimal.
func grouped(text string) string {
	whole, rest := text, ""
	if at := strings.IndexAny(text, ".eE"); at >= 0 {
		whole, rest = text[:at], text[at:]
	}
	digits := strings.TrimPrefix(whole, "-")
	var parts []string
	for len(digits) > 3 {
		parts = append([]string{digits[len(digits)-3:]}, parts...)
		digits = digits[:len(digits)-3]
	}
	sign := whole[:len(whole)-len(strings.TrimPrefix(whole, "-"))]
	return sign + strings.Join(append([]string{digits}, parts...), ",") + rest
}
