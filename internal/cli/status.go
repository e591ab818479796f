package cli

import (
	"context"
	"fmt"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/app"
)

func newStatus(g *globals) *cobra.Command {
	var limit int
	var watch bool
	var server string
	cmd := &cobra.Command{
		Use: "status [EXPORT]", Short: "show exports, or the history of one", Args: cobra.MaximumNArgs(1),
		Long: `Show the exports of the account and where they stand, or everything that
happened to one. Asks the server nothing and needs no key.

With --watch it shows, until Ctrl-C (exit code 130), what runs, what waits and
why, slots, quota and gate: drawn in place on a terminal, a line for each change
elsewhere.

With --server it asks a running weir serve instead of a state of its own, with
the token in WEIR_TOKEN; without --account it shows all accounts of that server.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case watch && server != "":
				return app.Usage("leave out --watch, or --server; the web page there is live", "read flags: --watch shows a state of its own")
			case watch && len(args) == 1:
				return app.Usage("leave out the number, or --watch", "read flags: --watch shows all exports")
			case watch:
				return g.watchStatus(cmd.Context())
			case server != "":
				return g.statusThere(cmd, server, limit, args)
			case len(args) == 1:
				return g.statusOne(cmd.Context(), args[0])
			}
			return g.statusAll(cmd.Context(), limit)
		},
	}
	cmd.Flags().BoolVar(&watch, "watch", false, "show it live until Ctrl-C")
	cmd.Flags().StringVar(&server, "server", "", "URL of a weir serve to ask, such as http://127.0.0.1:8120")
	cmd.Flags().IntVar(&limit, "limit", 50, "show the newest so many; 0 for all")
	return cmd
}

func (g *globals) statusAll(ctx context.Context, limit int) error {
	settings, err := g.settings()
	if err != nil {
		return err
	}
	standings, err := app.Status(ctx, settings, limit)
	if err != nil {
		return err
	}
	g.showAll(standings, settings.State)
	return nil
}

// showAll shows exports as they stand in a state or on a server.
func (g *globals) showAll(standings []engine.Standing, where string) {
	if g.json {
		out := []exportJSON{}
		for _, s := range standings {
			out = append(out, exportOf(s))
		}
		g.printJSON(map[string]any{"exports": out})
		return
	}
	if len(standings) == 0 {
		fmt.Fprintf(g.Out, "no exports yet in %s; begin with: weir export forecast ID --period 2026_Q1\n", plain(where))
		return
	}
	g.table(standings)
}

func exportID(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		return 0, app.Usage("exports are named by their number in: weir status", "read export %q: not a number", text)
	}
	return id, nil
}

// eventJSON is one transition in --json.
type eventJSON struct {
	At      time.Time  `json:"at"`
	From    weir.State `json:"from"`
	To      weir.State `json:"to"`
	Why     string     `json:"why"`
	Request string     `json:"request,omitempty"`
	JobID   string     `json:"job_id,omitempty"`
}

func (g *globals) statusOne(ctx context.Context, arg string) error {
	id, err := exportID(arg)
	if err != nil {
		return err
	}
	settings, err := g.settings()
	if err != nil {
		return err
	}
	standing, history, err := app.StatusOf(ctx, settings, id)
	if err != nil {
		return err
	}
	g.showOne(standing, history)
	return nil
}

// showOne shows an export with everything that happened to it.
func (g *globals) showOne(standing engine.Standing, history []weir.Event) {
	if g.json {
		events := []eventJSON{}
		for _, e := range history {
			events = append(events, eventJSON{e.At, e.From, e.To, plain(e.Why), plain(e.Request), e.JobID})
		}
		g.printJSON(map[string]any{"exports": []exportJSON{exportOf(standing)}, "history": events})
		return
	}
	g.table([]engine.Standing{standing})
	fmt.Fprintln(g.Out)
	w := tabwriter.NewWriter(g.Out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, "WHEN\tFROM\tTO\tWHY\tREQUEST")
	for _, e := range history {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", instant(e.At), e.From, e.To, plain(e.Why), plain(e.Request))
	}
	w.Flush()
	if f := app.FailureOf(standing); f != nil {
		fmt.Fprintf(g.Out, "\n%s: %s\n", f.Code, plain(f.Message))
		if f.Hint != "" {
			fmt.Fprintf(g.Out, "hint: %s\n", plain(f.Hint))
		}
	}
}
