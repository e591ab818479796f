package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/app"
)

func newDoctor(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "check key, reach, clock, limits and state", Args: cobra.NoArgs,
		Long: `Check everything that an export needs: the state file, the key, whether the
server can be reached, the clock, the limits. Starts nothing.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return g.doctor(cmd.Context()) },
	}
}

type findingJSON struct {
	Check  string `json:"check"`
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Hint   string `json:"hint,omitempty"`
}

func (g *globals) doctor(ctx context.Context) error {
	settings, err := g.settings()
	if err != nil {
		return err
	}
	key, keyErr := app.ReadKey(g.keyFile, g.Getenv("CLARI_API_KEY"))
	settings.Key = key
	findings, exit := app.Examine(ctx, settings, keyErr)
	if g.json {
		out := []findingJSON{}
		for _, f := range findings {
			out = append(out, findingJSON{f.Check, f.OK, plain(f.Detail), plain(f.Hint)})
		}
		g.printJSON(map[string]any{"checks": out})
		return exitWith(exit)
	}
	for _, f := range findings {
		mark := "ok  "
		if !f.OK {
			mark = "FAIL"
		}
		fmt.Fprintf(g.Out, "%s  %-7s  %s\n", mark, f.Check, plain(f.Detail))
		if f.Hint != "" {
			fmt.Fprintf(g.Out, "      hint: %s\n", plain(f.Hint))
		}
	}
	return exitWith(exit)
}
