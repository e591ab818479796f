package clari

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"testing"
)

func TestAnnouncedSHA256(t *testing.T) {
	sum := sha256.Sum256([]byte("text"))
	text := base64.StdEncoding.EncodeToString(sum[:])
	for name, tt := range map[string]struct {
		header, value string
		found         bool
	}{
		"repr":    {"Repr-Digest", "md5=:AAAA:, sha-256=:" + text + ":", true},
		"content": {"Content-Digest", "sha-256=:" + text + ":;q=1", true},
		"old":     {"Digest", "SHA-256=" + text, true},
		"other":   {"Digest", "MD5=AAAA", false},
		"short":   {"Repr-Digest", "sha-256=:AAAA:", false},
		"garbage": {"Repr-Digest", "sha-256=:\x00:,,=,", false},
		"none":    {"X", text, false},
	} {
		got := announcedSHA256(http.Header{tt.header: {tt.value}})
		if (got != nil) != tt.found || tt.found && string(got) != string(sum[:]) {
			t.Errorf("%s: %x", name, got)
		}
	}
}
