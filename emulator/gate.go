package emulator

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// gate is the gateway in front of the API: routes, keys and the request rate.
// What passes meets the scenario's rules, whose counts therefore count only
// what passed.
func (v *visit) gate(header http.Header) (reply, bool) {
	e := v.e
	e.mu.Lock()
	defer e.mu.Unlock()
	switch {
	case v.target.route == RouteNone:
		return v.gateway(http.StatusNotFound, "no Route matched with those values"), true
	case v.key == "":
		return v.gateway(http.StatusUnauthorized, "No API key found in request"), true
	case !e.accepts(v):
		return v.gateway(http.StatusUnauthorized, "Invalid authentication credentials"), true
	}
	e.noteEarly(v)
	verdict := e.limiterOf(v.key).admit(v.at.client)
	if e.config.RateHeaders {
		verdict.tell(header)
	}
	if !verdict.admitted {
		return e.throttle(v, verdict.wait), true
	}
	if v.target.route == RouteMethod {
		refusal := v.refuse(apiError{http.StatusMethodNotAllowed, "method_not_allowed", "exports", "Method not allowed."})
		refusal.header["Allow"] = strings.Join(v.target.allow, ", ")
		return refusal, true
	}
	v.fault = v.pick(func(f Fault) bool { return f.Cut != CutRefused })
	return reply{}, false
}

// accepts decides whether the key works now and whose it is.
func (e *Emulator) accepts(v *visit) bool {
	user, known := e.config.OtherKeys[v.key]
	if v.key == e.config.Key {
		user, known = 1, true
	}
	v.user = user
	passed := v.at.org.Sub(e.clock.start)
	for _, event := range e.config.Scenario.Keys {
		struck := orDefault(event.Key, e.config.Key) == v.key
		back := event.RestoreAt != 0 && passed >= event.RestoreAt
		if struck && passed >= event.RevokeAt && !back {
			return false
		}
	}
	return known
}

func (e *Emulator) limiterOf(key string) *limiter {
	l, known := e.limiters[key]
	if !known {
		l = newLimiter(e.config, e.clock.base)
		e.limiters[key] = l
	}
	return l
}

// noteEarly counts a request that comes although its key was told to wait.
func (e *Emulator) noteEarly(v *visit) {
	if v.at.client.Before(e.closed[v.key]) {
		e.counts.EarlyCalls++
	}
}

// throttle refuses with 429 and says for how long, in the configured form.
func (e *Emulator) throttle(v *visit, wait time.Duration) reply {
	refusal := v.gateway(http.StatusTooManyRequests, "API rate limit exceeded")
	seconds := max(1, int64((wait+time.Second-1)/time.Second))
	form := ""
	switch e.config.RetryAfter {
	case RetrySeconds:
		form = strconv.FormatInt(seconds, 10)
	case RetryDate:
		form = v.at.org.Truncate(time.Second).Add(time.Duration(seconds) * time.Second).Format(http.TimeFormat)
	}
	if form != "" {
		refusal.header["Retry-After"] = form
	}
	return refusal
}

// sendAway notes until when a Retry-After closes the door. Absurd values close
// nothing.
func (e *Emulator) sendAway(v *visit, retryAfter string) {
	var wait time.Duration
	if seconds, err := strconv.ParseInt(retryAfter, 10, 32); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if date, err := http.ParseTime(retryAfter); err == nil {
		wait = date.Sub(v.at.org.Truncate(time.Second))
	}
	const most = 366 * 24 * time.Hour
	if wait <= 0 || wait > most {
		return
	}
	if until := e.clock.read().client.Add(wait); until.After(e.closed[v.key]) {
		e.closed[v.key] = until
	}
}

// tell writes the verdict into the headers that gateways use.
func (v verdict) tell(header http.Header) {
	reset := strconv.Itoa(max(1, ceil(v.wait.Seconds())))
	header.Set("RateLimit-Limit", strconv.Itoa(v.limit))
	header.Set("RateLimit-Remaining", strconv.Itoa(v.remaining))
	header.Set("RateLimit-Reset", reset)
	header.Set("X-RateLimit-Limit-Second", strconv.Itoa(v.limit))
	header.Set("X-RateLimit-Remaining-Second", strconv.Itoa(v.remaining))
}
