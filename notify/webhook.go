package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/weirhq/weir/ledger"
)

// Headers of a webhook. The signature is "v1=" and the hex digits of an
// HMAC-SHA256, by the shared secret, of the timestamp, a full stop and the body.
const (
	HeaderID        = "Weir-Id"
	HeaderTimestamp = "Weir-Timestamp" // Unix seconds of the attempt
	HeaderSignature = "Weir-Signature"
)

// Webhook sends signed JSON to a URL.
type Webhook struct {
	url    string
	secret Secret
	poster poster
}

// NewWebhook is a receiver at a URL, https or on loopback.
func NewWebhook(url string, secret Secret) *Webhook {
	return &Webhook{url: url, secret: secret, poster: newPoster()}
}

// Payload is the body of a webhook.
type Payload struct {
	// ID is the same at every attempt: tell repetitions by it.
	ID       string          `json:"id"`
	Kind     string          `json:"kind"`
	Account  string          `json:"account"`
	Title    string          `json:"title"`
	Advice   string          `json:"advice,omitempty"`
	OpenedAt time.Time       `json:"opened_at"`
	Count    int64           `json:"count"`
	News     []ledger.Sample `json:"news"` // the first few of Count
}

// Send posts the message.
func (w *Webhook) Send(ctx context.Context, m ledger.Message) error {
	body, err := json.Marshal(Payload{
		ID: m.Token, Kind: m.Kind, Account: m.Account, Title: Title(m.Kind), Advice: Advice(m.Kind),
		OpenedAt: m.OpenedAt, Count: m.Count, News: m.Samples,
	})
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	secret, err := w.secret(ctx)
	if err != nil {
		return errors.Join(ErrSecret, err)
	}
	now := strconv.FormatInt(time.Now().Unix(), 10)
	header := http.Header{HeaderID: {m.Token}, HeaderTimestamp: {now}, HeaderSignature: {Sign(secret, now, body)}}
	return w.poster.post(ctx, w.url, header, body)
}

// Sign is the signature of a body sent at a time.
func Sign(secret, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

// ErrSignature marks a webhook that nobody with the secret sent lately.
var ErrSignature = errors.New("not signed with the secret, or too old")

// Verify is what a receiver in Go does: it holds a request's headers and body to
// the secret, and its timestamp to now within a tolerance.
func Verify(secret string, header http.Header, body []byte, now time.Time, tolerance time.Duration) error {
	timestamp := header.Get(HeaderTimestamp)
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return ErrSignature
	}
	for one := range strings.SplitSeq(header.Get(HeaderSignature), ",") {
		if hmac.Equal([]byte(strings.TrimSpace(one)), []byte(Sign(secret, timestamp, body))) {
			return nil
		}
	}
	return ErrSignature
}

// Slack sends text to an incoming webhook of Slack, or of what speaks like it.
type Slack struct {
	url    Secret
	poster poster
}

// NewSlack is a receiver at a URL that is itself the secret.
func NewSlack(url Secret) *Slack { return &Slack{url: url, poster: newPoster()} }

// Send posts the message. Nothing in it links, mentions or formats.
func (s *Slack) Send(ctx context.Context, m ledger.Message) error {
	url, err := s.url(ctx)
	if err != nil {
		return errors.Join(ErrSecret, err)
	}
	text := "*" + escapeSlack(Subject(m)) + "*\n```\n" + escapeSlack(Text(m)) + "```"
	body, err := json.Marshal(map[string]any{"text": text, "unfurl_links": false})
	if err != nil {
		return fmt.Errorf("encode message: %w", err)
	}
	return s.poster.post(ctx, url, nil, body)
}

// escapeSlack takes the meaning from what Slack would read as markup.
func escapeSlack(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "`", "'", "*", "∗").Replace(text)
}
