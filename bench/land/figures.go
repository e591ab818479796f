package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// bench measures in child processes, with its documents in a directory that is
// gone afterwards.
type bench struct {
	ctx  context.Context
	self string
	dir  string
}

// figures measures everything and prints it as tables.
func figures(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("figures", flag.ContinueOnError)
	sizes := flags.String("mb", "100,900,4400", "sizes in megabytes; what is above 1000 goes through a pipe and needs no disk")
	compare := flags.Int64("compare", 900, "size of the document that others read too")
	pairs := flags.Int("pairs", 3, "how often it is read by each")
	duckdb := flags.String("duckdb", "", "directory of bench/duckdb with its packages installed")
	python := flags.String("python", "", "path of bench/python/convert.py")
	module := flags.String("module", "", "directory of the module, to build the program with an empty cache")
	if err := flags.Parse(args); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "weir-figures-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{ctx: ctx, self: self, dir: dir}
	if err := b.rates(strings.Split(*sizes, ","), *compare); err != nil {
		return err
	}
	if err := b.against(*compare, *pairs, *duckdb, *python); err != nil {
		return err
	}
	return b.build(*module)
}

// rates lands documents of each size and order, and one with many users.
func (b *bench) rates(sizes []string, many int64) error {
	fmt.Println("| document | MB | MB/s wall | MB/s on two free cores | CPU s | peak MB |")
	fmt.Println("|---|---|---|---|---|---|")
	for _, size := range sizes {
		mb, err := strconv.ParseInt(strings.TrimSpace(size), 10, 64)
		if err != nil {
			return err
		}
		for _, order := range []string{entriesLast, entriesFirst, pretty, trap} {
			if mb > 1000 && order != entriesFirst {
				continue
			}
			if err := b.rate(order, document{bytes: mb * 1_000_000, users: 2000, order: order}); err != nil {
				return err
			}
		}
	}
	return b.rate("100,000 users", document{bytes: many * 1_000_000, users: 100_000, order: entriesFirst})
}

func (b *bench) rate(name string, d document) error {
	c, err := b.land(d)
	if err != nil {
		return err
	}
	mb := float64(c.Bytes) / 1e6
	fmt.Printf("| %s | %.0f | %.0f | %.0f | %.2f | %.0f |\n", name, mb, mb/c.Wall, 2*mb/c.CPU, c.CPU, float64(c.Peak)/1e6)
	return nil
}

// land lands a document from a file, or from a pipe when it is large.
func (b *bench) land(d document) (cost, error) {
	if d.bytes > 1_000_000_000 {
		return b.piped(d)
	}
	path, err := b.file(d)
	if err != nil {
		return cost{}, err
	}
	defer os.Remove(path)
	return b.measure(b.self, "run", path)
}

func (b *bench) generator(d document) *exec.Cmd {
	return exec.CommandContext(b.ctx, b.self, "generate", "-mb", strconv.FormatInt(d.bytes/1_000_000, 10), "-users", strconv.Itoa(d.users), "-order", d.order)
}

func (b *bench) piped(d document) (cost, error) {
	generator := b.generator(d)
	from, err := generator.StdoutPipe()
	if err != nil {
		return cost{}, err
	}
	if err := generator.Start(); err != nil {
		return cost{}, err
	}
	run := exec.CommandContext(b.ctx, b.self, "run", "-")
	run.Stdin, run.Stderr = from, os.Stderr
	out, err := run.Output()
	if err = errors.Join(err, generator.Wait()); err != nil {
		return cost{}, err
	}
	var c cost
	return c, json.Unmarshal(out, &c)
}

func (b *bench) file(d document) (string, error) {
	path := filepath.Join(b.dir, "document.json")
	file, err := os.Create(path)
	if err != nil {
		return "", err
	}
	generator := b.generator(d)
	generator.Stdout, generator.Stderr = file, os.Stderr
	return path, errors.Join(generator.Run(), file.Close())
}

