package emulator

import (
	"errors"
	"fmt"
	"os"
	"path"
	"slices"
	"time"

	"github.com/goccy/go-yaml"
)

// Scenario scripts what goes wrong. Every instant is a distance from the start
// on the organisation's clock; delays are in the client's time. SCENARIOS.md
// shows each field with an example.
type Scenario struct {
	// Rules strike requests.
	Rules []Rule `yaml:"rules"`
	// Jobs strike the jobs that are made through the API, not foreign ones.
	Jobs []JobRule `yaml:"jobs"`
	// Foreign are jobs that other people of the organisation start.
	Foreign []Foreign `yaml:"foreign"`
	// Keys are tokens that stop working.
	Keys []KeyEvent `yaml:"keys"`
	// Limits are changes of slots and quota.
	Limits []LimitChange `yaml:"limits"`
	// Departures are people who leave: later exports no longer hold them.
	Departures []Departure `yaml:"departures"`
}

// When says which of the matching requests or jobs are struck. Counting starts
// at 1 and is per rule. With neither Nth, Every nor Probability all are.
type When struct {
	// Nth is the first that is struck; Times says how many in a row, default 1.
	Nth int `yaml:"nth"`
	// Every strikes each so-manieth, at most Times of them; 0 is no bound.
	Every int `yaml:"every"`
	// Probability strikes at random, drawn from the seed, at most Times of them.
	Probability float64 `yaml:"probability"`
	Times       int     `yaml:"times"`
	// From and Until bound the instant, Until excluded; 0 is no bound.
	From  time.Duration `yaml:"from"`
	Until time.Duration `yaml:"until"`
}

// Match says which requests a rule looks at. Empty fields match everything.
type Match struct {
	Method string `yaml:"method"`
	// Route is a [Route] or a pattern such as "export.*".
	Route string `yaml:"route"`
	// Forecast is the forecast id in the path.
	Forecast string `yaml:"forecast"`
	// Job is the job in the path: the n-th that was made through the API.
	Job  int `yaml:"job"`
	When `yaml:",inline"`
}

// Rule strikes the requests that match. Of several rules that strike one
// request the first one acts, and every one counts it.
type Rule struct {
	Match Match `yaml:"match"`
	Fault `yaml:",inline"`
}

// JobMatch says which jobs a rule looks at. Empty fields match everything.
type JobMatch struct {
	// Kind is forecast, activity or audit.
	Kind     string `yaml:"kind"`
	Forecast string `yaml:"forecast"`
	Period   string `yaml:"period"`
	When     `yaml:",inline"`
}

// Outcome is how a job ends.
type Outcome string

// The outcomes.
const (
	OutcomeDone      Outcome = "done"
	OutcomeFailed    Outcome = "failed"
	OutcomeCancelled Outcome = "cancelled" // by someone, which frees quota
	OutcomeAborted   Outcome = "aborted"   // likewise
)

// JobRule decides the fate of the jobs that match. Of several rules that
// strike one job the first one acts, and every one counts it.
type JobRule struct {
	Match JobMatch `yaml:"match"`
	// Outcome is how it ends. Default done.
	Outcome Outcome `yaml:"outcome"`
	// Takes is how long it runs; for cancelled and aborted how long after its
	// creation it ends.
	Takes time.Duration `yaml:"takes"`
	// Stuck multiplies how long it runs.
	Stuck float64 `yaml:"stuck"`
	// Queued is how long it stays queued at least.
	Queued time.Duration `yaml:"queued"`
	// Truncated is rows, cells or both.
	Truncated string `yaml:"truncated"`
	// WrongPeriod is the period that the result holds instead.
	WrongPeriod string `yaml:"wrong_period"`
	// WrongCurrency is the currency of the result instead.
	WrongCurrency string `yaml:"wrong_currency"`
	// TwoPeriods lets the result hold the following period too, so that one
	// timeFrameId occurs in both.
	TwoPeriods bool `yaml:"two_periods"`
	// ExpiresAfter is how long after its end the file can be read.
	ExpiresAfter time.Duration `yaml:"expires_after"`
	// ResultsLate is how long after its end the file cannot be read yet.
	ResultsLate time.Duration `yaml:"results_late"`
	// StatusWord is what its status says while it runs.
	StatusWord string `yaml:"status_word"`
	// Hidden is how long after its creation the list does not hold it;
	// HiddenEverywhere hides it by id and in the limits' ids as well.
	Hidden           time.Duration `yaml:"hidden"`
	HiddenEverywhere bool          `yaml:"hidden_everywhere"`
	// NoFileName leaves out its file name.
	NoFileName bool `yaml:"no_file_name"`
}

