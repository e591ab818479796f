package browsertest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/weirhq/weir/emulator"
)

// Token opens the pages of a stage.
const Token = "a-token-of-the-tests"

// Stage is a server of weir's with its emulator.
type Stage struct {
	t testing.TB
	// Base is where the pages are, Link what logs in once.
	Base, Link string
	Emulator   *emulator.Emulator
	Dir        string
}

// Build builds the program once for a test.
func Build(t testing.TB) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "weir")
	build := exec.Command("go", "build", "-o", program, "github.com/weirhq/weir/cmd/weir")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build weir: %v\n%s", err, out)
	}
	return program
}

// Play serves the accounts of a configuration against an emulator. %s in it is
// the emulator's base URL, twice where it stands twice; the directory is the
// working directory. through, when not nil, stands before the emulator.
func Play(t testing.TB, program string, c emulator.Config, configuration string, through func(http.Handler) http.Handler, flags ...string) *Stage {
	t.Helper()
	s := &Stage{t: t, Dir: t.TempDir()}
	var err error
	if s.Emulator, err = emulator.New(c); err != nil {
		t.Fatal(err)
	}
	var api http.Handler = s.Emulator
	if through != nil {
		api = through(api)
	}
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	configuration = strings.ReplaceAll(configuration, "%s", server.URL+emulator.BasePath)
	if err := os.WriteFile(filepath.Join(s.Dir, "weir.yaml"), []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	s.serve(program, flags)
	return s
}

// Of is the same stage for a test of its own.
func (s *Stage) Of(t testing.TB) *Stage {
	other := *s
	other.t = t
	return &other
}

// serve starts the program and reads the link that it prints.
func (s *Stage) serve(program string, flags []string) {
	s.t.Helper()
	command := exec.Command(program, append([]string{"serve", "--config", "weir.yaml", "--state", "weir.db", "--listen", "127.0.0.1:0"}, flags...)...)
	command.Dir = s.Dir
	command.Env = append(os.Environ(), "KEY=emulated", "WEIR_TOKEN="+Token)
	var said bytes.Buffer
	command.Stderr = &said
	out, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		s.t.Fatalf("start weir serve: %v", err)
	}
	s.t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM)
		_ = command.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		_ = command.Wait()
		s.t.Fatalf("weir serve printed no link: %v\n%s", err, said.String())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	s.Link = strings.TrimSpace(strings.TrimPrefix(line, "open "))
	s.Base, _, _ = strings.Cut(s.Link, "/login")
}

// Enter logs in with the token, unless the browser is in already.
func (b *Tab) Enter(s *Stage) {
	b.t.Helper()
	b.Go(s.Base)
	if Eval[bool](b, `!!document.querySelector("#token")`) {
		b.Type("#token", Token)
		b.Click("button.main")
	}
	b.Shows("h1", "Now")
}

// Ask calls the API and decodes the answer into a value.
func (s *Stage) Ask(method, path, body string, into any) int {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, s.Base+"/api/v1"+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+Token)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer answer.Body.Close()
	if into != nil {
		if err := json.NewDecoder(answer.Body).Decode(into); err != nil {
			s.t.Fatalf("%s %s: %v", method, path, err)
		}
	}
	return answer.StatusCode
}

// export is what a test looks at of an export.
type export struct {
	ID         int64
	Title      string
	State      string
	Sentence   string
	Job        *struct{ ID string }
	Deliveries []struct{ ID int64 }
}

// Exports are the newest.
func (s *Stage) Exports() []export {
	s.t.Helper()
	var answer struct{ Exports []export }
	s.Ask("GET", "/exports?limit=200", "", &answer)
	return answer.Exports
}

// Await waits until an export is in a state.
func (s *Stage) Await(id int64, state string) export {
	s.t.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		for _, e := range s.Exports() {
			if e.ID == id && e.State == state {
				return e
			}
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("export %d never came to be %s: %v", id, state, s.Exports())
		}
	}
}

// Settled waits until so many exports are in a state.
func (s *Stage) Settled(state string, n int) {
	s.t.Helper()
	for deadline := time.Now().Add(2 * patience); ; time.Sleep(100 * time.Millisecond) {
		count := 0
		for _, e := range s.Exports() {
			if e.State == state {
				count++
			}
		}
		if count >= n {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%d exports came to be %s, not %d: %v", count, state, n, s.Exports())
		}
	}
}

// Wish runs a schedule now.
func (s *Stage) Wish(account, schedule string) []int64 {
	s.t.Helper()
	var answer struct{ Exports []int64 }
	if got := s.Ask("POST", fmt.Sprintf("/accounts/%s/schedules/%s/run", account, schedule), "", &answer); got != http.StatusOK {
		s.t.Fatalf("run %s answers %d", schedule, got)
	}
	return answer.Exports
}
