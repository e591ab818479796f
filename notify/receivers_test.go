package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/weirhq/weir/ledger"
	"github.com/weirhq/weir/notify"
)

func message(kind string) ledger.Message {
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	return ledger.Message{
		Token: "TOKEN1", Receiver: "ops", Account: "acme", Kind: kind, OpenedAt: at, Count: 12,
		Samples: []ledger.Sample{{At: at, Export: 7, Text: "net_arr 2026_Q1 (export 7): job_failed"}},
	}
}

func secret(text string) notify.Secret {
	return func(context.Context) (string, error) { return text, nil }
}

// listener answers as told and keeps the last request.
type listener struct {
	*httptest.Server
	status  int
	header  http.Header
	body    []byte
	asked   int
	respond http.Header
}

func listen(t *testing.T) *listener {
	l := &listener{status: http.StatusNoContent}
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		l.asked++
		l.header = r.Header
		l.body, _ = io.ReadAll(r.Body)
		for name, values := range l.respond {
			w.Header()[name] = values
		}
		w.WriteHeader(l.status)
	}))
	t.Cleanup(l.Close)
	return l
}

func TestWebhook(t *testing.T) {
	l := listen(t)
	hook := notify.NewWebhook(l.URL+"/hook", secret("s3cret"))
	if err := hook.Send(t.Context(), message(notify.Failed)); err != nil {
		t.Fatal(err)
	}
	if err := notify.Verify("s3cret", l.header, l.body, time.Now(), time.Minute); err != nil {
		t.Errorf("a receiver with the secret refuses: %v", err)
	}
	for name, err := range map[string]error{
		"another secret": notify.Verify("other", l.header, l.body, time.Now(), time.Minute),
		"another body":   notify.Verify("s3cret", l.header, append(l.body, ' '), time.Now(), time.Minute),
		"an hour later":  notify.Verify("s3cret", l.header, l.body, time.Now().Add(time.Hour), time.Minute),
	} {
		if !errors.Is(err, notify.ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	moved := l.header.Clone()
	moved.Set(notify.HeaderTimestamp, "1")
	if err := notify.Verify("s3cret", moved, l.body, time.Unix(1, 0), time.Minute); !errors.Is(err, notify.ErrSignature) {
		t.Errorf("another timestamp: %v", err)
	}
	var got notify.Payload
	if err := json.Unmarshal(l.body, &got); err != nil {
		t.Fatal(err)
	}
	if got.ID != "TOKEN1" || l.header.Get(notify.HeaderID) != "TOKEN1" || got.Count != 12 || got.News[0].Export != 7 || got.Kind != "failed" {
		t.Errorf("the body is %s", l.body)
	}
}

// No redirect is followed, no address but https or loopback is used, and no
// error shows an address or a secret.
func TestWebhookRefuses(t *testing.T) {
	l, elsewhere := listen(t), listen(t)
	l.status, l.respond = http.StatusTemporaryRedirect, http.Header{"Location": {elsewhere.URL}}
	err := notify.NewWebhook(l.URL+"/path-s3cret", secret("s3cret")).Send(t.Context(), message(notify.Failed))
	if !errors.Is(err, notify.ErrAnswer) || elsewhere.asked != 0 {
		t.Errorf("a redirect: %v, followed %d times", err, elsewhere.asked)
	}
	l.status, l.respond = http.StatusTooManyRequests, http.Header{"Retry-After": {"90"}}
	var later *notify.LaterError
	if err = notify.NewWebhook(l.URL, secret("s3cret")).Send(t.Context(), message(notify.Failed)); !errors.As(err, &later) || later.After != 90*time.Second {
		t.Errorf("429: %v", err)
	}
	for _, url := range []string{"http://example.com/s3cret", "ftp://127.0.0.1/s3cret", "http://127.0.0.1.example.com/s3cret", "%zz", ""} {
		err := notify.NewWebhook(url, secret("s3cret")).Send(t.Context(), message(notify.Failed))
		if !errors.Is(err, notify.ErrAddress) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", url, err)
		}
	}
	l.Close()
	for _, to := range []notify.Receiver{notify.NewWebhook(l.URL+"/s3cret", secret("s3cret")), notify.NewSlack(secret(l.URL + "/s3cret"))} {
		if err := to.Send(t.Context(), message(notify.Failed)); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("nobody listens: %v", err)
		}
	}
	broken := func(context.Context) (string, error) { return "", errors.New("no such variable") }
	if err := notify.NewWebhook(l.URL, broken).Send(t.Context(), message(notify.Failed)); !errors.Is(err, notify.ErrSecret) {
		t.Errorf("no secret: %v", err)
	}
}

// Slack shows a hostile name as text.
func TestSlack(t *testing.T) {
	l := listen(t)
	m := message(notify.Rejected)
	m.Account, m.Samples[0].Text = "acme <!channel>", "``` <https://evil.test|click> *bold* \x1b[31m"
	if err := notify.NewSlack(secret(l.URL)).Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Text string `json:"text"`
	}
	if err := json.Unmarshal(l.body, &got); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(got.Text, "<>\x1b") || strings.Count(got.Text, "```") != 2 || strings.Count(got.Text, "*") != 2 {
		t.Errorf("the text is %s", got.Text)
	}
	if !strings.Contains(got.Text, "results were refused by verification (12)") || !strings.Contains(got.Text, "and 11 more") {
		t.Errorf("the text is %s", got.Text)
	}
}

// Every kind has words of its own.
func TestKindsHaveWords(t *testing.T) {
	for _, kind := range notify.Kinds() {
		if notify.Title(kind) == kind || kind != notify.Recovered && notify.Advice(kind) == "" {
			t.Errorf("%s has no words", kind)
		}
	}
}
