package main_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weirhq/weir/emulator"
)

// kills is how often the program is killed; make torture asks for more.
var kills = flag.Int("kills", 10, "how often to kill the program")

const killedKey = "made-up-to-be-killed"

// The built program on a real socket with a real state file is killed at random
// moments. In the end everything has landed, one job was made for each export,
// and the data are those of an undisturbed run.
func TestKilledAtAnyMoment(t *testing.T) {
	program := build(t)
	quiet := newRig(t, program)
	if code, output := quiet.run(t, 0, "export", "forecast", "net_arr", "new_logo", "--period", "2026_Q1..2026_Q3"); code != 0 {
		t.Fatalf("undisturbed run: exit %d\n%s", code, output)
	}
	want := quiet.data(t)
	if len(want) == 0 {
		t.Fatal("an undisturbed run landed nothing")
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for done := 0; done < *kills; {
		rig := newRig(t, program)
		done += rig.torment(t, random, min(*kills-done, 12))
		if got := rig.data(t); !slices.Equal(got, want) {
			t.Fatalf("data differ from an undisturbed run: %d and %d rows", len(got), len(want))
		}
		rig.checkJobs(t)
	}
}

// rig is one emulator with one state and one destination.
type rig struct {
	program, dir, baseURL string
	server                *emulator.Emulator
}

func build(t testing.TB) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "weir")
	if output, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, output)
	}
	return program
}

func newRig(t *testing.T, program string) *rig {
	t.Helper()
	slow, err := emulator.ParseScenario([]byte("rules:\n  - match: {route: export.forecast, every: 2}\n    delay_answer: 120ms\n  - match: {route: jobs.results, every: 2}\n    slow: 200000\n"))
	if err != nil {
		t.Fatal(err)
	}
	server, err := emulator.New(emulator.Config{
		Key: killedKey, Slots: 2, JobTime: 400 * time.Millisecond, Seed: 11, Scenario: slow,
	})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = emulator.Serve(ctx, listener, server) }()
	t.Cleanup(func() { cancel(); <-done })
	return &rig{program: program, dir: t.TempDir(), baseURL: emulator.BaseURL(listener.Addr()), server: server}
}

// command is one run of the program in the rig.
func (r *rig) command(args ...string) (*exec.Cmd, *bytes.Buffer) {
	args = append(args, "--poll-min", "100ms", "--rate", "100")
	if args[0] == "export" {
		args = append(args, "--to", filepath.Join(r.dir, "data"), "--format", "csv")
	}
	cmd := exec.Command(r.program, args...)
	cmd.Env = append(os.Environ(), "CLARI_API_KEY="+killedKey, "CLARI_BASE_URL="+r.baseURL,
		"WEIR_STATE="+filepath.Join(r.dir, "state", "weir.db"))
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	return cmd, &output
}

// run lets the program work for at most patience (0: to its end) and then kills
// it. A killed program has exit code -1.
func (r *rig) run(t *testing.T, patience time.Duration, args ...string) (int, string) {
	t.Helper()
	cmd, output := r.command(args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if patience > 0 {
		killer := time.AfterFunc(patience, func() { _ = cmd.Process.Signal(syscall.SIGKILL) })
		defer killer.Stop()
	}
	err := cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), output.String()
}

// torment kills the program at most so many times and lets it finish then.
func (r *rig) torment(t *testing.T, random *rand.Rand, most int) (killed int) {
	t.Helper()
	wish := []string{"export", "forecast", "net_arr", "new_logo", "--period", "2026_Q1..2026_Q3", "--fresh", "1h"}
	for killed < most {
		code, output := r.run(t, time.Duration(30+random.IntN(900))*time.Millisecond, wish...)
		if code == 0 {
			break
		}
		if code != -1 {
			t.Fatalf("exit %d after %d kills\n%s", code, killed, output)
		}
		killed++
	}
	if code, output := r.run(t, 0, wish...); code != 0 {
		t.Fatalf("last run: exit %d after %d kills\n%s", code, killed, output)
	}
	return max(killed, 1)
}

// checkJobs makes sure that nothing was bought twice.
func (r *rig) checkJobs(t *testing.T) {
	t.Helper()
	made := map[string]int{}
	for _, j := range r.server.Jobs() {
		made[j.Forecast+" "+j.Period]++
	}
	for what, n := range made {
		if n != 1 {
			t.Errorf("%d jobs were made for %s", n, what)
		}
	}
	if len(made) != 6 {
		t.Errorf("jobs for %d requests, want 6", len(made))
	}
}

// data are the rows of all tables without the columns and paths that differ
// from run to run.
func (r *rig) data(t *testing.T) []string {
	t.Helper()
	var rows []string
	root := filepath.Join(r.dir, "data")
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".csv" {
			return err
		}
		table, _, _ := strings.Cut(strings.TrimPrefix(path, root+"/"), "/snapshot=")
		found, err := readRows(path)
		for _, row := range found {
			rows = append(rows, table+": "+row)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(rows)
	return rows
}

func readRows(path string) ([]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil || len(records) == 0 {
		return nil, fmt.Errorf("read %s: %d records: %w", path, len(records), err)
	}
	var rows []string
	for _, record := range records[1:] {
		var kept []string
		for i, value := range record {
			if !strings.HasPrefix(records[0][i], "_weir_") {
				kept = append(kept, records[0][i]+"="+value)
			}
		}
		rows = append(rows, strings.Join(kept, "|"))
	}
	return rows, nil
}
