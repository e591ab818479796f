package clari

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/weirhq/weir"
)

func TestNewKey(t *testing.T) {
	for text, want := range map[string]string{"abc": "abc", "abc\n": "abc", "abc\r\n": "abc", " a b ": " a b "} {
		if key, err := NewKey(text); err != nil || key.reveal() != want {
			t.Errorf("%q: got %q, %v", text, key.reveal(), err)
		}
	}
	for _, text := range []string{"", "\n", " ", "hunter2\n\n", "hun\tter2", "hunter2\x00", "\x7fhunter2", "hunter2\u0085", strings.Repeat("hunter2", 2000)} {
		_, err := NewKey(text)
		if !errors.Is(err, ErrKey) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestKeyFingerprint(t *testing.T) {
	a, again, b := keyOf(t, "a"), keyOf(t, "a"), keyOf(t, "b")
	salt := []byte("salt")
	if a.Fingerprint(salt) != again.Fingerprint(salt) || a.Fingerprint(salt) == b.Fingerprint(salt) || a.Fingerprint(salt) == a.Fingerprint(nil) {
		t.Error("fingerprints do not tell keys and salts apart")
	}
	if len(a.Fingerprint(salt)) != 32 {
		t.Error(a.Fingerprint(salt))
	}
}

// renderings are all the ways by which a value gets into a text.
func renderings(v any) string {
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%b", "%o", "%c", "%U", "%e"} {
		fmt.Fprintf(&b, verb+"\n", v)
	}
	raw, _ := json.Marshal(v)
	b.Write(raw)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "v", v)
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "v", v)
	for err, ok := v.(error); ok && err != nil; err = errors.Unwrap(err) {
		fmt.Fprintf(&b, "%v %+v %#v\n", err, err, err)
	}
	return b.String()
}

func assertNoKey(t *testing.T, what string, v any) {
	t.Helper()
	shown := renderings(v)
	for _, form := range []string{testKey, fmt.Sprintf("%x", testKey), fmt.Sprintf("%X", testKey)} {
		if strings.Contains(shown, form) {
			t.Errorf("%s shows the key:\n%s", what, shown)
		}
	}
}

func TestKeyIsNeverShown(t *testing.T) {
	key := keyOf(t, testKey)
	c := clientFor(t, "https://api.clari.com/v4")
	type holder struct {
		Public  Key
		private Key
		pointer *Key
	}
	for what, v := range map[string]any{
		"key": key, "pointer": &key, "holder": holder{key, key, &key}, "pointer to holder": &holder{key, key, &key},
		"map": map[string]Key{"k": key}, "list": []Key{key}, "client": c, "client value": *c,
	} {
		assertNoKey(t, what, v)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d", "%t", "%U", "%z"} {
		if got := fmt.Sprintf(verb, key); got != blanked {
			t.Errorf("%s shows %s", verb, got)
		}
	}
	if key.String() != blanked || key.GoString() != blanked {
		t.Error(key.String(), key.GoString())
	}
}

// parrot answers, or fails, with the key it was given.
type parrot struct{ err bool }

func (p parrot) RoundTrip(r *http.Request) (*http.Response, error) {
	key := r.Header.Get("apikey")
	if p.err {
		return nil, fmt.Errorf("transport with key %s: %w", key, ErrNotSent)
	}
	return nil, fmt.Errorf("lost with key %s", key)
}

func TestErrorsNeverShowTheKey(t *testing.T) {
	ctx := t.Context()
	echo := func(status int, body string) *Client {
		c, _ := serve(t, status, body, "Retry-After", testKey, "X-Request-Id", testKey)
		return c
	}
	envelope := `{"code":"` + testKey + `","message":"` + strings.Repeat("x", 290) + testKey + `","errorId":"` + testKey + `","orgId":"` + testKey + `"}`
	clients := map[string]*Client{
		"400": echo(400, envelope), "401": echo(401, envelope), "500 page": echo(500, "<title>"+testKey+"</title>"), "429": echo(429, testKey),
		"200 undecodable": echo(200, testKey), "cut": echo(400, testKey),
		"transport":          clientFor(t, "", WithTransport(parrot{})),
		"refusing transport": clientFor(t, "", WithTransport(parrot{err: true})),
	}
	for name, c := range clients {
		_, err := c.Jobs(ctx)
		assertNoKey(t, name+" list", err)
		_, err = c.Start(ctx, weir.Request{Kind: weir.Forecast, ForecastID: testKey, Period: "2026_Q1"})
		assertNoKey(t, name+" start", err)
		_, err = c.Start(ctx, weir.Request{Kind: weir.Forecast, ForecastID: testKey, Period: weir.Period(testKey)})
		assertNoKey(t, name+" refused start", err)
		_, err = c.Results(ctx, testKey)
		assertNoKey(t, name+" results", err)
	}
	_, err := clients["refusing transport"].Start(ctx, weir.Request{Kind: weir.Audit})
	if !errors.Is(err, ErrNotSent) {
		t.Errorf("got %v", err)
	}
}
