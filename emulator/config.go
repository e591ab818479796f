package emulator

import (
	"errors"
	"fmt"
	"time"
)

// ErrConfig marks a configuration or a scenario that cannot be played.
var ErrConfig = errors.New("emulator configuration is not valid")

// Dialect is the manner in which the server words its answers.
type Dialect string

// The dialects.
const (
	// Docs answers in the published shapes: a flat jobId, lists as arrays,
	// SCHEDULED, STARTED, DONE, FAILED, CANCELLED, ABORTED.
	Docs Dialect = "docs"
	// Wild chooses, request by request and from the seed, among all variants
	// that clients have reported.
	Wild Dialect = "wild"
	// Mission answers flat jobs that say PENDING, RUNNING, COMPLETED or FAILED
	// and nothing else; a cancelled job says FAILED.
	Mission Dialect = "mission"
)

// RetryAfter is the form of the header on a 429.
type RetryAfter string

// The forms of Retry-After.
const (
	RetrySeconds RetryAfter = "seconds"
	RetryDate    RetryAfter = "date"
	RetryNone    RetryAfter = "none"
)

// RateKind is how the request rate is counted.
type RateKind string

// The kinds of request limit.
const (
	// Bucket refills continuously at Rate and holds at most Burst.
	Bucket RateKind = "bucket"
	// Window admits Rate × RateWindow requests in each fixed window, counted
	// from the emulator's start.
	Window RateKind = "window"
	// Sliding admits Rate × RateWindow requests in any window.
	Sliding RateKind = "sliding"
)

// Config is everything that can be set. The zero value is usable: it is an
// organisation with three slots, an export quota of 1000, no request limit and
// jobs of 45 seconds.
type Config struct {
	// Key is the token that the first user presents in the apikey header.
	// Default "emulated".
	Key string
	// OtherKeys maps further tokens to their user ids; 1 is the first user, so
	// that a key can be rotated.
	OtherKeys map[string]int64
	// OrgID is the organisation's id. Default 101.
	OrgID int64
	// Dialect words the answers. Default Docs.
	Dialect Dialect

	// Slots is how many jobs may be queued and running together. Default 3.
	Slots int
	// RunningSlots is how many of them run; the others are queued. Default Slots.
	RunningSlots int
	// Quota is how many jobs may start in 30 days. Default 1000.
	Quota int
	// QuotaUsed is how many were started before, spread evenly over the 30 days
	// before the start, by other people of the organisation. Default 0.
	QuotaUsed int
	// History is how many jobs the first user started more than 30 days before
	// the start: they lengthen the list and cost nothing. Default 0.
	History int

	// Rate is how many requests a second one key may send, in the client's
	// time; 0 is no limit. Default 0.
	Rate float64
	// Burst is how many may come at once (Bucket only). Default Rate, rounded
	// up, at least 1.
	Burst int
	// RateKind is how they are counted. Default Bucket.
	RateKind RateKind
	// RateWindow is the window of Window and Sliding. Default one second.
	RateWindow time.Duration
	// ChargeRefusals makes a refused request count as well. A bucket goes at
	// most Burst into debt.
	ChargeRefusals bool
	// RetryAfter is the header's form on a 429. Default RetrySeconds.
	RetryAfter RetryAfter
	// RateHeaders adds RateLimit-* and X-RateLimit-* headers to every answer.
	RateHeaders bool

	// JobTime is how long a job runs, in emulated time: the median where
	// JobSigma spreads it. Default 45 s.
	JobTime time.Duration
	// JobSigma is the standard deviation of the logarithm of the running time;
	// four fifths of it belong to (forecast, period) and come again with it.
	// Default 0: every job runs exactly JobTime.
	JobSigma float64
	// Duration, when set, decides how long the n-th job (from 1) runs and
	// overrides JobTime and JobSigma.
	Duration func(forecast, period string, n int) time.Duration
	// QueueTime is how long a job stays queued though a slot is free. Default 0.
	QueueTime time.Duration
	// ResultTTL is how long a finished job's file can be read. Default 30 days.
	ResultTTL time.Duration

	// Speed is how many seconds pass in the organisation for one of the
	// client's. Default 1.
	Speed float64
	// Start is the emulated instant of New. Default Now().
	Start time.Time
	// Now is the client's clock. Default time.Now, which testing/synctest fakes.
	Now func() time.Time
	// Seed decides everything that is drawn. Default 0.
	Seed int64
	// Scenario scripts faults. Default none.
	Scenario *Scenario

	// ForecastIDs are the tabs that exist. Default net_arr and new_logo.
	ForecastIDs []string
	// NoOptin are tabs that exist and that nobody here may see: 401 no_optin.
	NoOptin []string
	// Forbidden are tabs that exist and answer 403.
	Forbidden []string
	// UnsupportedTypes are values of typesToExport that this tenant refuses
	// with type_not_supported. Default none.
	UnsupportedTypes []string
	// LimitsForbidden, when not 0, is what GET /admin/limits answers: 401, 403
	// or 404.
	LimitsForbidden int
	// ListMissing, when not 0, is what GET /export/jobs answers: 404 or 405.
	ListMissing int

	// FiscalStartMonth is the month in which a fiscal year begins. A year that
	// does not begin in January is named after the year in which it ends.
	// Default January.
	FiscalStartMonth time.Month
	// FirstYear and LastYear bound the fiscal years that are known; any other
	// period silently answers with the current quarter. Default 2000 and 2099.
	FirstYear, LastYear int
	// Currency is what values are in unless a request asks otherwise. Default USD.
	Currency string

	// Users is the size of the sales organisation. Default 42.
	Users int
	// Fields is how many fields a tab has. Default 5 to 8, drawn per tab.
	Fields int
	// Weeks is how many weeks a historical export holds. Default: those of the
	// quarter up to the current one.
	Weeks int
	// ActivitiesPerDay and AuditPerDay size the other exports. Default 12 and 40.
	ActivitiesPerDay, AuditPerDay int
	// Plain leaves out what is odd but legal: fields nobody knows, ids without
	// a match, nulls and absent values, literals beyond double precision.
	Plain bool
	// ContentLength declares the length of a result, which costs a second pass
	// over it. Otherwise results are chunked.
	ContentLength bool
	// LogSize bounds RequestLog. Default 10000.
	LogSize int
}

