package clari

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// Limits is the organisation's budget as the server told it. Whoever uses the
// API or exports by hand in the organisation draws on it too.
type Limits struct {
	ConcurrentLimit     int      // jobs queued and running at once
	MonthlyQuota        int      // exports in a rolling 30 days
	RunningJobIDs       []string // not said while nothing runs
	SubmittedJobIDs     []string // jobs that count against the quota
	AvailableConcurrent int
	AvailableMonthly    int
	Said                LimitsSaid // which of the above the server said
	Date                time.Time  // the server's clock; zero: not said
}

// LimitsSaid tells a 0 that was said from one that was not.
type LimitsSaid struct {
	ConcurrentLimit, MonthlyQuota         bool
	RunningJobIDs, SubmittedJobIDs        bool
	AvailableConcurrent, AvailableMonthly bool
}

// Limits reads slots and quota, GET /admin/limits. A key may lack the right:
// [ErrForbidden] or [ErrNotAuthorised]; limits must then be learned from
// refusals.
func (c *Client) Limits(ctx context.Context) (Limits, error) {
	var limits Limits
	what := call{op: "read limits", method: http.MethodGet, route: "/admin/limits", url: c.address("/admin/limits", nil)}
	date, err := c.answer(ctx, what, func(body []byte) (err error) {
		limits, err = decodeLimits(body)
		return err
	})
	if err != nil {
		return Limits{}, err
	}
	limits.Date = date
	return limits, nil
}

type wireLimits struct {
	ConcurrentLimit     count           `json:"concurrentLimit"`
	MonthlyQuota        count           `json:"monthlyQuota"`
	RunningJobIDs       json.RawMessage `json:"runningJobIds"`
	SubmittedJobIDs     json.RawMessage `json:"submittedJobIds"`
	AvailableConcurrent count           `json:"availableConcurrentLimit"`
	AvailableMonthly    count           `json:"availableMonthlyQuota"`

	Jobs json.RawMessage `json:"jobs"` // the same, inside a wrapper
}

// decodeLimits reads {"jobs":{..}} or the inner object alone. It fails where
// nothing at all was said, and on a list of ids with an entry that is none.
func decodeLimits(body []byte) (Limits, error) {
	body = trimBOM(body)
	if !isObject(body) {
		return Limits{}, errors.New("decode limits: not an object")
	}
	var w wireLimits
	if err := json.Unmarshal(body, &w); err != nil {
		return Limits{}, fmt.Errorf("decode limits: %w", err)
	}
	if isObject(w.Jobs) {
		inner := w.Jobs
		w = wireLimits{}
		if err := json.Unmarshal(inner, &w); err != nil {
			return Limits{}, fmt.Errorf("decode limits: %w", err)
		}
	}
	limits, err := w.limits()
	if err == nil && limits.Said == (LimitsSaid{}) {
		err = errors.New("decode limits: no limit in the answer")
	}
	return limits, err
}

func (w wireLimits) limits() (Limits, error) {
	running, err := decodeIDs(w.RunningJobIDs)
	if err != nil {
		return Limits{}, fmt.Errorf("decode limits: running jobs: %w", err)
	}
	submitted, err := decodeIDs(w.SubmittedJobIDs)
	if err != nil {
		return Limits{}, fmt.Errorf("decode limits: submitted jobs: %w", err)
	}
	return Limits{
		ConcurrentLimit: w.ConcurrentLimit.n, MonthlyQuota: w.MonthlyQuota.n,
		RunningJobIDs: running, SubmittedJobIDs: submitted,
		AvailableConcurrent: w.AvailableConcurrent.n, AvailableMonthly: w.AvailableMonthly.n,
		Said: LimitsSaid{
			ConcurrentLimit: w.ConcurrentLimit.said, MonthlyQuota: w.MonthlyQuota.said,
			RunningJobIDs: running != nil, SubmittedJobIDs: submitted != nil,
			AvailableConcurrent: w.AvailableConcurrent.said, AvailableMonthly: w.AvailableMonthly.said,
		},
	}, nil
}

// decodeIDs reads a list of ids, each bare or an object with one; nil where
// none was said.
func decodeIDs(raw json.RawMessage) ([]string, error) {
	if isNull(raw) {
		return nil, nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return nil, errors.New("not an array")
	}
	ids := make([]string, 0, len(list))
	for i, entry := range list {
		id := idOf(entry)
		if !isID(id) {
			return nil, fmt.Errorf("entry %d: no usable id", i)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

func idOf(raw json.RawMessage) string {
	if isObject(raw) {
		w, err := parseWireJob(raw)
		if err != nil {
			return ""
		}
		return w.id()
	}
	var id text
	_ = id.UnmarshalJSON(raw) // never fails
	return string(id)
}
