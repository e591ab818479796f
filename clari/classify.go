package clari

import (
	"context"
	"errors"
	"net/http"
	"strings"
)

// flaw is what was wrong with an answer whose status alone does not say.
type flaw int

const (
	flawless   flaw = iota
	cut             // its body broke off
	unreadable      // it does not decode, or is a redirect that is not followed
	oversized       // it exceeds its bound
)

// outcome is all that is known of a call that did not succeed.
type outcome struct {
	method string
	status int    // 0: no answer
	code   string // the server's own code
	sent   bool   // bytes may have been written
	// foreign: a redirect's target answered, not the API. What it says of keys
	// and rates says nothing of ours.
	foreign bool
	flaw    flaw
	err     error
}

func (o outcome) write() bool { return o.method != http.MethodGet }

// classify is the one place that decides what a failed call was.
func classify(o outcome) Kind {
	switch {
	case o.status == 0 && !o.sent && (o.write() || errors.Is(o.err, ErrNotSent)):
		return KindNotSent
	case o.status >= 400 && o.status < 500:
		return classifyRefusal(o)
	case o.write():
		return KindAmbiguous
	case errors.Is(o.err, context.Canceled):
		return KindInterrupted
	case o.flaw == oversized:
		return KindTooLarge
	case o.flaw == unreadable:
		return KindUndecodable
	}
	return KindTransient
}

// classifyRefusal reads a 4xx. All of them mean that nothing was done, but for
// 408 and 425, which a proxy may send after it passed the request on.
func classifyRefusal(o outcome) Kind {
	switch {
	case o.status == http.StatusRequestTimeout || o.status == http.StatusTooEarly || o.unexplained():
		return lost(o)
	case o.foreign && (o.status == http.StatusUnauthorized || o.status == http.StatusForbidden || o.status == http.StatusTooManyRequests):
		return KindTransient
	case o.status == http.StatusTooManyRequests:
		return KindThrottled
	}
	if kind, ok := classifyCode(o.code); ok {
		return kind
	}
	switch o.status {
	case http.StatusUnauthorized:
		return KindNotAuthorised
	case http.StatusForbidden:
		return KindForbidden
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return KindNotFound
	}
	return KindBadRequest
}

// classifyCode reads the codes that mean something to a caller.
func classifyCode(code string) (Kind, bool) {
	switch strings.ToLower(code) {
	case "export_monthly_quota_reached":
		return KindRefused, true
	case "no_optin":
		return KindNoOptIn, true
	case "invalid_jobid":
		return KindInvalidJob, true
	case "export_failed_to_cancel":
		return KindAlreadyFinished, true
	case "no_such_forecast_config", "missing_forecast_id", "type_not_supported", "bad_request":
		return KindBadRequest, true
	}
	return "", false
}

// unexplained: the status needs its code to be understood, and the body broke
// off before the code. Taking a lost quota refusal for a bad request would give
// an export up for good.
func (o outcome) unexplained() bool {
	if o.flaw != cut || o.code != "" {
		return false
	}
	switch o.status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusTooManyRequests:
		return false
	}
	return true
}

func lost(o outcome) Kind {
	switch {
	case o.write():
		return KindAmbiguous
	case errors.Is(o.err, context.Canceled):
		return KindInterrupted
	}
	return KindTransient
}
