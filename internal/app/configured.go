package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/clari"
	"github.com/weirhq/weir/engine"
	"github.com/weirhq/weir/internal/config"
	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/plan"
)

// ConfiguredState is where a configuration file keeps the state, and the
// password of one that is a database; "" where it does not say.
func ConfiguredState(ctx context.Context, path string, getenv func(string) string) (state, password string, err error) {
	c, err := config.Load(path)
	if err != nil {
		return "", "", configurationFault(path, err)
	}
	if c.State.URL == "" || c.State.Password.IsZero() {
		return c.State.URL, "", nil
	}
	if password, err = c.State.Password.Read(ctx, getenv); err != nil {
		return "", "", &Fault{Exit: ExitUsage, Code: "state_password", Hint: "see state.password in " + path, Err: fmt.Errorf("read password of the state: %w", err)}
	}
	return c.State.URL, password, nil
}

func configurationFault(path string, err error) error {
	return &Fault{Exit: ExitUsage, Code: "configuration", Hint: "see: weir config check " + path, Err: err}
}

// common is what all accounts of a configuration share, made once for all.
type common struct {
	passwords    passwords
	destinations [sha256.Size]byte // another when any destination is
}

func commonOf(c config.Config, getenv func(string) string) common {
	return common{configuredPasswords(c, getenv), sha256.Sum256(fmt.Appendf(nil, "%+v", c.Destinations))}
}

// configuredSettings are one account's settings by the configuration, on top of
// what flags and environment gave.
func configuredSettings(ctx context.Context, base Settings, c config.Config, shared common, name string, getenv func(string) string) (Settings, error) {
	account := c.Accounts[name]
	secret, err := account.Key.Read(ctx, getenv)
	if err != nil {
		return base, fmt.Errorf("read key of account %s: %w", name, err)
	}
	if base.Key, err = clari.NewKey(secret); err != nil {
		return base, fmt.Errorf("read key of account %s: %w", name, err)
	}
	base.Account = name
	base.BaseURL = cmp.Or(account.BaseURL, base.BaseURL)
	base.Insecure = account.InsecureBaseURL || base.Insecure
	base.passwords = shared.passwords
	base.Policy, base.Rate = configuredPolicy(c.Policy), cmp.Or(c.Rate, base.Rate)
	base.Policy.KeepQuota = account.KeepQuota
	base.Log = base.Log.With("account", name)
	return base, nil
}

func configuredPolicy(c config.Policy) plan.Policy {
	p := plan.Adaptive()
	if c.Name == "sequential" {
		p = plan.Sequential()
	}
	if c.Delay != nil {
		p.Delay = *c.Delay
	}
	p.PollMin, p.PollFactor = cmp.Or(c.PollMin, p.PollMin), cmp.Or(c.PollFactor, p.PollFactor)
	p.PollMax, p.MaxAttempts = cmp.Or(c.PollMax, p.PollMax), cmp.Or(c.MaxAttempts, p.MaxAttempts)
	return p
}

// configuredSchedules are the account's schedules.
func configuredSchedules(c config.Config, account string) []engine.Entry {
	var entries []engine.Entry
	for name, schedule := range c.Schedules {
		exports := slices.DeleteFunc(slices.Clone(c.Exports), func(e config.Export) bool {
			return e.Account != account || !slices.Contains(schedule.Exports, e.Name)
		})
		if len(exports) == 0 {
			continue
		}
		entries = append(entries, engine.Entry{
			Name: name,
			Spec: fmt.Sprintf("%s|%s|%s|%d|%s|%v|%d", schedule.Cron, schedule.TimeZone, schedule.After, schedule.WeekEnds, schedule.At, schedule.DaysAfter, schedule.FiscalYearStarts),
			Next: func(after time.Time) time.Time { return config.NextRun(schedule, after) },
			Wishes: func(due time.Time) ([]ledger.Wish, error) {
				return scheduledWishes(c, account, exports, due.In(schedule.Location()))
			},
		})
	}
	return entries
}

