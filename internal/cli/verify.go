package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/weirhq/weir/internal/app"
	"github.com/weirhq/weir/land"
)

func newVerify(g *globals) *cobra.Command {
	var only string
	cmd := &cobra.Command{
		Use: "verify [DEST]", Short: "check snapshots again, offline", Args: cobra.MaximumNArgs(1),
		Long: `Check the snapshots in a destination again, offline: every file is there, with the
bytes, hash, rows and columns that its manifest says, and a forecast's values add
up to the manifest's totals.

  weir verify ./clari-data
  weir verify ./clari-data --only time_period=2026_Q1
  weir verify ./clari-data/_manifests/forecast/forecast_id=..json
  weir verify s3://bucket/clari

In PostgreSQL: every table has the rows that the manifest says, of that job and
request, weir's columns, and values that add up. It ends with 1 if a snapshot is faulty, or if there
is none.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			destination := "clari-data"
			if len(args) == 1 {
				destination = args[0]
			}
			return g.verify(cmd.Context(), destination, only)
		},
	}
	cmd.Flags().StringVar(&only, "only", "", "only snapshots whose manifest path contains this")
	return cmd
}

type verifiedJSON struct {
	Manifest   string    `json:"manifest"`
	SnapshotAt time.Time `json:"snapshot_at,omitzero"`
	Rows       int64     `json:"rows"`
	Faults     []string  `json:"faults"`
}

func (g *globals) verify(ctx context.Context, destination, only string) error {
	all := []verifiedJSON{}
	faulty := 0
	err := app.Verify(ctx, destination, only, func(r land.Rechecked) error {
		v := verifiedJSON{plain(r.Manifest), r.Snapshot.SnapshotAt, r.Snapshot.Rows(), []string{}}
		for _, fault := range r.Faults {
			v.Faults = append(v.Faults, plain(fault))
		}
		if len(v.Faults) > 0 {
			faulty++
		}
		all = append(all, v)
		g.showVerified(v)
		return nil
	})
	if err != nil {
		return err
	}
	if g.json {
		g.printJSON(map[string]any{"snapshots": all, "faulty": faulty})
	} else {
		fmt.Fprintf(g.Out, "%d snapshots, %d with faults\n", len(all), faulty)
	}
	if faulty > 0 || len(all) == 0 { // an empty place is more often the wrong one than a good one
		return exitWith(app.ExitFailed)
	}
	return nil
}

func (g *globals) showVerified(v verifiedJSON) {
	if g.json {
		return
	}
	if len(v.Faults) == 0 {
		fmt.Fprintf(g.Out, "ok    %s\n", v.Manifest)
	}
	for _, fault := range v.Faults {
		fmt.Fprintf(g.Out, "FAIL  %s: %s\n", v.Manifest, fault)
	}
}
