package cli

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

const scriptDir = "testdata/script"

// TestMain makes the test binary also the program, so that a script runs the
// real weir as a process of its own. Scripts spend their time waiting, so more
// of them run together than there are processors.
func TestMain(m *testing.M) {
	if flag.Lookup("test.parallel") != nil {
		_ = flag.Set("test.parallel", "8") // the command line is parsed later and wins
	}
	testscript.Main(m, map[string]func(){
		"weir":        func() { os.Exit(Main(os.Args[1:])) },
		"plainscript": func() { os.Exit(plainScript(os.Args[1:], os.Stdout)) },
	})
}

// TestScripts runs every script against the program and an emulator behind a
// real socket. What a script can say is in commands_test.go.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: scriptDir, Setup: setUpScript, Cmds: scriptCommands(),
		RequireExplicitExec: true, RequireUniqueNames: true,
	})
}

// TestNoScriptIsForgotten finds files that TestScripts would pass over, and
// scripts that do not say what must hold.
func TestNoScriptIsForgotten(t *testing.T) {
	err := filepath.WalkDir("testdata", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if filepath.ToSlash(filepath.Dir(path)) != scriptDir || filepath.Ext(path) != ".txtar" {
			t.Errorf("%s is no script of %s", path, scriptDir)
		}
		text, err := os.ReadFile(path)
		if !strings.HasPrefix(string(text), "# ") {
			t.Errorf("%s does not begin with what must hold", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// scriptKey is the API key of every script. It is told to nobody: a script
// whose output, state or destination shows it fails.
const scriptKey = "qXv7-script-key-0w9Z"

// setUpScript gives a script a home of its own and a key.
func setUpScript(env *testscript.Env) error {
	s := &stage{background: map[string]*process{}}
	env.Values[stageKey{}] = s
	home := filepath.Join(env.WorkDir, "home")
	env.Setenv("HOME", home)
	env.Setenv("USERPROFILE", home)
	env.Setenv("CLARI_API_KEY", scriptKey)
	env.Setenv("WEIR_TOKEN", scriptToken)
	env.Setenv("HOOK_SECRET", scriptHookSecret)
	env.Setenv("CLARI_BASE_URL", "http://127.0.0.1:1/v4") // nobody listens there
	env.Setenv("DB", filepath.Join(home, ".local", "state", "weir", "weir.db"))
	env.Defer(func() {
		s.close()
		searchKey(env.T(), env.WorkDir)
	})
	return os.Mkdir(home, 0o700)
}

// searchKey fails where a file that weir may have written holds the key.
func searchKey(t testscript.T, dir string) {
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || strings.HasSuffix(path, ".key") {
			return err
		}
		text, err := os.ReadFile(path)
		if strings.Contains(string(text), scriptKey) {
			t.Log("the key stands in " + path)
			t.FailNow()
		}
		return err
	})
	if err != nil {
		t.Log(err.Error())
		t.FailNow()
	}
}
