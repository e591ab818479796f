package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/internal/app"
)

const exportActivityLong = `Export the activities of some days, both included, and land them as verified
tables: activities, and their accounts, opportunities and participants.

  weir export activity --since 2026-11-01 --until 2026-11-30
  weir export activity --since 2026-11-01 --until 2026-11-30 --types MEETING,EMAIL_SENT

A day is one of UTC; give an instant with an offset (2026-11-01T00:00:00+01:00)
for days of another zone: only its date and its zone count.`

const exportAuditLong = `Export audit events and who caused them, and land both as verified tables.

  weir export audit --since 2026-11-01 --until 2026-11-07
  weir export audit --since-last

With --since-last the events since those that landed last at the destination
are read page by page, without a job and at no cost in quota; the first time
that is as far back as the server keeps them, about 30 days. Each run lands a
span of its own that begins where the last one ended and ends five minutes ago,
so that nothing is missed and nothing is there twice.`

// newExportSpan is the export of a kind that is asked for by days.
func newExportSpan(kind weir.Kind, run runRequests) *cobra.Command {
	var x exportFlags
	var types string
	r := weir.Request{Kind: kind}
	cmd := &cobra.Command{
		Use: string(kind), Short: "export the activities of some days", Long: exportActivityLong, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			requests, err := spanRequests(r, &x, types)
			if err != nil {
				return err
			}
			return run(cmd.Context(), &x, requests)
		},
	}
	x.bind(cmd.Flags())
	f := cmd.Flags()
	f.StringVar(&r.Since, "since", "", "first day, as 2026-11-01, or an instant with its offset")
	f.StringVar(&r.Until, "until", "", "last day, included")
	if kind == weir.Activity {
		f.StringVar(&types, "types", "", "types of activities: "+strings.Join(weir.ActivityTypes(), ", ")+" (default all)")
		return cmd
	}
	cmd.Short, cmd.Long = "export audit events", exportAuditLong
	f.BoolVar(&x.sinceLast, "since-last", false, "the events since those that landed last, page by page, without a job")
	return cmd
}

// runRequests does with requests what a command is for.
type runRequests func(ctx context.Context, x *exportFlags, requests []weir.Request) error

// spanRequests is the one request of the days.
func spanRequests(r weir.Request, x *exportFlags, types string) ([]weir.Request, error) {
	switch {
	case x.sinceLast && (r.Since != "" || r.Until != ""):
		return nil, app.Usage("give either --since and --until or --since-last", "read --since-last: it finds the span itself")
	case x.sinceLast && x.fresh > 0:
		return nil, app.Usage("leave out --fresh: what has landed is never read again", "read --fresh: it means nothing with --since-last")
	case x.sinceLast:
		r.Direct = true
		return []weir.Request{r.Normal()}, nil
	case r.Since == "" || r.Until == "":
		return nil, app.Usage("for example --since 2026-11-01 --until 2026-11-30", "read --since, --until: both are needed")
	}
	r.Types = splitTypes(types)
	if err := r.Validate(); err != nil {
		return nil, err
	}
	return []weir.Request{r.Normal()}, nil
}

func splitTypes(text string) []string {
	var types []string
	if text == "" {
		return nil
	}
	for name := range strings.SplitSeq(text, ",") {
		types = append(types, strings.TrimSpace(name))
	}
	return types
}

// nowRequests are the current weeks of tabs, of the current quarter where none is
// named.
func nowRequests(r weir.Request, x *exportFlags, ids []string, periods string) ([]weir.Request, error) {
	if x.fresh < 0 {
		return nil, app.Usage("", "read --fresh: a duration is negative")
	}
	r.Direct = true
	spans := []weir.Period{""}
	if periods != "" {
		var err error
		if spans, err = weir.ParsePeriods(periods); err != nil {
			return nil, err
		}
	}
	return crossed(r, ids, spans)
}
