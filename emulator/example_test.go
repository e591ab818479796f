package emulator_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/weirhq/weir/emulator"
)

// A client under test talks to an emulated organisation without a network. The
// first POST takes effect although its answer is lost.
func Example() {
	scenario, err := emulator.ParseScenario([]byte(`
rules:
  - match: {method: POST, nth: 1}
    cut: after
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := emulator.New(emulator.Config{
		Key: "made-up", Slots: 1, Scenario: scenario, Start: time.Date(2026, 11, 23, 15, 4, 5, 0, time.UTC),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	client := &http.Client{Transport: e.RoundTripper()}
	for range 2 {
		r, err := http.NewRequest("POST", "http://any.host/v4/export/forecast/net_arr", strings.NewReader(`{"timePeriod":"2026_Q4"}`))
		if err != nil {
			fmt.Println(err)
			return
		}
		r.Header.Set("apikey", "made-up")
		w, err := client.Do(r)
		if err != nil {
			fmt.Println("lost:", err)
			continue
		}
		body, err := io.ReadAll(w.Body)
		w.Body.Close()
		fmt.Println(w.StatusCode, strings.Contains(string(body), "export_monthly_quota_reached"), err)
	}
	fmt.Println("jobs made:", e.Counters().JobsMade())
	// Output:
	// lost: Post "http://any.host/v4/export/forecast/net_arr": read tcp: connection reset by peer
	// 400 true <nil>
	// jobs made: 1
}
