package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/app"
)

func newExplain(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "explain [EXPORT]", Short: "say in one sentence why nothing moves", Args: cobra.MaximumNArgs(1),
		Long: `Say why an export, or the account, does not move: which limit it waits for, what
happens next, and when. Asks the server nothing and needs no key.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var id int64
			if len(args) == 1 {
				var err error
				if id, err = exportID(args[0]); err != nil {
					return err
				}
			}
			return g.explain(cmd.Context(), id)
		},
	}
}

func (g *globals) explain(ctx context.Context, id int64) error {
	settings, err := g.settings()
	if err != nil {
		return err
	}
	reasons, err := app.Explain(ctx, settings, id)
	if err != nil {
		return err
	}
	if g.json {
		g.printJSON(map[string]any{"explanations": reasons})
		return nil
	}
	for _, r := range reasons {
		fmt.Fprintln(g.Out, plain(r.Sentence))
	}
	return nil
}
