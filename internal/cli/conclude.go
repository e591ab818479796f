package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/app"
	"github.com/weirhq/weir/land"
)

// exportJSON is one export in the contract's --json object.
type exportJSON struct {
	ID         int64     `json:"id"`
	Kind       weir.Kind `json:"kind"`
	ForecastID string    `json:"forecast_id"`
	// TimePeriod is what was asked for, else what landed, else null.
	TimePeriod *weir.Period `json:"time_period"`
	Since      string       `json:"since,omitempty"`
	Until      string       `json:"until,omitempty"`
	State      weir.State   `json:"state"`
	JobID      string       `json:"job_id"`
	Rows       int64        `json:"rows"`
	Manifest   string       `json:"manifest"`
	Error      *failureJSON `json:"error"`
}

type outcomeJSON struct {
	Exports   []exportJSON `json:"exports"`
	Requests  int64        `json:"requests"`
	Throttled int64        `json:"throttled"`
	Error     *failureJSON `json:"error,omitempty"`
}

// conclude tells the outcome and returns the exit code as an error.
func (g *globals) conclude(o app.Outcome) error {
	if g.json {
		g.printJSON(outcomeOf(o))
		return exitWith(o.Exit())
	}
	if len(o.Standings) > 0 {
		g.table(o.Standings)
	}
	g.tellFailures(o)
	g.tellEnding(o)
	return exitWith(o.Exit())
}

func outcomeOf(o app.Outcome) outcomeJSON {
	out := outcomeJSON{Exports: []exportJSON{}, Requests: o.Requests, Throttled: o.Throttled}
	for _, s := range o.Standings {
		e := exportOf(s)
		if o.FailureOf(s) == nil {
			e.Error = nil
		}
		out.Exports = append(out.Exports, e)
	}
	if o.Fault != nil {
		out.Error = &failureJSON{o.Fault.Code, plain(o.Fault.Error()), plain(o.Fault.Hint)}
	} else if o.Ending.Verdict != engine.AllEnded {
		out.Error = &failureJSON{string(o.Ending.Verdict), plain(o.Ending.Why), endingHint(o.Ending)}
	}
	return out
}

func exportOf(s engine.Standing) exportJSON {
	e := exportJSON{
		ID: s.Export.ID, Kind: s.Export.Request.Kind, ForecastID: s.Export.Request.ForecastID,
		TimePeriod: periodOf(s), Since: s.Export.Request.Since, Until: s.Export.Request.Until, State: s.Export.State, JobID: s.Export.JobID,
	}
	for _, d := range s.Deliveries {
		if d.State == weir.DeliveryLanded && e.Manifest == "" {
			e.Rows, e.Manifest = d.Rows, manifestPlace(d)
		}
	}
	if f := app.FailureOf(s); f != nil {
		e.Error = &failureJSON{f.Code, plain(f.Message), plain(f.Hint)}
	}
	return e
}

// periodOf is the period asked for. Where the server chose it, only what landed
// shows it.
func periodOf(s engine.Standing) *weir.Period {
	if asked := s.Export.Request.Period; asked != "" {
		return &asked
	}
	for _, d := range s.Deliveries {
		if came, ok := land.PeriodOf(d.Manifest); ok && d.State == weir.DeliveryLanded {
			return &came
		}
	}
	return nil
}

func manifestPlace(d weir.Delivery) string {
	return strings.TrimSuffix(d.Destination, "/") + "/" + d.Manifest
}

// table shows every export: period, rows, time queued, time run, where.
func (g *globals) table(standings []engine.Standing) {
	w := tabwriter.NewWriter(g.Out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "EXPORT\tWHAT\tSTATE\tROWS\tQUEUED\tRAN\tWHERE")
	for _, s := range standings {
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", s.Export.ID, plain(s.Export.Request.Title()), s.Export.State,
			rows(s), queued(s), ran(s), plain(where(s)))
	}
	w.Flush()
}

