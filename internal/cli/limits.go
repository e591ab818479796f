package cli

import (
	"context"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/app"
)

func newLimits(g *globals) *cobra.Command {
	var forget bool
	cmd := &cobra.Command{
		Use: "limits", Short: "show slots, quota and pace", Args: cobra.NoArgs,
		Long: `Ask the server for the organisation's slots and quota and show them with the
pace that weir keeps. --forget clears a remembered wait after a 429.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return g.limits(cmd.Context(), forget) },
	}
	cmd.Flags().BoolVar(&forget, "forget", false, "clear what the account still waits for, then ask")
	return cmd
}

func (g *globals) limits(ctx context.Context, forget bool) error {
	settings, err := g.withKey()
	if err != nil {
		return err
	}
	session, err := app.Open(ctx, settings)
	if err != nil {
		return err
	}
	defer session.Close()
	report, err := session.Limits(ctx, forget)
	if err != nil {
		return err
	}
	if g.json {
		g.printJSON(report)
		return nil
	}
	w := tabwriter.NewWriter(g.Out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "slots\t%s\n", free(report.SlotsFree, report.Slots))
	fmt.Fprintf(w, "quota, 30 days\t%s\n", free(report.QuotaFree, report.Quota))
	fmt.Fprintf(w, "running\t%d\n", len(report.Running))
	fmt.Fprintf(w, "pace\t%.2g requests a second\n", report.Rate)
	if !report.ClosedUntil.IsZero() {
		fmt.Fprintf(w, "closed until\t%s\n", instant(report.ClosedUntil))
	}
	fmt.Fprintf(w, "source\t%s\n", report.Source)
	return w.Flush()
}

func free(left, limit int) string {
	if limit < 0 {
		return "not known"
	}
	return fmt.Sprintf("%d free of %d", max(0, left), limit)
}
