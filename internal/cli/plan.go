package cli

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/app"
)

func newPlan(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "plan", Short: "say what an export would do and cost, without starting it", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	forecast := forecastCommand(g.runPlan)
	forecast.Short = "plan an export of forecast tabs"
	forecast.Long = `Say what weir export forecast with the same arguments would do: what is there
already, how many jobs and requests the rest needs, what the quota allows, and
when it would be done. Reads the limits and starts nothing.

  weir plan forecast net_arr new_logo --period 2025_Q1..2026_Q4`
	activity, audit := newExportSpan(weir.Activity, g.runPlan), newExportSpan(weir.Audit, g.runPlan)
	activity.Short, audit.Short = "plan an export of activities", "plan an export of audit events"
	for _, x := range []*cobra.Command{activity, audit} {
		x.Long = "Say what weir export " + x.Use + " with the same arguments would do and cost. Reads the\nlimits and starts nothing."
	}
	cmd.AddCommand(forecast, activity, audit)
	return cmd
}

func (g *globals) runPlan(ctx context.Context, x *exportFlags, requests []weir.Request) error {
	settings, err := x.settings(g)
	if err != nil {
		return err
	}
	now := time.Now()
	wishes, err := x.wishes(settings.Account, requests, now)
	if err != nil {
		return err
	}
	session, err := app.Open(ctx, settings)
	if err != nil {
		return err
	}
	defer session.Close()
	p, err := session.Prospect(ctx, wishes, now)
	if err != nil {
		return err
	}
	if g.json {
		g.printJSON(p)
		return nil
	}
	return g.showProspect(p, now)
}

func (g *globals) showProspect(p app.Prospect, now time.Time) error {
	w := tabwriter.NewWriter(g.Out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "WHAT\tSERVED BY\tEXPECTED")
	for _, x := range p.Exports {
		fmt.Fprintf(w, "%s\t%s\t%s\n", plain(x.Title), servedText(x), expectedText(x))
	}
	fmt.Fprintln(w)
	fmt.Fprintf(w, "jobs to buy\t%d, about %d requests, on %d slots\n", p.Jobs, p.Requests, p.Slots)
	fmt.Fprintf(w, "quota\t%s\n", quotaText(p))
	if len(p.Returns) > 0 {
		fmt.Fprintf(w, "quota comes back\tfrom %s on\n", instant(p.Returns[0]))
	}
	if p.Later > 0 {
		fmt.Fprintf(w, "does not fit\t%d exports%s\n", p.Later, untilText(p.FitsAt))
	}
	if !p.P50.IsZero() {
		fmt.Fprintf(w, "done in\t%s (p50), %s (p90)\n", short(p.P50.Sub(now)), short(p.P90.Sub(now)))
	}
	return w.Flush()
}

func servedText(x app.ProspectExport) string {
	switch x.Serve {
	case "there":
		return "a snapshot that is there"
	case "open":
		return fmt.Sprintf("export %d, which is open", x.ExportID)
	case "direct":
		return "a read without a job, at no cost in quota"
	case "later":
		return "a new job, once there is quota"
	}
	return "a new job"
}

func expectedText(x app.ProspectExport) string {
	if x.Serve == "there" || x.Serve == "direct" {
		return "-"
	}
	return short(time.Duration(x.Expected * float64(time.Second)))
}

func quotaText(p app.Prospect) string {
	if p.QuotaFree < 0 {
		return "not known: this key may not read it"
	}
	text := fmt.Sprintf("%d free now, %d after", p.QuotaFree, p.QuotaAfter)
	if p.KeepQuota > 0 {
		text += fmt.Sprintf(", %d kept for people", p.KeepQuota)
	}
	return text
}

func untilText(at time.Time) string {
	if at.IsZero() {
		return "; when others' uses of the quota expire is not known"
	}
	return " before " + instant(at)
}
