package cli

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/weirhq/weir/internal/app"
	"github.com/weirhq/weir/plan"
)

// globals are the flags that every command has, and its streams.
type globals struct {
	Streams
	account, baseURL, keyFile, state string
	insecure                         bool
	json, quiet, noColor             bool
	logLevel, logFormat              string
}

const rootLong = `weir takes data out of Clari: it starts export jobs within the organisation's
limits, survives crashes without buying anything twice, verifies what comes
back and lands it as tables.

  weir demo                                            try it, no account needed
  weir export forecast net_arr --period 2026_Q1        export one quarter
  weir status                                          what became of everything

Exit codes: 0 all landed, 1 some failed, 2 usage or configuration, 3 not
authorised, 4 quota used up, 5 deadline or nothing can act, 6 verification
refused, 7 state or destination unwritable, 130 interrupted.`

func newRoot(g *globals) *cobra.Command {
	root := &cobra.Command{
		Use: "weir", Short: "take data out of Clari within its limits", Long: rootLong,
		SilenceErrors: true, SilenceUsage: true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return g.fromEnvironment(cmd.Flags()) },
		Args:              cobra.NoArgs,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return app.Usage("see: "+cmd.CommandPath()+" --help", "read flags: %w", err)
	})
	g.bind(root.PersistentFlags())
	root.AddCommand(newExport(g), newPlan(g), newResume(g), newStatus(g), newExplain(g), newCancel(g), newRetry(g), newResolve(g), newLimits(g), newQuota(g), newServe(g), newVerify(g), newDiff(g), newPrune(g), newSchema(g), newSimulate(g), newMigrate(g), newMove(g), newDoctor(g),
		newConfig(g), newEmulate(g), newDemo(g), newVersion(g), newCompletion(g))
	for _, cmd := range commands(root) {
		usageArgs(cmd)
	}
	return root
}

func commands(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, child := range cmd.Commands() {
		all = append(all, commands(child)...)
	}
	return all
}

// usageArgs makes a wrong number of arguments, or an unknown command, a usage
// fault.
func usageArgs(cmd *cobra.Command) {
	check := cmd.Args
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if check == nil {
			return nil
		}
		if err := check(cmd, args); err != nil {
			return app.Usage("see: "+cmd.CommandPath()+" --help", "read arguments: %w", err)
		}
		return nil
	}
}

func (g *globals) bind(f *pflag.FlagSet) {
	f.StringVar(&g.account, "account", "default", "name of the account whose state and pace to use")
	f.StringVar(&g.baseURL, "base-url", app.DefaultBaseURL, "base URL of the API (CLARI_BASE_URL)")
	f.StringVar(&g.keyFile, "api-key-file", "", "file that holds the API key (default: the variable CLARI_API_KEY)")
	f.StringVar(&g.state, "state", "", "state: a file, or postgres://.. without a password (default $XDG_STATE_HOME/weir/weir.db)")
	f.BoolVar(&g.insecure, "insecure-base-url", false, "allow an http:// base URL beyond loopback")
	f.BoolVar(&g.json, "json", false, "print one JSON object on standard output at the end")
	f.BoolVar(&g.quiet, "quiet", false, "no progress")
	f.BoolVar(&g.noColor, "no-color", false, "no colour and no animation (NO_COLOR)")
	f.StringVar(&g.logLevel, "log-level", "error", "debug, info, warn or error")
	f.StringVar(&g.logFormat, "log-format", "text", "text or json")
}

// fromEnvironment fills flags that were not given: flag, environment, default.
func (g *globals) fromEnvironment(flags *pflag.FlagSet) error {
	if g.Getenv("NO_COLOR") != "" {
		g.noColor = true
	}
	var fault error
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Changed || fault != nil || f.Name == "help" || f.Annotations[ownFlag] != nil {
			return
		}
		for _, name := range variables(f.Name) {
			if value := g.Getenv(name); value != "" {
				if err := flags.Set(f.Name, value); err != nil {
					fault = app.Usage("", "read variable %s: %w", name, err)
				}
				return
			}
		}
	})
	return fault
}

// ownFlag marks a flag that means something else in this command than in others,
// so that no variable sets it.
const ownFlag = "own"

func variables(flag string) []string {
	name := "WEIR_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
	if flag == "base-url" {
		return []string{"CLARI_BASE_URL", name}
	}
	return []string{name}
}

// settings are the globals as the application takes them, without a key.
func (g *globals) settings() (app.Settings, error) {
	s := app.Settings{Account: g.account, BaseURL: g.baseURL, Insecure: g.insecure, State: g.state, Policy: plan.Adaptive(), Getenv: g.Getenv}
	if g.account == "" || strings.ContainsFunc(g.account, hostile) {
		return s, app.Usage("", "read --account: %q is not a name", g.account)
	}
	if err := g.place(&s); err != nil {
		return s, err
	}
	log, err := g.logger()
	s.Log = log
	return s, err
}

// place is where state and spool stand: a state that is no file spools where the
// default state file would be.
func (g *globals) place(s *app.Settings) error {
	if s.State != "" && !strings.Contains(s.State, "://") {
		return nil
	}
	file, err := app.DefaultState(g.Getenv)
	if s.State == "" {
		s.State = file
		return err
	}
	s.SpoolDir = filepath.Join(filepath.Dir(file), "spool")
	return err
}

// withKey are the settings of a command that asks the server.
func (g *globals) withKey() (app.Settings, error) {
	s, err := g.settings()
	if err != nil {
		return s, err
	}
	s.Key, err = app.ReadKey(g.keyFile, g.Getenv("CLARI_API_KEY"))
	return s, err
}

func (g *globals) logger() (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(g.logLevel)); err != nil {
		return nil, app.Usage("levels are debug, info, warn and error", "read --log-level: unknown level %q", g.logLevel)
	}
	options := &slog.HandlerOptions{Level: level}
	switch g.logFormat {
	case "json":
		return slog.New(slog.NewJSONHandler(g.Err, options)), nil
	case "text":
		return slog.New(slog.NewTextHandler(g.Err, options)), nil
	}
	return nil, app.Usage("formats are text and json", "read --log-format: unknown format %q", g.logFormat)
}

// say prints a line of progress for people; quiet under --quiet.
func (g *globals) say(format string, args ...any) {
	if !g.quiet {
		fmt.Fprintf(g.Err, format+"\n", args...)
	}
}
