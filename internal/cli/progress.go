package cli

import (
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/plan"
)

// progress shows work under way on standard error.
type progress interface {
	show([]engine.Standing, plan.Plan, engine.Condition)
	close()
}

// newProgress picks bars for a terminal, plain lines elsewhere, nothing when
// quiet.
func newProgress(g *globals, total int) progress {
	switch {
	case g.quiet:
		return silent{}
	case g.Terminal && !g.noColor:
		return newBars(g, total)
	}
	return &lines{g: g, states: map[int64]weir.State{}}
}

type silent struct{}

func (silent) show([]engine.Standing, plan.Plan, engine.Condition) {}
func (silent) close()                                              {}

// lines prints a line for every change of an export's state and, now and then,
// why the rest waits.
type lines struct {
	g      *globals
	states map[int64]weir.State
	wait   string
}

func (l *lines) show(standings []engine.Standing, _ plan.Plan, c engine.Condition) {
	for _, s := range standings {
		if l.states[s.Export.ID] != s.Export.State {
			l.states[s.Export.ID] = s.Export.State
			l.g.say("%s  export %d  %-24s %s%s", time.Now().UTC().Format("15:04:05"), s.Export.ID, plain(s.Export.Request.Title()), s.Export.State, jobText(s))
		}
	}
	if text := waitingText(standings, c); text != l.wait {
		l.wait = text
		if text != "" {
			l.g.say("%s  %s", time.Now().UTC().Format("15:04:05"), text)
		}
	}
}

func (l *lines) close() {}

func jobText(s engine.Standing) string {
	if s.Export.JobID != "" && (s.Export.State == weir.Running || s.Export.State == weir.Ready) {
		text := "  job " + plain(s.Export.JobID)
		if s.Export.Adopted {
			text += ", recognised by its name: nothing is bought again"
		}
		return text
	}
	return ""
}

// waitingText is why what waits does, the most frequent reason first in line:
// the one of the first export that is held back by something other than its own
// running job.
func waitingText(standings []engine.Standing, c engine.Condition) string {
	waiting, first := 0, ""
	for _, s := range standings {
		code := s.Stand.Wait.Code
		landing := s.Export.State == weir.Ready && !s.Stand.ActsAt.After(time.Now())
		if !s.Open() || landing || code == weir.WaitNone || code == weir.WaitJob || code == weir.WaitTurn {
			continue
		}
		waiting++
		if first == "" {
			first = s.Stand.Wait.Text
		}
	}
	if waiting == 0 {
		if c.Unreachable != nil {
			return plain("the server cannot be reached: " + c.Unreachable.Error())
		}
		return ""
	}
	return fmt.Sprintf("%d waiting: %s", waiting, plain(first))
}
