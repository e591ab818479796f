package cli

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/pflag"

	"github.com/weirhq/weir/emulator"
)

// playing is an emulator behind a real socket whose counts a script can ask for.
type playing struct {
	server  *emulator.Emulator
	address string
	stop    context.CancelFunc
	stopped chan struct{}
	marked  int // requests at the last mark
}

func cmdEmulator(ts *testscript.TestScript, neg bool, args []string) {
	s := stageOf(ts)
	if len(args) == 1 && (args[0] == "down" || args[0] == "up") {
		need(ts, !neg && s.emulator != nil, "emulator FLAG... before emulator down or up")
		if args[0] == "down" {
			s.emulator.down()
		} else {
			ts.Check(s.emulator.up())
		}
		return
	}
	next := &playing{address: "127.0.0.1:0"}
	if s.emulator != nil {
		s.emulator.down()
	}
	if len(args) > 0 && args[0] == "again" {
		next.address, args = s.emulator.address, args[1:]
	}
	server, err := newEmulator(parseEmulator(ts, args))
	ts.Check(err)
	next.server, s.emulator = server, next
	ts.Check(next.up())
	ts.Setenv("CLARI_BASE_URL", "http://"+s.emulator.address+emulator.BasePath)
}

// parseEmulator reads the flags of weir emulate, and --tab, which names a tab
// that exists, repeatable.
func parseEmulator(ts *testscript.TestScript, args []string) emulateFlags {
	x := emulateFlags{}
	flags := pflag.NewFlagSet("emulator", pflag.ContinueOnError)
	x.bind(flags)
	flags.StringArrayVar(&x.config.ForecastIDs, "tab", nil, "a tab that exists")
	ts.Check(flags.Parse(append([]string{"--key", scriptKey}, args...)))
	if x.scenario != "" {
		x.scenario = ts.MkAbs(x.scenario)
	}
	return x
}

// up listens; a second time on the port of the first.
func (p *playing) up() error {
	listener, err := net.Listen("tcp", p.address)
	if err != nil {
		return err
	}
	p.address = listener.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	p.stop, p.stopped = stop, make(chan struct{})
	go func() { defer close(p.stopped); _ = emulator.Serve(ctx, listener, p.server) }()
	return nil
}

func (p *playing) down() {
	p.stop()
	<-p.stopped
}

func cmdArrives(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 1, "arrives N")
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	server := stageOf(ts).emulator.server
	for range 6000 { // a minute, or however long a busy machine makes of it
		if server.Counters().JobsMade() >= want {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	ts.Fatalf("%d jobs never came", want)
}

func cmdMark(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 0, "mark")
	p := stageOf(ts).emulator
	p.marked = p.server.Counters().Total
}

func cmdCounts(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, len(args) == 2, "counts NAME N")
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	c := stageOf(ts).emulator.server.Counters()
	if got := counted(ts, c, args[0]); (got == want) == neg {
		for _, entry := range stageOf(ts).emulator.server.RequestLog() {
			ts.Logf("%s %s %s %d %s", entry.At.Format("05.000"), entry.Route, entry.ID, entry.Status, entry.Cut)
		}
		ts.Fatalf("%s: %d, want %d (negated: %t)\n%+v", args[0], got, want, neg, c)
	}
}

// counted is: jobs made; twins, those made beyond one for each thing asked for;
// early calls after a Retry-After; throttled, the 429s; refused, the POSTs
// without room; most-jobs at once; used, of the quota; since, the
// requests since mark; or ROUTE or ROUTE:STATUS.
func counted(ts *testscript.TestScript, c emulator.Counters, name string) int {
	switch name {
	case "jobs":
		return c.JobsMade()
	case "twins":
		return c.JobsMade() - len(c.Jobs)
	case "early":
		return c.EarlyCalls
	case "throttled":
		return c.Throttled
	case "refused":
		return c.RefusedForRoom
	case "most-jobs":
		return c.MostJobs
	case "used":
		return c.QuotaUsed
	case "since":
		return c.Total - stageOf(ts).emulator.marked
	}
	route, status, one := strings.Cut(name, ":")
	if one {
		code, err := strconv.Atoi(status)
		ts.Check(err)
		return c.Of(emulator.Route(route), code)
	}
	total := 0
	for _, n := range c.Requests[emulator.Route(route)] {
		total += n
	}
	return total
}

// cmdPauses holds the time between each answer of a status and the next request
// to a least length, as the emulator saw it.
func cmdPauses(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && len(args) == 2, "pauses STATUS DURATION")
	status, err := strconv.Atoi(args[0])
	ts.Check(err)
	least, err := time.ParseDuration(args[1])
	ts.Check(err)
	log := stageOf(ts).emulator.server.RequestLog()
	for i, entry := range log[:len(log)-1] {
		if pause := log[i+1].At.Sub(entry.At); entry.Status == status && pause < least {
			ts.Fatalf("%s came %s after a %d of %s", log[i+1].Route, pause, status, entry.Route)
		}
	}
}

// cmdCalls sends what a person would with curl; the answer is the script's
// standard output.
func cmdCalls(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, !neg && (len(args) == 2 || len(args) == 3), "calls METHOD PATH [BODY]")
	body := strings.Join(args[2:], "")
	request, err := http.NewRequest(args[0], ts.Getenv("CLARI_BASE_URL")+args[1], strings.NewReader(body))
	ts.Check(err)
	request.Header.Set("apikey", scriptKey)
	response, err := http.DefaultClient.Do(request)
	ts.Check(err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	ts.Check(err)
	if response.StatusCode >= 300 {
		ts.Fatalf("%s %s: %s\n%s", args[0], args[1], response.Status, text)
	}
	_, err = ts.Stdout().Write(text)
	ts.Check(err)
}

// patience bounds every wait of a script for something that must come. It is
// long: it only ends a test that has failed.
const patience = time.Minute

// screen collects what a process writes and lets others wait for a part of it.
type screen struct {
	mu   sync.Mutex
	text strings.Builder
	more chan struct{}
}

func newScreen() *screen { return &screen{more: make(chan struct{})} }

// Write implements [io.Writer].
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.more)
	s.more = make(chan struct{})
	return s.text.Write(p)
}

func (s *screen) shows() (text string, more <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String(), s.more
}

// await waits until the screen satisfies, ended closes, or patience ends.
func (s *screen) await(satisfies func(text string) bool, ended <-chan struct{}) bool {
	timeout := time.After(patience)
	for {
		text, more := s.shows()
		if satisfies(text) {
			return true
		}
		select {
		case <-more:
		case <-ended:
			text, _ := s.shows()
			return satisfies(text)
		case <-timeout:
			return false
		}
	}
}
