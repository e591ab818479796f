package land

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// Of many that sweep one directory at once none fails, and a run that lives is
// left alone.
func TestSweepsMeet(t *testing.T) {
	dir := t.TempDir()
	alive, err := newWorkdir(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer alive.close()
	for round := range 20 {
		for n := range 10 {
			if err := os.Mkdir(filepath.Join(dir, fmt.Sprintf("%sdead-%d-%d", workPrefix, round, n)), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if err := SweepSpool(dir); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 || left[0].Name() != filepath.Base(alive.path) {
		t.Errorf("left %v, %v; want the living run and its lock", left, err)
	}
}
