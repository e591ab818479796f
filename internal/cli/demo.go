package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/app"
)

func newDemo(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "demo", Short: "watch a whole run against a built-in Clari, no account needed", Args: cobra.NoArgs,
		Long: `Start the emulator in this process, export 12 quarters of two tabs through three
slots and a few 429s, and land them in ./weir-demo. Touches nothing of yours.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return g.demo(cmd.Context(), "weir-demo") },
	}
}

func (g *globals) demo(ctx context.Context, dir string) error {
	log, err := g.logger()
	if err != nil {
		return err
	}
	requests, err := app.DemoRequests()
	if err != nil {
		return err
	}
	g.say("weir demo: %d exports, 3 slots, and a server that now and then says 429", len(requests))
	progress := newProgress(g, len(requests))
	outcome, err := app.Demo(ctx, dir, log, progress.show)
	progress.close()
	if err != nil {
		return err
	}
	if err := g.conclude(outcome); err != nil {
		return err
	}
	if !g.json {
		data := filepath.Join(dir, "data")
		g.say("\n%d requests, %d answered 429. The tables are in %s; look at them with:\n", outcome.Requests, outcome.Throttled, data)
		fmt.Fprintf(g.Err, "  find %s -name '*.csv' | grep forecast_entries | head -1 | xargs head -3\n", data)
	}
	return nil
}