// scheduledWishes are what a run that is due at an instant asks for: rolling
// periods are those of that instant, and the result must not be older.
func scheduledWishes(c config.Config, account string, exports []config.Export, due time.Time) ([]ledger.Wish, error) {
	var wishes []ledger.Wish
	for _, e := range exports {
		for _, r := range e.Requests(c.Accounts[account].FiscalYearStarts, due) {
			if err := r.Validate(); err != nil {
				return nil, fmt.Errorf("export %s: %w", e.Name, err)
			}
			for _, name := range e.Destinations {
				w, err := scheduledWish(c, e, r, name, due)
				if err != nil {
					return nil, fmt.Errorf("export %s: %w", e.Name, err)
				}
				w.Account = account
				wishes = append(wishes, SinceLastWishes(w)...)
			}
		}
	}
	return wishes, nil
}

func scheduledWish(c config.Config, e config.Export, r weir.Request, destination string, due time.Time) (ledger.Wish, error) {
	d := c.Destinations[destination]
	to, err := CheckDestination(d.To)
	if err != nil {
		return ledger.Wish{}, err
	}
	formats := d.Formats
	if len(formats) == 0 {
		formats = []string{"parquet"}
	}
	since := e.Kind == weir.Audit && e.Span == config.SinceLast
	r.Direct = since
	return ledger.Wish{
		SinceLast: since, Request: r, Rank: weir.RankScheduled, AsOf: due.UTC(), Fresh: e.Fresh, JobsAllowed: e.Retries + 1,
		Destination: to, Formats: DestinationFormats(to, formats), CSVSafe: d.CSVSafe,
	}, nil
}

// byAccount narrows a configuration to what concerns each account, in one pass:
// what is done for every account must not read what concerns all others.
func byAccount(c config.Config) map[string]config.Config {
	exports := map[string][]config.Export{}
	owners := map[string][]string{} // the accounts of exports of a name
	for _, e := range c.Exports {
		exports[e.Account] = append(exports[e.Account], e)
		owners[e.Name] = append(owners[e.Name], e.Account)
	}
	schedules := map[string]map[string]config.Schedule{}
	for name, schedule := range c.Schedules {
		for _, export := range schedule.Exports {
			for _, account := range owners[export] {
				if schedules[account] == nil {
					schedules[account] = map[string]config.Schedule{}
				}
				schedules[account][name] = schedule
			}
		}
	}
	narrow := make(map[string]config.Config, len(c.Accounts))
	for name := range c.Accounts {
		one := c
		one.Exports, one.Schedules = exports[name], schedules[name]
		narrow[name] = one
	}
	return narrow
}

// accountSpec changes when anything that concerns the account does, its key
// among it: then its work is started anew.
func accountSpec(c config.Config, shared common, s Settings) string {
	about := struct {
		Account      config.Account
		Policy       config.Policy
		Rate         float64
		Destinations [sha256.Size]byte
		Exports      []config.Export
		Schedules    map[string]config.Schedule
	}{c.Accounts[s.Account], c.Policy, c.Rate, shared.destinations, c.Exports, c.Schedules}
	sum := sha256.Sum256(fmt.Appendf(nil, "%+v %s", about, s.Key.Fingerprint([]byte("spec"))))
	return hex.EncodeToString(sum[:])
}

// scheduleHorizon is how far ahead scheduled exports keep their quota.
const scheduleHorizon = 30 * 24 * time.Hour

// mostScheduled bounds how many instants are looked at.
const mostScheduled = 2000

// scheduledAhead are the instants at which schedules will need exports, one for
// each export, ascending.
func scheduledAhead(entries []engine.Entry, now time.Time) []time.Time {
	var instants []time.Time
	for _, e := range entries {
		due := e.Next(now)
		for due.Before(now.Add(scheduleHorizon)) && !due.IsZero() && len(instants) < mostScheduled {
			wishes, err := e.Wishes(due)
			if err != nil {
				break
			}
			for range requestsOf(wishes) {
				instants = append(instants, due)
			}
			due = e.Next(due)
		}
	}
	slices.SortFunc(instants, time.Time.Compare)
	return instants
}

// requestsOf counts a request that is wanted at several destinations once, and
// one that needs no job not at all.
func requestsOf(wishes []ledger.Wish) map[string]bool {
	requests := map[string]bool{}
	for _, w := range wishes {
		if w.Request.Direct {
			continue
		}
		requests[w.Request.Fingerprint()] = true
	}
	return requests
}
