package land_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/land"
)

func receiveAs(t testing.TB, text string, change func(*land.Source)) *land.Receipt {
	t.Helper()
	src := source(t)
	change(&src)
	r, err := land.Receive(context.Background(), strings.NewReader(text), src)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// stat gives every file with its content, to see that nothing changed.
func contents(t testing.TB, path string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, name := range tree(t, path) {
		all[name] = read(t, filepath.Join(path, name))
	}
	return all
}

func TestPublishTwiceIsOnce(t *testing.T) {
	dest, path := directory(t)
	text := document(entry(""))
	first := publish(t, receive(t, text), dest, csv)
	before := contents(t, path)
	second := publish(t, receive(t, text), dest, csv)
	if second.Path != first.Path || second.Tables[0].Files[0] != first.Tables[0].Files[0] {
		t.Errorf("second manifest %+v", second)
	}
	for name, was := range before {
		if now := contents(t, path)[name]; now != was {
			t.Errorf("%s changed", name)
		}
	}
	if len(tree(t, path)) != len(before) {
		t.Errorf("files %v", tree(t, path))
	}
}

func TestManifestTellsTheFiles(t *testing.T) {
	dest, path := directory(t)
	text := document(entry(`,"forecastValue":1`))
	for _, format := range land.Formats() {
		m := publish(t, receive(t, text), dest, land.Target{Format: format, Primary: true})
		all := []land.File{m.Raw}
		for _, table := range m.Tables {
			all = append(all, table.Files...)
		}
		if len(all) != 6 {
			t.Fatalf("files %v", all)
		}
		for _, file := range all {
			content := read(t, filepath.Join(path, file.Path))
			sum := sha256.Sum256([]byte(content))
			if int64(len(content)) != file.Bytes || hex.EncodeToString(sum[:]) != file.SHA256 {
				t.Errorf("%s is not as the manifest says", file.Path)
			}
		}
		stored, err := land.ReadManifest(strings.NewReader(read(t, filepath.Join(path, m.Path))))
		if err != nil || stored.Fingerprint != m.Fingerprint || stored.Rows() != 1 {
			t.Errorf("stored manifest %+v, %v", stored, err)
		}
		if unpack(t, filepath.Join(path, m.Raw.Path)) != text {
			t.Error("the raw file is not what came")
		}
	}
}

// The same result gives the same bytes, whenever and wherever it lands.
func TestSameBytes(t *testing.T) {
	text := document(entry(`,"forecastValue":1,"x":1`), `{"timePeriodId":"2026_Q1","currency":{"code":"USD"}}`)
	for _, format := range land.Formats() {
		var all []map[string]string
		for range 2 {
			dest, path := directory(t)
			publish(t, receive(t, text), dest, land.Target{Format: format, Primary: true})
			all = append(all, contents(t, path))
		}
		for name, content := range all[0] {
			if all[1][name] != content {
				t.Errorf("%s differs", name)
			}
		}
	}
}

func TestOtherContentIsRefused(t *testing.T) {
	text := document(entry(`,"forecastValue":1`))
	for name, other := range map[string]func() (*land.Receipt, land.Target){
		"bytes": func() (*land.Receipt, land.Target) { return receive(t, text+" "), csv },
		"request": func() (*land.Receipt, land.Target) {
			return receiveAs(t, text, func(s *land.Source) { s.Request.Types = []string{"forecast"} }), csv
		},
		"safety": func() (*land.Receipt, land.Target) {
			return receive(t, text), land.Target{Format: land.CSV, Primary: true, CSVSafe: true}
		},
	} {
		dest, path := directory(t)
		publish(t, receive(t, text), dest, csv)
		before := contents(t, path)
		r, target := other()
		_, err := r.Publish(context.Background(), dest, target)
		var refused *land.Refusal
		if !errors.As(err, &refused) || refused.Check != land.CheckSnapshot || refused.Kept == "" {
			t.Errorf("%s: %v", name, err)
		}
		for file, was := range before {
			if contents(t, path)[file] != was {
				t.Errorf("%s: %s changed", name, file)
			}
		}
	}
}

// The plain place of a snapshot belongs to the first format that took it.
func TestPlacesOfFormats(t *testing.T) {
	dest, path := directory(t)
	r := receive(t, document(entry("")))
	a := publish(t, r, dest, land.Target{Format: land.Parquet, Primary: true})
	b := publish(t, r, dest, land.Target{Format: land.CSV, Primary: true})
	c := publish(t, r, dest, land.Target{Format: land.Parquet})
	d := publish(t, r, dest, land.Target{Format: land.JSONL})
	if strings.HasPrefix(a.Path, "parquet/") || !strings.HasPrefix(b.Path, "csv/") || c.Path != a.Path || !strings.HasPrefix(d.Path, "jsonl/") {
		t.Errorf("at %s, %s, %s and %s", a.Path, b.Path, c.Path, d.Path)
	}
	views := read(t, filepath.Join(path, "_views/latest.sql"))
	if !strings.Contains(views, "read_parquet([\n  '"+a.Tables[0].Files[0].Path+"'\n]") || strings.Contains(views, "read_csv") {
		t.Error(views)
	}
}

func TestViewsShowTheLatest(t *testing.T) {
	dest, path := directory(t)
	text := document(entry(""))
	older := func(s *land.Source) { s.SnapshotAt, s.Job.ID = s.SnapshotAt.AddDate(0, 0, -1), "older" }
	unlike := func(s *land.Source) {
		s.SnapshotAt, s.Job.ID, s.Request.Historical = s.SnapshotAt.AddDate(0, 0, -2), "unlike", true
	}
	publish(t, receive(t, text), dest, csv)
	publish(t, receiveAs(t, text, older), dest, csv)
	publish(t, receiveAs(t, text, unlike), dest, csv)
	publish(t, receiveAs(t, text, func(s *land.Source) { s.SnapshotAt, s.Job.ID = s.SnapshotAt.Add(-time.Millisecond), "zzz" }), dest, csv)
	got := read(t, filepath.Join(path, "_views/latest.sql"))
	if strings.Contains(got, "-older/") || strings.Contains(got, "-zzz/") || !strings.Contains(got, jobID) || !strings.Contains(got, "-unlike/") || strings.Count(got, "CREATE OR REPLACE VIEW") != 5 {
		t.Error(got)
	}
}

// Ids from outside never lead out of the destination.
func TestHostileIDs(t *testing.T) {
	ids := []string{"../../x", ".", "..", "/etc/x", `a\b`, "a/b", "CON", "nul.txt", "é😀", strings.Repeat("long", 100), strings.Repeat("é", 100), "%2e%2e", "a'b*[c]?", " ", "-", "$(x)"}
	for _, forecast := range ids {
		for _, job := range append(ids[:2:2], "", "\x00", strings.Repeat("z", 5000)) {
			dest, path := directory(t)
			r := receiveAs(t, document(entry("")), func(s *land.Source) { s.Request.ForecastID, s.Job.ID = forecast, job })
			publish(t, r, dest, csv)
			for _, name := range tree(t, path) {
				for _, element := range strings.Split(name, "/") {
					if len(element) > 250 || element != filepath.Clean(element) || strings.Trim(element, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-=%.") != "" {
						t.Errorf("forecast %q, job %q: element %q", forecast, job, element)
					}
				}
			}
			if outside := tree(t, filepath.Dir(path)); len(outside) != len(tree(t, path)) {
				t.Errorf("forecast %q, job %q: files %v", forecast, job, outside)
			}
		}
	}
}

func TestLongIDsStayApart(t *testing.T) {
	dest, path := directory(t)
	for _, end := range []string{"a", "b"} {
		publish(t, receiveAs(t, document(entry("")), func(s *land.Source) { s.Request.ForecastID = strings.Repeat("x", 300) + end }), dest, csv)
	}
	tabs, err := os.ReadDir(filepath.Join(path, "forecast_entries"))
	if err != nil || len(tabs) != 2 || len(tabs[0].Name()) != len("forecast_id=")+180+17 {
		t.Errorf("%v, %v", tabs, err)
	}
}

func TestSnapshotWithoutJob(t *testing.T) {
	text := document(entry(""))
	r := receiveAs(t, text, func(s *land.Source) { s.Job = weir.Job{} })
	sum := sha256.Sum256([]byte(text))
	if want := "20261123T150405Z-now-" + hex.EncodeToString(sum[:4]); r.Snapshot() != want {
		t.Errorf("snapshot %s, want %s", r.Snapshot(), want)
	}
	dest, path := directory(t)
	m := publish(t, r, dest, jsonl)
	rows := read(t, filepath.Join(path, m.Tables[0].Files[0].Path))
	if got := column(t, rows, "_weir_job_id")[0]; got != "null" {
		t.Errorf("job id %s", got)
	}
}

// A link that leads out of the destination is not followed.
func TestSymbolicLinksOut(t *testing.T) {
	dest, path := directory(t)
	outside := t.TempDir()
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(path, "forecast_entries")); err != nil {
		t.Skip(err)
	}
	_, err := receive(t, document(entry(""))).Publish(context.Background(), dest, csv)
	if !errors.Is(err, land.ErrDestination) || len(tree(t, outside)) != 0 {
		t.Errorf("%v, outside %v", err, tree(t, outside))
	}
}

