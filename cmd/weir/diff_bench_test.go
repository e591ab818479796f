package main_test

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/land"
)

// diffRows is how many rows each of the two compared snapshots has, about.
var diffRows = flag.Int("diff-rows", 3_000_000, "rows of each snapshot that BenchmarkDiff compares")

// BenchmarkDiff compares two snapshots with the built program and tells what
// that took of wall time, CPU time and memory. The second one has other numbers
// in 5 % of its cells, lacks 1 % of its people, and stands in another order.
func BenchmarkDiff(b *testing.B) {
	program, dir := buildFor(b), b.TempDir()
	for n := range 2 {
		landBench(b, dir, n)
	}
	b.ResetTimer()
	for b.Loop() {
		cmd := exec.Command(program, "diff", "20261122", "20261123", "--to", dir, "--format", "csv", "--output", filepath.Join(dir, "changes.csv"))
		cmd.Env = append(os.Environ(), "XDG_STATE_HOME="+dir, "HOME="+dir)
		began := time.Now()
		if output, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, output)
		}
		used := cmd.ProcessState.SysUsage().(*syscall.Rusage)
		b.ReportMetric(time.Since(began).Seconds(), "wall-s")
		b.ReportMetric((cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds(), "cpu-s")
		b.ReportMetric(float64(used.Maxrss)/1024, "peak-MiB")
	}
	lines, err := os.ReadFile(filepath.Join(dir, "changes.csv"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(strings.Count(string(lines), "\n")-1), "changes")
}

func buildFor(b *testing.B) string {
	program := filepath.Join(b.TempDir(), "weir")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, output)
	}
	return program
}

// landBench lands the nth of the two snapshots.
func landBench(b *testing.B, dir string, n int) {
	read, write := io.Pipe()
	go func() { write.CloseWithError(writeBench(write, *diffRows, n)) }()
	r, err := land.Receive(context.Background(), read, land.Source{
		Request: weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: "2026_Q1"}, Job: weir.Job{ID: fmt.Sprintf("j%d", n)},
		SnapshotAt: time.Date(2026, 11, 22+n, 0, 0, 0, 0, time.UTC), Length: -1, SpoolDir: filepath.Join(b.TempDir(), "spool"),
	})
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	store, err := land.OpenDirectory(dir)
	if err != nil {
		b.Fatal(err)
	}
	if _, err := r.Publish(context.Background(), land.Files(store), land.Target{Format: land.Parquet, Primary: true}); err != nil {
		b.Fatal(err)
	}
}

// writeBench writes a document: 65 cells a person, of 5 fields in 13 weeks.
func writeBench(w io.Writer, rows, n int) error {
	const cells = 65
	people := max(1, rows/cells)
	var out []byte
	out = append(out, `{"entries":[`...)
	first := true
	for i := range people * cells {
		row := i
		if n == 1 {
			row = people*cells - 1 - i
		}
		person, cell := row/cells, row%cells
		if n == 1 && person%100 == 7 {
			continue
		}
		amount := row * 7919 % 100_000_000
		if n == 1 && row%20 == 3 {
			amount += 12345
		}
		if !first {
			out = append(out, ',')
		}
		first = false
		out = fmt.Appendf(out, `{"userId":"%d","fieldId":"field_%d","timeFrameId":"TF:2026-%02d","timePeriodId":"2026_Q1","forecastValue":%d.%02d,"quotaValue":%d,"crmTotal":%d.5,"isUpdated":true,"updatedBy":"%d","updatedOn":%d,"currency":{"code":"USD","symbol":"$"}}`,
			100_000+person, cell%5, cell/5, amount/100, amount%100, person*1000, row%1000, 100_000+person, 1_767_952_800_123+row)
		if len(out) > 1<<20 {
			if _, err := w.Write(out); err != nil {
				return err
			}
			out = out[:0]
		}
	}
	out = append(out, `],"users":[`...)
	for person := range people {
		out = fmt.Appendf(out, `{"userId":"%d","name":"Person %d","email":"p%d@example.com"},`, 100_000+person, person, person)
	}
	out = append(out, `{"userId":"0"}],"fields":[{"fieldId":"field_0","fieldName":"Commit"}],"timePeriods":[{"timePeriodId":"2026_Q1","year":2026,"startDate":"2026-01-01","endDate":"2026-03-31"}],"timeFrames":[{"timeFrameId":"TF:2026-00","startDate":"2026-01-05","endDate":"2026-01-11"}]}`...)
	_, err := w.Write(out)
	return err
}
