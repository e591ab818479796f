package weir

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
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

func (r Request) validateForm() error {
	if form := r.Normal().ExportFormat; form != "JSON" && form != "CSV" {
		return fmt.Errorf("check request: unknown export format %q (known: json, csv): %w", r.ExportFormat, ErrRequest)
	}
	if len(r.Currency) != 0 && len(r.Currency) != 3 {
		return fmt.Errorf("check request: currency %q is not a three-letter code: %w", r.Currency, ErrRequest)
	}
	return nil
}

func (r Request) validateSpan() error {
	if r.Kind != Activity && r.Kind != Audit {
		return fmt.Errorf("check request: unknown kind %q: %w", string(r.Kind), ErrRequest)
	}
	return nil
}

// Fingerprint hashes everything that is asked: 32 hex digits, the same in every
// process and version.
func (r Request) Fingerprint() string { return hashOf(r.Normal(), 16) }

// Likeness hashes kind, types, scope, currency and historical: 8 hex digits,
// the column _weir_request. Snapshots of different likeness answer different
// questions and are never mixed or compared.
func (r Request) Likeness() string {
	n := r.Normal()
	return hashOf(Request{Kind: n.Kind, Types: n.Types, ScopeID: n.ScopeID, Currency: n.Currency, Historical: n.Historical}, 4)
}

// SameTarget reports whether two requests name the same kind, forecast and
// period, so that their jobs cannot be told apart by file name alone.
func (r Request) SameTarget(other Request) bool {
	return r.Kind == other.Kind && r.ForecastID == other.ForecastID && r.Period == other.Period
}

// Title names the request for a person: "net_arr 2026_Q1".
func (r Request) Title() string {
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
