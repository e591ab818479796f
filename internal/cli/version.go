package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/app"
)

func newVersion(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "say which weir this is", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if g.json {
				g.printJSON(map[string]string{"version": app.Version(), "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH})
				return nil
			}
			fmt.Fprintf(g.Out, "weir %s (%s, %s/%s)\n", app.Version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
			return nil
		},
	}
}

func newCompletion(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "completion bash|zsh|fish|powershell", Short: "print a shell completion script", Args: cobra.ExactArgs(1),
		Long: "Print a completion script. For bash:\n\n  source <(weir completion bash)",
		RunE: func(cmd *cobra.Command, args []string) error {
			root := cmd.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(g.Out, true)
			case "zsh":
				return root.GenZshCompletion(g.Out)
			case "fish":
				return root.GenFishCompletion(g.Out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(g.Out)
			}
			return app.Usage("shells are bash, zsh, fish and powershell", "read shell: unknown shell %q", args[0])
		},
	}
}
