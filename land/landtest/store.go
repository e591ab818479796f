package landtest

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"sync"
	"testing"

	"github.com/weirhq/weir/land"
)

// Store runs the contract; open gives an empty store of its own to each test.
func Store(t *testing.T, open func(t *testing.T) land.Store) {
	for name, test := range map[string]func(*testing.T, land.Store){
		"unseen before published": unseen,
		"published once":          once,
		"replaced when told":      replaced,
		"one of many wins":        race,
		"listed in order":         listed,
		"removed":                 removed,
		"missing":                 missing,
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

const samplePath = "a/b=1/c.txt"

func create(t *testing.T, s land.Store, path, text string) land.Staged {
	t.Helper()
	file, err := s.Create(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(file, text); err != nil {
		t.Fatal(err)
	}
	return file
}

func put(t *testing.T, s land.Store, path, text string, replace bool) error {
	t.Helper()
	file := create(t, s, path, text)
	err := file.Publish(t.Context(), replace)
	if err := file.Discard(); err != nil {
		t.Errorf("discard after publish: %v", err)
	}
	return err
}

func content(t *testing.T, s land.Store, path string) string {
	t.Helper()
	file, err := s.Open(t.Context(), path)
	if errors.Is(err, fs.ErrNotExist) {
		return "(none)"
	}
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(file)
	if err := errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func names(t *testing.T, s land.Store, dir string) []string {
	t.Helper()
	all, err := s.List(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func unseen(t *testing.T, s land.Store) {
	file := create(t, s, samplePath, "text")
	if got := content(t, s, samplePath); got != "(none)" {
		t.Errorf("before publishing it holds %q", got)
	}
	if err := file.Discard(); err != nil {
		t.Error(err)
	}
	if got := names(t, s, "a"); len(got) > 0 || content(t, s, samplePath) != "(none)" {
		t.Errorf("after discarding there are %v", got)
	}
}

func once(t *testing.T, s land.Store) {
	if err := put(t, s, samplePath, "first", false); err != nil {
		t.Fatal(err)
	}
	if err := put(t, s, samplePath, "second", false); !errors.Is(err, fs.ErrExist) {
		t.Errorf("published over a file: %v", err)
	}
	if got := content(t, s, samplePath); got != "first" {
		t.Errorf("it holds %q", got)
	}
}

func replaced(t *testing.T, s land.Store) {
	if err := put(t, s, samplePath, "first", true); err != nil {
		t.Fatal(err)
	}
	file := create(t, s, samplePath, "second")
	if err := file.Publish(t.Context(), false); !errors.Is(err, fs.ErrExist) {
		t.Errorf("published over a file: %v", err)
	}
	if err := file.Publish(t.Context(), true); err != nil {
		t.Errorf("replacing after that: %v", err)
	}
	if err := file.Discard(); err != nil {
		t.Error(err)
	}
	if got := content(t, s, samplePath); got != "second" {
		t.Errorf("it holds %q", got)
	}
}

func race(t *testing.T, s land.Store) {
	const writers = 8
	won := make([]bool, writers)
	var wait sync.WaitGroup
	for n := range writers {
		file := create(t, s, samplePath, string(rune('a'+n)))
		wait.Go(func() {
			err := file.Publish(context.Background(), false)
			won[n] = err == nil
			if err != nil && !errors.Is(err, fs.ErrExist) {
				t.Error(err)
			}
			if err := file.Discard(); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	winner := slices.Index(won, true)
	if winner < 0 || slices.Contains(won[winner+1:], true) || content(t, s, samplePath) != string(rune('a'+winner)) {
		t.Errorf("winners %v, content %q", won, content(t, s, samplePath))
	}
}

func listed(t *testing.T, s land.Store) {
	for _, name := range []string{"d/2.txt", "d/e/1.txt", "d/10.txt", "dd/x.txt", "top.txt"} {
		if err := put(t, s, name, "", false); err != nil {
			t.Fatal(err)
		}
	}
	create(t, s, "d/staged.txt", "")
	if got, want := names(t, s, "d"), []string{"d/10.txt", "d/2.txt", "d/e/1.txt"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func removed(t *testing.T, s land.Store) {
	if err := put(t, s, samplePath, "text", false); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(t.Context(), samplePath); err != nil {
		t.Fatal(err)
	}
	if content(t, s, samplePath) != "(none)" {
		t.Error("it is still there")
	}
	if err := put(t, s, samplePath, "again", false); err != nil {
		t.Error(err)
	}
}

func missing(t *testing.T, s land.Store) {
	if _, err := s.Open(t.Context(), "no/such.txt"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("open: %v", err)
	}
	if got := names(t, s, "no"); len(got) > 0 {
		t.Errorf("list: %v", got)
	}
}
