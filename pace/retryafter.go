package pace

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// ParseRetryAfter reads the value of a Retry-After header (RFC 9110 §10.2.3):
// seconds, with or without decimals, or an HTTP-date. A date is measured against
// serverDate, the same response's Date header, so that the two clocks need not
// agree; where that is not readable, against received. A value that is empty,
// zero, negative, past, over 366 days, or not readable is not ok: the server
// told nothing usable. If ok, 0 < d ≤ 366 days, rounded up.
func ParseRetryAfter(value string, received time.Time, serverDate string) (d time.Duration, ok bool) {
	value = strings.TrimSpace(value)
	if d, ok = parseSeconds(value); ok {
		return d, true
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	from, err := http.ParseTime(strings.TrimSpace(serverDate))
	if err != nil {
		from = received
	}
	d = until.Sub(from) // saturates, so an absurd date is over 366 days
	if d <= 0 || d > longestTold {
		return 0, false
	}
	return d, true
}

// parseSeconds reads digits with at most one decimal point between them: no
// sign, exponent or name of a number. If ok, 0 < d ≤ 366 days.
func parseSeconds(text string) (d time.Duration, ok bool) {
	whole, decimals, pointed := strings.Cut(text, ".")
	if !allDigits(whole) || pointed && !allDigits(decimals) {
		return 0, false
	}
	seconds, err := strconv.ParseFloat(text, 64)
	if err != nil || !(seconds > 0) || seconds > longestTold.Seconds() {
		return 0, false
	}
	return span(seconds), true
}

func allDigits(text string) bool {
	for _, c := range []byte(text) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return text != ""
}
