package config

import "time"

// sourceShape is where a secret comes from. A secret that stands in the file is
// refused and not repeated.
func sourceShape() shape[Source] {
	s := choosing(quiet(
		one("env", "Name of an environment variable.",
			text[string](textRule{want: "the name of an environment variable", pattern: `^[A-Za-z_][A-Za-z0-9_]*$`, most: 200, secret: true}),
			func(s *Source) *string { return &s.Env }),
		one("file", "Path of a file that holds the secret and nothing else.",
			text[string](textRule{}), func(s *Source) *string { return &s.File }),
		one("command", "Program and arguments, run without a shell for at most 10 s; the secret is what it prints.",
			listOf(text[string](textRule{secret: true}), 1, 100, false), func(s *Source) *[]string { return &s.Command }),
	), "env", "file", "command")
	return either(inline(), func(string) Source { return Source{} }, func(Source) (string, bool) { return "", false }, s).as(s.says, "source")
}

// inline refuses a secret that stands in the file.
func inline() shape[string] {
	return shape[string]{read: refuseInline}
}

// as replaces what the schema says, under a name of its own.
func (s shape[T]) as(says schema, name string) shape[T] {
	says.name = name
	s.says = says
	return s
}

func scheduleShape() shape[Schedule] {
	return choosing(object(
		one("exports", "Names of the exports to run.",
			listOf(text[string](nameRule()), 1, maxExports, true), func(s *Schedule) *[]string { return &s.Exports }).must().not("export"),
		one("cron", "Minute, hour, day of month, month, day of week.",
			text[string](textRule{check: judgeCron}), func(s *Schedule) *string { return &s.Cron }),
		one("time_zone", "IANA time zone of the cron expression (default UTC).",
			text[string](textRule{check: judgeZone}), func(s *Schedule) *string { return &s.TimeZone }).not("tz", "timezone", "zone"),
		one("after", "week-end: at 08:00 UTC of the day after the week ends, when its values no longer change.",
			text[string](textRule{one: []string{WeekEnd}}), func(s *Schedule) *string { return &s.After }),
		one("week_ends", "Last day of the week, for after: week-end (default sunday).",
			weekdayShape(), func(s *Schedule) *time.Weekday { return &s.WeekEnds }),
		one("at", "quarter-close: at 08:00 UTC, days_after days after the last day of the fiscal quarter.",
			text[string](textRule{one: []string{QuarterClose}}), func(s *Schedule) *string { return &s.At }),
		one("days_after", "Days after the quarter's last day, one run for each (default 1).",
			listOf(whole(1, 60), 1, 60, true), func(s *Schedule) *[]int { return &s.DaysAfter }),
		one("catch_up", "Runs missed while nothing was running: run once, late; or skip them.",
			text[CatchUp](textRule{one: []string{string(CatchUpOnce), string(CatchUpSkip)}}).or(CatchUpOnce),
			func(s *Schedule) *CatchUp { return &s.CatchUp }),
	), "cron", "after", "at")
}

func judgeCron(s string) (message, hint string) {
	if _, err := parseCron(s); err != nil {
		return err.Error(), "the time zone has a key of its own: time_zone"
	}
	return "", ""
}

func judgeZone(s string) (message, hint string) {
	if _, err := parseZone(s); err != nil {
		return err.Error(), "names are those of the IANA time zone database"
	}
	return "", ""
}

func retentionShape() shape[Retention] {
	return object(
		one("snapshots", "Snapshots that weir prune leaves at destinations. It alone takes any away, and only when it is asked to; what it is asked for by flags must be let go by this too. forever leaves it to the flags. The newest of each forecast, period and kind of request always stays.",
			snapshotsShape().or(Keep{Forever: true}), func(r *Retention) *Keep { return &r.Snapshots }),
		one("ledger", "How long finished exports stay in the state, at least 31d. Job ids stay for as long as the server lists them.",
			historyShape().or(Keep{For: 90 * 24 * time.Hour}), func(r *Retention) *Keep { return &r.Ledger }).not("history"),
	)
}

func snapshotsShape() shape[Keep] {
	return either(text[string](textRule{one: []string{forever}}),
		func(string) Keep { return Keep{Forever: true} },
		func(k Keep) (string, bool) { return forever, k.Forever },
		some(object(
			one("keep_last", "How many of the newest stay.", whole(1, 1_000_000), func(k *Keep) *int { return &k.Last }),
			one("keep_for", "How long every one stays.", duration(time.Hour), func(k *Keep) *time.Duration { return &k.For }),
		)))
}

const forever = "forever"

// leastHistory is how long the ledger must remember: quota is counted over 30
// days.
const leastHistory = 31 * 24 * time.Hour

func historyShape() shape[Keep] {
	rule := textRule{
		want: "forever, or a duration such as 90d", pattern: `^(forever|([0-9]{1,9}(ms|s|m|h|d))+)$`, most: 60,
		check: func(s string) (string, string) {
			if d := parseDuration(s); s != forever && (d < leastHistory || d > longest) {
				return "not a duration from " + formatDuration(leastHistory) + " to " + formatDuration(longest), "quota is counted over 30 days"
			}
			return "", ""
		},
	}
	return mapped(text[string](rule),
		func(s string) Keep {
			if s == forever {
				return Keep{Forever: true}
			}
			return Keep{For: parseDuration(s)}
		},
		func(k Keep) string {
			if k.Forever {
				return forever
			}
			return formatDuration(k.For)
		})
}

