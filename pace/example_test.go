package pace_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"time"

	"github.com/weirhq/weir/pace"
)

// Wrap the transport of a client, and all its requests keep to the limit.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "ok")
	}))
	defer server.Close()

	gate := pace.NewGate(pace.Config{Policy: pace.Policy{Rate: 10}}, pace.State{})
	client := &http.Client{Transport: &pace.Transport{Gate: gate}}

	response, err := client.Get(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer response.Body.Close()
	fmt.Println(response.Status)
	// Output: 200 OK
}

// A worker that has other things to do bounds its wait, and learns at once when
// to come back.
func ExampleWithMaxWait() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
	}))
	defer server.Close()
	client := &http.Client{Transport: &pace.Transport{Gate: pace.NewGate(pace.Config{}, pace.State{})}}

	ctx := pace.WithMaxWait(context.Background(), 10*time.Second)
	for range 2 {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		response, err := client.Do(request)
		var closed *pace.ClosedError
		switch {
		case errors.As(err, &closed):
			fmt.Println("in", time.Until(closed.Until).Round(time.Minute), "because", closed.Reason)
		case err != nil:
			fmt.Println(err)
		default:
			response.Body.Close()
			fmt.Println(response.Status)
		}
	}
	// Output:
	// 429 Too Many Requests
	// in 1h0m0s because retry_after
}

// The decisions are pure: a state, an instant, a verdict.
func ExamplePolicy_Decide() {
	policy := pace.Policy{Rate: 2, Burst: 1, Jitter: pace.NoJitter}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var state pace.State

	say := func(now time.Time) {
		d := policy.Decide(state, now)
		fmt.Println(d.Go, d.At.Format("15:04:05.0"), d.Reason)
	}
	say(now)
	state = policy.Took(state, now)
	say(now)
	state = policy.Observe(state, pace.Answer{Status: 429, StartedAt: now, ReceivedAt: now})
	say(now)
	say(now.Add(5 * time.Second))
	// Output:
	// true 12:00:00.0 open
	// false 12:00:00.5 paced
	// false 12:00:05.0 back_off
	// true 12:00:05.0 open
}

// What was learned is kept as text, and the next run goes on from there.
func ExampleParseState() {
	policy := pace.Policy{Jitter: pace.NoJitter}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	state := policy.Took(pace.State{}, now)
	state = policy.Observe(state, pace.Answer{Status: 429, Header: http.Header{"Retry-After": {"30"}}, StartedAt: now, ReceivedAt: now})

	text, err := json.Marshal(state) // a Config.OnChange would store it
	if err != nil {
		fmt.Println(err)
		return
	}
	stored, err := pace.ParseState(string(text))
	fmt.Println(stored.ClosedUntil.Format(time.TimeOnly), err)

	_, err = pace.ParseState("not a state")
	fmt.Println(errors.Is(err, pace.ErrState))
	// Output:
	// 12:00:30 <nil>
	// true
}

func ExampleParseRetryAfter() {
	received := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	fmt.Println(pace.ParseRetryAfter("90", received, ""))
	fmt.Println(pace.ParseRetryAfter("Sun, 01 Mar 2026 11:00:30 GMT", received, "Sun, 01 Mar 2026 11:00:00 GMT"))
	fmt.Println(pace.ParseRetryAfter("soon", received, ""))
	// Output:
	// 1m30s true
	// 30s true
	// 0s false
}
