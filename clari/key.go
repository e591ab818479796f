package clari

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// ErrKey marks an API key that cannot be one: empty, longer than 8 KiB, or with
// control characters.
var ErrKey = errors.New("not an API key")

const (
	maxKeyBytes = 8 << 10
	// blanked stands wherever the key would have stood. It holds no letters, so
	// that it cannot itself contain a short key.
	blanked = "***"
)

// Key is an API key that cannot be printed: every formatting verb, text encoder
// and logger shows "***". The secret sits behind a pointer, so that formatting
// a struct that holds a Key in an unexported field shows an address only.
type Key struct{ secret *string }

// NewKey reads a key, dropping one trailing newline (keys come from files). It
// wraps [ErrKey] where the text is empty, all blank, longer than 8 KiB or holds
// control characters; the error never shows the text.
func NewKey(text string) (Key, error) {
	text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
	switch {
	case strings.TrimSpace(text) == "":
		return Key{}, fmt.Errorf("read API key: it is empty: %w", ErrKey)
	case len(text) > maxKeyBytes:
		return Key{}, fmt.Errorf("read API key: longer than %d bytes: %w", maxKeyBytes, ErrKey)
	case hasControl(text):
		return Key{}, fmt.Errorf("read API key: it holds control characters: %w", ErrKey)
	}
	return Key{secret: &text}, nil
}

// IsZero reports whether the key was never set.
func (k Key) IsZero() bool { return k.secret == nil }

// Fingerprint is HMAC-SHA256 of the key under salt, as 32 hex digits: it tells
// keys apart and gives nothing away as long as the salt stays private.
func (k Key) Fingerprint(salt []byte) string {
	mac := hmac.New(sha256.New, salt)
	mac.Write([]byte(k.reveal()))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// String shows "***".
func (k Key) String() string { return blanked }

// GoString shows "***".
func (k Key) GoString() string { return blanked }

// Format shows "***" for every verb, also for those that would otherwise look
// past String.
func (k Key) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, blanked) }

// MarshalText gives "***": a key is never written to a file by accident.
func (k Key) MarshalText() ([]byte, error) { return []byte(blanked), nil }

// LogValue gives "***".
func (k Key) LogValue() slog.Value { return slog.StringValue(blanked) }

func (k Key) reveal() string {
	if k.secret == nil {
		return ""
	}
	return *k.secret
}

// blank replaces every occurrence of the key in a text from outside.
func (k Key) blank(text string) string {
	if k.secret == nil {
		return text
	}
	return strings.ReplaceAll(text, *k.secret, blanked)
}

// in reports whether a text from outside holds the key.
func (k Key) in(text string) bool {
	return k.secret != nil && strings.Contains(text, *k.secret)
}

func hasControl(text string) bool {
	return strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 })
}