func TestConcurrentPublishers(t *testing.T) {
	for range 5 {
		dest, path := directory(t)
		text := document(entry(""))
		targets := []land.Target{csv, csv, jsonl, jsonl, {Format: land.Parquet, Primary: true}, {Format: land.Parquet, Primary: true}}
		manifests := make([]land.Manifest, len(targets))
		var wait sync.WaitGroup
		for i, target := range targets {
			r := receive(t, text)
			wait.Go(func() {
				var err error
				if manifests[i], err = r.Publish(context.Background(), dest, target); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		if manifests[0].Path != manifests[1].Path || manifests[2].Path != manifests[3].Path || manifests[4].Path != manifests[5].Path {
			t.Error("two publishers of one format landed in two places")
		}
		checkWhole(t, path)
	}
}

// checkWhole checks a destination: every file of every manifest is there, and
// nothing is half-written.
func checkWhole(t *testing.T, path string) (manifests int) {
	t.Helper()
	for _, name := range tree(t, path) {
		if strings.HasPrefix(name, "_tmp/") {
			t.Errorf("left over: %s", name)
		}
		if !strings.Contains(name, "_manifests/") {
			continue
		}
		manifests++
		m, err := land.ReadManifest(strings.NewReader(read(t, filepath.Join(path, name))))
		if err != nil || m.Path != name {
			t.Errorf("manifest %s: %v", name, err)
		}
		for _, table := range m.Tables {
			for _, file := range append([]land.File{m.Raw}, table.Files...) {
				content := read(t, filepath.Join(path, file.Path))
				sum := sha256.Sum256([]byte(content))
				if hex.EncodeToString(sum[:]) != file.SHA256 {
					t.Errorf("%s is not as %s says", file.Path, name)
				}
			}
		}
	}
	return manifests
}

// faulty fails the nth call to the store below.
type faulty struct {
	land.Store
	mu    sync.Mutex
	calls int
	fail  int
}

var errFull = &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}

func (f *faulty) hit() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls++
	if f.calls == f.fail {
		return errFull
	}
	return nil
}

func (f *faulty) Open(ctx context.Context, path string) (io.ReadCloser, error) {
	if err := f.hit(); err != nil {
		return nil, err
	}
	return f.Store.Open(ctx, path)
}

func (f *faulty) List(ctx context.Context, path string) ([]string, error) {
	if err := f.hit(); err != nil {
		return nil, err
	}
	return f.Store.List(ctx, path)
}

func (f *faulty) Create(ctx context.Context, path string) (land.Staged, error) {
	if err := f.hit(); err != nil {
		return nil, err
	}
	staged, err := f.Store.Create(ctx, path)
	return &faultyFile{staged, f}, err
}

type faultyFile struct {
	land.Staged
	f *faulty
}

func (f *faultyFile) Write(p []byte) (int, error) {
	if err := f.f.hit(); err != nil {
		return 0, err
	}
	return f.Staged.Write(p)
}

func (f *faultyFile) Publish(ctx context.Context, replace bool) error {
	if err := f.f.hit(); err != nil {
		return err
	}
	return f.Staged.Publish(ctx, replace)
}

// Whichever step fails, nothing is published or everything is, the error says
// that the destination failed, and trying again succeeds.
func TestEveryStepMayFail(t *testing.T) {
	r := receive(t, document(entry(`,"forecastValue":9007199254740993`)))
	for _, format := range land.Formats() {
		target := land.Target{Format: format, Primary: true}
		for n, done := 1, false; !done; n++ {
			path := filepath.Join(t.TempDir(), "data")
			store, err := land.OpenDirectory(path)
			if err != nil {
				t.Fatal(err)
			}
			f := &faulty{Store: store, fail: n}
			_, err = r.Publish(context.Background(), land.Files(f), target)
			if done = f.calls < n; done {
				if err != nil || n < 20 {
					t.Fatalf("%d steps: %v", n-1, err)
				}
				continue
			}
			var write *land.WriteError
			if !errors.Is(err, land.ErrDestination) || !errors.As(err, &write) || !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("%s step %d: %v", format, n, err)
			}
			checkWhole(t, path)
			publish(t, r, land.Files(store), target)
			if got := checkWhole(t, path); got != 1 {
				t.Errorf("%s step %d: %d manifests after trying again", format, n, got)
			}
		}
	}
}

