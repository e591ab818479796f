package ledger

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/weirhq/weir"
	"github.com/weirhq/weir/ledger/internal/rule"
)

// detail is what of an export no query asks for, as JSON. Instants are Unix
// milliseconds, 0 for none.
type detail struct {
	Request          weir.Request  `json:"request"`
	Jobs             int           `json:"jobs,omitempty"`
	JobsAllowed      int           `json:"jobs_allowed,omitempty"`
	SubmittedAt      int64         `json:"submitted_at,omitempty"`
	PostedAt         int64         `json:"posted_at,omitempty"`
	Generation       int64         `json:"generation,omitempty"`
	IntentSeq        int64         `json:"intent_seq,omitempty"`
	AbsentSeq        int64         `json:"absent_seq,omitempty"`
	LostAt           int64         `json:"lost_at,omitempty"`
	LostIn           int64         `json:"lost_in,omitempty"`
	SettleMillis     int64         `json:"settle_ms,omitempty"`
	AbsentListings   int           `json:"absent_listings,omitempty"`
	AbsentListedAt   int64         `json:"absent_listed_at,omitempty"`
	PresumedAbsentAt int64         `json:"presumed_absent_at,omitempty"`
	Adopted          bool          `json:"adopted,omitempty"`
	NeedsPerson      string        `json:"needs_person,omitempty"`
	Wait             *weir.Wait    `json:"wait,omitempty"`
	PolledAt         int64         `json:"polled_at,omitempty"`
	Polls            int           `json:"polls,omitempty"`
	PollFailures     int           `json:"poll_failures,omitempty"`
	DoneAt           int64         `json:"done_at,omitempty"`
	CancelAt         int64         `json:"cancel_requested_at,omitempty"`
	CancelSentAt     int64         `json:"cancel_sent_at,omitempty"`
	CancelForced     bool          `json:"cancel_forced,omitempty"`
	FreshMillis      int64         `json:"fresh_ms,omitempty"`
	NoAdopt          bool          `json:"no_adopt,omitempty"`
	Twin             string        `json:"twin,omitempty"`
	Failure          *weir.Failure `json:"failure,omitempty"`
}

func encodeDetail(e weir.Export) (string, error) {
	d := detail{
		Request: e.Request, Jobs: e.Jobs, JobsAllowed: e.JobsAllowed,
		SubmittedAt: rule.Millis(e.SubmittedAt), PostedAt: rule.Millis(e.PostedAt), Generation: e.Generation, IntentSeq: e.IntentSeq, AbsentSeq: e.AbsentSeq,
		LostAt: rule.Millis(e.LostAt), LostIn: e.LostIn, SettleMillis: e.Settle.Milliseconds(),
		AbsentListings: e.AbsentListings, AbsentListedAt: rule.Millis(e.AbsentListedAt),
		PresumedAbsentAt: rule.Millis(e.PresumedAbsentAt), Adopted: e.Adopted, NeedsPerson: e.NeedsPerson,
		PolledAt: rule.Millis(e.PolledAt), Polls: e.Polls, PollFailures: e.PollFailures,
		DoneAt: rule.Millis(e.DoneAt), CancelAt: rule.Millis(e.CancelRequestedAt),
		CancelSentAt: rule.Millis(e.CancelSentAt), CancelForced: e.CancelForced,
		FreshMillis: e.Fresh.Milliseconds(), NoAdopt: e.NoAdopt, Twin: e.Twin, Failure: e.Failure,
	}
	if e.Wait != (weir.Wait{}) {
		d.Wait = &e.Wait
	}
	text, err := json.Marshal(d)
	return string(text), err
}

func decodeDetail(text string, e *weir.Export) error {
	var d detail
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return fmt.Errorf("read export %d: %w: %w", e.ID, ErrNotALedger, err)
	}
	e.Request, e.Jobs, e.JobsAllowed, e.Generation = d.Request, d.Jobs, d.JobsAllowed, d.Generation
	e.Settle = time.Duration(d.SettleMillis) * time.Millisecond
	e.AbsentListings, e.Adopted, e.NeedsPerson = d.AbsentListings, d.Adopted, d.NeedsPerson
	e.Polls, e.PollFailures, e.Twin, e.Failure = d.Polls, d.PollFailures, d.Twin, d.Failure
	if d.Wait != nil {
		e.Wait = *d.Wait
	}
	e.SubmittedAt, e.PostedAt, e.LostAt = rule.FromMillis(d.SubmittedAt), rule.FromMillis(d.PostedAt), rule.FromMillis(d.LostAt)
	e.AbsentListedAt, e.PresumedAbsentAt = rule.FromMillis(d.AbsentListedAt), rule.FromMillis(d.PresumedAbsentAt)
	e.PolledAt, e.DoneAt = rule.FromMillis(d.PolledAt), rule.FromMillis(d.DoneAt)
	e.CancelRequestedAt, e.CancelSentAt = rule.FromMillis(d.CancelAt), rule.FromMillis(d.CancelSentAt)
	e.IntentSeq, e.AbsentSeq, e.LostIn, e.CancelForced = d.IntentSeq, d.AbsentSeq, d.LostIn, d.CancelForced
	e.Fresh, e.NoAdopt = time.Duration(d.FreshMillis)*time.Millisecond, d.NoAdopt
	return nil
}

// encodeFailure is a failure as JSON, "" for none.
func encodeFailure(f *weir.Failure) (string, error) {
	if f == nil {
		return "", nil
	}
	text, err := json.Marshal(f)
	return string(text), err
}

func decodeFailure(text string) (*weir.Failure, error) {
	if text == "" {
		return nil, nil
	}
	f := new(weir.Failure)
	if err := json.Unmarshal([]byte(text), f); err != nil {
		return nil, fmt.Errorf("read failure: %w: %w", ErrNotALedger, err)
	}
	return f, nil
}
