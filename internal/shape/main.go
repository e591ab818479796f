package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/weirhq/weir/internal/gosource"
)

func main() {
	os.Exit(run(os.Stdout, os.Stderr, "."))
}

// run prints the table of the module that dir is in: 0 within the budget, 1
// over it, 2 when the module cannot be read.
func run(stdout, stderr io.Writer, dir string) int {
	m, err := load(dir)
	if err != nil {
		fmt.Fprintln(stderr, "shape:", err)
		return 2
	}
	shape := Measure(m)
	if err := printTable(stdout, shape); err != nil {
		fmt.Fprintln(stderr, "shape: print table:", err)
		return 2
	}
	over := standing().Over(shape)
	for _, line := range over {
		fmt.Fprintln(stderr, line)
	}
	if len(over) > 0 {
		return 1
	}
	return 0
}

func load(dir string) (*gosource.Module, error) {
	root, err := gosource.Root(dir)
	if err != nil {
		return nil, err
	}
	return gosource.Load(os.DirFS(root))
}

func printTable(w io.Writer, s Shape) error {
	b := standing()
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "size in lines\tcount\ttotal\tp50\tp90\tmax\tbudget\tlongest")
	row(t, "files", s.Code.Files, fmt.Sprintf("max %d", b.File))
	row(t, "functions", s.Code.Functions, fmt.Sprintf("p50 %d, p90 %d, max %d", b.Median, b.P90, b.Function))
	row(t, "test files", s.Tests.Files, fmt.Sprintf("max %d", b.TestFile))
	row(t, "test functions", s.Tests.Functions, fmt.Sprintf("max %d", b.Function))
	return t.Flush()
}

func row(w io.Writer, what string, sizes []Size, budget string) {
	total, longest := 0, Size{At: "none"}
	for _, size := range sizes {
		total += size.Lines
	}
	if len(sizes) > 0 {
		longest = sizes[0]
	}
	fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%s\t%s\n", what, len(sizes), total,
		percentile(sizes, 50), percentile(sizes, 90), longest.Lines, budget, longest.At)
}