// Files that a dead run left under their names, whole or torn, do not stop the
// next one, which replaces what differs.
func TestLeftoversAreReplaced(t *testing.T) {
	r := receive(t, document(entry("")))
	dest, path := directory(t)
	m := publish(t, r, dest, csv)
	if err := os.Remove(filepath.Join(path, m.Path)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{m.Raw.Path, m.Tables[0].Files[0].Path} {
		if err := os.WriteFile(filepath.Join(path, name), []byte("torn"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	dead := filepath.Join(path, "_tmp", "run-dead")
	if err := os.MkdirAll(dead, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dead, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := land.OpenDestination(filepath.Base(path), filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	publish(t, r, again, csv)
	if checkWhole(t, path) != 1 {
		t.Error("no snapshot")
	}
}

func TestPublishEndsWithItsContext(t *testing.T) {
	stop := errors.New("stopped by a test")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(stop)
	dest, path := directory(t)
	_, err := receive(t, document(entry(""))).Publish(ctx, dest, csv)
	if !errors.Is(err, stop) || errors.Is(err, land.ErrDestination) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(path); err == nil && checkWhole(t, path) != 0 {
		t.Error("published")
	}
}

func TestOpenDestinationRefuses(t *testing.T) {
	if _, err := land.OpenDestination("s3://key:secret@bucket/x", ""); !errors.Is(err, errors.ErrUnsupported) || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
	if _, err := land.OpenDestination("", "/"); err == nil {
		t.Error("an empty name was opened")
	}
	dest, _ := directory(t)
	if _, err := receive(t, document()).Publish(context.Background(), dest, land.Target{Format: "xml"}); err == nil || errors.Is(err, land.ErrDestination) {
		t.Errorf("xml: %v", err)
	}
}

func checkDestinationError(t *testing.T, err error) {
	t.Helper()
	var write *land.WriteError
	if !errors.Is(err, land.ErrDestination) || !errors.As(err, &write) || errors.Is(err, land.ErrRefused) {
		t.Errorf("got %v", err)
	}
}
