package cli

import (
	"errors"
	"maps"
	"os/exec"
	"regexp"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/weirhq/weir/internal/servertest"
)

// scriptCommand is a command that scripts have besides those of testscript.
type scriptCommand = func(ts *testscript.TestScript, neg bool, args []string)

// scriptCommands are:
//
//	exits CODE weir ARG...     run weir and check its exit code, and of its output
//	                           that it shows neither the key nor a stack trace
//	fault MESSAGE [HINT]       standard error ends in one "weir:" line that matches
//	                           and one "hint:" line that matches; nothing but
//	                           progress stands before them
//	emulator FLAG...           start an emulator with the flags of weir emulate on
//	                           a free port; CLARI_BASE_URL becomes its address
//	emulator again FLAG...     another one, with nothing of the first but its port
//	emulator down|up           break off its listening; listen again, state kept
//	counts NAME N              what the emulator counted: see counted
//	arrives N                  wait until it has made so many jobs
//	mark                       from here on the emulator counts as "since"
//	database FILE SQL          what another program, or another weir, does to a file
//	start NAME weir ARG...     run weir in the background
//	await NAME REGEXP          wait until its standard error matches
//	freeze NAME                stop it where it does not write the state
//	signal NAME INT|TERM|KILL|STOP|CONT
//	                           send it a signal
//	ended NAME CODE            wait for its end, then as exits
//	address NAME VARIABLE      the first line of its standard output, once there
//	json FILE PATH VALUE       a value in a JSON file (or stdout), and its negation;
//	                           PATH is a.0.b, a.@ (or 'a.#') a length; VALUE may be ~REGEXP
//	keys FILE PATH KEY...      exactly these members, in this order
//	tree DIR                   its files, snapshots and job ids masked, as stdout
//	mode FILE PERM             permission bits, octal
//	link VARIABLE DIR GLOB     the one file below DIR whose path matches
//	exact DEST                 tables say literally what the raw file says
//	calls METHOD PATH [BODY]   one request, as a person's curl would send it
//	unseen DEST FILE...    no name, address or amount of its raw file is in them
//	postgres start         a PostgreSQL of the script's own; PG is its URL
//	postgres stop|restart  as when a machine fails
//	postgres query SQL     rows in the schema clari, as stdout
//	s3 start               an S3-compatible server with the bucket "data"
//	s3 bucket|drop NAME    make a bucket, take one away
//	pauses STATUS DURATION     after each answer of that status the emulator saw no
//	                           request for so long
//
// and those of signalCommands.
func scriptCommands() map[string]scriptCommand {
	commands := map[string]scriptCommand{
		"exits": cmdExits, "fault": cmdFault, "emulator": cmdEmulator, "counts": cmdCounts, "mark": cmdMark, "arrives": cmdArrives, "database": cmdDatabase,
		"start": cmdStart, "await": cmdAwait, "shows": cmdShows, "signal": cmdSignal, "freeze": cmdFreeze, "ended": cmdEnded, "address": cmdAddress,
		"json": cmdJSON, "keys": cmdKeys, "tree": cmdTree, "mode": cmdMode, "link": cmdLink, "exact": cmdExact,
		"calls": cmdCalls, "pauses": cmdPauses, "postgres": cmdPostgres, "s3": cmdS3,
		"unseen": cmdUnseen,
	}
	maps.Copy(commands, signalCommands())
	return commands
}

// stage is what one script has running.
type stage struct {
	emulator   *playing
	background map[string]*process
	hooks      *hooks
	postgres   *servertest.Postgres
	s3         *servertest.S3
	collected  *collected
}

type stageKey struct{}

func stageOf(ts *testscript.TestScript) *stage { return ts.Value(stageKey{}).(*stage) }

func (s *stage) close() {
	for _, p := range s.background {
		p.kill()
	}
	if s.emulator != nil {
		s.emulator.down()
	}
}

// need refuses a line that is not written as it must be.
func need(ts *testscript.TestScript, right bool, usage string) {
	if !right {
		ts.Fatalf("usage: %s", usage)
	}
}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) >= 2, "exits CODE weir ARG...")
	err := ts.Exec(args[1], args[2:]...)
	checkEnd(ts, exitOf(ts, err), args[0], ts.ReadFile("stdout"), ts.ReadFile("stderr"))
}

func exitOf(ts *testscript.TestScript, err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	ts.Fatalf("run: %v", err)
	return -1
}

// checkEnd holds a finished weir to what holds for all of them.
func checkEnd(ts *testscript.TestScript, got int, want, stdout, stderr string) {
	if strconv.Itoa(got) != want {
		ts.Fatalf("exit code %d, want %s\n%s%s", got, want, stdout, stderr)
	}
	for _, never := range []string{scriptKey, "goroutine ", "panic:", "DATA RACE", "runtime error"} {
		if strings.Contains(stdout, never) || strings.Contains(stderr, never) {
			ts.Fatalf("the output shows %q:\n%s%s", never, stdout, stderr)
		}
	}
}

func cmdFault(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && (len(args) == 1 || len(args) == 2), "fault MESSAGE [HINT]")
	lines := strings.Split(strings.TrimSuffix(ts.ReadFile("stderr"), "\n"), "\n")
	said := len(lines)
	for said > 0 && (strings.HasPrefix(lines[said-1], "weir: ") || strings.HasPrefix(lines[said-1], "hint: ")) {
		said--
	}
	for _, line := range lines[:said] {
		if !progressLine.MatchString(line) {
			ts.Fatalf("not a line of progress: %q", line)
		}
	}
	lines = lines[said:]
	if len(lines) != len(args) {
		ts.Fatalf("%d lines, want %d:\n%s", len(lines), len(args), strings.Join(lines, "\n"))
	}
	for i, start := range []string{"weir: ", "hint: "}[:len(args)] {
		if !strings.HasPrefix(lines[i], start) || !regexp.MustCompile(args[i]).MatchString(lines[i]) {
			ts.Fatalf("%q does not say %q", lines[i], start+args[i])
		}
	}
}

var progressLine = regexp.MustCompile(`^\d\d:\d\d:\d\d  (export \d+  |\d+ waiting: |the server cannot be reached: )`)
