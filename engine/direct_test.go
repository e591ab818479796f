package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/ledger"
)

// drawDirect draws what is read without a job: the current week of a tab, and
// the audit events since the last ones, several times at one place.
func (s *scene) drawDirect(d dice) {
	if !d.chance(0.4) {
		return
	}
	account := pick(d, s.names...)
	want := func(r weir.Request, sinceLast bool) {
		s.commands = append(s.commands, commandScene{account: account, at: d.span(0, s.chaos*3/4), wishes: []ledger.Wish{{
			Account: account, Request: r, SinceLast: sinceLast, JobsAllowed: 1, Destination: "/data", Formats: []string{"parquet"},
		}}})
	}
	if d.chance(0.6) {
		want(weir.Request{Kind: weir.Forecast, ForecastID: pick(d, "net_arr", "new_logo"), Direct: true}, false)
	}
	for range d.IntN(4) {
		want(weir.Request{Kind: weir.Audit}, true)
	}
	script := s.servers[s.accounts[account].server].Scenario
	for range d.IntN(3) {
		route := pick(d, "forecast", "audit")
		rule := emulator.Rule{Match: emulator.Match{Route: route}, Fault: drawFault(d, route)}
		rule.Match.Nth, rule.Match.Until = d.upTo(4), s.chaos
		script.Rules = append(script.Rules, rule)
	}
}

// spanBook is what landed of the audit events at one place.
type spanBook struct {
	reached time.Time
	events  map[string]int64 // the export that brought each
	// read are the events of a landing that has not been written down.
	read map[int64][]string
	anew bool // a person asked for a span again, out of turn
}

func (a *auditor) spansAt(account, destination, format string) *spanBook {
	place := account + " " + destination + " " + format
	if a.spans[place] == nil {
		a.spans[place] = &spanBook{events: map[string]int64{}, read: map[int64][]string{}}
	}
	return a.spans[place]
}

// publishedDirect: what is read without a job has none, and belongs to an export
// that nothing was paid for. The caller holds the lock.
func (a *auditor) publishedDirect(p *proc, d weir.Delivery, from engine.Origin) {
	if from.Job.ID != "" || len(a.attempts[d.ExportID]) > 0 {
		a.fault("%s read export %d without a job, and it has job %q and %d POSTs", p.owner, d.ExportID, from.Job.ID, len(a.attempts[d.ExportID]))
	}
}

// read keeps the audit events that a landing brings.
func (a *auditor) read(d weir.Delivery, text []byte) {
	var found struct{ Items []json.RawMessage }
	if text == nil || json.Unmarshal(text, &found) != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	e, err := a.w.store.Export(context.Background(), d.ExportID)
	if err != nil || e.Request.Kind != weir.Audit {
		return
	}
	var events []string
	for _, item := range found.Items {
		events = append(events, string(item))
	}
	a.spansAt(e.Account, d.Destination, d.Format).read[d.ExportID] = events
}

// landedSpan: each span of audit events begins where the one that landed before
// it ended, the cursor is then at its end, and no event came before. What a
// person asked for again, after it had failed, comes out of turn. The caller
// holds the lock.
func (a *auditor) landedSpan(claim weir.Delivery) {
	e, err := a.w.store.Export(context.Background(), claim.ExportID)
	if err != nil || e.Request.Kind != weir.Audit || !e.Request.Direct {
		return
	}
	b := a.spansAt(e.Account, claim.Destination, claim.Format)
	if b.anew = b.anew || a.anew[e.ID]; b.anew {
		return
	}
	first, last := e.Request.Span()
	if !b.reached.IsZero() && !first.Equal(b.reached) {
		a.fault("export %d landed the audit events from %s on, those before had landed up to %s", e.ID, first, b.reached)
	}
	b.reached = last.Add(time.Millisecond)
	if at, err := a.w.store.Cursor(context.Background(), e.Account, claim.Destination, claim.Format, e.Request); err != nil || !at.Equal(b.reached) {
		a.fault("the cursor is at %s after the audit events up to %s landed (%v)", at, b.reached, err)
	}
	for _, event := range b.read[e.ID] {
		if other, twice := b.events[event]; twice {
			a.fault("export %d brought an audit event that export %d had brought", e.ID, other)
		}
		b.events[event] = e.ID
	}
	a.say(nil, "span", fmt.Sprintf("%d: %d events up to %s", e.ID, len(b.read[e.ID]), b.reached))
}
