package clari

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
)

func TestClassify(t *testing.T) {
	notSent := fmt.Errorf("gate closed: %w", ErrNotSent)
	reset := errors.New("connection reset")
	const get, post, patch = http.MethodGet, http.MethodPost, http.MethodPatch
	for _, tt := range []struct {
		name string
		o    outcome
		want Kind
	}{
		{"post never left", outcome{method: post, err: reset}, KindNotSent},
		{"post never left, cancelled", outcome{method: post, err: context.Canceled}, KindNotSent},
		{"post left, connection lost", outcome{method: post, sent: true, err: reset}, KindAmbiguous},
		{"post left, cancelled", outcome{method: post, sent: true, err: context.Canceled}, KindAmbiguous},
		{"post left, transport says otherwise", outcome{method: post, sent: true, err: notSent}, KindAmbiguous},
		{"post 200 undecodable", outcome{method: post, status: 200, sent: true, flaw: unreadable}, KindAmbiguous},
		{"post 200 cut", outcome{method: post, status: 200, sent: true, flaw: cut}, KindAmbiguous},
		{"post 200 oversized", outcome{method: post, status: 200, sent: true, flaw: oversized}, KindAmbiguous},
		{"post redirected", outcome{method: post, status: 307, sent: true, flaw: unreadable}, KindAmbiguous},
		{"post 500", outcome{method: post, status: 500, sent: true}, KindAmbiguous},
		{"post 500 with a known code", outcome{method: post, status: 500, sent: true, code: "bad_request"}, KindAmbiguous},
		{"post 503", outcome{method: post, status: 503, sent: true}, KindAmbiguous},
		{"post 408", outcome{method: post, status: 408, sent: true}, KindAmbiguous},
		{"post 400 cut before its code", outcome{method: post, status: 400, sent: true, flaw: cut, err: reset}, KindAmbiguous},
		{"post 429", outcome{method: post, status: 429, sent: true}, KindThrottled},
		{"post 429 cut", outcome{method: post, status: 429, sent: true, flaw: cut}, KindThrottled},
		{"post slots or quota", outcome{method: post, status: 400, code: "export_monthly_quota_reached"}, KindRefused},
		{"post slots or quota, other case", outcome{method: post, status: 400, code: "EXPORT_MONTHLY_QUOTA_REACHED"}, KindRefused},
		{"post unknown tab", outcome{method: post, status: 400, code: "no_such_forecast_config"}, KindBadRequest},
		{"post unknown tab as 404", outcome{method: post, status: 404, code: "no_such_forecast_config"}, KindBadRequest},
		{"post unknown type", outcome{method: post, status: 400, code: "type_not_supported"}, KindBadRequest},
		{"post unknown code", outcome{method: post, status: 422, code: "whatever"}, KindBadRequest},
		{"post no code", outcome{method: post, status: 400}, KindBadRequest},
		{"post key refused", outcome{method: post, status: 401}, KindNotAuthorised},
		{"post no opt-in", outcome{method: post, status: 401, code: "no_optin"}, KindNoOptIn},
		{"post forbidden", outcome{method: post, status: 403}, KindForbidden},
		{"patch finished", outcome{method: patch, status: 400, code: "export_failed_to_cancel"}, KindAlreadyFinished},
		{"patch 502", outcome{method: patch, status: 502}, KindAmbiguous},
		{"patch 404", outcome{method: patch, status: 404}, KindNotFound},
		{"get refused connection", outcome{method: get, err: reset}, KindTransient},
		{"get refused by the gate", outcome{method: get, err: notSent}, KindNotSent},
		{"get lost", outcome{method: get, sent: true, err: reset}, KindTransient},
		{"get cancelled", outcome{method: get, sent: true, err: context.Canceled}, KindInterrupted},
		{"get past its deadline", outcome{method: get, sent: true, err: context.DeadlineExceeded}, KindTransient},
		{"get 500", outcome{method: get, status: 500}, KindTransient},
		{"get 429", outcome{method: get, status: 429}, KindThrottled},
		{"get 404", outcome{method: get, status: 404}, KindNotFound},
		{"get 404 cut", outcome{method: get, status: 404, flaw: cut, err: reset}, KindNotFound},
		{"get 405", outcome{method: get, status: 405}, KindNotFound},
		{"get 400 cut", outcome{method: get, status: 400, flaw: cut, err: reset}, KindTransient},
		{"get 401 cut", outcome{method: get, status: 401, flaw: cut, err: context.Canceled}, KindInterrupted},
		{"get not done yet", outcome{method: get, status: 400, code: "invalid_jobId"}, KindInvalidJob},
		{"get 200 undecodable", outcome{method: get, status: 200, flaw: unreadable}, KindUndecodable},
		{"get 200 cut", outcome{method: get, status: 200, flaw: cut}, KindTransient},
		{"get 200 oversized", outcome{method: get, status: 200, flaw: oversized}, KindTooLarge},
		{"get redirect refused", outcome{method: get, status: 302, flaw: unreadable}, KindUndecodable},
		{"storage says 403", outcome{method: get, status: 403, foreign: true}, KindTransient},
		{"storage says 401", outcome{method: get, status: 401, foreign: true}, KindTransient},
		{"storage says 429", outcome{method: get, status: 429, foreign: true}, KindTransient},
		{"storage says 404", outcome{method: get, status: 404, foreign: true}, KindNotFound},
	} {
		if got := classify(tt.o); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// Every kind has a sentinel, and no sentinel but ErrNotAuthorised serves two.
func TestSentinels(t *testing.T) {
	kinds := map[Kind]error{
		KindNotSent: ErrNotSent, KindThrottled: ErrThrottled, KindRefused: ErrRefused, KindBadRequest: ErrBadRequest,
		KindNotFound: ErrNotFound, KindInvalidJob: ErrInvalidJob, KindAlreadyFinished: ErrAlreadyFinished,
		KindNotAuthorised: ErrNotAuthorised, KindForbidden: ErrForbidden, KindNoOptIn: ErrNoOptIn,
		KindTransient: ErrTransient, KindInterrupted: ErrInterrupted, KindUndecodable: ErrUndecodable,
		KindTooLarge: ErrTooLarge, KindAmbiguous: ErrAmbiguous,
	}
	for kind := range kinds {
		err := fmt.Errorf("wrapped: %w", &Error{Kind: kind})
		for other, sentinel := range kinds {
			want := other == kind || other == KindNotAuthorised && (kind == KindForbidden || kind == KindNoOptIn)
			if got := errors.Is(err, sentinel); got != want {
				t.Errorf("errors.Is(%s, %v) = %v", kind, sentinel, got)
			}
		}
	}
}

func TestErrorText(t *testing.T) {
	for _, tt := range []struct {
		err  Error
		want string
	}{
		{
			Error{Kind: KindBadRequest, Op: "start export net_arr 2026_Q1", Status: 400, Code: "no_such_forecast_config", Message: "Forecast net_arr does not exist"},
			"start export net_arr 2026_Q1: 400 no_such_forecast_config: Forecast net_arr does not exist",
		},
		{Error{Kind: KindTransient, Op: "list jobs", Status: 502}, "list jobs: 502 bad gateway"},
		{
			Error{Kind: KindAmbiguous, Op: "start export net_arr 2026_Q1", Err: errors.New("connection reset")},
			"start export net_arr 2026_Q1: fate unknown: connection reset",
		},
		{
			Error{Kind: KindUndecodable, Op: "list jobs", Status: 200, Err: errors.New("no list in the answer")},
			"list jobs: answer not understood: 200: no list in the answer",
		},
		{Error{Kind: KindNotSent, Op: "read limits", Err: errors.New("refused\x1b[31m")}, `read limits: not sent: refused\x1b[31m`},
	} {
		if got := tt.err.Error(); got != tt.want {
			t.Errorf("got  %q\nwant %q", got, tt.want)
		}
	}
}
