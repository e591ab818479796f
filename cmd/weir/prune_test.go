package main_test

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weirhq/weir/land"
)

// weir prune is killed at random moments. Every snapshot that is still there is
// whole, the latest of each is among them, and the next run takes away what was
// left behind; nothing is bought or downloaded again for what went.
func TestPruneKilledAtAnyMoment(t *testing.T) {
	r := newRig(t, build(t))
	wish := []string{"export", "forecast", "net_arr", "new_logo", "--period", "2025_Q4..2026_Q1"}
	for range 3 {
		if code, output := r.run(t, 0, wish...); code != 0 {
			t.Fatalf("export: exit %d\n%s", code, output)
		}
	}
	jobs := len(r.server.Jobs())
	kept := filepath.Join(t.TempDir(), "kept")
	if err := os.CopyFS(kept, os.DirFS(filepath.Join(r.dir, "data"))); err != nil {
		t.Fatal(err)
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for killed, midway := 0, 0; killed < *kills; {
		data := filepath.Join(r.dir, "data")
		if err := errors.Join(os.RemoveAll(data), os.CopyFS(data, os.DirFS(kept))); err != nil {
			t.Fatal(err)
		}
		const most = 6 // a slow machine may not get to the end within any of them
		for n := 0; n < most && !r.prune(t, time.Duration(1+random.IntN(120))*time.Millisecond); n++ {
			killed++
			if files(t, data, func(name string) bool { return strings.HasSuffix(name, ".going.json") }) != nil {
				midway++
			}
			r.verify(t)
		}
		r.prune(t, 0)
		r.verify(t)
		r.checkPruned(t, data)
		killed++ // a round without a kill is one too, so that it ends
		t.Logf("%d kills, %d of them half way", killed, midway)
	}
	if code, output := r.run(t, 0, append(wish, "--fresh", "1h")...); code != 0 || len(r.server.Jobs()) != jobs {
		t.Errorf("exported again: exit %d, %d jobs of %d\n%s", code, len(r.server.Jobs()), jobs, output)
	}
}

// prune runs to its end, which it reports, or is killed after patience.
func (r *rig) prune(t *testing.T, patience time.Duration) bool {
	t.Helper()
	cmd := r.offline("prune", filepath.Join(r.dir, "data"), "--keep-last", "1", "--force")
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if patience > 0 {
		killer := time.AfterFunc(patience, func() { _ = cmd.Process.Signal(syscall.SIGKILL) })
		defer killer.Stop()
	}
	err := cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); err != nil && code != -1 {
		t.Fatalf("prune: exit %d\n%s", code, &output)
	}
	return err == nil
}

func (r *rig) verify(t *testing.T) {
	t.Helper()
	if output, err := r.offline("verify", filepath.Join(r.dir, "data")).Output(); err != nil {
		t.Fatalf("verify: %v\n%s", err, output)
	}
}

func (r *rig) offline(args ...string) *exec.Cmd {
	cmd := exec.Command(r.program, args...)
	cmd.Env = append(os.Environ(), "WEIR_STATE="+filepath.Join(r.dir, "state", "weir.db"))
	return cmd
}

// checkPruned: the latest snapshot of each of the four questions stands, and no
// file of any other.
func (r *rig) checkPruned(t *testing.T, data string) {
	t.Helper()
	named, snapshots := map[string]bool{}, 0
	for _, name := range files(t, data, func(name string) bool { return strings.Contains(name, "_manifests/") }) {
		file, err := os.Open(filepath.Join(data, name))
		if err != nil {
			t.Fatal(err)
		}
		m, err := land.ReadManifest(file)
		if err := errors.Join(err, file.Close()); err != nil {
			t.Fatal(err)
		}
		snapshots++
		named[name], named[m.Raw.Path] = true, true
		for _, table := range m.Tables {
			named[table.Files[0].Path] = true
		}
	}
	if snapshots != 4 {
		t.Errorf("%d snapshots are left, want the latest of 4 questions", snapshots)
	}
	strays := files(t, data, func(name string) bool {
		note := strings.HasPrefix(name, "_pruned/") && !strings.HasSuffix(name, ".going.json")
		return !named[name] && !note && name != "_views/latest.sql"
	})
	if len(strays) > 0 {
		t.Errorf("left behind: %q", strays)
	}
}

// files are those below a directory that are wanted, sorted.
func files(t *testing.T, dir string, wanted func(string) bool) []string {
	t.Helper()
	var all []string
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && wanted(name) {
			all = append(all, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return all
}
