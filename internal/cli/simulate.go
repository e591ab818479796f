package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/app"
	"github.com/weirhq/weir/sim"
)

func newSimulate(g *globals) *cobra.Command {
	var seeds int
	var only string
	cmd := &cobra.Command{
		Use: "simulate", Short: "play weir's planning in virtual time beside what others do", Args: cobra.NoArgs,
		Long: `Play the scenarios of the simulation with weir's own planning and pace, and with
models of what others do, and print one table: the makespan over the best
possible, requests, refusals, how soon an end is noticed, what failed. Asks no
server. All scenarios with 20 seeds take some minutes.

  weir simulate --only S1,S4 --seeds 5`,
		RunE: func(*cobra.Command, []string) error { return g.simulate(only, seeds) },
	}
	cmd.Flags().IntVar(&seeds, "seeds", 20, "runs of each cell, with different random numbers")
	cmd.Flags().StringVar(&only, "only", "", "scenarios by name, comma-separated (default all)")
	return cmd
}

func (g *globals) simulate(only string, seeds int) error {
	if seeds < 1 {
		return app.Usage("", "read --seeds: %d is no number of runs", seeds)
	}
	scenarios, err := chosenScenarios(only)
	if err != nil {
		return err
	}
	rows := sim.Table(scenarios, sim.Policies(), seeds)
	if g.json {
		for _, r := range rows {
			if r.Err != nil {
				return r.Err
			}
		}
		g.printJSON(map[string]any{"rows": rows, "figures": sim.Figures(rows)})
		return nil
	}
	return sim.Write(g.Out, rows)
}

func chosenScenarios(only string) ([]sim.Scenario, error) {
	all := sim.Scenarios()
	if only == "" {
		return all, nil
	}
	var names []string
	for _, s := range all {
		names = append(names, s.Name)
	}
	var chosen []sim.Scenario
	for name := range strings.SplitSeq(only, ",") {
		i := slices.Index(names, strings.TrimSpace(name))
		if i < 0 {
			return nil, app.Usage("scenarios are "+strings.Join(names, ", "), "read --only: unknown scenario %q", fmt.Sprint(name))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}
