package cli

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/app"
	"github.com/weirhq/weir/sim"
)

func newSimulate(g *globals) *cobra.Command {
	var seeds int
	var only, svg string
	cmd := &cobra.Command{
		Use: "simulate", Short: "play weir's planning in virtual time beside what others do", Args: cobra.NoArgs,
		Long: `Play the scenarios of the simulation with weir's own planning and pace, and with
models of what others do, and print one table: the makespan over the best
possible, requests, refusals, how soon an end is noticed, what failed. Asks no
server. All scenarios with 20 seeds take some minutes.

  weir simulate --only S1,S4 --seeds 5`,
		RunE: func(*cobra.Command, []string) error { return g.simulate(only, svg, seeds) },
	}
	cmd.Flags().IntVar(&seeds, "seeds", 20, "runs of each cell, with different random numbers")
	cmd.Flags().StringVar(&svg, "svg", "", "write the comparison as a chart into this file too")
	cmd.Flags().StringVar(&only, "only", "", "scenarios by name, comma-separated (default all)")
	return cmd
}

func (g *globals) simulate(only, svg string, seeds int) error {
	if seeds < 1 {
		return app.Usage("", "read --seeds: %d is no number of runs", seeds)
	}
	scenarios, err := chosenScenarios(only)
	if err != nil {
		return err
	}
	rows := sim.Table(scenarios, sim.Policies(), seeds)
	if svg != "" {
		if err := writeChart(svg, rows); err != nil {
			return err
		}
	}
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

// writeChart writes the chart beside its name first, so that a half one is never
// taken for whole.
func writeChart(path string, rows []sim.Row) error {
	var chart bytes.Buffer
	if err := sim.WriteSVG(&chart, rows); err != nil {
		return err
	}
	err := os.WriteFile(path+".part", chart.Bytes(), 0o644)
	if err == nil {
		err = os.Rename(path+".part", path)
	}
	if err != nil {
		return &app.Fault{Exit: app.ExitUnwritable, Code: weir.CodeDestination, Hint: "check the path given with --svg", Err: fmt.Errorf("write chart: %w", err)}
	}
	return nil
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