func rows(s engine.Standing) string {
	for _, d := range s.Deliveries {
		if d.State == weir.DeliveryLanded {
			return fmt.Sprint(d.Rows)
		}
	}
	return "-"
}

// queued is how long the export waited from its wish to the start of its job.
func queued(s engine.Standing) string {
	if s.Export.SubmittedAt.IsZero() || s.Export.SubmittedAt.Before(s.Export.CreatedAt) {
		return "-"
	}
	return short(s.Export.SubmittedAt.Sub(s.Export.CreatedAt))
}

// ran is how long the job ran by the server's own times.
func ran(s engine.Standing) string {
	if d := s.Job.Duration(); d > 0 {
		return short(d)
	}
	return "-"
}

// where names the destinations as a person would type them, with the formats
// that landed there; the files below are the same for every export.
func where(s engine.Standing) string {
	var places []string
	formats := map[string][]string{}
	for _, d := range s.Deliveries {
		if d.State == weir.DeliveryLanded {
			place := nearby(d.Destination)
			if formats[place] == nil {
				places = append(places, place)
			}
			formats[place] = append(formats[place], d.Format)
		}
	}
	for i, place := range places {
		places[i] = place + " (" + strings.Join(formats[place], ", ") + ")"
	}
	if len(places) > 0 {
		return strings.Join(places, " ")
	}
	if f := app.FailureOf(s); f != nil {
		return f.Code
	}
	return s.Stand.Wait.Text
}

// nearby shortens a path below the working directory.
func nearby(path string) string {
	here, err := os.Getwd()
	if err != nil || !filepath.IsAbs(path) {
		return path
	}
	if rel, err := filepath.Rel(here, path); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return path
}

// tellFailures gives each different failure one line and its hint.
func (g *globals) tellFailures(o app.Outcome) {
	for _, s := range o.Standings {
		if f := o.FailureOf(s); f != nil {
			fmt.Fprintf(g.Err, "weir: export %d (%s): %s: %s\n", s.Export.ID, plain(s.Export.Request.Title()), f.Code, plain(f.Message))
			if f.Hint != "" {
				fmt.Fprintf(g.Err, "hint: %s\n", plain(f.Hint))
			}
		}
		if s.Export.Twin != "" {
			fmt.Fprintf(g.Err, "weir: export %d (%s): job %s may be a second job for it, started by a POST whose answer was lost\n",
				s.Export.ID, plain(s.Export.Request.Title()), plain(s.Export.Twin))
		}
	}
}

// tellEnding says why the command ended before everything had, and how to go on.
func (g *globals) tellEnding(o app.Outcome) {
	if o.Fault != nil {
		fmt.Fprintf(g.Err, "weir: %s\n", plain(o.Fault.Error()))
		if o.Fault.Hint != "" {
			fmt.Fprintf(g.Err, "hint: %s\n", plain(o.Fault.Hint))
		}
		return
	}
	switch o.Ending.Verdict {
	case engine.AllEnded, engine.NobodyDecides, engine.Unwritable: // each export has told its own
		return
	}
	fmt.Fprintf(g.Err, "weir: %s: %s\n", endingText(o.Ending.Verdict), plain(o.Ending.Why))
	fmt.Fprintf(g.Err, "hint: %s\n", endingHint(o.Ending))
}

func endingText(v engine.Verdict) string {
	switch v {
	case engine.KeyRefused:
		return "the key was refused"
	case engine.QuotaUsed:
		return "the export quota is used up"
	case engine.DeadlineOver:
		return "the deadline is reached"
	case engine.Unwritable:
		return "a destination cannot be written"
	}
	return "nothing can act for now"
}

func endingHint(e engine.Ending) string {
	text := "everything is saved; go on with: weir resume"
	if e.Verdict == engine.KeyRefused {
		text = "check the key and that its user is active; everything is saved; go on with: weir resume"
	}
	if e.Next.After(time.Now()) {
		text += " (not before " + instant(e.Next) + ")"
	}
	return text
}
