package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/app"
)

func newMigrate(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "migrate", Short: "bring the state's schema up to this version", Args: cobra.NoArgs,
		Long: `Bring the state's schema up to this version's. Every command does so by itself;
this one does nothing else. A state that a newer weir wrote is refused.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings, err := g.settings()
			if err != nil {
				return err
			}
			if err := app.Migrate(cmd.Context(), settings); err != nil {
				return err
			}
			fmt.Fprintln(g.Out, "the schema is this version's")
			return nil
		},
	}
}

func newMove(g *globals) *cobra.Command {
	var from, to string
	cmd := &cobra.Command{
		Use: "move --from STATE --to STATE", Short: "take a whole state along to an empty one", Args: cobra.NoArgs,
		Long: `Copy a whole state into an empty one, losing nothing: from a laptop's file to a
PostgreSQL that many machines share, or back. The source is left as it is; use
only one of the two afterwards. Passwords come from PGPASSWORD or PGPASSFILE.

  weir move --from ~/.local/state/weir/weir.db --to postgres://weir@db.example/weir`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if from == "" || to == "" {
				return app.Usage("see: weir move --help", "read flags: --from and --to are both needed")
			}
			exports, err := app.Move(cmd.Context(), from, to)
			if err != nil {
				return err
			}
			if g.json {
				g.printJSON(map[string]any{"exports": exports})
				return nil
			}
			fmt.Fprintf(g.Out, "%d exports with all that belongs to them have moved; from now on give --state or WEIR_STATE\n", exports)
			return nil
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "the state to copy: a file or a postgres:// URL")
	cmd.Flags().StringVar(&to, "to", "", "the empty state to copy into: a file or a postgres:// URL")
	return cmd
}
