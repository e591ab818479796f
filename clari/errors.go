package clari

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind says whether a call happened and whether asking again helps; see the
// package documentation for the table.
type Kind string

// The kinds of error.
const (
	KindNotSent         Kind = "not_sent"
	KindThrottled       Kind = "throttled"
	KindRefused         Kind = "refused"
	KindBadRequest      Kind = "bad_request"
	KindNotFound        Kind = "not_found"
	KindInvalidJob      Kind = "invalid_job"
	KindAlreadyFinished Kind = "already_finished"
	KindNotAuthorised   Kind = "not_authorised"
	KindForbidden       Kind = "forbidden"
	KindNoOptIn         Kind = "no_optin"
	KindTransient       Kind = "transient"
	KindInterrupted     Kind = "interrupted"
	KindUndecodable     Kind = "undecodable"
	KindTooLarge        Kind = "too_large"
	KindAmbiguous       Kind = "ambiguous"
)

// One sentinel for each [Kind]; errors.Is finds them. [ErrNotAuthorised] is
// found in Forbidden and NoOptIn as well, so ask for those first.
var (
	// ErrNotSent: no byte of the request was written. A RoundTripper that
	// refuses a request before sending it returns an error that wraps this.
	ErrNotSent         = errors.New("request was not sent")
	ErrThrottled       = errors.New("too many requests")
	ErrRefused         = errors.New("no free slot or no export quota")
	ErrBadRequest      = errors.New("request refused")
	ErrNotFound        = errors.New("no such thing or no such call")
	ErrInvalidJob      = errors.New("job has no results to read")
	ErrAlreadyFinished = errors.New("job has already finished")
	ErrNotAuthorised   = errors.New("not authorised")
	ErrForbidden       = errors.New("not permitted")
	ErrNoOptIn         = errors.New("user may not see that forecast")
	ErrTransient       = errors.New("temporary failure")
	ErrInterrupted     = errors.New("interrupted by the caller")
	ErrUndecodable     = errors.New("answer is not understood")
	ErrTooLarge        = errors.New("answer is too large")
	ErrAmbiguous       = errors.New("fate of the request is unknown")
)

// ErrTimeout marks a write without an answer in time ([WithPostTimeout]) or a
// read during which nothing came for too long ([WithIdleTimeout]). It is not the
// caller's own deadline, which shows as [context.DeadlineExceeded].
var ErrTimeout = errors.New("no answer in time")

// Error is what every failed call returns. Texts from the server are bounded
// (300 bytes a message, 120 a code or id), their control characters shown as
// \xNN, and the key blanked out.
type Error struct {
	Kind Kind
	// Op is verb and object: "start export net_arr 2026_Q1".
	Op string
	// Method and Route name the call without its ids:
	// "POST", "/export/forecast/{forecastId}".
	Method, Route string
	// Status is the HTTP status; 0 where no answer came.
	Status int
	// Code, Message, ErrorID, RequestID and OrgID are the server's words.
	Code, Message, ErrorID, RequestID, OrgID string
	// RetryAfter is the header as the server said it, seconds or a date; it may
	// be absurd. Measure a date against Date.
	RetryAfter string
	// Date is the server's clock, from the Date header; zero: not said.
	Date time.Time
	// Sent says that bytes of the request may have been written.
	Sent bool
	// Hint is what a person can do about it; may be empty.
	Hint string
	// Err is the cause; nil where the server's refusal is all there is.
	Err error
}

// Error reads "start export net_arr 2026_Q1: 400 bad_request: message".
func (e *Error) Error() string {
	parts := []string{e.Op}
	if word := kindWord(e.Kind); word != "" {
		parts = append(parts, word)
	}
	if e.Status != 0 {
		parts = append(parts, e.statusWord())
	}
	if e.Message != "" {
		parts = append(parts, e.Message)
	}
	if e.Err != nil {
		parts = append(parts, show(e.Err.Error(), 2*maxMessageBytes))
	}
	return strings.Join(parts, ": ")
}

func (e *Error) statusWord() string {
	word := strconv.Itoa(e.Status)
	switch {
	case e.Code != "":
		return word + " " + e.Code
	case e.Status >= 300 && http.StatusText(e.Status) != "":
		return word + " " + strings.ToLower(http.StatusText(e.Status))
	}
	return word
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Is finds the sentinels of the error's kind.
func (e *Error) Is(target error) bool { return slices.Contains(sentinels(e.Kind), target) }

func kindWord(kind Kind) string {
	switch kind {
	case KindNotSent:
		return "not sent"
	case KindAmbiguous:
		return "fate unknown"
	case KindUndecodable:
		return "answer not understood"
	}
	return ""
}

func sentinels(kind Kind) []error {
	switch kind {
	case KindNotSent:
		return []error{ErrNotSent}
	case KindThrottled:
		return []error{ErrThrottled}
	case KindRefused:
		return []error{ErrRefused}
	case KindBadRequest:
		return []error{ErrBadRequest}
	case KindNotFound:
		return []error{ErrNotFound}
	case KindInvalidJob:
		return []error{ErrInvalidJob}
	case KindAlreadyFinished:
		return []error{ErrAlreadyFinished}
	case KindNotAuthorised:
		return []error{ErrNotAuthorised}
	case KindForbidden:
		return []error{ErrForbidden, ErrNotAuthorised}
	case KindNoOptIn:
		return []error{ErrNoOptIn, ErrNotAuthorised}
	case KindTransient:
		return []error{ErrTransient}
	case KindInterrupted:
		return []error{ErrInterrupted}
	case KindUndecodable:
		return []error{ErrUndecodable}
	case KindTooLarge:
		return []error{ErrTooLarge}
	case KindAmbiguous:
		return []error{ErrAmbiguous}
	}
	return nil
}

func hint(kind Kind) string {
	switch kind {
	case KindNotAuthorised:
		return "the key was refused: it may be mistyped or revoked, or its user deactivated"
	case KindForbidden:
		return "the key's user lacks the right for this call"
	case KindNoOptIn:
		return "the key's user may not see this forecast: opt the user in, or use another key"
	case KindRefused:
		return "either every slot is taken or the export quota is used up; the limits tell which"
	case KindAmbiguous:
		return "look at the list of jobs before asking again: the request may have been carried out"
	case KindUndecodable:
		return "something other than the API may have answered; check the base URL and proxies"
	case KindInvalidJob:
		return "results exist only for a job that is done, and only until it expires"
	}
	return ""
}

// opaque is a cause whose own text or chain must not get out. It keeps the
// text given and which of the well-known sentinels the cause wrapped.
type opaque struct {
	text string
	is   []error
}

func (o *opaque) Error() string        { return o.text }
func (o *opaque) Is(target error) bool { return slices.Contains(o.is, target) }

func newOpaque(text string, cause error) error {
	o := &opaque{text: text}
	for _, known := range []error{context.Canceled, context.DeadlineExceeded, io.ErrUnexpectedEOF, ErrTimeout, ErrTooLarge, ErrOrigin} {
		if errors.Is(cause, known) {
			o.is = append(o.is, known)
		}
	}
	return o
}
