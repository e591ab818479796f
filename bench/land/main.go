package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"runtime/pprof"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/land"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := do(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "land:", err)
		os.Exit(1)
	}
}

func do(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("generate, run or figures?")
	}
	switch args[0] {
	case "generate":
		return generate(args[1:])
	case "run":
		return run(ctx, args[1:])
	case "figures":
		return figures(ctx, args[1:])
	}
	return fmt.Errorf("no command %q", args[0])
}

func generate(args []string) error {
	flags := flag.NewFlagSet("generate", flag.ContinueOnError)
	mb := flags.Int64("mb", 100, "size in megabytes")
	users := flags.Int("users", 2000, "users in the lookups")
	order := flags.String("order", entriesFirst, "first, last, pretty or trap")
	if err := flags.Parse(args); err != nil {
		return err
	}
	_, err := document{bytes: *mb * 1_000_000, users: *users, order: *order}.write(os.Stdout)
	return err
}

// cost is what a run printed of itself.
type cost struct {
	Bytes, Rows, Parquet int64
	Read, Wall           float64 // seconds; Read until verified
	CPU                  float64 // seconds, user and system
	Peak                 int64   // bytes resident
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	profile := flags.String("cpuprofile", "", "write a CPU profile")
	to := flags.String("to", "", "leave the files in this directory")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50) // as the program does
	}
	if *profile != "" {
		file, err := os.Create(*profile)
		if err != nil {
			return err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	var in io.Reader = os.Stdin
	if path := flags.Arg(0); path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		in = file
	}
	c, err := landed(ctx, in, *to)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(c)
}

// landed lands a document into a directory, one that is gone afterwards unless
// it is named.
func landed(ctx context.Context, in io.Reader, to string) (cost, error) {
	dir, err := os.MkdirTemp("", "weir-bench-*")
	if err != nil {
		return cost{}, err
	}
	defer os.RemoveAll(dir)
	start := time.Now()
	r, err := land.Receive(ctx, in, land.Source{
		Request:    weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: "2026_Q1"},
		Job:        weir.Job{ID: "6073683781a6da229df71e00"},
		SnapshotAt: time.Date(2026, 3, 31, 8, 0, 0, 0, time.UTC), Length: -1,
		SpoolDir: filepath.Join(dir, "spool"), Version: "bench",
	})
	if err != nil {
		return cost{}, err
	}
	read := time.Since(start)
	if to == "" {
		to = filepath.Join(dir, "data")
	}
	out, err := land.OpenDestination(to, "")
	if err != nil {
		return cost{}, err
	}
	m, err := r.Publish(ctx, out, land.Target{Format: land.Parquet, Primary: true})
	if err != nil {
		return cost{}, err
	}
	c := cost{Bytes: r.Result().Bytes, Rows: m.Rows(), Parquet: m.Tables[0].Files[0].Bytes, Read: read.Seconds(), Wall: time.Since(start).Seconds()}
	c.CPU, c.Peak = usage()
	return c, r.Close()
}
