package sim

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"
)

// Report plays everything with so many seeds and writes three tables: every
// cell, the figures that weir is held to, and the models with their sources.
func Report(w io.Writer, seeds int) error {
	return Write(w, Table(Scenarios(), Policies(), seeds))
}

// Write writes the three tables for the rows of a [Table], or returns the error
// of the first run that is worth nothing.
func Write(w io.Writer, rows []Row) error {
	for _, r := range rows {
		if r.Err != nil {
			return r.Err
		}
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	writeRows(t, rows)
	writeFigures(t, Figures(rows))
	writePolicies(t, Policies())
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write simulation: %w", err)
	}
	return nil
}

func writeRows(w io.Writer, rows []Row) {
	described := map[string]string{}
	for _, s := range Scenarios() {
		described[s.Name] = s.Text
	}
	last := ""
	for _, r := range rows {
		if r.Scenario != last {
			fmt.Fprintf(w, "\n%s: %s (%d seeds)\n", r.Scenario, described[r.Scenario], r.Seeds)
			fmt.Fprintln(w, "policy\t/ bound\treq/export\t429/1000\t400/100\tdetect\tp99\tfailed\twasted\tmissed\tbackfill")
			last = r.Scenario
		}
		fmt.Fprintf(w, "%s\t%s\t%.2f\t%.1f\t%.1f\t%.2f s\t%.1f s\t%s\t%d\t%d\t%s\n", r.Policy, ratioText(r),
			r.RequestsPerExport, r.ThrottledPer1000, r.RefusedPer100, r.DetectMean.Seconds(), r.DetectP99.Seconds(),
			partText(r.Failed, r.Exports), r.Wasted, r.Missed, dayText(r))
	}
}

// ratioText marks the makespan of who gave up exports, and has none where the
// schedule and not the policy sets the end.
func ratioText(r Row) string {
	switch {
	case r.BackfillEnd > 0:
		return "-"
	case r.Failed > 0:
		return fmt.Sprintf("%.3f*", r.Ratio)
	}
	return fmt.Sprintf("%.3f", r.Ratio)
}

func partText(n, of int) string {
	if n == 0 {
		return "0"
	}
	return fmt.Sprintf("%d (%.0f %%)", n, 100*float64(n)/float64(of))
}

func dayText(r Row) string {
	if r.BackfillEnd == 0 {
		return "-"
	}
	return fmt.Sprintf("day %d", r.BackfillEnd/(24*time.Hour))
}

func writeFigures(w io.Writer, figures []Figure) {
	fmt.Fprintln(w, "\nfigure\treach\tbeyond\tmeasured\t")
	for _, f := range figures {
		verdict := "missed"
		switch {
		case f.WentBeyond:
			verdict = "beyond"
		case f.Reached:
			verdict = "reached"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", f.Name, f.Reach, f.Beyond, f.Measured, verdict)
	}
}

func writePolicies(w io.Writer, policies []Policy) {
	fmt.Fprintln(w, "\n* gave up exports: what was not done takes no time\n\npolicy\twhat it does\tsource")
	for _, p := range policies {
		fmt.Fprintf(w, "%s\t%s\t%s\n", p.Name, p.Text, p.Source)
	}
}
