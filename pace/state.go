package pace

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ErrState marks text that is no state of a gate.
var ErrState = errors.New("state of the gate is not readable")

// stateVersion changes when the meaning of a field does.
const stateVersion = 1

// State is everything a gate knows. The zero State is a gate that has never
// been used: open, with a full bucket, and the policy's rate. It is a plain
// value: copying it copies everything. It marshals to JSON.
type State struct {
	// Rate is the learned rate in requests per second and Burst the learned
	// burst; 0 before the first 429, when the policy's hold.
	Rate  float64 `json:"rate,omitempty"`
	Burst int     `json:"burst,omitempty"`

	// Tokens is what the bucket held at TokensAt; a zero TokensAt means full.
	Tokens   float64   `json:"tokens,omitempty"`
	TokensAt time.Time `json:"tokens_at,omitzero"`

	// FirstRefusedAt is when the first 429 of the present incident came; zero
	// while the gate is open.
	FirstRefusedAt time.Time `json:"first_refused_at,omitzero"`
	// ClosedUntil is the latest instant that the 429 answers of the incident
	// told, and Timed whether a Retry-After told it rather than the back-off.
	ClosedUntil time.Time `json:"closed_until,omitzero"`
	Timed       bool      `json:"timed,omitempty"`
	// Step is the k of the next back-off.
	Step int `json:"step,omitempty"`
	// Probing says that a probe which started at ProbeAt has no outcome yet.
	Probing bool      `json:"probing,omitempty"`
	ProbeAt time.Time `json:"probe_at,omitzero"`
	// AcceptedBefore counts the requests accepted in the 60 s before the
	// incident.
	AcceptedBefore int `json:"accepted_before,omitempty"`
	// Late marks an incident opened by an answer to a request from before the
	// last recovery: it is obeyed, but the same excess is not learned from twice.
	Late bool `json:"late,omitempty"`

	// RefusedRate is the rate at which the last incident opened, at RefusedAt.
	RefusedRate float64   `json:"refused_rate,omitempty"`
	RefusedAt   time.Time `json:"refused_at,omitzero"`
	// RecoveredAt is when the last incident ended, and RecoveryTimed whether
	// Retry-After timed it.
	RecoveredAt   time.Time `json:"recovered_at,omitzero"`
	RecoveryTimed bool      `json:"recovery_timed,omitempty"`
	// GrewAt is when the rate last grew, or began to count towards it.
	GrewAt time.Time `json:"grew_at,omitzero"`

	// Since is when the first request of this run started.
	Since time.Time `json:"since,omitzero"`
	// InFlight counts requests that started and have no outcome.
	InFlight int `json:"in_flight,omitempty"`
	// Requests counts every start, and Throttled every 429, ever.
	Requests  int64 `json:"requests,omitempty"`
	Throttled int64 `json:"throttled,omitempty"`
	// Accepted counts accepted requests by the second of their start.
	Accepted Counter `json:"accepted,omitzero"`

	// Limits are what the RateLimit headers of the newest answer told, and
	// LimitsOf when the request of that answer started.
	Limits   [maxLimits]Limit `json:"limits,omitzero"`
	LimitsOf time.Time        `json:"limits_of,omitzero"`
}

// Closed reports whether an incident is open at all: until it ends, nothing but
// one probe starts.
func (s State) Closed() bool { return !s.FirstRefusedAt.IsZero() }

// Open is the state without its present incident and without the RateLimit
// headers: the next request may start as soon as the pace allows. The learned
// rate and burst stay. It is a person's word against the server's.
func (s State) Open() State {
	s.FirstRefusedAt, s.ClosedUntil, s.Timed = time.Time{}, time.Time{}, false
	s.Step, s.Probing, s.ProbeAt = 0, false, time.Time{}
	s.AcceptedBefore, s.Late = 0, false
	s.Limits, s.LimitsOf = [maxLimits]Limit{}, time.Time{}
	return s
}

// Resume is a stored state made fit for a new run that begins now: nothing is in
// flight, no probe is out, and instants that only a wrong clock can explain (a
// past in the future, a closing more than 366 days ahead) are corrected. An
// incident stays open.
func (s State) Resume(now time.Time) State {
	s.InFlight, s.Since = 0, time.Time{}
	s.Probing, s.ProbeAt = false, time.Time{}
	s.Tokens = max(s.Tokens, 0)
	if s.TokensAt.After(now) {
		s.TokensAt, s.Tokens = now, 0
	}
	for _, past := range []*time.Time{&s.RefusedAt, &s.RecoveredAt, &s.GrewAt, &s.LimitsOf} {
		if past.After(now) {
			*past = now
		}
	}
	if s.ClosedUntil.After(now.Add(longestTold)) {
		s = s.Open()
	}
	for i, l := range s.Limits {
		if l.ResetAt.After(now.Add(longestHold)) {
			s.Limits[i] = Limit{}
		}
	}
	return s
}

type plainState State

// MarshalJSON writes the state with its version and its instants in UTC: the
// same state always gives the same text.
func (s State) MarshalJSON() ([]byte, error) {
	for _, t := range s.instants() {
		*t = t.UTC()
	}
	return json.Marshal(struct {
		Version int `json:"version"`
		plainState
	}{stateVersion, plainState(s)})
}

// UnmarshalJSON reads what [State.MarshalJSON] wrote. Anything else is an error
// that wraps [ErrState] and leaves the zero State.
func (s *State) UnmarshalJSON(text []byte) error {
	*s = State{}
	var read struct {
		Version int `json:"version"`
		plainState
	}
	if err := json.Unmarshal(text, &read); err != nil {
		return fmt.Errorf("read state: %w: %w", ErrState, err)
	}
	if read.Version != stateVersion {
		return fmt.Errorf("read state: version %d, not %d: %w", read.Version, stateVersion, ErrState)
	}
	found := State(read.plainState)
	if err := found.check(); err != nil {
		return fmt.Errorf("read state: %w", err)
	}
	*s = found
	return nil
}

// ParseState reads a stored state. Empty text is a state that was never stored:
// the zero State. Text that cannot be read gives the zero State too, which is
// safe to go on with, and an error that wraps [ErrState].
func ParseState(text string) (State, error) {
	if text == "" {
		return State{}, nil
	}
	var s State
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		if errors.Is(err, ErrState) {
			return State{}, err
		}
		return State{}, fmt.Errorf("read state: %w: %w", ErrState, err)
	}
	return s, nil
}

func (s State) check() error {
	counts := []int64{int64(s.Burst), int64(s.Step), int64(s.AcceptedBefore), int64(s.InFlight), s.Requests, s.Throttled}
	for _, n := range counts {
		if n < 0 {
			return fmt.Errorf("negative count %d: %w", n, ErrState)
		}
	}
	if s.Rate < 0 || s.RefusedRate < 0 {
		return fmt.Errorf("negative rate: %w", ErrState)
	}
	if s.Closed() == s.ClosedUntil.IsZero() {
		return fmt.Errorf("an incident and a closing go together: %w", ErrState)
	}
	return nil
}

func (s *State) instants() []*time.Time {
	all := []*time.Time{&s.TokensAt, &s.FirstRefusedAt, &s.ClosedUntil, &s.ProbeAt, &s.RefusedAt,
		&s.RecoveredAt, &s.GrewAt, &s.Since, &s.LimitsOf}
	for i := range s.Limits {
		all = append(all, &s.Limits[i].ResetAt)
	}
	return all
}
