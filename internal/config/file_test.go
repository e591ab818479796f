package config

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// A file is parsed anew when its text has changed, and only then; a text at
// fault does not take the place of the one before.
func TestFileIsParsedWhenItChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "weir.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	accounts := func(f *File) map[string]Account {
		t.Helper()
		c, err := f.Load()
		if err != nil {
			t.Fatal(err)
		}
		return c.Accounts
	}
	f := &File{Path: path}
	write("accounts: {a: {key: {env: A}}}\n")
	first := accounts(f)
	parsed := f.parsed
	if again := accounts(f); f.parsed != parsed || len(again) != 1 || len(first) != 1 {
		t.Errorf("the same text was parsed again, or gave %v after %v", again, first)
	}
	write("accounts: {a: {key: {env: A}}, b: {key: {env: B}}}\n")
	if changed := accounts(f); len(changed) != 2 {
		t.Errorf("a changed file gave %v", changed)
	}
	write("accounts: [\n")
	if _, err := f.Load(); !errorsIsFaults(err) {
		t.Errorf("a text at fault: %v", err)
	}
	write("accounts: {a: {key: {env: A}}}\n")
	if back := accounts(f); len(back) != 1 {
		t.Errorf("after a text at fault: %v", back)
	}
}

func errorsIsFaults(err error) bool {
	_, ok := errors.AsType[Faults](err)
	return ok
}
