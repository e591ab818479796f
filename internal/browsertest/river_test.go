package browsertest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/emulator"
	"github.com/weirhq/weir/internal/servertest"
)

// riverPages shows River's own pages on a real PostgreSQL: behind the login,
// under a policy of their own, closed to other origins.
func riverPages(t *testing.T, program string, browser *Browser) {
	database := servertest.StartPostgres(t)
	database.Login(t)
	state := database.Schema(t)
	s := Play(t, program, emulator.Config{JobTime: time.Second, Seed: 3, ForecastIDs: []string{"net_arr", "new_logo", "people"}}, slow, nil, "--state", state, "--river-ui")
	s.Await(s.Wish("acme", "long")[0], "landed")

	riverDoor(t, s)
	b := browser.Open(t, s.Base)
	b.Enter(s)
	b.Click(`nav a[href="/river/"]`)
	b.Until("River's pages are there", `location.pathname.startsWith("/river/") && /Running/.test(document.body.innerText)`)
	b.Go(s.Base + "/river/jobs?state=completed")
	b.Shows("body", "land")
	b.Quiet("River's pages")
	id := strings.TrimSpace(database.Query(t, "SET search_path = of_test_1", "SELECT min(id) FROM river_job WHERE state = 'completed'"))
	b.Go(s.Base + "/river/jobs/" + id)
	b.Shows("body", "Delete")
	b.Quiet("a job of River's")

	// What River's own buttons do is let through: the browser says whose they are.
	gone := Eval[int](b, `fetch("/river/api/jobs/delete", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({ids: ["`+id+`"]})}).then((r) => r.status)`)
	left := strings.TrimSpace(database.Query(t, "SET search_path = of_test_1", "SELECT count(*) FROM river_job WHERE id = "+id))
	if gone != http.StatusOK || left != "0" {
		t.Errorf("deleting a finished job answers %d, and %s are left", gone, left)
	}

	// A server that is read-only has none, whatever its file says.
	quiet := Play(t, program, emulator.Config{Seed: 3}, slow+"serve: {river_ui: true}\n", nil, "--state", state, "--read-only")
	if got, _ := river(t, quiet, "GET", "/river/", "Authorization: Bearer "+Token); got.StatusCode != http.StatusNotFound {
		t.Errorf("a read-only server answers %d for River's pages", got.StatusCode)
	}
}

// riverDoor asks for River's pages as programs and foreign pages do.
func riverDoor(t *testing.T, s *Stage) {
	t.Helper()
	const in = "Authorization: Bearer " + Token
	for _, test := range []struct {
		name, method, path string
		headers            []string
		want               int
	}{
		{"a page without a login", "GET", "/river/", nil, http.StatusSeeOther},
		{"the API without a login", "GET", "/river/api/states", nil, http.StatusUnauthorized},
		{"a page", "GET", "/river/", []string{in}, http.StatusOK},
		{"the API", "GET", "/river/api/states", []string{in}, http.StatusOK},
		{"a foreign POST", "POST", "/river/api/jobs/delete", []string{in, "Origin: http://evil.example"}, http.StatusForbidden},
		{"a POST of another site", "POST", "/river/api/jobs/cancel", []string{in, "Sec-Fetch-Site: cross-site"}, http.StatusForbidden},
		{"a foreign PUT", "PUT", "/river/api/queues/default/pause", []string{in, "Origin: null"}, http.StatusForbidden},
		{"another name", "GET", "/river/", []string{in, "Host: evil.example"}, http.StatusMisdirectedRequest},
	} {
		got, policy := river(t, s, test.method, test.path, test.headers...)
		if got.StatusCode != test.want {
			t.Errorf("%s answers %d, not %d", test.name, got.StatusCode, test.want)
		}
		if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") || strings.Contains(policy, "script-src 'self' 'unsafe") {
			t.Errorf("%s has the policy %q", test.name, policy)
		}
	}
}

// river sends one request and follows nothing; headers are "Name: value".
func river(t *testing.T, s *Stage, method, path string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.Base+path, strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		if r.Header.Set(name, value); name == "Host" {
			r.Host = value
		}
	}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	return answer, answer.Header.Get("Content-Security-Policy")
}
