package land_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/weirhq/weir/land"
)

// rival is a store in which somebody else lands at the moment that a file of the
// entries is overwritten: just before, or just after.
type rival struct {
	land.Store
	before, after func()
}

type rivalFile struct {
	land.Staged
	r    *rival
	path string
}

func (r *rival) Create(ctx context.Context, path string) (land.Staged, error) {
	staged, err := r.Store.Create(ctx, path)
	return &rivalFile{staged, r, path}, err
}

func (f *rivalFile) Publish(ctx context.Context, replace bool) error {
	ours := replace && strings.HasPrefix(f.path, "forecast_entries/")
	if ours && f.r.before != nil {
		f.r.before()
		f.r.before = nil
	}
	err := f.Staged.Publish(ctx, replace)
	if ours && f.r.after != nil {
		f.r.after()
		f.r.after = nil
	}
	return err
}

// ofAnotherVersion writes the snapshot that stands in one directory into another,
// as a version of weir does whose CSV has one more line end.
func ofAnotherVersion(t *testing.T, m land.Manifest, from, to string) {
	t.Helper()
	entries := m.Tables[0].Files[0]
	content := read(t, filepath.Join(from, entries.Path)) + "\n"
	sum := sha256.Sum256([]byte(content))
	for _, name := range tree(t, from) {
		text := read(t, filepath.Join(from, name))
		switch name {
		case entries.Path:
			text = content
		case m.Path:
			text = strings.Replace(text, entries.SHA256, hex.EncodeToString(sum[:]), 1)
			text = strings.Replace(text, fmt.Sprintf(`"bytes": %d,`, entries.Bytes), fmt.Sprintf(`"bytes": %d,`, len(content)), 1)
			text = strings.Replace(text, `"weir": "test"`, `"weir": "another"`, 1)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(to, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// Two versions of weir that land one snapshot at the same moment, over what a
// dead run left: whatever the order, the files that stand at the end are those
// that the manifest names, and a snapshot that was whole is not touched.
func TestTwoVersionsAtOnce(t *testing.T) {
	for name, want := range map[string]string{"before": "test", "after": "another"} {
		r := receive(t, document(entry(`,"forecastValue":1`)))
		dest, from := directory(t)
		m := publish(t, r, dest, csv)
		path := filepath.Join(t.TempDir(), "data")
		torn := filepath.Join(path, m.Tables[0].Files[0].Path)
		if err := os.MkdirAll(filepath.Dir(torn), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(torn, []byte("torn"), 0o600); err != nil {
			t.Fatal(err)
		}
		directory, err := land.OpenDirectory(path)
		if err != nil {
			t.Fatal(err)
		}
		store := &rival{Store: directory}
		meanwhile := func() { ofAnotherVersion(t, m, from, path) }
		if store.after = meanwhile; name == "before" {
			store.before, store.after = meanwhile, nil
		}
		got := publish(t, r, land.Files(store), csv)
		if store.before != nil || store.after != nil {
			t.Fatal("nobody else landed")
		}
		if checkWhole(t, path) != 1 || got.Weir != want || !strings.Contains(read(t, filepath.Join(path, m.Path)), `"weir": "`+want+`"`) {
			t.Errorf("the other one landed %s this one overwrote a file: the manifest is of %s, want %s", name, got.Weir, want)
		}
	}
}
