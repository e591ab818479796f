package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/clari"
	"github.com/weirhq/weir/pace"
)

// LimitsReport is what the server tells of its limits and what weir keeps of
// the pace. Numbers that were not told are -1.
type LimitsReport struct {
	Slots       int         `json:"slots"`
	SlotsFree   int         `json:"slots_free"`
	Quota       int         `json:"quota"`
	QuotaFree   int         `json:"quota_free"`
	Running     []string    `json:"running"`
	Submitted   []string    `json:"submitted"`
	Rate        float64     `json:"rate"`
	ClosedUntil time.Time   `json:"closed_until,omitzero"`
	Source      weir.Source `json:"source"`
}

// Limits asks the server for its limits. forget first clears what the account
// still waits for. The request is the only one of the command and is not held
// back by the gate's long waits: those are an error that names the instant.
func (s *Session) Limits(ctx context.Context, forget bool) (LimitsReport, error) {
	if forget {
		s.Gate.Forget()
		if err := s.Ledger.HoldAccount(ctx, s.Account.Name, time.Time{}, weir.Wait{}); err != nil {
			return LimitsReport{}, err
		}
	}
	client, err := s.asking()
	if err != nil {
		return LimitsReport{}, err
	}
	said, err := client.Limits(pace.WithMaxWait(ctx, time.Minute))
	if err != nil {
		return LimitsReport{}, s.gateFault(err)
	}
	return s.report(said), nil
}

func (s *Session) report(said clari.Limits) LimitsReport {
	r := LimitsReport{
		Slots: -1, SlotsFree: -1, Quota: -1, QuotaFree: -1, Source: weir.Told, Rate: s.Gate.Rate(),
		Running: nonNil(said.RunningJobIDs), Submitted: nonNil(said.SubmittedJobIDs),
	}
	for _, number := range []struct {
		into *int
		said bool
		is   int
	}{
		{&r.Slots, said.Said.ConcurrentLimit, said.ConcurrentLimit},
		{&r.SlotsFree, said.Said.AvailableConcurrent, said.AvailableConcurrent},
		{&r.Quota, said.Said.MonthlyQuota, said.MonthlyQuota},
		{&r.QuotaFree, said.Said.AvailableMonthly, said.AvailableMonthly},
	} {
		if number.said {
			*number.into = number.is
		}
	}
	if state := s.Gate.Snapshot(); state.Closed() {
		r.ClosedUntil = state.ClosedUntil
	}
	return r
}

func nonNil(ids []string) []string {
	if ids == nil {
		return []string{}
	}
	return ids
}

// gateFault turns a closed gate into a fault that says when it opens.
func (s *Session) gateFault(err error) error {
	state := s.Gate.Snapshot()
	if !state.Closed() {
		if fault := reachable(err); fault != nil {
			return fault
		}
		return err
	}
	return &Fault{
		Exit: ExitLater, Code: "throttled", Err: err,
		Hint: fmt.Sprintf("the server said to come back at %s; weir limits --forget clears this", state.ClosedUntil.UTC().Format(time.RFC3339)),
	}
}

// limitsForbidden reports that the key may not read the limits, or that the
// server has no such call. A 401 there may be about the limits alone: whether
// the key is good for anything, the list of jobs tells.
func (s *Session) limitsForbidden(ctx context.Context, client *clari.Client, err error) bool {
	if errors.Is(err, clari.ErrForbidden) || errors.Is(err, clari.ErrNotFound) {
		return true
	}
	if !errors.Is(err, clari.ErrNotAuthorised) {
		return false
	}
	_, err = client.Jobs(ctx)
	return err == nil || errors.Is(err, clari.ErrNotFound)
}

// QuotaReport is the rolling quota with whose uses are known.
type QuotaReport struct {
	Quota  int `json:"quota"`
	Free   int `json:"free"`
	Ours   int `json:"ours"`
	Others int `json:"others"`
	Keep   int `json:"keep_quota"`
	// Returns is when each of weir's own uses comes back, soonest first. When
	// other people's do is not known.
	Returns []time.Time `json:"returns"`
}

// Quota asks for the limits and attributes the uses: ours by the ledger, the
// rest to others.
func (s *Session) Quota(ctx context.Context, now time.Time) (QuotaReport, error) {
	limits, err := s.Limits(ctx, false)
	if err != nil {
		return QuotaReport{}, err
	}
	uses, err := s.Ledger.QuotaUses(ctx, s.Account.Name, now.Add(-30*24*time.Hour))
	if err != nil {
		return QuotaReport{}, err
	}
	q := QuotaReport{Quota: limits.Quota, Free: limits.QuotaFree, Ours: len(uses), Others: -1, Keep: s.Settings.Policy.KeepQuota, Returns: []time.Time{}}
	if q.Quota >= 0 && q.Free >= 0 {
		q.Others = max(0, q.Quota-q.Free-q.Ours)
	}
	for _, use := range uses {
		q.Returns = append(q.Returns, use.Add(30*24*time.Hour))
	}
	return q, nil
}
