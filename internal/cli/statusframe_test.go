package cli

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/app"
	"github.com/weirhq/weir/plan"
)

var ansi = regexp.MustCompile("\x1b\\[[0-9;]*m")

// aPicture has so many running, waiting and ended exports.
func aPicture(running, waiting, ended int) app.Picture {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	p := app.Picture{
		At: at, Account: weir.Account{Name: "acme"}, Rate: 2.5, Conductor: "host/1/abc", Holding: running, Taken: running, QuotaLeft: 40,
		Budget: weir.Budget{Source: weir.Told, ReadAt: at, ReadStartedAt: at, Slots: 5, SlotsFree: 5, Quota: 1000, QuotaFree: 40},
	}
	id := int64(0)
	export := func(state weir.State) weir.Export {
		id++
		return weir.Export{ID: id, State: state, SubmittedAt: at.Add(-20 * time.Second), ChangedAt: at,
			Request: weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: "2026_Q1"}}
	}
	for range running {
		p.Open = append(p.Open, engine.Standing{Export: export(weir.Running), Expected: 40 * time.Second})
	}
	for range waiting {
		p.Open = append(p.Open, engine.Standing{Export: export(weir.Planned),
			Stand: plan.Stand{Wait: weir.Wait{Code: weir.WaitSlot, Text: "every slot is taken " + strings.Repeat("and more ", 30)}}})
	}
	for range ended {
		e := export(weir.Failed)
		e.Failure = &weir.Failure{Code: "job_failed", Message: "evil \x1b[2J " + strings.Repeat("long ", 40)}
		p.Ended = append(p.Ended, e)
	}
	return p
}

// A frame fits the terminal, whatever it shows, and lets no text of others
// control it.
func TestFrameFits(t *testing.T) {
	for _, counts := range [][3]int{{0, 0, 0}, {3, 2, 1}, {5, 500, 20}} {
		for _, size := range [][2]int{{80, 24}, {132, 50}, {60, 10}} {
			p := aPicture(counts[0], counts[1], counts[2])
			p.Open = append(p.Open, engine.Standing{Export: weir.Export{ID: 1 << 40, State: weir.Unknown,
				Request: weir.Request{Kind: weir.Forecast, ForecastID: "x\x1b[31m\n" + strings.Repeat("y", 200), Period: "2026_Q1"}}})
			colored := frame(p, size[0], size[1], true)
			if len(colored) > size[1] {
				t.Errorf("%v at %v: %d lines", counts, size, len(colored))
			}
			for i, line := range frame(p, size[0], size[1], false) {
				if ansi.ReplaceAllString(colored[i], "") != line {
					t.Errorf("colour changes the words:\n%q\n%q", colored[i], line)
				}
				if n := utf8.RuneCountInString(line); n > size[0] || strings.ContainsAny(line, "\x1b\n") {
					t.Errorf("%v at %v: %d columns: %q", counts, size, n, line)
				}
			}
		}
	}
}

func TestFrameShows(t *testing.T) {
	p := aPicture(3, 2, 1)
	p.Outlook = plan.Outlook{FinishAt: p.At.Add(90 * time.Second)}
	text := strings.Join(frame(p, 100, 30, false), "\n")
	for _, want := range []string{
		"weir acme", "slots ███░░ 3 of 5 (3 weir's)", "40 of 1000 left", "open, 2.5 requests/s", "conducted by host/1/abc",
		"net_arr 2026_Q1        running", "20s of about 40s", "planned   every slot is taken", "failed    job_failed: evil \\x1B[2J",
		"5 open, 2 of them waiting; all landed in about 1m30s",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the frame does not show %q:\n%s", want, text)
		}
	}
	p.GateOpens, p.GateWhy, p.Conductor = p.At.Add(time.Minute), weir.Wait{Text: "the server said 429"}, ""
	text = strings.Join(frame(p, 140, 30, false), "\n")
	if !strings.Contains(text, "closed for 1m00s  the server said 429") || !strings.Contains(text, "nobody conducts it") {
		t.Errorf("the frame shows:\n%s", text)
	}
}

// Off a terminal each change is a line, and what stays is none.
func TestChanges(t *testing.T) {
	c := &changes{states: map[int64]weir.State{}}
	p := aPicture(1, 1, 0)
	p.Open[1].Stand.Wait.Text = "every slot is taken"
	var lines []string
	look := func() { lines = append(lines, c.of(p)...) }
	look()
	look()
	p.Open[0].Export.State, p.Taken = weir.Ready, 0
	look()
	look()
	want := []string{
		"12:00:00  slots 1 of 5 taken, quota 40 of 1000 left",
		fmt.Sprintf("12:00:00  export 1  %-24s running", "net_arr 2026_Q1"), fmt.Sprintf("12:00:00  export 2  %-24s planned", "net_arr 2026_Q1"),
		"12:00:00  1 waiting: every slot is taken",
		"12:00:00  slots 0 of 5 taken, quota 40 of 1000 left",
		fmt.Sprintf("12:00:00  export 1  %-24s ready", "net_arr 2026_Q1"),
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// TestScreenIsGivenBack draws on another screen, on which long lines end at the
// edge, and leaves the first one as a terminal expects it.
func TestScreenIsGivenBack(t *testing.T) {
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s := &screenOf{out: out}
	s.open()
	s.draw(app.Picture{Account: weir.Account{Name: "acme"}})
	s.close()
	out.Close()
	said, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	at := 0
	for _, want := range []string{"\x1b[?1049h", "\x1b[?25l", "\x1b[?7l", "weir acme", "\x1b[?7h", "\x1b[?1049l", "\x1b[?25h", "weir acme"} {
		next := strings.Index(string(said)[at:], want)
		if next < 0 {
			t.Fatalf("%q does not come in its turn: %q", want, said)
		}
		at += next + len(want)
	}
	if strings.Contains(string(said), "\x1b[2J") {
		t.Error("the screen is cleared between pictures, which flickers")
	}
}
