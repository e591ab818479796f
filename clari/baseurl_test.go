package clari

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestBaseURL(t *testing.T) {
	for _, tt := range []struct {
		in       string
		insecure bool
		want     string // empty: refused
	}{
		{"", false, DefaultBaseURL},
		{"https://api.clari.com/v4", false, "https://api.clari.com/v4"},
		{"https://api.clari.com/v4//", false, "https://api.clari.com/v4"},
		{"https://api.clari.com", false, "https://api.clari.com"},
		{"http://127.0.0.1:8099/v4/", false, "http://127.0.0.1:8099/v4"},
		{"http://[::1]:8099", false, "http://[::1]:8099"},
		{"http://LOCALHOST/v4", false, "http://LOCALHOST/v4"},
		{"http://proxy.internal/v4", true, "http://proxy.internal/v4"},
		{"https://h/a%2Fb", false, "https://h/a%2Fb"},
		{"http://api.clari.com/v4", false, ""},
		{"http://127.0.0.1.example.com", false, ""},
		{"http://localhost.example.com", false, ""},
		{"http://0.0.0.0", false, ""},
		{"ftp://127.0.0.1", true, ""},
		{"api.clari.com/v4", false, ""},
		{"https://", false, ""},
		{"https://:443", false, ""},
		{"https:api.clari.com", false, ""},
		{"https://user:hunter2@api.clari.com", true, ""},
		{"https://user:hunter2/word@api.clari.com", true, ""},
		{"https://api.clari.com/v4?apikey=hunter2", true, ""},
		{"https://api.clari.com/v4?", true, ""},
		{"https://api.clari.com/v4#hunter2", true, ""},
		{"https://api.clari.com/\x00hunter2", true, ""},
	} {
		base, err := parseBaseURL(tt.in, tt.insecure)
		switch {
		case tt.want == "" && (err == nil || !errors.Is(err, ErrBaseURL)):
			t.Errorf("%q: got %v, %v", tt.in, base, err)
		case tt.want == "" && strings.Contains(err.Error(), "hunter2"):
			t.Errorf("%q: %v shows a secret", tt.in, err)
		case tt.want != "" && (err != nil || base.String() != tt.want):
			t.Errorf("%q: got %v, %v", tt.in, base, err)
		}
	}
}

func TestNewReportsAllFaults(t *testing.T) {
	_, err := New("ftp://x", Key{}, WithPostTimeout(0), WithIdleTimeout(-1), WithUserAgent("a\r\nb"))
	if !errors.Is(err, ErrBaseURL) || !errors.Is(err, ErrKey) {
		t.Errorf("got %v", err)
	}
	for _, word := range []string{"post timeout", "idle timeout", "user agent"} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%v does not speak of the %s", err, word)
		}
	}
}

func TestRedirectTarget(t *testing.T) {
	for _, tt := range []struct{ from, location, want string }{
		{"https://a/v4/x", "https://b/y", "https://b/y"},
		{"https://a/v4/x", "/y?z=1", "https://a/y?z=1"},
		{"http://127.0.0.1:1/x", "http://127.0.0.1:1/y", "http://127.0.0.1:1/y"},
		{"http://127.0.0.1:1/x", "https://b/y", "https://b/y"},
		{"http://127.0.0.1:1/x", "http://127.0.0.1:2/y", ""},
		{"https://127.0.0.1:1/x", "http://127.0.0.1:1/y", ""},
		{"https://a/x", "http://a/y", ""},
		{"http://a/x", "http://a/y", ""},
		{"https://a/x", "https://u:p@b/y", ""},
		{"https://a/x", "file:///etc/passwd", ""},
		{"https://a/x", "https:///y", ""},
		{"https://a/x", "", ""},
		{"https://a/x", "https://b/%zz", ""},
	} {
		from, _ := url.Parse(tt.from)
		got, err := redirectTarget(from, tt.location)
		if tt.want == "" && !errors.Is(err, ErrOrigin) || tt.want != "" && (err != nil || got.String() != tt.want) {
			t.Errorf("%s to %q: got %v, %v", tt.from, tt.location, got, err)
		}
	}
}

func TestResolveNextLink(t *testing.T) {
	const listing = "https://api.clari.com/v4/audit/events"
	for link, want := range map[string]string{
		"https://api.clari.com/v4/audit/events?c=1": listing + "?c=1",
		"https://API.clari.com:443/v4/audit/events": "https://API.clari.com:443/v4/audit/events",
		"/v4/audit/events?c=1#x":                    listing + "?c=1",
		"?c=1":                                      listing + "?c=1",
		"https://api.clari.com.evil/v4":             "",
		"https://api.clari.com:444/v4":              "",
		"http://api.clari.com/v4":                   "",
		"//evil/v4":                                 "",
		"https://u:p@api.clari.com/v4":              "",
		"javascript:alert(1)":                       "",
		"":                                          "",
	} {
		got, err := resolveNextLink(listing, link)
		if want == "" && !errors.Is(err, ErrOrigin) || want != "" && (err != nil || got.String() != want) {
			t.Errorf("%q: got %v, %v", link, got, err)
		}
	}
}

// Whatever an id holds, it stays one segment of the path.
func TestIDsAreEscaped(t *testing.T) {
	var seen string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = r.RequestURI
		_, _ = w.Write([]byte(`{"status":"DONE"}`))
	}))
	defer server.Close()
	c := clientFor(t, server.URL+"/v4")
	for id, want := range map[string]string{
		"..": "%2E%2E", ".": "%2E", "a/b": "a%2Fb", "a?b#c": "a%3Fb%23c", "a%2Fb": "a%252Fb", "a b;c": "a%20b%3Bc", "报": "%E6%8A%A5",
	} {
		if _, _, err := c.Job(t.Context(), id); err != nil || seen != "/v4/export/jobs/"+want {
			t.Errorf("%q: asked for %s, %v", id, seen, err)
		}
	}
	for _, id := range []string{"", " ", "a\nb", strings.Repeat("a", 201), "\xff"} {
		seen = ""
		if _, _, err := c.Job(t.Context(), id); !errors.Is(err, ErrBadRequest) || seen != "" {
			t.Errorf("%q: asked for %q, %v", id, seen, err)
		}
	}
}
