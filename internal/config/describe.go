package config

import (
	"slices"
	"strings"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/land"
)

// Bounds of a configuration. They keep a typing error from asking for the moon.
const (
	maxAccounts = 20_000
	maxNamed    = 1_000
	maxExports  = 20_000
)

// defaultListen is where weir serve listens: this machine alone.
const defaultListen = "127.0.0.1:8120"

// configShape describes the whole file. Everything that is known about the
// format stands in this description and in [reader.check].
func configShape() shape[Config] {
	return object(
		one("accounts", "API keys by name; a command takes the one called default, or --account NAME.",
			byName(accountShape(), maxAccounts), func(c *Config) *map[string]Account { return &c.Accounts }).not("account", "keys"),
		one("state", "Where the state is kept: a file, or a postgres:// URL without a password (default $XDG_STATE_HOME/weir/weir.db).",
			stateShape(), func(c *Config) *State { return &c.State }).not("database", "ledger"),
		one("destinations", "Places where results land, by name.",
			byName(destinationShape(), maxNamed), func(c *Config) *map[string]Destination { return &c.Destinations }),
		one("exports", "What to export.",
			rowsOf(exportShape(), maxExports), func(c *Config) *[]Export { return &c.Exports }),
		one("schedules", "When exports run under weir serve, by name.",
			byName(scheduleShape(), maxNamed), func(c *Config) *map[string]Schedule { return &c.Schedules }),
		one("retention", "What may be deleted, and when.",
			retentionShape(), func(c *Config) *Retention { return &c.Retention }),
		one("notifications", "Who is told what, by name.",
			byName(notificationShape(), maxNamed), func(c *Config) *map[string]Notification { return &c.Notifications }),
		one("serve", "What weir serve listens to.", serveShape(), func(c *Config) *Serve { return &c.Serve }),
		one("policy", "How jobs are started and polled: a policy's name, or its settings.",
			policyShape(), func(c *Config) *Policy { return &c.Policy }),
		one("rate", "Requests a second while the server has never refused for pace (default 5).",
			number(0.001, 1000), func(c *Config) *float64 { return &c.Rate }),
		one("log", "How weir tells what it does.", logShape(), func(c *Config) *Log { return &c.Log }),
	)
}

func accountShape() shape[Account] {
	return object(
		one("key", "Where the API key comes from.", sourceShape(), func(a *Account) *Source { return &a.Key }).
			must().not("api_key", "apikey", "token", "api_key_file", "key_file"),
		one("base_url", "Base URL of the API (default https://api.clari.com/v4).",
			text[string](textRule{most: 2000}), func(a *Account) *string { return &a.BaseURL }).not("url"),
		one("insecure_base_url", "Allow an http:// base URL beyond loopback.",
			switchOf(), func(a *Account) *bool { return &a.InsecureBaseURL }),
		one("slots", "Concurrent jobs of the organisation, assumed until the server tells.",
			whole(1, 1000), func(a *Account) *int { return &a.Slots }),
		one("quota", "Exports of the organisation in 30 days, assumed until the server tells.",
			whole(1, 1_000_000), func(a *Account) *int { return &a.Quota }),
		one("keep_quota", "Exports of the quota that are kept for people (default 0).",
			whole(0, 1_000_000), func(a *Account) *int { return &a.KeepQuota }),
		one("fiscal_year_starts", "First month of the fiscal year.",
			monthShape().or(time.January), func(a *Account) *time.Month { return &a.FiscalYearStarts }).not("fiscal_year_start", "fiscal_start"),
	)
}

func monthShape() shape[time.Month] {
	var names []string
	for month := time.January; month <= time.December; month++ {
		names = append(names, strings.ToLower(month.String()))
	}
	return mapped(text[string](textRule{one: names}),
		func(name string) time.Month { return time.Month(slices.Index(names, name) + 1) },
		func(month time.Month) string { return names[max(0, month-1)] })
}

func weekdayShape() shape[time.Weekday] {
	var names []string
	for day := time.Sunday; day <= time.Saturday; day++ {
		names = append(names, strings.ToLower(day.String()))
	}
	return mapped(text[string](textRule{one: names}),
		func(name string) time.Weekday { return time.Weekday(max(0, slices.Index(names, name))) },
		func(day time.Weekday) string { return names[day] })
}

func stateShape() shape[State] {
	rule := textRule{most: 2000, secret: true, check: func(s string) (string, string) {
		return judgePlace(s, "postgres", "postgresql")
	}}
	return either(text[string](rule),
		func(url string) State { return State{URL: url} },
		func(s State) (string, bool) { return s.URL, s.Password.IsZero() },
		object(
			one("url", "File or postgres:// URL without a password.", text[string](rule), func(s *State) *string { return &s.URL }).must(),
			one("password", "Where the password of a postgres:// URL comes from (default PGPASSFILE).", sourceShape(), func(s *State) *Source { return &s.Password }),
		))
}

