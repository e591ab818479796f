package config

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// program makes the test binary a command that a source can run: it does what
// its arguments say.
const program = "WEIR_TEST_SECRET_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(program) == "" {
		os.Exit(m.Run())
	}
	switch os.Args[1] {
	case "print":
		fmt.Print(os.Args[2])
	case "fail":
		fmt.Print("Zq9secretZq9")
		fmt.Fprint(os.Stderr, "Zq9secretZq9")
		os.Exit(3)
	case "much":
		fmt.Print(strings.Repeat("x", 1<<20))
	case "hang":
		time.Sleep(time.Hour)
	case "leave": // a child that keeps standard output open
		child := exec.Command(os.Args[0], "linger")
		child.Stdout = os.Stdout
		if err := child.Start(); err != nil {
			os.Exit(4)
		}
	case "linger":
		time.Sleep(4 * time.Second)
	}
}

func commandSource(t *testing.T, args ...string) Source {
	t.Helper()
	t.Setenv(program, "1")
	return Source{Command: append([]string{os.Args[0]}, args...)}
}

func fileSource(t *testing.T, text string) Source {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return Source{File: path}
}

func TestSourceRead(t *testing.T) {
	env := func(name string) string { return map[string]string{"KEY": "secret", "LINE": "secret\r\n"}[name] }
	full := strings.Repeat("k", sourceBytes)
	cases := map[string]struct {
		source Source
		want   string
	}{
		"variable":             {Source{Env: "KEY"}, "secret"},
		"variable with a line": {Source{Env: "LINE"}, "secret"},
		"file":                 {fileSource(t, "secret\n"), "secret"},
		"file, inner lines":    {fileSource(t, "a\n\n"), "a\n"},
		"file, full":           {fileSource(t, full+"\r\n"), full},
		"command":              {commandSource(t, "print", "secret\n"), "secret"},
		"command, no shell":    {commandSource(t, "print", "$KEY; `id`"), "$KEY; `id`"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if got, err := c.source.Read(t.Context(), env); err != nil || got != c.want {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

func TestSourceRefused(t *testing.T) {
	none := func(string) string { return "" }
	cases := map[string]struct {
		source Source
		want   string
	}{
		"unset":             {Source{Env: "KEY"}, "read secret from variable KEY: it is not set"},
		"absent":            {Source{File: "/nonexistent/key"}, "read secret from file /nonexistent/key: open /nonexistent/key: no such file or directory"},
		"empty file":        {fileSource(t, "\n"), "it is empty"},
		"large file":        {fileSource(t, strings.Repeat("k", sourceBytes+1)), "it is larger than 64 KiB"},
		"larger file":       {fileSource(t, strings.Repeat("k", 1<<20)), "it is larger than 64 KiB"},
		"failing command":   {commandSource(t, "fail"), "exit status 3"},
		"silent command":    {commandSource(t, "print", ""), "it is empty"},
		"talkative command": {commandSource(t, "much"), "it is larger than 64 KiB"},
		"absent command":    {Source{Command: []string{"/nonexistent/program", "Zq9secretZq9"}}, "read secret from command /nonexistent/program: "},
		"nowhere":           {Source{}, "read secret from nowhere: none is named"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := c.source.Read(t.Context(), none)
			said, ok := errors.AsType[*SourceError](err)
			if got != "" || !ok || !errors.Is(err, ErrSource) || said.Hint == "" {
				t.Fatalf("%q, %v", got, err)
			}
			if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error()+said.Hint, "Zq9secretZq9") {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// TestSourceBounded: a command, and a pipe that nobody writes to, are given up
// on.
func TestSourceBounded(t *testing.T) {
	hang := commandSource(t, "hang")
	if _, err := hang.readWithin(t.Context(), os.Getenv, 50*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("command: %v", err)
	}
	cause := errors.New("the caller left")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := hang.Read(ctx, os.Getenv); !errors.Is(err, cause) {
		t.Errorf("cancelled: %v", err)
	}
	pipe, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	defer write.Close()
	quiet := Source{File: fmt.Sprintf("/dev/fd/%d", pipe.Fd())}
	if _, err := quiet.readWithin(t.Context(), os.Getenv, 50*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, os.ErrNotExist) {
		t.Errorf("pipe: %v", err)
	}
}

// TestSourceLeftOpen: a child that outlives the command is not waited for.
func TestSourceLeftOpen(t *testing.T) {
	if got, err := commandSource(t, "leave").Read(t.Context(), os.Getenv); !errors.Is(err, exec.ErrWaitDelay) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestBoundedBuffer(t *testing.T) {
	var b boundedBuffer
	if n, err := b.Write(make([]byte, sourceBytes+2)); n != sourceBytes+2 || err != nil {
		t.Errorf("wrote %d: %v", n, err)
	}
	if _, err := b.Write([]byte("x")); !errors.Is(err, errTooLarge) || b.held.Len() != sourceBytes+2 {
		t.Errorf("held %d: %v", b.held.Len(), err)
	}
}

// TestSourceShowsNothing: a source is printed without its arguments.
func TestSourceShowsNothing(t *testing.T) {
	s := Source{Command: []string{"op", "Zq9secretZq9"}}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("source", "source", s, "account", Account{Key: s})
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%+v", s), fmt.Sprintf("%#v", s), fmt.Sprintf("%+v", Account{Key: s}), log.String()} {
		if strings.Contains(text, "Zq9secretZq9") || !strings.Contains(text, "command op") {
			t.Error(text)
		}
	}
}
