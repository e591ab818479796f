package cli

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/history"
	"github.com/weirhq/weir/internal/app"
	"github.com/weirhq/weir/land"
)

const pruneLong = `Take old snapshots away for good. Without it weir keeps every snapshot for ever.

  weir prune ./clari-data --keep-last 30             tell what would go
  weir prune ./clari-data --keep-last 30 --force     take it away
  weir prune s3://bucket/clari --older-than 90d --forecast net_arr --force

Of each forecast, period and kind of request, in each format, the latest snapshot
always stays. With both rules a snapshot goes when both let it. What a configuration
file says under retention.snapshots is a rule too: alone where no other is given, and
else one that must let a snapshot go as well. A snapshot is gone from the moment
that its manifest is; what a run that was killed left behind, the next one takes
away. Its export stays landed, and is not downloaded again.`

// pruneFlags are those of weir prune.
type pruneFlags struct {
	keepLast                    int
	olderThan, forecast, period string
	config                      string
	dryRun, force               bool
}

func newPrune(g *globals) *cobra.Command {
	var x pruneFlags
	cmd := &cobra.Command{
		Use: "prune [DEST]", Short: "take old snapshots away", Long: pruneLong, Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			destination := "clari-data"
			if len(args) == 1 {
				destination = args[0]
			}
			w, err := x.wish(destination)
			if err != nil {
				return err
			}
			if err := g.alsoConfigured(&w, x.config, cmd.Flags().Changed("config")); err != nil {
				return err
			}
			return g.prune(cmd.Context(), w)
		},
	}
	f := cmd.Flags()
	f.IntVar(&x.keepLast, "keep-last", 0, "keep so many of each forecast, period and kind of request, at least 1")
	f.StringVar(&x.olderThan, "older-than", "", "let only those go that are older: 90d, 12w, 36h")
	f.StringVar(&x.forecast, "forecast", "", "only this forecast tab")
	f.StringVar(&x.period, "period", "", "only this fiscal quarter")
	f.StringVar(&x.config, "config", defaultConfigFile, "configuration file whose retention.snapshots counts too, where it is there")
	f.BoolVar(&x.dryRun, "dry-run", false, "tell what would go, also with --force")
	f.BoolVar(&x.force, "force", false, "take it away; without it nothing is touched")
	for _, name := range []string{"force", "period"} {
		_ = f.SetAnnotation(name, ownFlag, []string{}) // the flag is there
	}
	return cmd
}

func (x pruneFlags) wish(destination string) (app.PruneWish, error) {
	w := app.PruneWish{Destination: destination, Really: x.force && !x.dryRun, Of: land.Selection{ForecastID: x.forecast, Period: weir.Period(x.period)}}
	if x.keepLast < 0 {
		return w, app.Usage("", "read --keep-last: %d is negative", x.keepLast)
	}
	w.Retention.KeepLast = x.keepLast
	if x.olderThan != "" {
		age, ok := days(x.olderThan)
		if !ok {
			return w, app.Usage("for example 90d, 12w or 36h", "read --older-than %q: not a length of time", x.olderThan)
		}
		w.Retention.OlderThan = age
	}
	if x.period != "" {
		if _, err := weir.ParsePeriod(x.period); err != nil {
			return w, err
		}
	}
	return w, nil
}

// alsoConfigured adds the rule of the configuration file.
func (g *globals) alsoConfigured(w *app.PruneWish, file string, named bool) error {
	rule, err := app.ConfiguredRetention(file, named)
	if err != nil {
		return err
	}
	w.Retention = w.Retention.And(rule)
	if w.Retention == (history.Retention{}) {
		return app.Usage("for example --keep-last 30, or --older-than 90d; or say retention.snapshots in "+plain(file),
			"read arguments: neither --keep-last nor --older-than")
	}
	if rule != (history.Retention{}) {
		g.say("retention.snapshots of %s counts too", plain(file))
	}
	return nil
}

var daySpan = regexp.MustCompile(`^(\d{1,5})([dw])$`)

// days reads a duration, or a number of days or weeks.
func days(text string) (time.Duration, bool) {
	if found := daySpan.FindStringSubmatch(text); found != nil {
		n, _ := strconv.Atoi(found[1]) // five digits
		if found[2] == "w" {
			n *= 7
		}
		return time.Duration(n) * 24 * time.Hour, n > 0
	}
	d, err := time.ParseDuration(text)
	return d, err == nil && d > 0
}

type prunedJSON struct {
	Manifest   string    `json:"manifest"`
	SnapshotAt time.Time `json:"snapshot_at"`
	Bytes      int64     `json:"bytes"`
}

func (g *globals) prune(ctx context.Context, w app.PruneWish) error {
	gone := []prunedJSON{}
	word := "would go"
	if w.Really {
		word = "pruned"
	}
	stay, err := app.Prune(ctx, w, time.Now(), func(m land.Manifest) error {
		p := prunedJSON{plain(m.Path), m.SnapshotAt, history.Bytes(m)}
		gone = append(gone, p)
		if !g.json {
			fmt.Fprintf(g.Out, "%s  %s  %s\n", word, p.Manifest, size(p.Bytes))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if g.json {
		g.printJSON(map[string]any{"snapshots": gone, "pruned": w.Really, "kept": stay})
		return nil
	}
	fmt.Fprintf(g.Out, "%d snapshots %s, %d stay\n", len(gone), word, stay)
	if !w.Really && len(gone) > 0 {
		g.say("nothing was touched; take them away with --force")
	}
	return nil
}

// size is a number of bytes as people read it.
func size(bytes int64) string {
	const step = 1000
	units := []string{"B", "kB", "MB", "GB", "TB"}
	value := float64(bytes)
	unit := 0
	for value >= step && unit < len(units)-1 {
		value /= step
		unit++
	}
	if unit == 0 {
		return fmt.Sprintf("%d B", bytes)
	}
	return fmt.Sprintf("%.1f %s", value, units[unit])
}
