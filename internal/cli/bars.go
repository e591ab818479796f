package cli

import (
	"fmt"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/plan"
)

// bars draws one bar for the whole, one per running export with its state and
// age, and one line for what waits and why.
type bars struct {
	container *mpb.Progress
	whole     *mpb.Bar
	waiting   *mpb.Bar
	running   map[int64]*exportBar

	mu           sync.Mutex
	text         string
	ended, total int
}

// exportBar is the bar of one running export: its age against what is expected.
type exportBar struct {
	bar *mpb.Bar

	mu   sync.Mutex
	text string
}

func newBars(g *globals, total int) *bars {
	b := &bars{running: map[int64]*exportBar{}}
	width := g.Width
	if width == 0 {
		width = 80
	}
	b.container = mpb.New(mpb.WithOutput(g.Err), mpb.WithWidth(min(24, width/3)), mpb.WithRefreshRate(150*time.Millisecond))
	b.whole = b.container.AddBar(int64(total), mpb.BarPriority(-1),
		mpb.PrependDecorators(decor.Name("exports", decor.WC{W: 26, C: decor.DindentRight})),
		mpb.AppendDecorators(decor.Any(func(decor.Statistics) string { return b.countText() })))
	b.waiting = b.container.New(1, mpb.NopStyle(), mpb.BarPriority(1<<20), mpb.BarFillerTrim(),
		mpb.PrependDecorators(decor.Any(func(decor.Statistics) string { return b.waitLine(width) })))
	return b
}

func (b *bars) show(standings []engine.Standing, _ plan.Plan, c engine.Condition) {
	ended := 0
	for _, s := range standings {
		if !s.Open() {
			ended++
			b.drop(s.Export.ID)
		} else if s.Export.State.HoldsSlot() || s.Export.State == weir.Ready {
			b.update(s)
		} else {
			b.drop(s.Export.ID)
		}
	}
	b.whole.SetTotal(int64(len(standings))+1, false) // never complete before close
	b.whole.SetCurrent(int64(ended))
	b.mu.Lock()
	b.text, b.ended, b.total = waitingText(standings, c), ended, len(standings)
	b.mu.Unlock()
}

func (b *bars) countText() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return fmt.Sprintf("%d of %d ended", b.ended, b.total)
}

func (b *bars) waitLine(width int) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.text == "" {
		return ""
	}
	line := []rune(b.text)
	return string(line[:min(len(line), max(20, width-2))])
}

// update draws an export's bar: its age fills towards the time that the like of
// it takes.
func (b *bars) update(s engine.Standing) {
	x := b.running[s.Export.ID]
	if x == nil {
		x = &exportBar{}
		x.bar = b.container.AddBar(barGrain, mpb.BarRemoveOnComplete(), mpb.BarPriority(int(s.Export.ID)),
			mpb.PrependDecorators(decor.Name(plain(s.Export.Request.Title()), decor.WC{W: 26, C: decor.DindentRight})),
			mpb.AppendDecorators(decor.Any(func(decor.Statistics) string {
				x.mu.Lock()
				defer x.mu.Unlock()
				return x.text
			})))
		b.running[s.Export.ID] = x
	}
	age := time.Since(s.Export.SubmittedAt)
	x.mu.Lock()
	x.text = fmt.Sprintf("%-10s %s", stateText(s), short(age))
	x.mu.Unlock()
	x.bar.SetCurrent(filled(age, s.Expected))
}

// barGrain is the resolution of an export's bar.
const barGrain = 1000

// filled maps an age to the bar: four fifths at the expected time, never full.
func filled(age, expected time.Duration) int64 {
	if expected <= 0 {
		expected = 10 * time.Second
	}
	share := age.Seconds() / (age.Seconds() + expected.Seconds()/4)
	return int64(share * barGrain * 0.99)
}

func stateText(s engine.Standing) string {
	switch s.Export.State {
	case weir.Running:
		if s.Job.Status == weir.JobQueued {
			return "queued"
		}
		return "running"
	case weir.Ready:
		return "landing"
	case weir.Unknown:
		return "in doubt"
	}
	return string(s.Export.State)
}

func (b *bars) drop(id int64) {
	if x := b.running[id]; x != nil {
		x.bar.Abort(true)
		delete(b.running, id)
	}
}

func (b *bars) close() {
	for id := range b.running {
		b.drop(id)
	}
	b.waiting.Abort(true)
	b.whole.SetTotal(-1, true)
	b.whole.Abort(true)
	b.container.Wait()
}