// Foreign is work of other people of the organisation. It counts for slots and
// quota; where there is no room it is refused like any other.
type Foreign struct {
	// At is when the first ones start; before the start where negative.
	At time.Duration `yaml:"at"`
	// Every repeats them, until Until; at least 1 s, 0 is once.
	Every time.Duration `yaml:"every"`
	Until time.Duration `yaml:"until"`
	// Count is how many start together. Default 1.
	Count int `yaml:"count"`
	// Lasts is how long each runs. Default as any job.
	Lasts time.Duration `yaml:"lasts"`
	// Mine makes them jobs of the first user: an export by hand, in the list.
	Mine bool `yaml:"mine"`
	// Forecast and Period are what they export. Default the first tab and the
	// current quarter.
	Forecast string `yaml:"forecast"`
	Period   string `yaml:"period"`
}

// KeyEvent revokes a key at an instant and may restore it later.
type KeyEvent struct {
	// Key is the token. Default [Config.Key].
	Key       string        `yaml:"key"`
	RevokeAt  time.Duration `yaml:"revoke_at"`
	RestoreAt time.Duration `yaml:"restore_at"`
}

// LimitChange sets slots and quota anew at an instant; 0 leaves one as it is.
type LimitChange struct {
	At    time.Duration `yaml:"at"`
	Slots int           `yaml:"slots"`
	Quota int           `yaml:"quota"`
}

// Departure is a person, by number from 0, who leaves at an instant.
type Departure struct {
	At   time.Duration `yaml:"at"`
	User int           `yaml:"user"`
}

// ParseScenario reads a scenario in YAML. A key that it does not know is an
// error that names the line. Errors wrap [ErrConfig].
func ParseScenario(text []byte) (*Scenario, error) {
	scenario := &Scenario{}
	if err := unmarshal(text, scenario); err != nil {
		return nil, err
	}
	if err := scenario.validate(); err != nil {
		return nil, err
	}
	return scenario, nil
}

// unmarshal reads YAML strictly. The library panics on a few malformed texts,
// such as a tag without a value where a list belongs; that is an error like any
// other.
func unmarshal(text []byte, into *Scenario) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = fmt.Errorf("read scenario: malformed YAML (%v): %w", cause, ErrConfig)
		}
	}()
	if err := yaml.UnmarshalWithOptions(text, into, yaml.Strict()); err != nil {
		return fmt.Errorf("read scenario: %s: %w", yaml.FormatError(err, false, false), ErrConfig)
	}
	return nil
}

// LoadScenario reads a scenario from a file.
func LoadScenario(name string) (*Scenario, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read scenario: %w", err)
	}
	return ParseScenario(text)
}

func (s *Scenario) validate() error {
	var faults []error
	check := func(section string, i int, err error) {
		if err != nil {
			faults = append(faults, fmt.Errorf("check scenario: %s[%d]: %w: %w", section, i, err, ErrConfig))
		}
	}
	for i, rule := range s.Rules {
		check("rules", i, rule.validate())
	}
	for i, rule := range s.Jobs {
		check("jobs", i, rule.validate())
	}
	for i, foreign := range s.Foreign {
		check("foreign", i, foreign.validate())
	}
	for i, change := range s.Limits {
		check("limits", i, change.validate())
	}
	for i, event := range s.Keys {
		if event.RestoreAt != 0 && event.RestoreAt <= event.RevokeAt {
			check("keys", i, errors.New("restore_at is not after revoke_at"))
		}
	}
	return errors.Join(faults...)
}

func (w When) validate() error {
	ways := 0
	for _, used := range []bool{w.Nth != 0, w.Every != 0, w.Probability != 0} {
		if used {
			ways++
		}
	}
	switch {
	case ways > 1:
		return errors.New("more than one of nth, every and probability")
	case w.Nth < 0 || w.Every < 0 || w.Times < 0:
		return errors.New("negative nth, every or times")
	case !(w.Probability >= 0 && w.Probability <= 1):
		return fmt.Errorf("probability %v is not between 0 and 1", w.Probability)
	case w.Until != 0 && w.Until <= w.From:
		return errors.New("until is not after from")
	}
	return nil
}

