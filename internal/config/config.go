package config

import (
	"time"

	"github.com/weirhq/weir"
)

// Config is what a file asks for, with defaults filled in where the file's
// description names one. A zero field elsewhere means that the file says
// nothing, and that flags, the environment and weir's own defaults decide.
type Config struct {
	Accounts      map[string]Account
	State         State
	Destinations  map[string]Destination
	Exports       []Export
	Schedules     map[string]Schedule
	Retention     Retention
	Notifications map[string]Notification
	Serve         Serve
	Policy        Policy
	// Rate is in requests a second while the server has never refused for pace.
	Rate float64
	Log  Log
}

// Account is an API key's source and what is assumed about its organisation.
type Account struct {
	Key             Source
	BaseURL         string
	InsecureBaseURL bool
	// Slots and Quota are assumed until the server tells; 0 assumes nothing.
	Slots int
	Quota int
	// KeepQuota is how many exports of the quota stay for people.
	KeepQuota int
	// FiscalYearStarts is the first month of the fiscal year. Default January.
	FiscalYearStarts time.Month
}

// State is where the ledger is kept: a file, or a postgres:// URL without a
// password.
type State struct {
	URL      string
	Password Source
}

// Destination is a place where results land. The URL never holds a password.
type Destination struct {
	To       string
	Password Source
	// Formats are in order: the first one has the plain place. Default parquet;
	// empty for PostgreSQL, which has none.
	Formats []string
	CSVSafe bool
}

// Export is one line of what to export: every forecast with every period.
type Export struct {
	Name    string
	Account string
	Kind    weir.Kind
	// Forecasts and Periods belong to forecasts, Span to activities and audit
	// events.
	Forecasts    []string
	Periods      []PeriodRule
	Span         SpanRule
	Types        []string
	Currency     string
	Scope        string
	Historical   bool
	ExportFormat string
	Destinations []string
	// Fresh is how old a result may be to be taken instead of a new job.
	Fresh time.Duration
	// Retries is how often a job that the server failed is started anew.
	Retries int
}

// Schedule says when exports run. Exactly one of Cron, After and At is set.
type Schedule struct {
	Exports []string
	// Cron has five fields and is read in TimeZone, an IANA name.
	Cron     string
	TimeZone string
	// After is [WeekEnd]: at 08:00 UTC of the day after WeekEnds.
	After    string
	WeekEnds time.Weekday
	// At is [QuarterClose]: at 08:00 UTC, so many days after the quarter's last
	// day.
	At        string
	DaysAfter []int
	// CatchUp says what becomes of runs missed while nothing was running.
	CatchUp CatchUp
	// FiscalYearStarts is not in the file: it is that of the accounts whose
	// exports the schedule runs.
	FiscalYearStarts time.Month
}

// The instants that a schedule may name instead of a cron expression.
const (
	WeekEnd      = "week-end"
	QuarterClose = "quarter-close"
)

// CatchUp is what becomes of missed runs.
type CatchUp string

// Missed runs are run once, late, however many they were; or not at all.
const (
	CatchUpOnce CatchUp = "once"
	CatchUpSkip CatchUp = "skip"
)

// Retention says what may be deleted.
type Retention struct {
	Snapshots Keep
	Ledger    Keep
}

// Keep says what stays. A thing stays while any rule keeps it; the newest
// snapshot of each forecast, period and kind of request stays always.
type Keep struct {
	Forever bool
	// Last is how many of the newest stay, and For how long everything stays;
	// 0 where the file does not say.
	Last int
	For  time.Duration
}

// Notification is one receiver and what it is told. Exactly one of Webhook,
// Slack and SMTP is set.
type Notification struct {
	Webhook *Webhook
	Slack   *Slack
	SMTP    *SMTP
	// Events are what is told. Default all of [Events].
	Events []string
}

// Events are what a notification can be about.
func Events() []string {
	return []string{"failed", "rejected", "needs_person", "key_refused", "quota_low", "missed", "recovered"}
}

// Webhook receives JSON signed with an HMAC by the secret.
type Webhook struct {
	URL    string
	Secret Source
}

// Slack is an incoming webhook whose URL is itself the secret.
type Slack struct{ URL Source }

// SMTP is a mail server. Port 0 means the one that Security implies.
type SMTP struct {
	Host     string
	Port     int
	Security string // starttls (default), tls, or none
	Username string
	Password Source
	From     string
	To       []string
}

// Serve is what weir serve listens to.
type Serve struct {
	Listen    string
	PublicURL string
	ReadOnly  bool
	RiverUI   bool
}

// Policy is how jobs are started and polled. Zero fields take the numbers of
// the policy named; Name "" is adaptive.
type Policy struct {
	Name        string
	Delay       *time.Duration // nil takes the policy's own; 0 is no pause
	PollMin     time.Duration
	PollFactor  float64
	PollMax     time.Duration
	MaxAttempts int
}

// Log is how weir tells what it does. Empty fields leave it to the command.
type Log struct {
	Level  string
	Format string
}