func notificationShape() shape[Notification] {
	return choosing(object(
		one("webhook", "A URL that receives signed JSON.", present(webhookShape()), func(n *Notification) **Webhook { return &n.Webhook }),
		one("slack", "A Slack-compatible incoming webhook.", present(slackShape()), func(n *Notification) **Slack { return &n.Slack }),
		one("smtp", "E-mail through a mail server.", present(smtpShape()), func(n *Notification) **SMTP { return &n.SMTP }).not("email", "mail"),
		one("events", "What is told.",
			listOf(text[string](textRule{one: Events()}), 1, len(Events()), true).or(Events()),
			func(n *Notification) *[]string { return &n.Events }).not("on"),
	), "webhook", "slack", "smtp")
}

func webhookShape() shape[Webhook] {
	rule := textRule{most: 2000, secret: true, check: func(s string) (string, string) { return judgeWeb(s, false) }}
	return object(
		one("url", "https URL, or http on loopback.", text[string](rule), func(w *Webhook) *string { return &w.URL }).must(),
		one("secret", "Where the secret of the HMAC comes from.", sourceShape(), func(w *Webhook) *Source { return &w.Secret }).must(),
	)
}

func slackShape() shape[Slack] {
	return object(
		one("url", "Where the webhook's URL comes from; it is a secret.", sourceShape(), func(s *Slack) *Source { return &s.URL }).must(),
	)
}

func smtpShape() shape[SMTP] {
	address := textRule{want: "an e-mail address", pattern: `^[^@ ]+@[^@ ]+$`, most: 320}
	return object(
		one("host", "Mail server.", text[string](textRule{want: "a host name or address", pattern: `^[A-Za-z0-9.:_-]+$`, most: 255}),
			func(s *SMTP) *string { return &s.Host }).must(),
		one("port", "Port (default 587; 465 with tls; 25 with none).", whole(1, 65535), func(s *SMTP) *int { return &s.Port }),
		one("security", "How the connection is protected.",
			text[string](textRule{one: []string{"starttls", "tls", "none"}}).or("starttls"), func(s *SMTP) *string { return &s.Security }),
		one("username", "User of the mail server.", text[string](textRule{most: 320}), func(s *SMTP) *string { return &s.Username }),
		one("password", "Where that user's password comes from.", sourceShape(), func(s *SMTP) *Source { return &s.Password }),
		one("from", "Sender.", text[string](address), func(s *SMTP) *string { return &s.From }).must(),
		one("to", "Receivers.", listOf(text[string](address), 1, 100, true), func(s *SMTP) *[]string { return &s.To }).must(),
	)
}

func serveShape() shape[Serve] {
	return object(
		one("listen", "Address to listen on.",
			text[string](textRule{most: 300, check: judgeListen}).or(defaultListen), func(s *Serve) *string { return &s.Listen }),
		one("public_url", "URL by which people reach it, where that is not the address it listens on.",
			text[string](textRule{most: 2000, secret: true, check: func(u string) (string, string) { return judgeBase(u, false) }}),
			func(s *Serve) *string { return &s.PublicURL }),
		one("read_only", "Show everything, change nothing.", switchOf(), func(s *Serve) *bool { return &s.ReadOnly }),
		one("river_ui", "Serve River's own pages at /river/ too (state in PostgreSQL only; absent where read_only).", switchOf(), func(s *Serve) *bool { return &s.RiverUI }),
	)
}

func policyShape() shape[Policy] {
	name := textRule{one: []string{"adaptive", "sequential"}}
	return either(text[string](name),
		func(s string) Policy { return Policy{Name: s} },
		func(p Policy) (string, bool) { return p.Name, p == Policy{Name: p.Name} && p.Name != "" },
		object(
			one("name", "adaptive, or sequential: one job at a time, plain polling (default adaptive).", text[string](name), func(p *Policy) *string { return &p.Name }),
			one("delay", "Sequential: pause between exports (default 10s).", present(duration(0)), func(p *Policy) **time.Duration { return &p.Delay }),
			one("poll_min", "Least time between polls (default 2s adaptive, 5s sequential).", duration(time.Millisecond), func(p *Policy) *time.Duration { return &p.PollMin }),
			one("poll_factor", "Sequential: growth of the time between polls (default 1.5).", number(1, 100), func(p *Policy) *float64 { return &p.PollFactor }),
			one("poll_max", "Sequential: most time between polls (default 1m).", duration(time.Millisecond), func(p *Policy) *time.Duration { return &p.PollMax }),
			one("max_attempts", "Sequential: status answers before a job is given up waiting for (default 60).", whole(1, 1_000_000), func(p *Policy) *int { return &p.MaxAttempts }),
		))
}

func logShape() shape[Log] {
	return object(
		one("level", "Least level that is logged (default error; info under weir serve).",
			text[string](textRule{one: []string{"debug", "info", "warn", "error"}}), func(l *Log) *string { return &l.Level }),
		one("format", "Form of a line (default text; json under weir serve).",
			text[string](textRule{one: []string{"text", "json"}}), func(l *Log) *string { return &l.Format }),
	)
}
