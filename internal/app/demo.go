package app

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/clari"
	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/plan"
)

// demoKey opens nothing but the demo's own emulator.
const demoKey = "made-up-for-the-demo"

// DemoRequests are what the demo exports: 12 quarters of two tabs.
func DemoRequests() ([]weir.Request, error) {
	periods, err := weir.ParsePeriods("2024_Q1..2026_Q4")
	if err != nil {
		return nil, err
	}
	var requests []weir.Request
	for _, tab := range []string{"net_arr", "new_logo"} {
		for _, period := range periods {
			requests = append(requests, weir.Request{Kind: weir.Forecast, ForecastID: tab, Period: period}.Normal())
		}
	}
	return requests, nil
}

// Demo exports DemoRequests from an emulator in this process into dir, with
// three slots and a few 429s on the way.
func Demo(ctx context.Context, dir string, log *slog.Logger, show Show) (Outcome, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return Outcome{}, fmt.Errorf("find %s: %w", dir, err)
	}
	baseURL, stop, err := startDemoEmulator(ctx)
	if err != nil {
		return Outcome{}, err
	}
	defer stop()
	key, err := clari.NewKey(demoKey)
	if err != nil {
		return Outcome{}, err
	}
	policy := plan.Adaptive()
	policy.PollMin = 300 * time.Millisecond
	session, err := Open(ctx, Settings{
		Account: "demo", BaseURL: baseURL, Key: key, State: filepath.Join(dir, "state", demoState()),
		Rate: 10, Policy: policy, Log: log,
	})
	if err != nil {
		return Outcome{}, err
	}
	defer session.Close()
	requests, err := DemoRequests()
	if err != nil {
		return Outcome{}, err
	}
	now := time.Now()
	var wishes []ledger.Wish
	for _, r := range requests {
		wishes = append(wishes, ledger.Wish{
			Account: "demo", Request: r, Rank: weir.RankAsked, AsOf: now, JobsAllowed: 3,
			Destination: filepath.Join(dir, "data"), Formats: []string{"parquet", "csv"},
		})
	}
	return session.Export(ctx, wishes, time.Time{}, show)
}

// demoState is a state file of this run's own: each demo has a new emulator,
// which knows nothing of an earlier one's jobs.
func demoState() string {
	return "demo-" + time.Now().UTC().Format("20060102T150405.000") + ".db"
}

// startDemoEmulator listens on a free loopback port.
func startDemoEmulator(ctx context.Context) (baseURL string, stop func(), err error) {
	scenario, err := emulator.ParseScenario([]byte(demoScenario))
	if err != nil {
		return "", nil, err
	}
	server, err := emulator.New(emulator.Config{
		Key: demoKey, Slots: 3, Rate: 10, JobTime: 1500 * time.Millisecond, JobSigma: 0.3, Seed: 7, Scenario: scenario,
	})
	if err != nil {
		return "", nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, &Fault{Exit: ExitFailed, Code: "listen", Err: fmt.Errorf("start emulator: %w", err)}
	}
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() { defer close(done); _ = emulator.Serve(serving, listener, server) }()
	return emulator.BaseURL(listener.Addr()), func() { cancel(); <-done }, nil
}

// demoScenario puts a few 429s on the demo's way.
const demoScenario = `
rules:
  - match: {route: jobs.list, nth: 4}
    retry_after: "2"
  - match: {route: export.forecast, nth: 9}
    retry_after: "1"
  - match: {route: limits, nth: 7}
    retry_after: "1"
`
