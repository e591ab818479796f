package cli

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/weirhq/weir/ledger"
)

// process is a weir in the background.
type process struct {
	cmd      *exec.Cmd
	out, err *screen
	ended    chan struct{}
	result   error
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
}

func processOf(ts *testscript.TestScript, name string) *process {
	p, known := stageOf(ts).background[name]
	if !known {
		ts.Fatalf("nothing called %s was started", name)
	}
	return p
}

func cmdStart(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) >= 2, "start NAME weir ARG...")
	path, err := lookIn(ts.Getenv("PATH"), args[1])
	ts.Check(err)
	p := &process{cmd: exec.Command(path, args[2:]...), out: newScreen(), err: newScreen(), ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = ts.MkAbs("."), p.out, p.err
	p.cmd.Env = os.Environ()
	for _, name := range []string{"HOME", "PATH", "CLARI_API_KEY", "CLARI_BASE_URL", "WEIR_TOKEN", "HOOK_SECRET", "PGPASSWORD",
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL_S3", "AWS_EC2_METADATA_DISABLED"} {
		p.cmd.Env = append(p.cmd.Env, name+"="+ts.Getenv(name))
	}
	ts.Check(p.cmd.Start())
	go func() { defer close(p.ended); p.result = p.cmd.Wait() }()
	stageOf(ts).background[args[0]] = p
}

// lookIn finds a program in the script's PATH, which is not the test's own.
func lookIn(path, name string) (string, error) {
	for _, dir := range filepath.SplitList(path) {
		if found, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return found, nil
		}
	}
	return exec.LookPath(name)
}

func cmdAwait(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 2, "await NAME REGEXP")
	p := processOf(ts, args[0])
	p.says(ts, p.err, args)
}

// cmdShows waits for standard output, as cmdAwait does for standard error.
func cmdShows(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 2, "shows NAME REGEXP")
	p := processOf(ts, args[0])
	p.says(ts, p.out, args)
}

func (p *process) says(ts *testscript.TestScript, on *screen, args []string) {
	if !on.await(regexp.MustCompile("(?m)"+args[1]).MatchString, p.ended) {
		text, _ := on.shows()
		ts.Fatalf("%s never said %q:\n%s", args[0], args[1], text)
	}
}

func cmdAddress(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 2, "address NAME VARIABLE")
	p := processOf(ts, args[0])
	if !p.out.await(func(text string) bool { return strings.Contains(text, "\n") }, p.ended) {
		ts.Fatalf("%s printed no address", args[0])
	}
	text, _ := p.out.shows()
	line, _, _ := strings.Cut(text, "\n")
	ts.Setenv(args[1], line)
}

func cmdSignal(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]os.Signal{
		"INT": os.Interrupt, "TERM": syscall.SIGTERM, "KILL": os.Kill, "STOP": syscall.SIGSTOP, "CONT": syscall.SIGCONT,
	}
	need(ts, !neg && len(args) == 2 && signals[args[1]] != nil, "signal NAME INT|TERM|KILL|STOP|CONT")
	ts.Check(processOf(ts, args[0]).cmd.Process.Signal(signals[args[1]]))
}

// cmdFreeze stops a process where it does not hold the state's write lock: one
// that stands still in the middle of a write keeps everybody else from writing,
// and no lease helps against that.
func cmdFreeze(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 1, "freeze NAME")
	process := processOf(ts, args[0]).cmd.Process
	for range 200 {
		ts.Check(process.Signal(syscall.SIGSTOP))
		err := writable(ts.Getenv("DB"))
		if err == nil {
			return
		}
		if !errors.Is(err, ledger.ErrBusy) {
			ts.Fatalf("freeze %s: %v", args[0], err)
		}
		ts.Check(process.Signal(syscall.SIGCONT))
		time.Sleep(7 * time.Millisecond)
	}
	ts.Fatalf("%s writes without end", args[0])
}

// writable is nil where nobody holds the write lock of a state file.
func writable(state string) error {
	store, err := ledger.Open(context.Background(), state, ledger.Options{BusyTimeout: 50 * time.Millisecond})
	if err != nil {
		return err
	}
	_, err = store.Salt(context.Background())
	return errors.Join(err, store.Close())
}

// cmdEnded leaves what the process wrote as the script's standard output and
// error.
func cmdEnded(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 2, "ended NAME CODE")
	p := processOf(ts, args[0])
	if !p.err.await(func(string) bool { return false }, p.ended) {
		select {
		case <-p.ended:
		default:
			ts.Fatalf("%s does not end", args[0])
		}
	}
	stdout, _ := p.out.shows()
	stderr, _ := p.err.shows()
	checkEnd(ts, exitOf(ts, p.result), args[1], stdout, stderr)
	_, err := ts.Stdout().Write([]byte(stdout))
	ts.Check(err)
	_, err = ts.Stderr().Write([]byte(stderr))
	ts.Check(err)
}
