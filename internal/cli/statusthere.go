package cli

import (
	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/app"
)

// statusThere shows what a running server says.
func (g *globals) statusThere(cmd *cobra.Command, server string, limit int, args []string) error {
	remote, err := app.NewRemote(server, g.Getenv(app.TokenVariable))
	if err != nil {
		return err
	}
	if len(args) == 1 {
		id, err := exportID(args[0])
		if err != nil {
			return err
		}
		standing, history, err := remote.StatusOf(cmd.Context(), id)
		if err == nil {
			g.showOne(standing, history)
		}
		return err
	}
	account := ""
	if cmd.Flags().Changed("account") {
		account = g.account
	}
	standings, err := remote.Status(cmd.Context(), account, limit)
	if err == nil {
		g.showAll(standings, server)
	}
	return err
}