// measure runs a command that prints its cost.
func (b *bench) measure(name string, args ...string) (cost, error) {
	command := exec.CommandContext(b.ctx, name, args...)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return cost{}, fmt.Errorf("%s: %w", name, err)
	}
	var c cost
	return c, json.Unmarshal(out, &c)
}

// against lets others read the same document, in turn, and prints ratios.
func (b *bench) against(mb int64, pairs int, duckdb, python string) error {
	if duckdb == "" && python == "" {
		return nil
	}
	path, err := b.file(document{bytes: mb * 1_000_000, users: 2000, order: entriesFirst})
	if err != nil {
		return err
	}
	defer os.Remove(path)
	fmt.Printf("\n| on the same %d MB | wall | CPU | peak MB | size |\n|---|---|---|---|---|\n", mb)
	if duckdb != "" {
		theirs := filepath.Join(b.dir, "duckdb.parquet")
		defer os.Remove(theirs)
		if err := b.pair("DuckDB", path, pairs, "node", filepath.Join(duckdb, "convert.mjs"), path, theirs); err != nil {
			return err
		}
		if err := b.same(path, duckdb, theirs); err != nil {
			return err
		}
	}
	if python != "" {
		rows := filepath.Join(b.dir, "python.csv")
		defer os.Remove(rows)
		return b.pair("Python", path, pairs, "python3", python, path, rows)
	}
	return nil
}

// pair measures weir and another one after the other, several times.
func (b *bench) pair(name, path string, pairs int, command ...string) error {
	var walls, cpus []float64
	var ours, other cost
	for range pairs {
		var err error
		if other, err = b.measure(command[0], command[1:]...); err != nil {
			return err
		}
		if ours, err = b.measure(b.self, "run", path); err != nil {
			return err
		}
		walls, cpus = append(walls, other.Wall/ours.Wall), append(cpus, other.CPU/ours.CPU)
	}
	slices.Sort(walls)
	slices.Sort(cpus)
	fmt.Printf("| %s took | %.1f× (%.1f s) | %.1f× (%.1f s) | %.0f | ", name, walls[pairs/2], other.Wall, cpus[pairs/2], other.CPU, float64(other.Peak)/1e6)
	if other.Parquet > 0 {
		fmt.Printf("weir's is %.2f× |\n", float64(ours.Parquet)/float64(other.Parquet))
		return nil
	}
	fmt.Println("|")
	return nil
}

// same lets DuckDB compare weir's file with its own.
func (b *bench) same(path, duckdb, theirs string) error {
	data := filepath.Join(b.dir, "data")
	defer os.RemoveAll(data)
	if _, err := b.measure(b.self, "run", "-to", data, path); err != nil {
		return err
	}
	found, err := filepath.Glob(filepath.Join(data, "forecast_entries", "*", "*", "*", "part-0.parquet"))
	if err != nil || len(found) != 1 {
		return fmt.Errorf("%d files of entries: %w", len(found), err)
	}
	check := exec.CommandContext(b.ctx, "node", filepath.Join(duckdb, "check.mjs"), found[0], theirs)
	check.Stdout, check.Stderr = os.Stderr, os.Stderr
	return check.Run()
}

// build builds the program with an empty build cache.
func (b *bench) build(module string) error {
	if module == "" {
		return nil
	}
	out := filepath.Join(b.dir, "weir")
	command := exec.CommandContext(b.ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, "./cmd/weir")
	command.Dir, command.Stderr = module, os.Stderr
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOCACHE="+filepath.Join(b.dir, "cache"))
	start := time.Now()
	if err := command.Run(); err != nil {
		return err
	}
	state, err := os.Stat(out)
	if err != nil {
		return err
	}
	cpu := command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	fmt.Printf("\ncold build: %.0f s wall, %.0f s of two cores, %.1f MB\n", time.Since(start).Seconds(), cpu.Seconds()/2, float64(state.Size())/1e6)
	return nil
}
