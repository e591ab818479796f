package cli

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/internal/app"
)

// emulateFlags are the emulator's own.
type emulateFlags struct {
	listen, scenario, retryAfter, dialect string
	config                                emulator.Config
	otherKeys                             []string
	rotatedKeys                           []string
}

func newEmulate(g *globals) *cobra.Command {
	x := emulateFlags{}
	cmd := &cobra.Command{
		Use: "emulate", Short: "play a Clari on loopback, with its limits and faults", Args: cobra.NoArgs,
		Long: `Play a Clari on loopback, with its own limits, clock and scripted faults, and
print its base URL. Its key is made up and opens nothing else.

  weir emulate --slots 3 --job-time 10s &
  CLARI_API_KEY=emulated CLARI_BASE_URL=http://127.0.0.1:8099/v4 weir export forecast net_arr --period 2026_Q1`,
		RunE: func(cmd *cobra.Command, _ []string) error { return g.emulate(cmd.Context(), x) },
	}
	x.bind(cmd.Flags())
	return cmd
}

func (x *emulateFlags) bind(f *pflag.FlagSet) {
	c := &x.config
	f.StringVar(&x.listen, "listen", "127.0.0.1:8099", "address to listen on; port 0 picks one")
	f.StringVar(&c.Key, "key", "emulated", "the API key that is accepted")
	f.StringArrayVar(&x.otherKeys, "other-key", nil, "a key of another user of the organisation; repeatable")
	f.StringArrayVar(&x.rotatedKeys, "rotated-key", nil, "a further key of the first user, as after a rotation; repeatable")
	f.StringVar(&x.dialect, "dialect", "docs", "docs, wild or mission")
	f.IntVar(&c.Slots, "slots", 3, "jobs queued and running at once")
	f.IntVar(&c.RunningSlots, "running-slots", 0, "how many of them run (default: all)")
	f.IntVar(&c.Quota, "quota", 1000, "exports per rolling 30 days")
	f.IntVar(&c.QuotaUsed, "quota-used", 0, "how many of them were used before, by others")
	f.Float64Var(&c.Rate, "rate", 10, "requests a second per key; 0 for no limit")
	f.StringVar(&x.retryAfter, "retry-after", "seconds", "form of Retry-After on a 429: seconds, date or none")
	f.DurationVar(&c.JobTime, "job-time", 45*time.Second, "how long a job runs")
	f.Float64Var(&c.JobSigma, "job-sigma", 0, "spread of job times, as the standard deviation of their logarithm")
	f.Float64Var(&c.Speed, "speed", 1, "seconds that pass in the organisation for one of yours")
	f.Int64Var(&c.Seed, "seed", 1, "decides everything that is drawn")
	f.IntVar(&c.Users, "users", 42, "size of the sales organisation")
	f.StringVar(&x.scenario, "scenario", "", "YAML file of scripted faults")
}

func (g *globals) emulate(ctx context.Context, x emulateFlags) error {
	server, err := newEmulator(x)
	if err != nil {
		return &app.Fault{Exit: app.ExitUsage, Code: "emulator", Hint: "see: weir emulate --help", Err: err}
	}
	listener, err := net.Listen("tcp", x.listen)
	if err != nil {
		return &app.Fault{Exit: app.ExitUsage, Code: "listen", Hint: "choose another --listen address", Err: fmt.Errorf("start emulator: %w", err)}
	}
	fmt.Fprintln(g.Out, emulator.BaseURL(listener.Addr()))
	if err := emulator.Serve(ctx, listener, server); err != nil && ctx.Err() == nil {
		return err
	}
	return exitWith(app.ExitInterrupted)
}

func newEmulator(x emulateFlags) (*emulator.Emulator, error) {
	c := x.config
	c.Dialect, c.RetryAfter = emulator.Dialect(x.dialect), emulator.RetryAfter(x.retryAfter)
	c.OtherKeys = map[string]int64{}
	for i, key := range x.otherKeys {
		c.OtherKeys[key] = int64(i) + 2
	}
	for _, key := range x.rotatedKeys {
		c.OtherKeys[key] = 1
	}
	if x.scenario != "" {
		var err error
		if c.Scenario, err = emulator.LoadScenario(x.scenario); err != nil {
			return nil, err
		}
	}
	return emulator.New(c)
}
