package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/term"

	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/app"
)

// Streams are what a command reads and writes.
type Streams struct {
	Out, Err io.Writer
	// Terminal says that Err is one, Width how wide it is.
	Terminal bool
	Width    int
	// OutTerminal says that Out is one, OutWidth how wide it is.
	OutTerminal bool
	OutWidth    int
	Getenv      func(string) string
}

// Main runs the program and returns its exit code. The first SIGINT or SIGTERM
// ends the work and saves everything; a second ends the process at once.
func Main(args []string) int {
	surviveFileLimits()
	ctx, stop := interruptible()
	defer stop()
	return Run(ctx, args, osStreams())
}

func osStreams() Streams {
	s := Streams{Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv}
	s.Terminal, s.Width = terminal(os.Stderr)
	s.OutTerminal, s.OutWidth = terminal(os.Stdout)
	return s
}

// terminal reports whether a stream is one, and how wide; 0 is unknown.
func terminal(f *os.File) (is bool, width int) {
	fd := int(f.Fd())
	if !term.IsTerminal(fd) {
		return false, 0
	}
	width, _, err := term.GetSize(fd)
	if err != nil {
		return true, 0
	}
	return true, width
}

func interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel(engine.ErrInterrupted)
		<-signals
		os.Exit(app.ExitInterrupted)
	}()
	return ctx, func() { signal.Stop(signals); cancel(nil) }
}

// Run runs one command line on the given streams.
func Run(ctx context.Context, args []string, streams Streams) int {
	g := &globals{Streams: streams}
	root := newRoot(g)
	root.SetArgs(args)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	err := root.ExecuteContext(ctx)
	var exit exitCode
	switch {
	case err == nil:
		return app.ExitLanded
	case errors.As(err, &exit):
		return int(exit)
	}
	return g.report(err)
}

// exitCode ends a command that has already said all there is to say.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

func exitWith(code int) error {
	if code == app.ExitLanded {
		return nil
	}
	return exitCode(code)
}

// report tells what ended a command: one line, and one with the hint.
func (g *globals) report(err error) int {
	fault := app.FaultOf(err)
	if g.json {
		g.printJSON(map[string]any{"error": failureJSON{fault.Code, plain(fault.Error()), plain(fault.Hint)}})
		return fault.Exit
	}
	fmt.Fprintf(g.Err, "weir: %s\n", plain(fault.Error()))
	if fault.Hint != "" {
		fmt.Fprintf(g.Err, "hint: %s\n", plain(fault.Hint))
	}
	return fault.Exit
}
