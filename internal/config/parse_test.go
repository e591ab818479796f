package config

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/weirhq/weir"
)

// faultsOf parses what must be at fault.
func faultsOf(t *testing.T, text string) Faults {
	t.Helper()
	c, err := Parse("weir.yaml", []byte(text))
	faults, ok := errors.AsType[Faults](err)
	if !ok || len(faults) == 0 {
		t.Fatalf("want faults, got %v", err)
	}
	if diff := cmp.Diff(Config{}, c); diff != "" {
		t.Errorf("a text at fault gave a configuration:\n%s", diff)
	}
	return faults
}

// TestFaultFiles holds every file of testdata/faults to its own expectation:
// the comments "# want:" at its end, one for each fault.
func TestFaultFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/faults/*.yaml")
	if err != nil || len(files) < 5 {
		t.Fatalf("files %v: %v", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var want, got []string
			for line := range strings.Lines(string(text)) {
				if expected, ok := strings.CutPrefix(line, "# want: "); ok {
					want = append(want, strings.TrimSuffix(expected, "\n"))
				}
			}
			for _, f := range faultsOf(t, string(text)) {
				got = append(got, strings.TrimPrefix(f.String(), "weir.yaml:"))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got)\n%s\n%s", diff, "# want: "+strings.Join(got, "\n# want: "))
			}
		})
	}
}

func TestParseWhole(t *testing.T) {
	text, err := os.ReadFile("testdata/whole.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse("weir.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wholeConfig(), got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	again, err := Parse("again", got.Text())
	if err != nil {
		t.Fatalf("%v\n%s", err, got.Text())
	}
	if diff := cmp.Diff(got, again); diff != "" {
		t.Errorf("written and read again (-first +again)\n%s", diff)
	}
}

// wholeConfig is testdata/whole.yaml, which uses every key.
func wholeConfig() Config {
	pause := time.Duration(0)
	return Config{
		Accounts: map[string]Account{
			"acme": {
				Key: Source{Env: "ACME_KEY"}, BaseURL: "https://api.example.com/v4", Slots: 3, Quota: 1000, KeepQuota: 50,
				FiscalYearStarts: time.February,
			},
			"lab": {Key: Source{Command: []string{"op", "read", "op://lab/key"}}, BaseURL: "http://lab.example.com", InsecureBaseURL: true, FiscalYearStarts: time.January},
		},
		State: State{URL: "postgres://weir@db.example.com/weir?sslmode=verify-full", Password: Source{File: "/run/secrets/db"}},
		Destinations: map[string]Destination{
			"lake":      {To: "s3://bucket/clari?region=eu-central-1", Formats: []string{"csv", "parquet"}, CSVSafe: true},
			"local":     {To: "./clari-data", Formats: []string{"parquet"}},
			"warehouse": {To: "postgres://loader@dwh.example.com/clari", Password: Source{Env: "DWH_PASSWORD"}},
		},
		Exports: []Export{
			{
				Name: "weekly", Account: "acme", Kind: weir.Forecast, Forecasts: []string{"net_arr", "new_logo"},
				Periods: []PeriodRule{"current", "last 2 quarters", "2025_Q1..2025_Q2"}, Types: []string{"forecast", "quota"},
				Currency: "EUR", Scope: `{"type":"ROLE","scopeId":"1"}`, Historical: true, ExportFormat: "csv",
				Destinations: []string{"lake", "warehouse"}, Fresh: 90 * time.Minute,
			},
			{Name: "people", Account: "lab", Kind: weir.Activity, Span: "last 7 days", Types: []string{"MEETING"}, Destinations: []string{"local"}, Retries: 2},
			{Name: "audit", Account: "lab", Kind: weir.Audit, Span: SinceLast, Destinations: []string{"local"}, Retries: 2},
		},
		Schedules: map[string]Schedule{
			"nightly": {Exports: []string{"people", "audit"}, Cron: "30 2 * * 1-5", TimeZone: "Europe/Berlin", CatchUp: CatchUpSkip, FiscalYearStarts: time.January},
			"settled": {Exports: []string{"weekly"}, After: WeekEnd, WeekEnds: time.Saturday, CatchUp: CatchUpOnce, FiscalYearStarts: time.February},
			"close":   {Exports: []string{"weekly"}, At: QuarterClose, DaysAfter: []int{1, 5}, CatchUp: CatchUpOnce, FiscalYearStarts: time.February},
		},
		Retention: Retention{Snapshots: Keep{Last: 30, For: 400 * 24 * time.Hour}, Ledger: Keep{Forever: true}},
		Notifications: map[string]Notification{
			"hook": {Webhook: &Webhook{URL: "https://hooks.example.com/weir", Secret: Source{Env: "HOOK_SECRET"}}, Events: Events()},
			"chat": {Slack: &Slack{URL: Source{File: "slack.url"}}, Events: []string{"failed", "missed"}},
			"mail": {SMTP: &SMTP{
				Host: "mail.example.com", Port: 465, Security: "tls", Username: "weir", Password: Source{Env: "MAIL_PASSWORD"},
				From: "weir@example.com", To: []string{"revops@example.com"},
			}, Events: []string{"recovered"}},
		},
		Serve:  Serve{Listen: "127.0.0.1:9000", PublicURL: "https://weir.example.com", ReadOnly: true, RiverUI: true},
		Policy: Policy{Name: "sequential", Delay: &pause, PollMin: 5 * time.Second, PollFactor: 1.5, PollMax: time.Minute, MaxAttempts: 60},
		Rate:   2.5,
		Log:    Log{Level: "info", Format: "json"},
	}
}

func TestParseNothing(t *testing.T) {
	for _, text := range []string{"", "\n", "# only words\n", "---\n", "\ufeff# mark\n", "{}"} {
		c, err := Parse("weir.yaml", []byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		want := Config{
			Retention: Retention{Snapshots: Keep{Forever: true}, Ledger: Keep{For: 90 * 24 * time.Hour}},
			Serve:     Serve{Listen: defaultListen},
		}
		if diff := cmp.Diff(want, c); diff != "" {
			t.Errorf("%q (-want +got)\n%s", text, diff)
		}
	}
}

// TestParseOneAccount: what is the only one need not be named.
func TestParseOneAccount(t *testing.T) {
	c, err := Parse("weir.yaml", []byte(`
accounts: {acme: {key: {env: KEY}}}
destinations: {here: {to: data}}
policy: sequential
state: weir.db
exports: [{name: a, forecasts: [net_arr], periods: [current]}]
schedules: {s: {exports: [a], at: quarter-close}}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := Export{
		Name: "a", Account: "acme", Kind: weir.Forecast, Forecasts: []string{"net_arr"}, Periods: []PeriodRule{"current"},
		Destinations: []string{"here"}, Retries: 2,
	}
	if diff := cmp.Diff([]Export{want}, c.Exports); diff != "" {
		t.Error(diff)
	}
	if c.Policy != (Policy{Name: "sequential"}) || c.State.URL != "weir.db" {
		t.Errorf("policy %+v, state %+v", c.Policy, c.State)
	}
	if s := c.Schedules["s"]; !slices.Equal(s.DaysAfter, []int{1}) {
		t.Errorf("days after %v", s.DaysAfter)
	}
}

func TestParseRefusesWhole(t *testing.T) {
	deep := strings.Repeat("[", 100_000)
	cases := map[string]struct{ text, want string }{
		"two documents":  {"rate: 1\n---\nrate: 2\n", "weir.yaml:3:1: a second document begins here"},
		"not UTF-8":      {"rate: \xff\n", "weir.yaml:1:1: the file is not UTF-8 text"},
		"too large":      {strings.Repeat("#", maxFile+1), "weir.yaml:1:1: the file is larger than 8 MiB"},
		"deep":           {deep, "weir.yaml:1:33: nested deeper than 32"},
		"deep in blocks": {strings.Repeat("- ", 100_000), "weir.yaml:1:65: nested deeper than 32"},
		"a list":         {"- a\n", "weir.yaml:1:1: want a mapping, found a list"},
		"a word":         {"weir\n", "weir.yaml:1:1: want a mapping, found text"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			faults := faultsOf(t, c.text)
			if len(faults) != 1 || faults[0].String() != c.want {
				t.Errorf("%v, want %s", faults, c.want)
			}
		})
	}
}

// TestMalformed: texts on which the YAML library panics or loops are faults.
func TestMalformed(t *testing.T) {
	for _, text := range []string{
		"rules: !0 #000", "accounts: !0 #000", "a: [", "a: \"x", "\t- a", "a: b: c", "&a", "*a", "<<: *a", "%YAML 9\n---\na: 1", "? [a]: b", "? a\n: b", "!!binary", "a: !!float x", ": a", "- - : ?",
	} {
		if _, err := Parse("weir.yaml", []byte(text)); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}

// TestSecretsStayOut: what stands where a secret belongs is never repeated.
func TestSecretsStayOut(t *testing.T) {
	const secret = "Zq9secretZq9"
	for _, text := range []string{
		"accounts: {a: {key: " + secret + "}}",
		"accounts: {a: {key: {" + secret + "}}}",
		"accounts: {a: {key: {" + secret + ": 1}}}",
		"accounts: {a: {key: {env: '" + secret + "!'}}}",
		"accounts: {a: {key: {command: " + secret + "}}}",
		"accounts: {a: {key: [" + secret + "]}}",
		"accounts: {a: {api_key: " + secret + "}}",
		"accounts: {a: {key: |\n  " + secret + "\n  " + secret + "}}",
		"accounts: {a: {key: {env: KEY}, base_url: 'https://u:" + secret + "@h/'}}",
		"accounts: {a: {key: {env: KEY}, base_url: 'https://h/?token=" + secret + "'}}",
		"accounts: {a: {key: '" + secret + "}}",
		"accounts: {a: {key: \"" + secret + "\\q\"}}",
		"accounts: {a: {key: !!int " + secret + "}}",
		"accounts: {a: {key: &" + secret + " b}}",
		"state: postgres://weir:" + secret + "@db/weir",
		"state: postgres://weir@db/weir?password=" + secret,
		"state: host=db password=" + secret,
		"state: {url: 'postgres://weir@db/weir', password: " + secret + "}",
		"state: mysql://weir:" + secret + "@db/weir",
		"destinations: {d: {to: 's3://" + secret + "@bucket'}}",
		"destinations: {d: {to: 's3://bucket?secret=" + secret + "'}}",
		"destinations: {d: {to: 'postgres://a:" + secret + "%zz@h'}}",
		"notifications: {n: {slack: {url: 'https://hooks.slack.com/" + secret + "'}}}",
		"notifications: {n: {webhook: {url: 'http://example.com/" + secret + "', secret: {env: A}}}}",
		"notifications: {n: {webhook: {url: 'https://example.com', secret: 12" + secret + "}}}",
		"notifications: {n: {smtp: {host: h, from: a@b, to: [a@b], username: u, password: " + secret + "}}}",
	} {
		c, err := Parse("weir.yaml", []byte(text))
		faults, _ := errors.AsType[Faults](err)
		if len(faults) == 0 {
			t.Errorf("accepted: %s\n%+v", text, c)
		}
		for _, f := range faults {
			if strings.Contains(f.String()+f.Hint+f.Path, secret) {
				t.Errorf("%s\nshows the secret: %s (%s)", text, f, f.Hint)
			}
		}
	}
}
