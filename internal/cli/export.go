package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/app"
	"github.com/weirhq/weir/land"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/plan"
)

// exportFlags are what every kind of export can be told.
type exportFlags struct {
	to         []string
	formats    string
	policy     string
	delay      time.Duration
	pollMin    time.Duration
	pollFactor float64
	pollMax    time.Duration
	attempts   int
	retries    int
	rate       float64
	deadline   string
	fresh      time.Duration
	keepQuota  int
	idle       time.Duration
	noAdopt    bool
	csvSafe    bool
	sinceLast  bool // of audit events
}

func (x *exportFlags) bind(f *pflag.FlagSet) {
	x.bindWork(f)
	f.StringArrayVar(&x.to, "to", []string{"clari-data"}, "destination: a directory, or an s3://, gs://, azblob:// or postgres:// URL; repeatable")
	f.StringVar(&x.formats, "format", "parquet", "formats to land, comma-separated: parquet, csv, jsonl, and csv.gz, csv.zst, jsonl.gz, jsonl.zst compressed; the first has the plain place")
	f.IntVar(&x.retries, "retries", 2, "how often a job that the server failed is started anew")
	f.DurationVar(&x.fresh, "fresh", 0, "take a result that is at most so old instead of asking anew")
	f.BoolVar(&x.noAdopt, "no-adopt", false, "do not take over jobs that were started before this state existed")
	f.BoolVar(&x.csvSafe, "csv-safe", false, "make text in CSV that looks like a formula harmless")
}

// bindWork binds what also concerns work that was asked for earlier.
func (x *exportFlags) bindWork(f *pflag.FlagSet) {
	f.StringVar(&x.policy, "policy", "adaptive", "adaptive, or sequential: one job at a time, plain polling")
	f.DurationVar(&x.delay, "delay", 10*time.Second, "sequential: pause between exports")
	f.DurationVar(&x.pollMin, "poll-min", 0, "least time between polls (default 2s adaptive, 5s sequential)")
	f.Float64Var(&x.pollFactor, "poll-factor", 1.5, "sequential: growth of the time between polls")
	f.DurationVar(&x.pollMax, "poll-max", time.Minute, "sequential: most time between polls")
	f.IntVar(&x.attempts, "max-attempts", 60, "sequential: status answers before a job is given up waiting for")
	f.Float64Var(&x.rate, "rate", 5, "requests a second while the server has never refused for pace")
	f.StringVar(&x.deadline, "deadline", "", "end after this duration or at this instant, everything saved")
	f.DurationVar(&x.idle, "idle-timeout", time.Minute, "end a download on which nothing comes for so long, and fetch it again")
	f.IntVar(&x.keepQuota, "keep-quota", 0, "exports of the quota that are kept for people")
}

// plan is the policy as the flags ask for it.
func (x *exportFlags) plan() (plan.Policy, error) {
	var p plan.Policy
	switch x.policy {
	case "adaptive":
		p = plan.Adaptive()
	case "sequential":
		p = plan.Sequential()
		p.Delay, p.PollFactor, p.PollMax, p.MaxAttempts = x.delay, x.pollFactor, x.pollMax, x.attempts
	default:
		return p, app.Usage("policies are adaptive and sequential", "read --policy: unknown policy %q", x.policy)
	}
	if x.pollMin != 0 {
		p.PollMin = x.pollMin
	}
	p.KeepQuota = x.keepQuota
	return p, x.check(p)
}

func (x *exportFlags) check(p plan.Policy) error {
	switch {
	case p.PollMin <= 0 || p.PollMax < p.PollMin && p.Sequential:
		return app.Usage("", "read --poll-min, --poll-max: %s to %s is no span", p.PollMin, p.PollMax)
	case x.pollFactor < 1:
		return app.Usage("", "read --poll-factor: %v is under 1", x.pollFactor)
	case x.delay < 0 || x.fresh < 0:
		return app.Usage("", "read --delay, --fresh: a duration is negative")
	case x.attempts < 1 || x.retries < 0 || x.keepQuota < 0:
		return app.Usage("", "read --max-attempts, --retries, --keep-quota: a number is too small")
	case x.idle < time.Second || x.idle > time.Hour:
		return app.Usage("", "read --idle-timeout: %s is not between 1s and 1h", x.idle)
	case x.rate <= 0 || x.rate > 1000:
		return app.Usage("", "read --rate: %v is not between 0 and 1000 requests a second", x.rate)
	}
	return nil
}

// settings adds policy and pace to the shared settings.
func (x *exportFlags) settings(g *globals) (app.Settings, error) {
	policy, err := x.plan()
	if err != nil {
		return app.Settings{}, err
	}
	s, err := g.withKey()
	s.Policy, s.Rate, s.IdleTimeout = policy, x.rate, x.idle
	return s, err
}