// strikes decides for the seen-th match (from 1), of which used were struck.
func (w When) strikes(seen, used int, passed time.Duration, d draw) bool {
	inTime := passed >= w.From && (w.Until == 0 || passed < w.Until)
	switch {
	case !inTime:
		return false
	case w.Nth > 0:
		return seen >= w.Nth && seen < w.Nth+max(1, w.Times)
	case w.Times > 0 && used >= w.Times:
		return false
	case w.Every > 0:
		return seen%w.Every == 0
	case w.Probability > 0:
		return d.chance(w.Probability)
	}
	return true
}

func (r Rule) validate() error {
	if err := r.Match.When.validate(); err != nil {
		return err
	}
	if _, err := path.Match(r.Match.Route, ""); err != nil {
		return fmt.Errorf("route %q: %w", r.Match.Route, err)
	}
	known := []Cut{"", CutRefused, CutBefore, CutAfter, CutBody}
	switch f := r.Fault; {
	case !slices.Contains(known, f.Cut):
		return fmt.Errorf("unknown cut %q (known: refused, before, after, body)", string(f.Cut))
	case f.ActLate != 0 && f.Cut != CutBefore:
		return errors.New("act_late without cut: before")
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status %d is not between 200 and 599", f.Status)
	case min(f.Delay, f.DelayEmulated, f.DelayAnswer, f.ActLate) < 0:
		return errors.New("negative delay")
	case !slices.Contains([]Zip{"", ZipLabelled, ZipBare}, f.Zip):
		return fmt.Errorf("unknown zip %q (known: labelled, bare)", string(f.Zip))
	case !slices.Contains([]Bomb{"", BombNesting, BombString, BombMembers}, f.Bomb):
		return fmt.Errorf("unknown bomb %q (known: nesting, string, members)", string(f.Bomb))
	case min(f.CutAt, f.Truncate, int64(f.Slow), f.StallAt, f.GarbleAt, f.BombSize) < 0:
		return errors.New("negative number of bytes")
	}
	return nil
}

func (r JobRule) validate() error {
	if err := r.Match.When.validate(); err != nil {
		return err
	}
	if _, ok := parseQuarter(r.WrongPeriod); r.WrongPeriod != "" && !ok {
		return fmt.Errorf("wrong_period %q is not a quarter such as 2026_Q1", r.WrongPeriod)
	}
	outcomes := []Outcome{"", OutcomeDone, OutcomeFailed, OutcomeCancelled, OutcomeAborted}
	switch {
	case !slices.Contains(outcomes, r.Outcome):
		return fmt.Errorf("unknown outcome %q (known: done, failed, cancelled, aborted)", string(r.Outcome))
	case !slices.Contains([]string{"", "rows", "cells", "both"}, r.Truncated):
		return fmt.Errorf("unknown truncation %q (known: rows, cells, both)", r.Truncated)
	case r.WrongCurrency != "" && !knownCurrency(r.WrongCurrency):
		return fmt.Errorf("unknown currency %q", r.WrongCurrency)
	case !(r.Stuck >= 0) || r.Stuck > 1e6:
		return fmt.Errorf("stuck %v is not between 0 and 1000000", r.Stuck)
	case min(r.Takes, r.Queued, r.ExpiresAfter, r.ResultsLate, r.Hidden) < 0:
		return errors.New("negative length of time")
	}
	return nil
}

func (f Foreign) validate() error {
	switch {
	case f.Every != 0 && f.Every < time.Second:
		return fmt.Errorf("every %v is less than 1s", f.Every)
	case f.Count < 0 || f.Count > 1000:
		return fmt.Errorf("count %d is not between 0 and 1000", f.Count)
	case f.Lasts < 0:
		return errors.New("negative length of time")
	case f.At < -400*24*time.Hour:
		return fmt.Errorf("at %v is more than 400 days before the start", f.At)
	case f.Every != 0 && -f.At/f.Every > 1000:
		return fmt.Errorf("every %v from %v is more than 1000 times before the start", f.Every, f.At)
	}
	return nil
}

func (c LimitChange) validate() error {
	if c.At < 0 || c.Slots < 0 || c.Quota < 0 {
		return errors.New("negative instant, slots or quota")
	}
	return nil
}
