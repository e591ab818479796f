package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/history"
	"github.com/weirhq/weir/internal/app"
	"github.com/weirhq/weir/land"
)

const diffLong = `Show what changed in a forecast between two snapshots: by person, field and week,
from, to and by how much; who appeared, who left the forecast, who went to zero;
and the totals.

  weir diff --forecast net_arr --period 2026_Q1                    the two newest
  weir diff --forecast net_arr --period 2026_Q1 --since yesterday
  weir diff 20261122T150405Z 20261123T150405Z                      by name
  weir diff 17 23                                                  by export
  weir diff A B --format parquet --output changes.parquet          for programs

A and B are the name of a snapshot or its beginning, the path of its manifest, or
the number of its export in weir status. --since takes an instant, a length of
time (36h, 7d), a day (2026-11-20, yesterday, friday: as it stood at its end) or
"last week"; the latest snapshot at or before it is compared with the newest.
Snapshots of unlike requests are refused. It ends with 0 also when there are
differences.`

// diffFlags are those of weir diff.
type diffFlags struct {
	to, forecast, period, since string
	format, output              string
	limit                       int
	csvSafe                     bool
}

func newDiff(g *globals) *cobra.Command {
	var x diffFlags
	cmd := &cobra.Command{
		Use: "diff [A B]", Short: "show what changed between two snapshots", Long: diffLong, Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return g.diff(cmd.Context(), x, args) },
	}
	f := cmd.Flags()
	f.StringVar(&x.to, "to", "clari-data", "destination that holds the snapshots")
	f.StringVar(&x.forecast, "forecast", "", "forecast tab, where no snapshots are named")
	f.StringVar(&x.period, "period", "", "fiscal quarter, where no snapshots are named")
	f.StringVar(&x.since, "since", "", "how old the first one is: 2026-11-20, 36h, 7d, yesterday, friday, \"last week\" (default the one before the newest)")
	f.StringVar(&x.format, "format", "table", "table, "+strings.Join(history.Formats(), ", "))
	f.StringVar(&x.output, "output", "", "file to write instead of standard output")
	f.IntVar(&x.limit, "limit", 50, "table: show the largest so many changes; 0 for all")
	f.BoolVar(&x.csvSafe, "csv-safe", false, "make text in CSV that looks like a formula harmless")
	for _, name := range []string{"format", "output", "limit", "period"} {
		_ = f.SetAnnotation(name, ownFlag, []string{}) // the flag is there
	}
	return cmd
}

func (g *globals) diff(ctx context.Context, x diffFlags, args []string) error {
	if g.json && x.format == "table" {
		x.format = "json"
	}
	if err := g.checkDiff(x, args); err != nil {
		return err
	}
	w := app.DiffWish{Destination: x.to, ForecastID: x.forecast, Period: weir.Period(x.period), Since: x.since}
	if len(args) == 2 {
		w.A, w.B = args[0], args[1]
	}
	settings, err := g.settings()
	if err != nil {
		return err
	}
	pair, err := app.FindPair(ctx, settings, w, time.Now())
	if err != nil {
		return err
	}
	return g.writeTo(x.output, func(out io.Writer) error {
		if x.format == "table" {
			return g.diffTable(ctx, out, x, pair)
		}
		return diffFile(ctx, out, x, pair)
	})
}

func (g *globals) checkDiff(x diffFlags, args []string) error {
	switch {
	case x.format != "table" && !slices.Contains(history.Formats(), x.format):
		return app.Usage("formats are table, "+strings.Join(history.Formats(), ", "), "read --format: unknown format %q", x.format)
	case x.format == "parquet" && x.output == "" && g.OutTerminal:
		return app.Usage("give --output FILE", "write parquet: standard output is a terminal")
	case len(args) == 1:
		return app.Usage("name two, or none and --forecast, --period", "read arguments: one snapshot cannot be compared")
	case len(args) == 2 && x.since != "":
		return app.Usage("", "read --since: two snapshots are named already")
	case len(args) == 0 && (x.forecast == "" || x.period == ""):
		return app.Usage("for example: weir diff --forecast net_arr --period 2026_Q1 --since yesterday", "read arguments: neither two snapshots nor --forecast and --period")
	case x.limit < 0:
		return app.Usage("", "read --limit: %d is negative", x.limit)
	}
	if x.period == "" {
		return nil
	}
	_, err := weir.ParsePeriod(x.period)
	return err
}

func diffFile(ctx context.Context, out io.Writer, x diffFlags, pair app.Pair) error {
	w, err := history.NewWriter(out, x.format, pair.About, x.csvSafe)
	if err != nil {
		return err
	}
	s, err := pair.Compare(ctx, w.Write)
	if err != nil {
		return err
	}
	return w.Close(s)
}

// writeTo writes to standard output, or to a file that appears whole or not at
// all and replaces what is there.
func (g *globals) writeTo(name string, write func(io.Writer) error) error {
	if name == "" {
		out := bufio.NewWriterSize(g.Out, 64<<10)
		if err := write(out); err != nil {
			return err
		}
		return outputFault("standard output", out.Flush())
	}
	file, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+"-*")
	if err != nil {
		return outputFault(name, err)
	}
	defer os.Remove(file.Name())
	if err := write(file); err != nil {
		return errors.Join(err, file.Close())
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return outputFault(name, err)
	}
	return outputFault(name, os.Rename(file.Name(), name))
}

func outputFault(name string, err error) error {
	if err == nil {
		return nil
	}
	return &land.WriteError{Op: "write", Path: name, Err: err}
}
