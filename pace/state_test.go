package pace_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/pace"
)

// lived is a state in which every field has been used.
func lived() pace.State {
	p := exact()
	s := exchange(p, pace.State{}, 0, 200)
	s = exchange(p, s, 1, 429)
	s = exchange(p, s, 6, 200, "RateLimit-Remaining", "7", "RateLimit-Reset", "600")
	s = exchange(p, p.Took(s, at(20)), 30, 429, "Retry-After", "40")
	return p.Took(s, at(70))
}

func TestStateText(t *testing.T) {
	for name, s := range map[string]pace.State{"new": {}, "lived": lived()} {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		back, err := pace.ParseState(string(text))
		if err != nil || back != s {
			t.Errorf("%s: read back %+v, %v; want %+v", name, back, err, s)
		}
		again, err := json.Marshal(back)
		if err != nil || string(again) != string(text) {
			t.Errorf("%s: written again %s, want %s", name, again, text)
		}
		if !strings.HasPrefix(string(text), `{"version":1`) {
			t.Errorf("%s: no version in %s", name, text)
		}
	}
}

func TestStateTextIsTheSameInEveryZone(t *testing.T) {
	s := pace.State{TokensAt: t0}
	here, _ := json.Marshal(s)
	s.TokensAt = t0.In(time.FixedZone("elsewhere", 3600))
	there, _ := json.Marshal(s)
	if string(here) != string(there) {
		t.Errorf("%s, %s", here, there)
	}
}

func TestParseStateGarbage(t *testing.T) {
	tests := []string{
		"garbage", "{", "[]", "null", "{}", `{"version":2}`, `{"version":"1"}`, `{"version":1,"rate":"fast"}`,
		`{"version":1,"rate":-1}`, `{"version":1,"burst":-1}`, `{"version":1,"step":-1}`, `{"version":1,"requests":-1}`,
		`{"version":1,"closed_until":"2026-03-01T12:00:00Z"}`, `{"version":1,"first_refused_at":"2026-03-01T12:00:00Z"}`,
		`{"version":1,"tokens_at":"noon"}`, `{"version":1,"rate":1e999}`,
	}
	for _, text := range tests {
		s, err := pace.ParseState(text)
		if s != (pace.State{}) || !errors.Is(err, pace.ErrState) {
			t.Errorf("%s: %+v, %v; want the zero state and ErrState", text, s, err)
		}
	}
	if s, err := pace.ParseState(""); s != (pace.State{}) || err != nil {
		t.Errorf("nothing stored: %+v, %v", s, err)
	}
}

func TestResume(t *testing.T) {
	p, now := exact(), at(71)
	s := lived().Resume(now)
	if d := p.Decide(s, now); !d.Go || !d.Probe {
		t.Errorf("the probe of a former run holds the gate: %+v", d)
	}
	if s.InFlight != 0 || s.Rate != lived().Rate || s.RefusedRate != lived().RefusedRate {
		t.Errorf("resumed as %+v", s)
	}
	early := t0.Add(-1000 * time.Hour) // the clock was wrong before, or is now
	s = lived().Resume(early)
	if d := p.Decide(s, early); d.At.After(t0.Add(time.Hour)) {
		t.Errorf("next at %v", d.At)
	}
	far := pace.State{FirstRefusedAt: t0, ClosedUntil: t0.Add(400 * 24 * time.Hour), Tokens: -1e300, TokensAt: t0}
	if d := p.Decide(far.Resume(t0), at(1)); !d.Go {
		t.Errorf("after nonsense: %+v", d)
	}
	soon := pace.State{FirstRefusedAt: t0, ClosedUntil: t0.Add(300 * 24 * time.Hour)}
	if d := p.Decide(soon.Resume(t0), at(1)); !d.At.Equal(soon.ClosedUntil) {
		t.Errorf("a long closing was forgotten: %+v", d)
	}
}

// TestResumeCorrectsTheClock: what a clock that ran ahead has written.
func TestResumeCorrectsTheClock(t *testing.T) {
	p, ahead := exact(), t0.Add(3*time.Hour)
	s := pace.State{TokensAt: ahead, Tokens: 0.5}.Resume(t0)
	if d := p.Decide(s, t0); !d.At.Equal(at(0.2)) {
		t.Errorf("bucket: next at %v, want 0.2 s", d.At.Sub(t0))
	}
	s = pace.State{Limits: [4]pace.Limit{{ResetAt: ahead}}}.Resume(t0)
	if d := p.Decide(s, t0); !d.Go {
		t.Errorf("limits: %+v", d)
	}
	s = pace.State{RecoveredAt: ahead, GrewAt: ahead, LimitsOf: ahead, RefusedAt: ahead}.Resume(t0)
	s = exchange(p, exchange(p, s, 1, 429, "Retry-After", "1"), 2, 200)
	if s.Rate != 3.5 {
		t.Errorf("rate %v: an incident taught nothing", s.Rate)
	}
}

// FuzzParseState: whatever is read can be used and written again.
func FuzzParseState(f *testing.F) {
	text, err := json.Marshal(lived())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add(`{"version":1,"rate":1e308,"tokens":-1e308,"tokens_at":"0001-01-01T00:00:01Z"}`)
	f.Add(`{"version":1,"first_refused_at":"9999-12-31T23:59:59Z","closed_until":"0000-01-01T00:00:00Z","step":9223372036854775807}`)
	f.Fuzz(func(t *testing.T, text string) {
		p := exact()
		s, err := pace.ParseState(text)
		if err != nil {
			return
		}
		s = s.Resume(t0)
		d := p.Decide(s, t0)
		if limit := t0.Add(367 * 24 * time.Hour); d.At.After(limit) {
			t.Errorf("next at %v", d.At)
		}
		s = exchange(p, p.Observe(p.Took(s, d.At), pace.Answer{Status: 429, ReceivedAt: d.At}), 1e6, 200)
		if _, err := json.Marshal(s); err != nil {
			t.Error(err)
		}
	})
}
