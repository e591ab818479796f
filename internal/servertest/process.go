package servertest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// readyTime is how long a server may take to start on a busy machine, stopTime
// how long to end before it is killed.
const (
	readyTime = 2 * time.Minute
	stopTime  = 20 * time.Second
)

// process is a server that runs.
type process struct {
	command *exec.Cmd
	ended   chan struct{}
	output  tail
}

// start runs a command until a line of its output holds the text, or until the
// address answers when the text is empty.
func start(command *exec.Cmd, ready, address string) (*process, error) {
	p := &process{command: command, ended: make(chan struct{})}
	reader, writer := io.Pipe()
	command.Stdout, command.Stderr = writer, writer
	detach(command)
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", command.Path, err)
	}
	seen := make(chan struct{})
	go p.read(reader, ready, seen)
	go func() {
		_ = command.Wait() // the output says why
		_ = writer.Close()
		close(p.ended)
	}()
	if ready == "" {
		go p.dial(address, seen)
	}
	select {
	case <-seen:
		return p, nil
	case <-p.ended:
		return nil, fmt.Errorf("start %s: it ended:\n%s", command.Path, p.output.String())
	case <-time.After(readyTime):
		p.stop(syscall.SIGKILL)
		return nil, fmt.Errorf("start %s: not ready after %v:\n%s", command.Path, readyTime, p.output.String())
	}
}

func (p *process) read(from io.Reader, ready string, seen chan<- struct{}) {
	lines := bufio.NewScanner(from)
	told := ready == ""
	for lines.Scan() {
		p.output.add(lines.Text())
		if !told && strings.Contains(lines.Text(), ready) {
			told = true
			close(seen)
		}
	}
}

func (p *process) dial(address string, seen chan<- struct{}) {
	for {
		connection, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			_ = connection.Close()
			close(seen)
			return
		}
		select {
		case <-p.ended:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// stop ends the server and waits for it.
func (p *process) stop(how os.Signal) {
	_ = p.command.Process.Signal(how) // it may have ended
	select {
	case <-p.ended:
	case <-time.After(stopTime):
		_ = p.command.Process.Kill()
		<-p.ended
	}
}

// tail keeps the last lines of a server's output.
type tail struct {
	mu    sync.Mutex
	lines []string
}

func (t *tail) add(line string) {
	const most = 40
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines = append(t.lines, line)
	t.lines = t.lines[max(0, len(t.lines)-most):]
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.lines, "\n")
}

// freeAddress is a loopback address that was free a moment ago.
func freeAddress(t T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	return address
}

// directory is a temporary directory with a short path, for sockets, that every
// user may pass.
func directory(t T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "weir-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove %s: %v", dir, err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
