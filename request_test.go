package weir_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir"
)

func request() weir.Request {
	return weir.Request{Kind: weir.Forecast, ForecastID: "net_arr", Period: "2026_Q1"}
}

func with(change func(*weir.Request)) weir.Request {
	r := request()
	change(&r)
	return r
}

func TestFingerprintTellsRequestsApart(t *testing.T) {
	different := []weir.Request{
		request(),
		with(func(r *weir.Request) { r.Kind = weir.Audit }),
		with(func(r *weir.Request) { r.ForecastID = "new_logo" }),
		with(func(r *weir.Request) { r.Period = "2026_Q2" }),
		with(func(r *weir.Request) { r.Types = []string{"quota"} }),
		with(func(r *weir.Request) { r.ScopeID = "s" }),
		with(func(r *weir.Request) { r.Currency = "EUR" }),
		with(func(r *weir.Request) { r.Historical = true }),
		with(func(r *weir.Request) { r.ExportFormat = "CSV" }),
		with(func(r *weir.Request) { r.Since = "2026-01-01" }),
		with(func(r *weir.Request) { r.Until = "2026-01-01" }),
	}
	seen := map[string]int{}
	for i, r := range different {
		print := r.Fingerprint()
		if len(print) != 32 {
			t.Errorf("fingerprint %q is not 32 digits", print)
		}
		if j, twice := seen[print]; twice {
			t.Errorf("requests %d and %d have one fingerprint", i, j)
		}
		seen[print] = i
	}
}

// The spelling of a request does not matter, and fingerprints survive releases.
func TestFingerprintIsStable(t *testing.T) {
	a := with(func(r *weir.Request) { r.Types = []string{"quota", "forecast", "quota"}; r.Currency = "eur" })
	b := with(func(r *weir.Request) {
		r.Types = []string{"forecast", "quota"}
		r.Currency = "EUR"
		r.ExportFormat = "json"
	})
	if a.Fingerprint() != b.Fingerprint() {
		t.Error("two spellings of one request differ")
	}
	if got, want := request().Fingerprint(), "0275b8dc13a4c54bef2481a0394dd280"; got != want {
		t.Errorf("the fingerprint of a request changed from %s to %s: every ledger in use would buy again", want, got)
	}
}

// Likeness is about what is asked, not about which tab or quarter.
func TestLikeness(t *testing.T) {
	like := with(func(r *weir.Request) { r.ForecastID, r.Period, r.ExportFormat = "new_logo", "2020_Q4", "CSV" })
	if request().Likeness() != like.Likeness() || len(like.Likeness()) != 8 {
		t.Errorf("%s and %s should be alike", request().Likeness(), like.Likeness())
	}
	if unlike := with(func(r *weir.Request) { r.Historical = true }); unlike.Likeness() == request().Likeness() {
		t.Error("historical is like the latest week")
	}
}

