package weir

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Kind is what is exported.
type Kind string

// The kinds of export that the server knows.
const (
	Forecast Kind = "forecast"
	Activity Kind = "activity"
	Audit    Kind = "audit"
)

// ErrRequest marks a request that no server could answer as meant.
var ErrRequest = errors.New("request is not valid")

// ForecastTypes are the values of typesToExport, in the server's spelling.
func ForecastTypes() []string {
	return []string{"forecast", "quota", "forecast_updated", "adjustment", "crm_total", "crm_closed"}
}

// ActivityTypes are the values of activityTypes, in the server's spelling.
func ActivityTypes() []string {
	return []string{"MEETING", "EMAIL_SENT", "EMAIL_RECEIVED", "ATTACHMENT_SENT", "ATTACHMENT_RECEIVED"}
}

// Request is what is asked of the server, and nothing about when, why or where
// the result shall land. Two requests with the same [Request.Fingerprint] are
// served by the same job.
type Request struct {
	Kind       Kind   `json:"kind"`
	ForecastID string `json:"forecast_id,omitempty"`
	Period     Period `json:"time_period,omitempty"`
	// Types are typesToExport of a forecast or activityTypes of activities;
	// empty means the server's default ("forecast" and "forecast_updated").
	Types    []string `json:"types,omitempty"`
	ScopeID  string   `json:"scope_id,omitempty"`
	Currency string   `json:"currency,omitempty"`
	// Historical asks for every week of the period, not only the latest.
	Historical bool `json:"historical,omitempty"`
	// ExportFormat is "JSON" or "CSV", the form of the server's file; empty
	// means JSON.
	ExportFormat string `json:"export_format,omitempty"`
	// Since and Until bound activities and audit events, both inclusive, as
	// dates or RFC 3339 instants with offset.
	Since string `json:"since,omitempty"`
	Until string `json:"until,omitempty"`
	// Direct asks by the synchronous call: no job, no slot, no quota. A forecast
	// is that of the current week, and an empty Period is the current quarter;
	// audit events are read page by page between two instants.
	Direct bool `json:"direct,omitempty"`
}

// Normal is the request in the one spelling that its fingerprint hashes: types
// sorted and without repetition, upper-case currency and format, JSON named.
func (r Request) Normal() Request {
	r.Types = slices.Compact(slices.Sorted(slices.Values(r.Types)))
	if len(r.Types) == 0 {
		r.Types = nil
	}
	r.Currency = strings.ToUpper(r.Currency)
	r.ExportFormat = strings.ToUpper(r.ExportFormat)
	if r.ExportFormat == "" {
		r.ExportFormat = "JSON"
	}
	return r
}

// Validate reports what no server could answer as meant, wrapping [ErrRequest]
// or [ErrPeriod].
func (r Request) Validate() error {
	if r.Kind != Forecast {
		return r.validateSpan()
	}
	if r.ForecastID == "" {
		return fmt.Errorf("check request: empty forecast id: %w", ErrRequest)
	}
	if strings.ContainsFunc(r.ForecastID, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		return fmt.Errorf("check request: control character in forecast id %q: %w", r.ForecastID, ErrRequest)
	}
	if r.Direct {
		return r.validateDirect()
	}
	if _, err := ParsePeriod(string(r.Period)); err != nil {
		return err
	}
	for _, name := range r.Types {
		if !slices.Contains(ForecastTypes(), name) {
			return fmt.Errorf("check request: unknown type %q (known: %s): %w", name, strings.Join(ForecastTypes(), ", "), ErrRequest)
		}
	}
	return r.validateForm()
}

// validateDirect checks a forecast that is read without a job: the call takes a
// period and nothing else.
func (r Request) validateDirect() error {
	if len(r.Types) > 0 || r.ScopeID != "" || r.Currency != "" || r.Historical || r.Normal().ExportFormat != "JSON" {
		return fmt.Errorf("check request: the current week of %s takes no types, scope, currency, history or other form than json: %w", r.ForecastID, ErrRequest)
	}
	if r.Period == "" {
		return nil
	}
	_, err := ParsePeriod(string(r.Period))
	return err
}

func (r Request) validateForm() error {
	if form := r.Normal().ExportFormat; form != "JSON" && form != "CSV" {
		return fmt.Errorf("check request: unknown export format %q (known: json, csv): %w", r.ExportFormat, ErrRequest)
	}
	if len(r.Currency) != 0 && len(r.Currency) != 3 {
		return fmt.Errorf("check request: currency %q is not a three-letter code: %w", r.Currency, ErrRequest)
	}
	return nil
}

