package land_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/weirhq/weir/land"
)

// Two row groups and a half: the same files come out on any number of cores.
func TestSameBytesOnAnyNumberOfCores(t *testing.T) {
	if testing.Short() {
		t.Skip("lands 300,000 entries three times")
	}
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	var want map[string][]byte
	for _, cores := range []int{1, 2, 4} {
		runtime.GOMAXPROCS(cores)
		r, err := land.Receive(context.Background(), &stream{rows: 300_000, peak: &peak{}}, source(t))
		if err != nil {
			t.Fatal(err)
		}
		dest, path := directory(t)
		m := publish(t, r, dest, land.Target{Format: land.Parquet, Primary: true})
		files := map[string][]byte{}
		for _, file := range append(filesOf(m), m.Raw) {
			if files[file.Path], err = os.ReadFile(filepath.Join(path, file.Path)); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = files
		}
		for name := range want {
			if !bytes.Equal(files[name], want[name]) {
				t.Errorf("%s differs on %d cores", name, cores)
			}
		}
	}
}

func filesOf(m land.Manifest) []land.File {
	var all []land.File
	for _, table := range m.Tables {
		all = append(all, table.Files...)
	}
	return all
}