func TestValidate(t *testing.T) {
	for _, tt := range []struct {
		name string
		r    weir.Request
		want error
	}{
		{"good", request(), nil},
		{"all types", with(func(r *weir.Request) { r.Types = weir.ForecastTypes() }), nil},
		{"no id", with(func(r *weir.Request) { r.ForecastID = "" }), weir.ErrRequest},
		{"control in id", with(func(r *weir.Request) { r.ForecastID = "a\x1b[2J" }), weir.ErrRequest},
		{"bad period", with(func(r *weir.Request) { r.Period = "2025_Q7" }), weir.ErrPeriod},
		{"bad type", with(func(r *weir.Request) { r.Types = []string{"everything"} }), weir.ErrRequest},
		{"bad format", with(func(r *weir.Request) { r.ExportFormat = "xml" }), weir.ErrRequest},
		{"bad currency", with(func(r *weir.Request) { r.Currency = "euro" }), weir.ErrRequest},
		{"bad kind", with(func(r *weir.Request) { r.Kind = "forecasts" }), weir.ErrRequest},
	} {
		if err := tt.r.Validate(); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestParseJobStatus(t *testing.T) {
	for word, want := range map[string]weir.JobStatus{
		"SCHEDULED": weir.JobQueued, "pending": weir.JobQueued, "Queued": weir.JobQueued,
		"STARTED": weir.JobRunning, "running": weir.JobRunning, " RUNNING ": weir.JobRunning,
		"DONE": weir.JobDone, "Completed": weir.JobDone, "FAILED": weir.JobFailed,
		"CANCELLED": weir.JobCancelled, "canceled": weir.JobCancelled, "ABORTED": weir.JobAborted,
		"": weir.JobUnrecognised, "DONE_ISH": weir.JobUnrecognised,
	} {
		if got := weir.ParseJobStatus(word); got != want {
			t.Errorf("ParseJobStatus(%q) = %s, want %s", word, got, want)
		}
	}
	if weir.JobUnrecognised.Terminal() {
		t.Error("a word that nobody knows ended a job")
	}
}

func TestRecognise(t *testing.T) {
	for name, want := range map[string]weir.Likely{
		"clari_export_net_arr_2026_Q11700000000000_20261123_150405.json": weir.Match,
		"clari_export_net_arr_2026_Q1_20261123_150405.json":              weir.Match,
		"clari_export_net_arr_2026_Q2_20261123_150405.json":              weir.Mismatch,
		"clari_export_net_arr_2_2026_Q1_20261123_150405.json":            weir.Mismatch,
		"clari_export_arr_2026_Q1_20261123_150405.json":                  weir.Mismatch,
		"clari_export_net_arr_2026_Q1_20261123.json":                     weir.CannotTell,
		"my own name.json": weir.CannotTell,
		"":                 weir.CannotTell,
	} {
		if got := weir.Recognise(name, request()); got != want {
			t.Errorf("Recognise(%q) = %v, want %v", name, got, want)
		}
	}
	// A forecast id may itself look like the end of a file name.
	odd := with(func(r *weir.Request) { r.ForecastID = "x_2025_Q1" })
	if got := weir.Recognise("clari_export_x_2025_Q1_2026_Q1_20261123_150405.json", odd); got != weir.Match {
		t.Errorf("an id with a quarter in it: %v", got)
	}
}

func TestJobCreated(t *testing.T) {
	now := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	if at, ok := weir.JobCreated("6073683781a6da229df71e00", now); !ok || at.Unix() != 0x60736837 {
		t.Errorf("the published id: %v, %v", at, ok)
	}
	for _, id := range []string{"", "6073683781a6da229df71e0", "zz73683781a6da229df71e00", strings.Repeat("0", 24), strings.Repeat("f", 24)} {
		if at, ok := weir.JobCreated(id, now); ok {
			t.Errorf("JobCreated(%q) = %v, which is not plausible", id, at)
		}
	}
}

func TestValidateSpan(t *testing.T) {
	for _, tt := range []struct {
		since, until string
		good         bool
	}{
		{"2026-01-01", "2026-01-31", true},
		{"2026-01-01", "2026-01-01", true},
		{"2026-01-01T23:00:00Z", "2026-01-01", true},
		{"2026-01-01T00:00:00+02:00", "2026-01-01T00:00:00+01:00", true},
		{"", "", true},
		{"2026-01-02", "2026-01-01", false},
		{"2026-01-01T00:00:00+01:00", "2026-01-01T00:00:00+02:00", false},
		{"2026-01-01T00:00:00", "2026-01-31", false},
		{"yesterday", "2026-01-31", false},
		{"2026-01-01", "2026-02-30", false},
	} {
		for _, kind := range []weir.Kind{weir.Activity, weir.Audit} {
			err := weir.Request{Kind: kind, Since: tt.since, Until: tt.until}.Validate()
			if (err == nil) != tt.good || err != nil && !errors.Is(err, weir.ErrRequest) {
				t.Errorf("%s %q to %q: %v", kind, tt.since, tt.until, err)
			}
		}
	}
	for _, r := range []weir.Request{
		{Kind: weir.Activity, Types: []string{"LUNCH"}}, {Kind: weir.Audit, Types: []string{"MEETING"}}, {Kind: weir.Activity, ExportFormat: "CSV"},
	} {
		if err := r.Validate(); !errors.Is(err, weir.ErrRequest) {
			t.Errorf("%+v: %v", r, err)
		}
	}
	first, last := weir.Request{Since: "2026-01-01", Until: "2026-01-31"}.Span()
	if !first.Equal(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) || last.Format(time.RFC3339) != "2026-01-31T23:59:59Z" {
		t.Errorf("the span is %s to %s", first, last)
	}
}
