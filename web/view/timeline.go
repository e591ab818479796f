package view

import (
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir"
)

// Timeline is what an account did over a stretch of time.
type Timeline struct {
	Account string    `json:"account"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	// Slots is the limit, -1 when not known; Lanes how many bars lie beside each
	// other at most.
	Slots int    `json:"slots"`
	Lanes int    `json:"lanes"`
	Bars  []Bar  `json:"bars"`
	Marks []Mark `json:"marks"`
	// Busy is how many jobs held a slot, from each instant on.
	Busy []Step `json:"busy"`
	// Share is the part of the slots' time that was used, 0 to 1; -1 when the
	// limit is not known.
	Share float64 `json:"share"`
	// ClosedFrom and ClosedUntil are the present closing of the gate.
	ClosedFrom  time.Time `json:"closed_from,omitzero"`
	ClosedUntil time.Time `json:"closed_until,omitzero"`
	// Cut says that more happened than is shown.
	Cut bool `json:"cut"`
}

// Bar is one job of an export: queued, then running, then landing. An instant
// that has not come is left out.
type Bar struct {
	Export  int64     `json:"export"`
	Title   string    `json:"title"`
	JobID   string    `json:"job_id,omitempty"`
	Lane    int       `json:"lane"`
	Posted  time.Time `json:"posted"`
	Started time.Time `json:"started,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	Landed  time.Time `json:"landed,omitzero"`
	// Outcome is running, landing, landed, failed, cancelled, rejected or unknown.
	Outcome string `json:"outcome"`
}

// Mark is something that went otherwise than wished.
type Mark struct {
	At time.Time `json:"at"`
	// Kind is throttled (a 429), refused (no slot, no quota, not sent) or failed.
	Kind   string `json:"kind"`
	Text   string `json:"text"`
	Export int64  `json:"export,omitempty"`
}

// Step is a number from an instant on.
type Step struct {
	At time.Time `json:"at"`
	N  int       `json:"n"`
}

// The kinds of marks.
const (
	Throttled = "throttled"
	Refused   = "refused"
	WentWrong = "failed"
)

// TimelineFacts are what a timeline is made of.
type TimelineFacts struct {
	Account   string
	Exports   []weir.Export
	Histories map[int64][]weir.Event
	Jobs      map[string]weir.Job
	Slots     int
	Cut       bool
	// RefusedAt is when the server last answered 429 to anything, ClosedFrom and
	// ClosedUntil the present closing; zero when there is none.
	RefusedAt, ClosedFrom, ClosedUntil time.Time
}

// TimelineOf lays out what happened between two instants.
func TimelineOf(f TimelineFacts, from, to time.Time) Timeline {
	t := Timeline{
		Account: f.Account, From: from, To: to, Slots: f.Slots, Bars: []Bar{}, Marks: []Mark{}, Busy: []Step{}, Cut: f.Cut,
		ClosedFrom: f.ClosedFrom, ClosedUntil: f.ClosedUntil,
	}
	for _, e := range f.Exports {
		w := walk{export: e, jobs: f.Jobs}
		for _, event := range f.Histories[e.ID] {
			w.step(event)
		}
		w.end()
		t.Bars = append(t.Bars, w.bars...)
		t.Marks = append(t.Marks, w.marks...)
	}
	t.Bars = slices.DeleteFunc(t.Bars, func(b Bar) bool { return b.Posted.After(to) || b.last(to).Before(from) })
	t.addRefusal(f.RefusedAt)
	t.Marks = slices.DeleteFunc(t.Marks, func(m Mark) bool { return m.At.Before(from) || m.At.After(to) })
	slices.SortStableFunc(t.Marks, func(a, b Mark) int { return a.At.Compare(b.At) })
	t.layOut()
	t.count()
	return t
}

// addRefusal marks a 429 that no POST met.
func (t *Timeline) addRefusal(at time.Time) {
	near := func(m Mark) bool { return m.Kind == Throttled && m.At.Sub(at).Abs() < time.Second }
	if !at.IsZero() && !slices.ContainsFunc(t.Marks, near) {
		t.Marks = append(t.Marks, Mark{At: at, Kind: Throttled, Text: "the server answered 429"})
	}
}

// walk follows one export through its events.
type walk struct {
	export weir.Export
	jobs   map[string]weir.Job
	bars   []Bar
	marks  []Mark
	open   bool // the last bar
}