// Defaults are the defaults of "weir emulate": those of the zero Config and a
// request limit of ten a second.
func Defaults() Config {
	c := Config{Rate: 10}.withDefaults()
	c.Now = nil
	return c
}

// orDefault is value, or other where value is the zero value.
func orDefault[T comparable](value, other T) T {
	var zero T
	if value == zero {
		return other
	}
	return value
}

func (c Config) withDefaults() Config {
	c.Key = orDefault(c.Key, "emulated")
	c.OrgID = orDefault(c.OrgID, 101)
	c.Dialect = orDefault(c.Dialect, Docs)
	c.Slots = orDefault(c.Slots, 3)
	c.RunningSlots = orDefault(c.RunningSlots, c.Slots)
	c.Quota = orDefault(c.Quota, 1000)
	c.Burst = orDefault(c.Burst, max(1, ceil(c.Rate)))
	c.RateKind = orDefault(c.RateKind, Bucket)
	c.RateWindow = orDefault(c.RateWindow, time.Second)
	c.RetryAfter = orDefault(c.RetryAfter, RetrySeconds)
	c.JobTime = orDefault(c.JobTime, 45*time.Second)
	c.ResultTTL = orDefault(c.ResultTTL, 30*24*time.Hour)
	c.Speed = orDefault(c.Speed, 1)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Scenario == nil {
		c.Scenario = &Scenario{}
	}
	return c.withDataDefaults()
}

func (c Config) withDataDefaults() Config {
	if c.ForecastIDs == nil {
		c.ForecastIDs = []string{"net_arr", "new_logo"}
	}
	c.FiscalStartMonth = orDefault(c.FiscalStartMonth, time.January)
	c.FirstYear = orDefault(c.FirstYear, 2000)
	c.LastYear = orDefault(c.LastYear, 2099)
	c.Currency = orDefault(c.Currency, "USD")
	c.Users = orDefault(c.Users, 42)
	c.ActivitiesPerDay = orDefault(c.ActivitiesPerDay, 12)
	c.AuditPerDay = orDefault(c.AuditPerDay, 40)
	c.LogSize = orDefault(c.LogSize, 10000)
	return c
}

// validate reports every fault together, wrapping [ErrConfig].
func (c Config) validate() error {
	var faults []error
	refuse := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf("check emulator: "+format+": %w", append(args, ErrConfig)...))
		}
	}
	refuse(c.Dialect != Docs && c.Dialect != Wild && c.Dialect != Mission, "unknown dialect %q (known: docs, wild, mission)", string(c.Dialect))
	refuse(c.RetryAfter != RetrySeconds && c.RetryAfter != RetryDate && c.RetryAfter != RetryNone, "unknown form of Retry-After %q", string(c.RetryAfter))
	refuse(c.RateKind != Bucket && c.RateKind != Window && c.RateKind != Sliding, "unknown kind of rate %q", string(c.RateKind))
	refuse(c.Slots < 1, "slots %d is less than 1", c.Slots)
	refuse(c.RunningSlots < 1, "running slots %d is less than 1", c.RunningSlots)
	refuse(c.Quota < 0 || c.QuotaUsed < 0 || c.History < 0, "negative quota, use or history")
	refuse(!(c.Rate >= 0) || c.Rate > 1e6, "rate %v is not between 0 and 1000000 requests a second", c.Rate)
	refuse(c.Burst < 1, "burst %d is less than 1", c.Burst)
	refuse(c.RateWindow < time.Millisecond, "rate window %v is less than 1ms", c.RateWindow)
	refuse(!(c.Speed > 0) || c.Speed > 1e6, "speed %v is not above 0 and at most 1000000", c.Speed)
	refuse(c.JobTime < 0 || c.QueueTime < 0 || c.ResultTTL < 0, "negative job time, queue time or result life")
	refuse(!(c.JobSigma >= 0) || c.JobSigma > 5, "job sigma %v is not between 0 and 5", c.JobSigma)
	refuse(c.FiscalStartMonth < 1 || c.FiscalStartMonth > 12, "fiscal start month %d", int(c.FiscalStartMonth))
	refuse(c.Users < 1 || c.Fields < 0 || c.Weeks < 0, "negative size of the data")
	refuse(c.ActivitiesPerDay < 1 || c.AuditPerDay < 1, "negative size of the data")
	refuse(!knownCurrency(c.Currency), "unknown currency %q", c.Currency)
	return errors.Join(append(faults, c.Scenario.validate())...)
}
