package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/app"
)

func newQuota(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "quota", Short: "show the export quota and when it comes back", Args: cobra.NoArgs,
		Long: `Show how much of the rolling 30-day quota is used, by weir and by others, and on
which days weir's own uses come back.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return g.quota(cmd.Context()) },
	}
}

func (g *globals) quota(ctx context.Context) error {
	settings, err := g.withKey()
	if err != nil {
		return err
	}
	session, err := app.Open(ctx, settings)
	if err != nil {
		return err
	}
	defer session.Close()
	now := time.Now()
	q, err := session.Quota(ctx, now)
	if err != nil {
		return err
	}
	if g.json {
		g.printJSON(q)
		return nil
	}
	g.showQuota(q)
	return nil
}

// chartWidth is how many columns the quota bar and the longest day take.
const chartWidth = 40

func (g *globals) showQuota(q app.QuotaReport) {
	if q.Quota <= 0 || q.Free < 0 {
		fmt.Fprintf(g.Out, "the quota is not known; weir bought %d exports in the last 30 days\n", q.Ours)
	} else {
		bar := strings.Repeat("#", share(q.Ours, q.Quota)) + strings.Repeat("o", share(q.Others, q.Quota))
		fmt.Fprintf(g.Out, "[%-*s]  %d of %d used: # %d by weir, o %d by others; %d free\n",
			chartWidth, bar, q.Quota-q.Free, q.Quota, q.Ours, q.Others, q.Free)
	}
	days, counts := perDay(q.Returns)
	free := q.Free
	for _, day := range days {
		free += counts[day]
		then := ""
		if q.Quota > 0 && q.Free >= 0 {
			then = fmt.Sprintf("%d of %d free", min(free, q.Quota), q.Quota)
		}
		fmt.Fprintf(g.Out, "%s  +%-4d %-*s  %s\n", day, counts[day], chartWidth, strings.Repeat("#", max(1, share(counts[day], max(q.Ours, 1)))), then)
	}
	if len(days) > 0 {
		fmt.Fprintln(g.Out, "uses by others come back too; the server does not say when")
	}
}

func share(n, of int) int { return min(chartWidth, (max(0, n)*chartWidth+of-1)/of) }

func perDay(instants []time.Time) (days []string, counts map[string]int) {
	counts = map[string]int{}
	for _, t := range instants {
		day := t.UTC().Format("2006-01-02")
		if counts[day] == 0 {
			days = append(days, day)
		}
		counts[day]++
	}
	return days, counts
}
