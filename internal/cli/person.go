package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/app"
)

func newCancel(g *globals) *cobra.Command {
	var all, force bool
	var deadline string
	cmd := &cobra.Command{
		Use: "cancel EXPORT...|--all", Short: "stop exports and get their quota back", Args: cobra.ArbitraryArgs,
		Long: `Stop exports. A job that has not finished is cancelled on the server, which gives
its quota back; one that has finished already is left as it is, and that is no
error. Only jobs that weir started are cancelled; --force includes adopted ones.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return app.Usage("see: weir cancel --help", "read arguments: give export numbers, or --all")
			}
			return g.onExports(cmd.Context(), args, deadline, func(ctx context.Context, s *app.Session, ids []int64, until time.Time, p progress) (app.Outcome, error) {
				if all {
					var err error
					if ids, err = s.OpenIDs(ctx); err != nil {
						return app.Outcome{}, err
					}
				}
				return s.Cancel(ctx, ids, force, until, p.show)
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "every open export of the account")
	cmd.Flags().BoolVar(&force, "force", false, "also jobs that weir recognised and did not start")
	cmd.Flags().StringVar(&deadline, "deadline", "", "end after this duration or at this instant, everything saved")
	return cmd
}

func newRetry(g *globals) *cobra.Command {
	var retries int
	var deadline string
	cmd := &cobra.Command{
		Use: "retry EXPORT...", Short: "try exports again that were given up", Args: cobra.MinimumNArgs(1),
		Long: `Try exports again that failed, were cancelled, or whose result verification
refused. A result that is still on the server is read again for nothing; only
where there is none is a new job bought.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return g.onExports(cmd.Context(), args, deadline, func(ctx context.Context, s *app.Session, ids []int64, until time.Time, p progress) (app.Outcome, error) {
				return s.Retry(ctx, ids, retries+1, until, p.show)
			})
		},
	}
	cmd.Flags().IntVar(&retries, "retries", 2, "how often a job that the server failed is started anew")
	cmd.Flags().StringVar(&deadline, "deadline", "", "end after this duration or at this instant, everything saved")
	return cmd
}

type onSession func(context.Context, *app.Session, []int64, time.Time, progress) (app.Outcome, error)

// onExports opens a session, does something to the named exports, and concludes.
func (g *globals) onExports(ctx context.Context, args []string, deadline string, do onSession) error {
	ids, err := exportIDs(args)
	if err != nil {
		return err
	}
	until, err := app.ParseDeadline(deadline, time.Now())
	if err != nil {
		return err
	}
	settings, err := g.withKey()
	if err != nil {
		return err
	}
	session, err := app.Open(ctx, settings)
	if err != nil {
		return err
	}
	defer session.Close()
	progress := newProgress(g, len(ids))
	outcome, err := do(ctx, session, ids, until, progress)
	progress.close()
	if err != nil {
		return err
	}
	if len(outcome.Standings) == 0 && !g.json {
		g.say("nothing is open")
	}
	return g.conclude(outcome)
}

func exportIDs(args []string) ([]int64, error) {
	var ids []int64
	for _, arg := range args {
		id, err := exportID(arg)
		if err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func newResolve(g *globals) *cobra.Command {
	var job string
	var absent bool
	cmd := &cobra.Command{
		Use: "resolve EXPORT", Short: "decide what became of an export of unknown fate", Args: cobra.ExactArgs(1),
		Long: `Decide what became of an export whose POST got no answer and whose job weir cannot
tell by itself. Without a flag: show what there is to choose from.

  weir resolve 7                                  what appeared after the POST
  weir resolve 7 --job 6073683781a6da229df71e00   this job serves it
  weir resolve 7 --absent                         it started no job: it may be posted again`,
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := exportID(args[0])
			if err != nil {
				return err
			}
			if absent && job != "" {
				return app.Usage("", "read flags: --job and --absent exclude each other")
			}
			return g.resolve(cmd.Context(), id, job, absent)
		},
	}
	cmd.Flags().StringVar(&job, "job", "", "the job that serves the export")
	cmd.Flags().BoolVar(&absent, "absent", false, "it started no job")
	return cmd
}

func (g *globals) resolve(ctx context.Context, id int64, job string, absent bool) error {
	settings, err := g.withKey()
	if err != nil {
		return err
	}
	session, err := app.Open(ctx, settings)
	if err != nil {
		return err
	}
	defer session.Close()
	if job == "" && !absent {
		return g.showSuspects(ctx, session, id)
	}
	e, err := session.Resolve(ctx, id, job)
	if err != nil {
		return err
	}
	if g.json {
		g.printJSON(map[string]any{"id": e.ID, "state": e.State, "job_id": e.JobID})
		return nil
	}
	fmt.Fprintf(g.Out, "export %d (%s) is %s now; go on with: weir resume\n", e.ID, plain(e.Request.Title()), e.State)
	return nil
}

type suspectJSON struct {
	JobID    string    `json:"job_id"`
	Status   string    `json:"status"`
	FileName string    `json:"file_name"`
	Started  time.Time `json:"started,omitzero"`
}

func (g *globals) showSuspects(ctx context.Context, session *app.Session, id int64) error {
	e, jobs, err := session.Suspects(ctx, id)
	if err != nil {
		return err
	}
	if g.json {
		suspects := []suspectJSON{}
		for _, j := range jobs {
			suspects = append(suspects, suspectJSON{j.ID, plain(j.RawStatus), plain(j.FileName), j.StartedAt})
		}
		g.printJSON(map[string]any{"id": e.ID, "state": e.State, "needs_person": plain(e.NeedsPerson), "jobs": suspects})
		return nil
	}
	fmt.Fprintf(g.Out, "export %d (%s) is %s", e.ID, plain(e.Request.Title()), e.State)
	if e.State != weir.Unknown {
		fmt.Fprintln(g.Out, "; there is nothing to decide")
		return nil
	}
	fmt.Fprintf(g.Out, ": its POST of %s got no answer\n", instant(e.SubmittedAt))
	if e.NeedsPerson != "" {
		fmt.Fprintf(g.Out, "%s\n", plain(e.NeedsPerson))
	}
	if len(jobs) == 0 {
		fmt.Fprintln(g.Out, "no job appeared since; weir goes on looking with: weir resume")
	}
	for _, j := range jobs {
		fmt.Fprintf(g.Out, "  job %s  %s  %s  %s\n", plain(j.ID), plain(j.RawStatus), instant(j.StartedAt), plain(j.FileName))
	}
	return nil
}
