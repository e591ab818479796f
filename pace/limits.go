package pace

import (
	"cmp"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// maxLimits is how many limits of one answer are kept: the tightest.
	maxLimits = 4
	// longestHold bounds a wait that only RateLimit headers ask for. Should the
	// server mean more, its 429 will say so.
	longestHold = time.Hour
	// maxHeaderBytes bounds how much of one header is read.
	maxHeaderBytes = 4096
)

// Limit is one limit as the RateLimit headers of an answer told it. Read are
//
//   - RateLimit-Remaining with RateLimit-Reset (delta seconds);
//   - RateLimit as a list of structured fields ("default";r=0;t=30, and the
//     older limit=100, remaining=0, reset=30); where t is missing, the w of the
//     like-named RateLimit-Policy stands for it;
//   - X-RateLimit-Remaining-Second and X-RateLimit-Remaining-Minute, which reset
//     after a second, and at the next full minute of the server's Date.
//
// A reset that is not readable or over 366 days (an epoch, say) is ignored; one
// over an hour counts as an hour.
type Limit struct {
	// Left is how many more requests may start before ResetAt, less those that
	// were in flight when it was told.
	Left    int64     `json:"left"`
	ResetAt time.Time `json:"reset_at,omitzero"`
}

// reading is a limit as a header told it.
type reading struct {
	left  int64
	reset time.Duration
}

// readLimits takes over what the answer's headers tell, unless a request that
// started later has told already.
func (s State) readLimits(a Answer) State {
	found := parseLimits(a.Header)
	if len(found) == 0 || a.StartedAt.Before(s.LimitsOf) {
		return s
	}
	// The tightest first: few left, and for long.
	slices.SortStableFunc(found, func(x, y reading) int {
		return cmp.Or(cmp.Compare(x.left, y.left), cmp.Compare(y.reset, x.reset))
	})
	s.Limits, s.LimitsOf = [maxLimits]Limit{}, a.StartedAt
	for i, r := range found[:min(len(found), maxLimits)] {
		s.Limits[i] = Limit{Left: r.left - int64(s.InFlight), ResetAt: a.ReceivedAt.Add(r.reset)}
	}
	return s
}

// spentUntil is when the last of the limits with nothing left resets.
func (s State) spentUntil() time.Time {
	var until time.Time
	for _, l := range s.Limits {
		if l.Left <= 0 && l.ResetAt.After(until) {
			until = l.ResetAt
		}
	}
	return until
}

func parseLimits(h http.Header) []reading {
	var found []reading
	add := func(left, reset string) {
		n, counted := parseCount(left)
		d, timed := parseSeconds(strings.TrimSpace(reset))
		if counted && timed {
			found = append(found, reading{n, min(d, longestHold)})
		}
	}
	add(h.Get("RateLimit-Remaining"), h.Get("RateLimit-Reset"))
	add(h.Get("X-RateLimit-Remaining-Second"), "1")
	add(h.Get("X-RateLimit-Remaining-Minute"), restOfMinute(h.Get("Date")))
	windows := policyWindows(joined(h, "RateLimit-Policy"))
	for _, item := range parseItems(joined(h, "RateLimit")) {
		add(item.params["r"], cmp.Or(item.params["t"], windows[item.name]))
	}
	old := oldParams(joined(h, "RateLimit"))
	add(old["remaining"], old["reset"])
	return found
}

// restOfMinute is how long the server's minute still lasts, in seconds; a whole
// one where its clock is not known.
func restOfMinute(serverDate string) string {
	at, err := http.ParseTime(serverDate)
	if err != nil {
		return "60"
	}
	return strconv.Itoa(60 - at.Second())
}

func policyWindows(text string) map[string]string {
	windows := map[string]string{}
	for _, item := range parseItems(text) {
		windows[item.name] = item.params["w"]
	}
	return windows
}

// oldParams reads "limit=100, remaining=50, reset=30".
func oldParams(text string) map[string]string {
	params := map[string]string{}
	for _, part := range split(text, ',') {
		if name, value, found := strings.Cut(part, "="); found {
			params[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
		}
	}
	return params
}

// item is a member of a structured list (RFC 9651) with its parameters, as far
// as RateLimit fields need it: values are kept as text.
type item struct {
	name   string
	params map[string]string
}

func parseItems(text string) []item {
	var items []item
	for _, member := range split(text, ',') {
		parts := split(member, ';')
		found := item{strings.Trim(strings.TrimSpace(parts[0]), `"`), map[string]string{}}
		for _, part := range parts[1:] {
			name, value, _ := strings.Cut(part, "=")
			found.params[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
		}
		items = append(items, found)
	}
	return items
}

// split cuts text at every separator outside a quoted string.
func split(text string, separator byte) []string {
	var parts []string
	start, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == separator && !quoted:
			parts = append(parts, text[start:i])
			start = i + 1
		}
	}
	return append(parts, text[start:])
}

func joined(h http.Header, name string) string {
	text := strings.Join(h.Values(name), ",")
	return text[:min(len(text), maxHeaderBytes)]
}

func parseCount(text string) (n int64, ok bool) {
	text = strings.TrimSpace(text)
	if !allDigits(text) {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return math.MaxInt32, true // more than anybody will use
	}
	return n, true
}