func (w *walk) step(e weir.Event) {
	if e.JobID != "" && w.open {
		w.bar().JobID = e.JobID
	}
	switch {
	case e.To == weir.Submitting, e.To == weir.Running && !w.open:
		w.bars = append(w.bars, Bar{Export: e.ExportID, Title: w.export.Request.Title(), JobID: e.JobID, Posted: e.At, Outcome: "running"})
		w.open = true
	case e.From == weir.Submitting && e.To == weir.Planned:
		w.drop(e)
	case e.To == weir.Unknown && w.open:
		w.bar().Outcome = "unknown"
	case e.To == weir.Running:
		w.bar().Outcome = "running"
	case e.To == weir.Ready && w.open:
		w.close(e.At, "landing")
	case e.To == weir.Planned && w.open:
		w.mark(e, WentWrong)
		w.close(e.At, "failed")
	case e.To == weir.Landed, e.To == weir.Rejected, e.To == weir.Failed, e.To == weir.Cancelled:
		w.ended(e)
	}
}

// drop takes back a bar whose POST started nothing.
func (w *walk) drop(e weir.Event) {
	if w.open {
		w.bars, w.open = w.bars[:len(w.bars)-1], false
	}
	kind := Refused
	if strings.HasSuffix(e.Request, ": 429") {
		kind = Throttled
	}
	w.mark(e, kind)
}

func (w *walk) ended(e weir.Event) {
	if e.To != weir.Landed && e.To != weir.Cancelled {
		w.mark(e, WentWrong)
	}
	if w.open {
		w.close(e.At, string(e.To))
		return
	}
	if last := len(w.bars) - 1; last >= 0 && w.bars[last].Outcome == "landing" {
		w.bars[last].Outcome, w.bars[last].Landed = string(e.To), e.At
	}
}

func (w *walk) bar() *Bar { return &w.bars[len(w.bars)-1] }

func (w *walk) mark(e weir.Event, kind string) {
	w.marks = append(w.marks, Mark{At: e.At, Kind: kind, Text: w.export.Request.Title() + ": " + e.Why, Export: e.ExportID})
}

// close ends the time in a slot, by the server's own times where they fit.
func (w *walk) close(at time.Time, outcome string) {
	b := w.bar()
	b.Ended, b.Outcome, w.open = at, outcome, false
	w.serverTimes(b)
}

func (w *walk) end() {
	if w.open {
		w.serverTimes(w.bar())
	}
}

// serverTimes takes the server's word for when the job began to run and ended,
// as far as its clock is not off by more than the bar.
func (w *walk) serverTimes(b *Bar) {
	j, known := w.jobs[b.JobID]
	if !known || b.JobID == "" {
		return
	}
	fits := func(at time.Time) bool {
		return at.After(b.Posted.Add(-time.Second)) && (b.Ended.IsZero() || !at.After(b.Ended))
	}
	if fits(j.StartedAt) {
		b.Started = j.StartedAt
	}
	if !b.Ended.IsZero() && fits(j.EndedAt) && j.EndedAt.After(b.Started) {
		b.Ended = j.EndedAt
	}
}

// last is the end of the bar, landing included.
func (b Bar) last(now time.Time) time.Time {
	switch {
	case !b.Landed.IsZero():
		return b.Landed
	case !b.Ended.IsZero() && b.Outcome != "landing":
		return b.Ended
	}
	return now
}

func (b Bar) holdsUntil(now time.Time) time.Time {
	if b.Ended.IsZero() {
		return now
	}
	return b.Ended
}

// layOut gives each bar the first lane that is free while it holds its slot.
func (t *Timeline) layOut() {
	slices.SortStableFunc(t.Bars, func(a, b Bar) int { return a.Posted.Compare(b.Posted) })
	var free []time.Time // by lane
	for i := range t.Bars {
		b := &t.Bars[i]
		lane := slices.IndexFunc(free, func(at time.Time) bool { return !at.After(b.Posted) })
		if lane < 0 {
			lane = len(free)
			free = append(free, time.Time{})
		}
		b.Lane, free[lane] = lane, b.holdsUntil(t.To)
	}
	t.Lanes = len(free)
}

// count sums up how many slots were held when.
func (t *Timeline) count() {
	changes := map[int64]int{}
	clamp := func(at time.Time) int64 { return min(max(at.UnixMilli(), t.From.UnixMilli()), t.To.UnixMilli()) }
	for _, b := range t.Bars {
		changes[clamp(b.Posted)]++
		changes[clamp(b.holdsUntil(t.To))]--
	}
	instants := []int64{t.From.UnixMilli()}
	for at, by := range changes {
		if by != 0 && at != instants[0] {
			instants = append(instants, at)
		}
	}
	slices.Sort(instants)
	held, used := 0, 0.0
	for i, at := range instants {
		held += changes[at]
		t.Busy = append(t.Busy, Step{time.UnixMilli(at).UTC(), held})
		until := t.To.UnixMilli()
		if i+1 < len(instants) {
			until = instants[i+1]
		}
		used += float64(held) * float64(until-at)
	}
	t.Share = -1
	if whole := float64(t.To.Sub(t.From).Milliseconds()) * float64(t.Slots); whole > 0 {
		t.Share = min(1, used/whole)
	}
}
