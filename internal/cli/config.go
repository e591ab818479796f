package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/app"
	"github.com/weirhq/weir/internal/config"
)

// defaultConfigFile is read where no file is named and WEIR_CONFIG is not set.
const defaultConfigFile = "weir.yaml"

func newConfig(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "check the configuration file", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	cmd.AddCommand(newConfigCheck(g), newConfigSchema(g))
	return cmd
}

func newConfigCheck(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "check [FILE]", Short: "report everything that is wrong in a configuration", Args: cobra.MaximumNArgs(1),
		Long: `Read a configuration (FILE, else the file named by WEIR_CONFIG, else weir.yaml) and
report everything that is wrong in it at once, each with line, column and hint.
Contacts nobody and reads no secret. Exit code 0, or 2 if anything is wrong.`,
		RunE: func(_ *cobra.Command, args []string) error {
			file := defaultConfigFile
			if named := g.Getenv("WEIR_CONFIG"); named != "" {
				file = named
			}
			if len(args) == 1 {
				file = args[0]
			}
			return g.checkConfig(file)
		},
	}
}

func newConfigSchema(g *globals) *cobra.Command {
	return &cobra.Command{
		Use: "schema", Short: "print the JSON Schema of the configuration file", Args: cobra.NoArgs,
		Long: `Print the JSON Schema (draft 2020-12) of the configuration file. Editors complete
and check by it: save it as weir.schema.json and begin the file with

  # yaml-language-server: $schema=weir.schema.json`,
		RunE: func(*cobra.Command, []string) error {
			if _, err := g.Out.Write(config.Schema()); err != nil {
				return fmt.Errorf("write schema: %w", err)
			}
			return nil
		},
	}
}

type configCheckJSON struct {
	File   string         `json:"file"`
	Faults []config.Fault `json:"faults"`
	Error  *failureJSON   `json:"error,omitempty"`
}

func (g *globals) checkConfig(file string) error {
	c, err := config.Load(file)
	faults, wrong := errors.AsType[config.Faults](err)
	switch {
	case err != nil && !wrong:
		return &app.Fault{Exit: app.ExitUsage, Code: "configuration", Hint: "name the file: weir config check FILE", Err: err}
	case g.json:
		g.printConfigCheck(file, faults)
	case wrong:
		g.listFaults(faults)
	default:
		fmt.Fprintf(g.Out, "%s: nothing is wrong: %s\n", plain(file), holdings(c))
	}
	if wrong {
		return exitWith(app.ExitUsage)
	}
	return nil
}

func (g *globals) printConfigCheck(file string, faults config.Faults) {
	answer := configCheckJSON{File: file, Faults: []config.Fault{}}
	if len(faults) > 0 {
		answer.Faults = faults
		answer.Error = &failureJSON{"configuration", plain(faults.Error()), plain(faults[0].Hint)}
	}
	g.printJSON(answer)
}

// listFaults gives each fault a line, and one for its hint. They are what was
// asked for, so they go to standard output.
func (g *globals) listFaults(faults config.Faults) {
	for _, f := range faults {
		fmt.Fprintln(g.Out, plain(f.String()))
		if f.Hint != "" {
			fmt.Fprintln(g.Out, "  hint: "+plain(f.Hint))
		}
	}
}

// holdings counts what a configuration holds: "2 accounts, 1 export".
func holdings(c config.Config) string {
	parts := []string{
		many(len(c.Accounts), "account"), many(len(c.Destinations), "destination"), many(len(c.Exports), "export"),
		many(len(c.Schedules), "schedule"), many(len(c.Notifications), "notification"),
	}
	return strings.Join(parts, ", ")
}

func many(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
