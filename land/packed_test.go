package land_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/weirhq/weir/land"
)

// plainText reads a file through its compression by other means than land.
func plainText(t *testing.T, path string) string {
	t.Helper()
	packed := []byte(read(t, path))
	var plain []byte
	var err error
	switch filepath.Ext(path) {
	case ".gz":
		var r *gzip.Reader
		if r, err = gzip.NewReader(bytes.NewReader(packed)); err == nil {
			if !r.ModTime.IsZero() && r.ModTime.Unix() != 0 || r.Name != "" {
				t.Errorf("%s tells when and as what it was written: %v %q", path, r.ModTime, r.Name)
			}
			plain, err = io.ReadAll(r)
		}
	case ".zst":
		var r *zstd.Decoder
		if r, err = zstd.NewReader(nil); err == nil {
			plain, err = r.DecodeAll(packed, nil)
			r.Close()
		}
	default:
		plain = packed
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return string(plain)
}

func onlyFile(t *testing.T, m land.Manifest, path string) string {
	t.Helper()
	return filepath.Join(path, filepath.FromSlash(m.Tables[0].Files[0].Path))
}

// A compressed format holds what the plain one holds, in the same bytes each
// time, and its manifest, its views and a later check know it.
func TestCompressedFormats(t *testing.T) {
	text := document(entry(`,"forecastValue":1.50,"mood":"=1+1"`))
	for _, f := range []land.Format{land.CSVGzip, land.CSVZstd, land.JSONLGzip, land.JSONLZstd} {
		one, first := directory(t)
		two, second := directory(t)
		plain, third := directory(t)
		target := land.Target{Format: f, Primary: true, CSVSafe: true}
		m := publish(t, receive(t, text), one, target)
		again := publish(t, receive(t, text), two, target)
		target.Format = f.Plain()
		bare := publish(t, receive(t, text), plain, target)
		if m.Format != f || m.CSVSafe != bare.CSVSafe || !strings.HasSuffix(m.Tables[0].Files[0].Path, "/part-0."+string(f)) {
			t.Errorf("%s: manifest says %s, csv_safe %t, %s", f, m.Format, m.CSVSafe, m.Tables[0].Files[0].Path)
		}
		if got, want := plainText(t, onlyFile(t, m, first)), plainText(t, onlyFile(t, bare, third)); got != want {
			t.Errorf("%s holds\n%s\nwant\n%s", f, got, want)
		}
		if read(t, onlyFile(t, m, first)) != read(t, onlyFile(t, again, second)) {
			t.Errorf("%s: other bytes the second time", f)
		}
		if views := read(t, filepath.Join(first, "_views", "latest.sql")); !strings.Contains(views, "/part-0."+string(f)+"'") {
			t.Errorf("%s: no view:\n%s", f, views)
		}
		recheckPacked(t, first, onlyFile(t, m, first))
	}
}

// recheckPacked finds a compressed file good, and then damaged.
func recheckPacked(t *testing.T, dir, file string) {
	t.Helper()
	if faults := faultsIn(t, dir); len(faults) != 0 {
		t.Errorf("%s: %v", file, faults)
	}
	text := read(t, file)
	if err := os.WriteFile(file, []byte(text[:len(text)-6]), 0o600); err != nil {
		t.Fatal(err)
	}
	if faults := faultsIn(t, dir); len(faults) != 1 {
		t.Errorf("%s, cut: %v", file, faults)
	}
}

func faultsIn(t *testing.T, dir string) (faults []string) {
	t.Helper()
	store, err := land.OpenDirectory(dir)
	if err != nil {
		t.Fatal(err)
	}
	err = land.Recheck(context.Background(), store, "", func(r land.Rechecked) error {
		faults = append(faults, r.Faults...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return faults
}