func destinationShape() shape[Destination] {
	rule := textRule{most: 2000, secret: true, check: func(s string) (string, string) {
		return judgePlace(s, "s3", "gs", "azblob", "postgres", "postgresql")
	}}
	var formats []string
	for _, f := range land.Formats() {
		formats = append(formats, string(f))
	}
	return object(
		one("to", "A directory, or an s3://, gs://, azblob:// or postgres:// URL without a password.",
			text[string](rule), func(d *Destination) *string { return &d.To }).must().not("url", "path", "dir"),
		one("password", "Where the password of a postgres:// URL comes from (default PGPASSFILE).",
			sourceShape(), func(d *Destination) *Source { return &d.Password }),
		one("formats", "Formats to land, the first in the plain place (default parquet); not for postgres://.",
			listOf(text[string](textRule{one: formats}), 1, len(formats), true), func(d *Destination) *[]string { return &d.Formats }).not("format"),
		one("csv_safe", "Make text in CSV that looks like a formula harmless.",
			switchOf(), func(d *Destination) *bool { return &d.CSVSafe }),
	)
}

// activityTypes are the kinds of activity that the server knows.
func activityTypes() []string {
	return []string{"MEETING", "EMAIL_SENT", "EMAIL_RECEIVED", "ATTACHMENT_SENT", "ATTACHMENT_RECEIVED"}
}

func exportShape() shape[Export] {
	return object(append(exportWhat(), exportHow()...)...)
}

func exportWhat() []field[Export] {
	kinds := []string{string(weir.Forecast), string(weir.Activity), string(weir.Audit)}
	return []field[Export]{
		one("name", "Name of the export, for schedules.", text[string](nameRule()), func(e *Export) *string { return &e.Name }).must(),
		one("account", "Account whose key is used (default: the only account there is).",
			text[string](nameRule()), func(e *Export) *string { return &e.Account }),
		one("kind", "What is exported.", text[weir.Kind](textRule{one: kinds}).or(weir.Forecast), func(e *Export) *weir.Kind { return &e.Kind }),
		one("forecasts", "Ids of forecast tabs; each is exported for each period.",
			listOf(text[string](textRule{most: 200}), 1, maxNamed, true), func(e *Export) *[]string { return &e.Forecasts }).
			not("tabs", "tab", "forecast", "forecast_ids", "forecast_id"),
		one("periods", "Fiscal quarters: current, previous, next, last N quarters (ended ones), 2026_Q1, 2025_Q1..2026_Q4.",
			listOf(periodShape(), 1, maxNamed, true), func(e *Export) *[]PeriodRule { return &e.Periods }).not("period", "time_periods"),
		one("span", "Days of activities or audit events: last N days (whole ones, without today), 2026-01-01..2026-03-31, or since last (audit only).",
			spanShape(), func(e *Export) *SpanRule { return &e.Span }).not("days", "since"),
		one("types", "Types to export: of a forecast (default forecast and forecast_updated), or of activities (default all).",
			listOf(text[string](textRule{one: slices.Concat(weir.ForecastTypes(), activityTypes())}), 1, 20, true),
			func(e *Export) *[]string { return &e.Types }),
	}
}

func exportHow() []field[Export] {
	return []field[Export]{
		one("currency", "Three capital letters (default the organisation's own).",
			text[string](textRule{want: "three capital letters such as EUR", pattern: `^[A-Z]{3}$`}), func(e *Export) *string { return &e.Currency }),
		one("scope", "Scope id.", text[string](textRule{}), func(e *Export) *string { return &e.Scope }).not("scope_id"),
		one("historical", "Every week of the quarter, not only the latest.", switchOf(), func(e *Export) *bool { return &e.Historical }),
		one("export_format", "Form of the server's file (default json).",
			text[string](textRule{one: []string{"json", "csv"}}), func(e *Export) *string { return &e.ExportFormat }),
		one("destinations", "Names of destinations (default: the only destination there is).",
			listOf(text[string](nameRule()), 1, maxNamed, true), func(e *Export) *[]string { return &e.Destinations }).not("to", "destination"),
		one("fresh", "Take a result that is at most so old instead of asking anew (default 0s).",
			duration(0), func(e *Export) *time.Duration { return &e.Fresh }),
		one("retries", "How often a job that the server failed is started anew.",
			whole(0, 100).or(2), func(e *Export) *int { return &e.Retries }),
	}
}

func periodShape() shape[PeriodRule] {
	return text[PeriodRule](textRule{
		want:    "current, previous, next, \"last N quarters\", 2026_Q1 or 2025_Q1..2026_Q4",
		pattern: `^(current|previous|next|last [1-9][0-9]{0,2} quarters?|[0-9]{4}_Q[1-4](\.\.[0-9]{4}_Q[1-4])?)$`,
		check: func(s string) (string, string) {
			if _, err := ParsePeriodRule(s); err != nil {
				return err.Error(), "a range goes from the earlier quarter to the later one, over at most 400"
			}
			return "", ""
		},
	})
}

func spanShape() shape[SpanRule] {
	return text[SpanRule](textRule{
		want:    "\"last N days\", \"since last\" or 2026-01-01..2026-03-31",
		pattern: `^(since last|last [1-9][0-9]{0,2} days?|[0-9]{4}-[0-9]{2}-[0-9]{2}\.\.[0-9]{4}-[0-9]{2}-[0-9]{2})$`,
		check: func(s string) (string, string) {
			if _, err := ParseSpanRule(s); err != nil {
				return err.Error(), ""
			}
			return "", ""
		},
	})
}
