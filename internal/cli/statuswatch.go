package cli

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/app"
	"github.com/weirhq/weir/plan"
)

// watchEvery is how often the picture is drawn anew.
const watchEvery = 500 * time.Millisecond

// watchStatus shows how the account stands until it is interrupted: a picture
// drawn in place on a terminal, a line for each change elsewhere.
func (g *globals) watchStatus(ctx context.Context) error {
	if g.json {
		return app.Usage("leave --json out, or --watch", "read flags: --watch draws, and has no JSON")
	}
	settings, err := g.settings()
	if err != nil {
		return err
	}
	store, err := app.OpenLedger(ctx, settings)
	if err != nil {
		return err
	}
	defer store.Close()
	show, end := g.viewer()
	defer end()
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		picture, err := app.Look(ctx, store, settings)
		if ctx.Err() != nil {
			return exitWith(app.ExitInterrupted) // nobody wants to be told
		}
		if err != nil {
			return err
		}
		show(picture)
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
}

// viewer shows pictures on what standard output is.
func (g *globals) viewer() (show func(app.Picture), end func()) {
	out, isFile := g.Out.(*os.File)
	if !isFile || !term.IsTerminal(int(out.Fd())) || g.quiet {
		changes := &changes{states: map[int64]weir.State{}}
		return func(p app.Picture) {
			for _, line := range changes.of(p) {
				fmt.Fprintln(g.Out, line)
			}
		}, func() {}
	}
	screen := &screenOf{out: out, color: !g.noColor}
	screen.open()
	return screen.draw, screen.close
}

// changes turn pictures into lines: one for each export that moved, and for each
// change of what the account as a whole waits for or may use.
type changes struct {
	states map[int64]weir.State
	limits string
	wait   string
}

func (c *changes) of(p app.Picture) []string {
	var lines []string
	at := p.At.UTC().Format("15:04:05")
	say := func(format string, args ...any) { lines = append(lines, at+"  "+fmt.Sprintf(format, args...)) }
	if limits := limitsText(p); limits != c.limits {
		c.limits = limits
		say("%s", limits)
	}
	exports := p.Ended
	for _, s := range p.Open {
		exports = append(exports, s.Export)
	}
	for _, e := range exports {
		if c.states[e.ID] != e.State {
			c.states[e.ID] = e.State
			say("export %d  %-24s %s", e.ID, plain(e.Request.Title()), e.State)
		}
	}
	if wait := heldText(p); wait != c.wait {
		if c.wait = wait; wait != "" {
			say("%s", wait)
		}
	}
	return lines
}

// heldText is how many exports something holds back, and what holds the first.
func heldText(p app.Picture) string {
	held, first := 0, ""
	for _, s := range p.Open {
		switch s.Stand.Wait.Code {
		case weir.WaitNone, weir.WaitJob, weir.WaitTurn:
			continue
		}
		if held++; first == "" {
			first = s.Stand.Wait.Text
		}
	}
	if held == 0 {
		return ""
	}
	return fmt.Sprintf("%d waiting: %s", held, plain(first))
}

// limitsText is slots, quota and gate in one line.
func limitsText(p app.Picture) string {
	parts := []string{"slots not known", "quota not known"}
	if p.Budget.Known() {
		parts[0] = fmt.Sprintf("slots %d of %d taken", p.Taken, p.Budget.Slots)
		if p.Budget.Quota > 0 && p.QuotaLeft >= 0 {
			parts[1] = fmt.Sprintf("quota %d of %d left", p.QuotaLeft, p.Budget.Quota)
		}
	}
	if p.GateOpens.After(p.At) {
		parts = append(parts, "closed until "+p.GateOpens.UTC().Format("15:04:05"))
	}
	return strings.Join(parts, ", ")
}

// screenOf draws pictures over each other on the terminal's other screen, and
// leaves the last one on the first when it ends.
type screenOf struct {
	out   *os.File
	color bool
	last  app.Picture
	drawn bool
}

// Words of a terminal: its other screen, on which a line too long for it ends at
// its edge, the cursor, where to write.
const (
	otherScreen = "\x1b[?1049h\x1b[?25l\x1b[?7l"
	firstScreen = "\x1b[?7h\x1b[?1049l\x1b[?25h"
	goHome      = "\x1b[H"
	clearLine   = "\x1b[K"
	clearBelow  = "\x1b[J"
)

func (s *screenOf) open() { fmt.Fprint(s.out, otherScreen) }

// size is the terminal's as it is now: windows change. One that does not say, or
// holds nothing, is taken for a usual one.
func (s *screenOf) size() (width, height int) {
	width, height, err := term.GetSize(int(s.out.Fd()))
	if err != nil || width < 20 || height < 5 {
		return 80, 24
	}
	return width, height
}

func (s *screenOf) draw(p app.Picture) {
	width, height := s.size()
	s.last, s.drawn = p, true
	lines := frame(p, width, height-1, s.color)
	fmt.Fprint(s.out, goHome+strings.Join(lines, clearLine+"\r\n")+clearLine+clearBelow)
}

func (s *screenOf) close() {
	fmt.Fprint(s.out, firstScreen)
	if s.drawn {
		width, height := s.size()
		fmt.Fprintln(s.out, strings.Join(frame(s.last, width, height-1, s.color), "\n"))
	}
}

// planOutlook is what the quota and the backlog come to, in words.
func planOutlook(o plan.Outlook, now time.Time) string {
	var parts []string
	if o.FinishAt.After(now) {
		parts = append(parts, "all landed in about "+short(o.FinishAt.Sub(now)))
	}
	if !o.QuotaShortAt.IsZero() {
		parts = append(parts, "the quota runs out at "+instant(o.QuotaShortAt))
	}
	return strings.Join(parts, "; ")
}