// validateSpan checks what is not asked of a forecast. Either bound may be
// missing, which leaves it to the server.
func (r Request) validateSpan() error {
	if r.Kind != Activity && r.Kind != Audit {
		return fmt.Errorf("check request: unknown kind %q: %w", string(r.Kind), ErrRequest)
	}
	if form := r.Normal().ExportFormat; form != "JSON" {
		return fmt.Errorf("check request: %s comes as json only, not %q: %w", r.Kind, r.ExportFormat, ErrRequest)
	}
	if r.Direct && (r.Kind != Audit || r.Since == "" || r.Until == "") {
		return fmt.Errorf("check request: only audit events between two instants are read without a job: %w", ErrRequest)
	}
	known := ActivityTypes()
	if r.Kind == Audit {
		known = nil
	}
	for _, name := range r.Types {
		if !slices.Contains(known, name) {
			return fmt.Errorf("check request: unknown type %q of %s (known: %s): %w", name, r.Kind, strings.Join(known, ", "), ErrRequest)
		}
	}
	since, err := edge(r.Since, 0)
	if err != nil {
		return err
	}
	until, err := edge(r.Until, 24*time.Hour-time.Nanosecond)
	if err != nil {
		return err
	}
	if r.Since != "" && r.Until != "" && until.Before(since) {
		return fmt.Errorf("check request: since %s is after until %s: %w", r.Since, r.Until, ErrRequest)
	}
	return nil
}

// Spanned reports whether the request is bounded in time, and so of its own
// span: one of another is another request.
func (r Request) Spanned() bool { return r.Since != "" || r.Until != "" }

// Span gives the first and the last instant that Since and Until include, a
// date without a time meaning the whole day in UTC; zero for a bound that is
// missing or cannot be read. Of the bounds of activities only the date and the
// zone count.
func (r Request) Span() (first, last time.Time) {
	first, _ = edge(r.Since, 0)
	last, _ = edge(r.Until, 24*time.Hour-time.Nanosecond)
	if r.Kind != Activity {
		return first, last
	}
	if !first.IsZero() {
		first = midnight(first)
	}
	if !last.IsZero() {
		last = midnight(last).AddDate(0, 0, 1).Add(-time.Nanosecond)
	}
	return first, last
}

func midnight(t time.Time) time.Time {
	year, month, day := t.Date()
	return time.Date(year, month, day, 0, 0, 0, 0, t.Location())
}

// edge reads a bound; late is added to a date.
func edge(text string, late time.Duration) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.Add(late), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("check request: %q is neither a date (2026-01-31) nor an RFC 3339 instant with its offset: %w", text, ErrRequest)
	}
	return at, nil
}

// Fingerprint hashes everything that is asked: 32 hex digits, the same in every
// process and version.
func (r Request) Fingerprint() string { return hashOf(r.Normal(), 16) }

// Likeness hashes kind, types, scope, currency, historical and, of a forecast
// read without a job, that too: 8 hex digits, the column _weir_request. Snapshots of different
// likeness answer different questions and are never mixed or compared.
func (r Request) Likeness() string {
	n := r.Normal()
	return hashOf(Request{Kind: n.Kind, Types: n.Types, ScopeID: n.ScopeID, Currency: n.Currency, Historical: n.Historical, Direct: n.Direct && n.Kind == Forecast}, 4)
}

// SameTarget reports whether two requests name the same kind, forecast and
// period, so that their jobs cannot be told apart by file name alone.
func (r Request) SameTarget(other Request) bool {
	return r.Kind == other.Kind && r.ForecastID == other.ForecastID && r.Period == other.Period
}

// Title names the request for a person: "net_arr 2026_Q1", "net_arr now",
// "activity 2026-01-01..2026-01-31".
func (r Request) Title() string {
	if r.Kind == Forecast && r.Direct {
		return strings.TrimSpace(r.ForecastID+" "+string(r.Period)) + " now"
	}
	if r.Kind == Forecast {
		return r.ForecastID + " " + string(r.Period)
	}
	return strings.TrimSpace(string(r.Kind) + " " + r.Since + ".." + r.Until)
}

func hashOf(r Request, bytes int) string {
	text, err := json.Marshal(r)
	if err != nil { // a struct of strings, slices of strings and a bool always marshals
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:bytes])
}
