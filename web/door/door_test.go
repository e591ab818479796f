package door_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/weirhq/weir/web/door"
)

const token = "0123456789abcdef-secret"

// house is a door before a page that says who came in.
type house struct {
	door *door.Door
	http.Handler
}

func newHouse(t *testing.T, change func(*door.Config)) house {
	t.Helper()
	c := door.Config{Token: token, Listen: "127.0.0.1:8120"}
	if change != nil {
		change(&c)
	}
	d, err := door.New(c)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	page := func(w http.ResponseWriter, status int, note door.Note, next string) {
		w.WriteHeader(status)
		io.WriteString(w, string(note)+" next="+next)
	}
	mux.Handle("/login", d.Entrance(page))
	mux.Handle("/logout", d.Entrance(page))
	mux.Handle("/", d.Guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "in "+door.VisitorOf(r.Context()).CSRF)
	}), door.Terms{}))
	mux.Handle("/foreign", d.Guard(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {}), door.Terms{Foreign: true, Programs: true, Policy: "default-src 'self'"}))
	return house{d, mux}
}

// ask sends one request; headers are "Name: value".
func (h house) ask(method, target, body string, headers ...string) *http.Response {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host, r.RemoteAddr = "127.0.0.1:8120", "192.0.2.7:4000"
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		switch name {
		case "Host":
			r.Host = value
		case "From":
			r.RemoteAddr = value
		default:
			r.Header.Set(name, value)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

// login follows a one-time link and returns the cookie and the form's token.
func (h house) login(t *testing.T) (cookie, csrf string) {
	t.Helper()
	link, err := url.Parse(h.door.Link())
	if err != nil {
		t.Fatal(err)
	}
	answer := h.ask("GET", link.RequestURI(), "")
	if answer.StatusCode != http.StatusSeeOther || len(answer.Cookies()) != 1 {
		t.Fatalf("the link answers %d with %d cookies", answer.StatusCode, len(answer.Cookies()))
	}
	c := answer.Cookies()[0]
	cookie = "Cookie: " + c.Name + "=" + c.Value
	body, _ := io.ReadAll(h.ask("GET", "/", "", cookie).Body)
	csrf, in := strings.CutPrefix(string(body), "in ")
	if !in || csrf == "" {
		t.Fatalf("after the login the page says %q", body)
	}
	return cookie, csrf
}

func TestWhoComesIn(t *testing.T) {
	h := newHouse(t, nil)
	cookie, csrf := h.login(t)
	own := "Origin: http://127.0.0.1:8120"
	for _, test := range []struct {
		name, method, target, body string
		headers                    []string
		want                       int
	}{
		{"nobody", "GET", "/", "", nil, 303},
		{"a program that is nobody", "GET", "/foreign", "", nil, 401},
		{"nobody who posts", "POST", "/", "x=1", nil, 401},
		{"the token", "GET", "/", "", []string{"Authorization: Bearer " + token}, 200},
		{"the token posts", "POST", "/", "x=1", []string{"Authorization: Bearer " + token}, 200},
		{"the token from a foreign page", "POST", "/", "x=1", []string{"Authorization: Bearer " + token, "Origin: http://evil.example"}, 403},
		{"a wrong token", "GET", "/foreign", "", []string{"Authorization: Bearer " + token + "x", "From: 192.0.2.8:1"}, 401},
		{"the cookie", "GET", "/", "", []string{cookie}, 200},
		{"a changed cookie", "GET", "/", "", []string{cookie + "x"}, 303},
		{"an expiry put off", "GET", "/", "", []string{strings.Replace(cookie, "=1", "=9", 1)}, 303},
		{"another host's name", "GET", "/", "", []string{cookie, "Host: evil.example:8120"}, 421},
		{"localhost", "GET", "/", "", []string{cookie, "Host: localhost:8120"}, 200},
		{"another port", "GET", "/", "", []string{cookie, "Host: 127.0.0.1:9"}, 421},
		{"a form of ours", "POST", "/", "csrf=" + csrf, []string{cookie, own}, 200},
		{"a script of ours", "POST", "/", "{}", []string{cookie, own, door.CSRFHeader + ": " + csrf}, 200},
		{"a form without its token", "POST", "/", "x=1", []string{cookie, own}, 403},
		{"a form with another token", "POST", "/", "csrf=guess", []string{cookie, own}, 403},
		{"a form of another site", "POST", "/", "csrf=" + csrf, []string{cookie, "Origin: http://evil.example"}, 403},
		{"a form of a sandbox", "POST", "/", "csrf=" + csrf, []string{cookie, "Origin: null"}, 403},
		{"a form of another port", "POST", "/", "csrf=" + csrf, []string{cookie, "Origin: http://127.0.0.1:9"}, 403},
		{"a form that says nothing", "POST", "/", "csrf=" + csrf, []string{cookie}, 403},
		{"same site is not same origin", "POST", "/", "csrf=" + csrf, []string{cookie, own, "Sec-Fetch-Site: same-site"}, 403},
		{"a deletion", "DELETE", "/", "", []string{cookie, own}, 403},
		{"a read by another site's script", "GET", "/", "", []string{cookie, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors"}, 403},
		{"a link from another site", "GET", "/", "", []string{cookie, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"}, 200},
		{"foreign scripts prove by origin alone", "POST", "/foreign", "{}", []string{cookie, own}, 200},
		{"and by nothing less", "POST", "/foreign", "{}", []string{cookie, "Origin: http://evil.example"}, 403},
	} {
		t.Run(test.name, func(t *testing.T) {
			answer := h.ask(test.method, test.target, test.body, test.headers...)
			if answer.StatusCode != test.want {
				body, _ := io.ReadAll(answer.Body)
				t.Errorf("answers %d, want %d: %s", answer.StatusCode, test.want, body)
			}
			if answer.Header.Get("X-Content-Type-Options") != "nosniff" || answer.Header.Get("Content-Security-Policy") == "" || answer.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("headers are missing: %v", answer.Header)
			}
		})
	}
}

func TestReadOnlyChangesNothing(t *testing.T) {
	h := newHouse(t, func(c *door.Config) { c.ReadOnly = true })
	cookie, csrf := h.login(t)
	for name, headers := range map[string][]string{
		"browser": {cookie, "Origin: http://127.0.0.1:8120", door.CSRFHeader + ": " + csrf},
		"program": {"Authorization: Bearer " + token},
	} {
		if got := h.ask("POST", "/", "{}", headers...).StatusCode; got != http.StatusForbidden {
			t.Errorf("%s: answers %d", name, got)
		}
	}
}

func TestLinkWorksOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, nil)
		used, late := h.door.Link(), h.door.Link()
		at, _ := url.Parse(used)
		if got := h.ask("GET", at.RequestURI(), "", "Sec-Purpose: prefetch").StatusCode; got != http.StatusNoContent {
			t.Errorf("a look ahead answers %d", got)
		}
		if got := h.ask("GET", at.RequestURI(), "").StatusCode; got != http.StatusSeeOther {
			t.Errorf("the first use answers %d", got)
		}
		if got := h.ask("GET", at.RequestURI(), "").StatusCode; got != http.StatusUnauthorized {
			t.Errorf("the second use answers %d", got)
		}
		time.Sleep(door.CodeLife)
		at, _ = url.Parse(late)
		if got := h.ask("GET", at.RequestURI(), "").StatusCode; got != http.StatusUnauthorized {
			t.Errorf("a link of a quarter of an hour ago answers %d", got)
		}
	})
}

func TestLoginByToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, nil)
		form := url.Values{"token": {token}, "next": {"//evil.example/"}}.Encode()
		own := "Origin: http://127.0.0.1:8120"
		answer := h.ask("POST", "/login", form, own)
		if answer.StatusCode != http.StatusSeeOther || answer.Header.Get("Location") != "/" {
			t.Errorf("the token answers %d to %q", answer.StatusCode, answer.Header.Get("Location"))
		}
		if c := answer.Cookies()[0]; !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Secure {
			t.Errorf("the cookie is %v", c)
		}
		if got := h.ask("POST", "/login", form, "Origin: http://evil.example").StatusCode; got != http.StatusForbidden {
			t.Errorf("a foreign form answers %d", got)
		}
		for n := range 6 {
			got := h.ask("POST", "/login", "token=guess", own).StatusCode
			if want := []int{401, 401, 401, 401, 401, 429}[n]; got != want {
				t.Errorf("guess %d answers %d, want %d", n+1, got, want)
			}
		}
		if got := h.ask("POST", "/login", form, own).StatusCode; got != http.StatusTooManyRequests {
			t.Errorf("after five guesses the token answers %d", got)
		}
		if got := h.ask("POST", "/login", form, own, "From: 192.0.2.99:1").StatusCode; got != http.StatusSeeOther {
			t.Errorf("from another address the token answers %d", got)
		}
		time.Sleep(time.Minute)
		if got := h.ask("POST", "/login", form, own).StatusCode; got != http.StatusSeeOther {
			t.Errorf("a minute later the token answers %d", got)
		}
	})
}

func TestLoginEndsAndIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse(t, nil)
		cookie, csrf := h.login(t)
		if renewed := h.ask("GET", "/", "", cookie).Cookies(); len(renewed) != 0 {
			t.Errorf("a fresh login is renewed: %v", renewed)
		}
		time.Sleep(door.CookieLife * 3 / 4)
		renewed := h.ask("GET", "/", "", cookie).Cookies()
		if len(renewed) != 1 {
			t.Fatalf("three quarters over, a login gets %d cookies", len(renewed))
		}
		time.Sleep(door.CookieLife / 2)
		if got := h.ask("GET", "/", "", cookie).StatusCode; got != http.StatusSeeOther {
			t.Errorf("an old cookie answers %d", got)
		}
		fresh := "Cookie: " + renewed[0].Name + "=" + renewed[0].Value
		if got := h.ask("POST", "/", "csrf="+csrf, fresh, "Origin: http://127.0.0.1:8120").StatusCode; got != http.StatusOK {
			t.Errorf("a page from before the renewal answers %d", got)
		}
	})
}

func TestPublicName(t *testing.T) {
	public, err := door.ParsePublic("https://weir.example/")
	if err != nil {
		t.Fatal(err)
	}
	h := newHouse(t, func(c *door.Config) { c.Public = public })
	if link := h.door.Link(); !strings.HasPrefix(link, "https://weir.example/login?once=") {
		t.Errorf("the link is %s", link)
	}
	form := url.Values{"token": {token}}.Encode()
	answer := h.ask("POST", "/login", form, "Host: weir.example", "Origin: https://weir.example")
	if answer.StatusCode != http.StatusSeeOther || !answer.Cookies()[0].Secure {
		t.Errorf("under the public name: %d, cookies %v", answer.StatusCode, answer.Cookies())
	}
	if got := h.ask("POST", "/login", form, "Host: weir.example", "Origin: http://weir.example").StatusCode; got != http.StatusForbidden {
		t.Errorf("the public name without TLS answers %d", got)
	}
	for _, bad := range []string{"weir.example", "ftp://weir.example", "https://u:p@weir.example", "https://weir.example/x", "https://weir.example?a"} {
		if u, err := door.ParsePublic(bad); err == nil {
			t.Errorf("%s is taken as %s", bad, u)
		}
	}
}

func TestBadTokens(t *testing.T) {
	for _, bad := range []string{"", "short", strings.Repeat("x", door.MinToken-1), strings.Repeat("x", 20) + "\n", strings.Repeat("ü", 20)} {
		if _, err := door.New(door.Config{Token: bad, Listen: "127.0.0.1:1"}); err == nil {
			t.Errorf("token %q is taken", bad)
		}
	}
}

func TestLogout(t *testing.T) {
	h := newHouse(t, nil)
	cookie, _ := h.login(t)
	answer := h.ask("POST", "/logout", "", cookie, "Origin: http://127.0.0.1:8120")
	if answer.StatusCode != http.StatusSeeOther || answer.Cookies()[0].MaxAge >= 0 {
		t.Errorf("logging out answers %d with %v", answer.StatusCode, answer.Cookies())
	}
}
