package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/app"
)

func newResume(g *globals) *cobra.Command {
	var x exportFlags
	cmd := &cobra.Command{
		Use: "resume", Short: "go on with everything that is open", Args: cobra.NoArgs,
		Long: `Go on with every open export of the account: jobs that run are polled, finished
ones landed, planned ones started. Nothing is bought twice.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runResume(cmd.Context(), g, &x) },
	}
	x.bindWork(cmd.Flags())
	return cmd
}

func runResume(ctx context.Context, g *globals, x *exportFlags) error {
	settings, err := x.settings(g)
	if err != nil {
		return err
	}
	deadline, err := app.ParseDeadline(x.deadline, time.Now())
	if err != nil {
		return err
	}
	session, err := app.Open(ctx, settings)
	if err != nil {
		return err
	}
	defer session.Close()
	progress := newProgress(g, 0)
	outcome, err := session.Resume(ctx, deadline, progress.show)
	progress.close()
	if err != nil {
		return err
	}
	if len(outcome.Standings) == 0 && !g.json {
		g.say("nothing is open")
	}
	return g.conclude(outcome)
}