// wishes crosses requests with destinations.
func (x *exportFlags) wishes(account string, requests []weir.Request, now time.Time) ([]ledger.Wish, error) {
	formats, err := parseFormats(x.formats)
	if err != nil {
		return nil, err
	}
	var wishes []ledger.Wish
	for _, to := range x.to {
		destination, err := app.CheckDestination(to)
		if err != nil {
			return nil, err
		}
		for _, r := range requests {
			wishes = append(wishes, app.SinceLastWishes(ledger.Wish{
				Account: account, Request: r, Rank: weir.RankAsked, AsOf: now, Fresh: x.fresh, NoAdopt: x.noAdopt,
				JobsAllowed: x.retries + 1, Destination: destination, Formats: app.DestinationFormats(destination, formats), CSVSafe: x.csvSafe,
				SinceLast: x.sinceLast,
			})...)
		}
	}
	return wishes, nil
}

func parseFormats(text string) ([]string, error) {
	var formats []string
	for name := range strings.SplitSeq(text, ",") {
		name = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(land.Formats(), land.Format(name)) {
			return nil, app.Usage("formats are parquet, csv and jsonl, the latter two also as .gz or .zst", "read --format: unknown format %q", name)
		}
		if !slices.Contains(formats, name) {
			formats = append(formats, name)
		}
	}
	return formats, nil
}

func newExport(g *globals) *cobra.Command {
	cmd := &cobra.Command{Use: "export", Short: "export data and land it as tables", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	run := func(ctx context.Context, x *exportFlags, requests []weir.Request) error {
		return runExport(ctx, g, x, requests)
	}
	cmd.AddCommand(forecastCommand(run), newExportSpan(weir.Activity, run), newExportSpan(weir.Audit, run))
	return cmd
}

const exportForecastLong = `Export forecast tabs for fiscal quarters and land each as verified tables.

  weir export forecast net_arr --period 2026_Q1
  weir export forecast net_arr new_logo --period 2025_Q1..2026_Q4,2024_Q4 --types forecast,quota
  weir export forecast net_arr --period 2026_Q1 --to ./data --format parquet,csv

Everything is saved as it happens: after an interrupt, a crash or a used-up
quota, weir resume goes on where it stopped and pays for nothing twice.`

// forecastCommand is a command that takes forecast tabs and periods.
func forecastCommand(run runRequests) *cobra.Command {
	var x exportFlags
	var periods, types, form string
	var now bool
	var r weir.Request
	cmd := &cobra.Command{
		Use: "forecast ID...", Short: "export forecast tabs", Long: exportForecastLong, Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, ids []string) error {
			r.Kind, r.ExportFormat, r.Types = weir.Forecast, form, splitTypes(types)
			read := forecastRequests
			if now {
				read = nowRequests
			}
			requests, err := read(r, &x, ids, periods)
			if err != nil {
				return err
			}
			return run(cmd.Context(), &x, requests)
		},
	}
	x.bind(cmd.Flags())
	f := cmd.Flags()
	f.StringVar(&periods, "period", "", "fiscal quarters: 2026_Q1, 2025_Q1..2026_Q4, or a list of both")
	f.StringVar(&types, "types", "", "what to export: "+strings.Join(weir.ForecastTypes(), ", ")+" (default forecast,forecast_updated)")
	f.StringVar(&r.Currency, "currency", "", "three-letter code; the organisation's own when empty")
	f.StringVar(&r.ScopeID, "scope", "", "scope id")
	f.BoolVar(&r.Historical, "historical", false, "every week of the quarter, not only the latest")
	f.StringVar(&form, "export-format", "json", "form of the server's file: json or csv; csv has no ids, and weir makes them")
	f.BoolVar(&now, "now", false, "the current week alone, at once: no job and no quota; --period may be left out")
	return cmd
}

// forecastRequests crosses tabs with periods.
func forecastRequests(r weir.Request, _ *exportFlags, ids []string, periods string) ([]weir.Request, error) {
	if periods == "" {
		return nil, app.Usage("for example --period 2026_Q1", "read --period: none was given")
	}
	spans, err := weir.ParsePeriods(periods)
	if err != nil {
		return nil, err
	}
	if !strings.EqualFold(r.ExportFormat, "json") && !strings.EqualFold(r.ExportFormat, "csv") {
		return nil, app.Usage("forms are json and csv", "read --export-format: unknown form %q", r.ExportFormat)
	}
	return crossed(r, ids, spans)
}

// crossed is a request for every tab and period.
func crossed(r weir.Request, ids []string, spans []weir.Period) ([]weir.Request, error) {
	var requests []weir.Request
	for _, id := range ids {
		for _, period := range spans {
			r.ForecastID, r.Period = id, period
			if err := r.Validate(); err != nil {
				return nil, err
			}
			requests = append(requests, r.Normal())
		}
	}
	return requests, nil
}

// runExport wants requests and works until they have ended.
func runExport(ctx context.Context, g *globals, x *exportFlags, requests []weir.Request) error {
	settings, err := x.settings(g)
	if err != nil {
		return err
	}
	now := time.Now()
	deadline, err := app.ParseDeadline(x.deadline, now)
	if err != nil {
		return err
	}
	wishes, err := x.wishes(settings.Account, requests, now)
	if err != nil {
		return err
	}
	session, err := app.Open(ctx, settings)
	if err != nil {
		return err
	}
	defer session.Close()
	progress := newProgress(g, len(requests))
	outcome, err := session.Export(ctx, wishes, deadline, progress.show)
	progress.close()
	if err != nil {
		return err
	}
	return g.conclude(outcome)
}
