package clari

import (
	"encoding/base64"
	"net/http"
	"strings"
)

// announcedSHA256 is the SHA-256 that an answer's headers give for its bytes:
// Repr-Digest or Content-Digest of RFC 9530, or the older Digest of RFC 3230; nil
// when none does, or none that can be read.
func announcedSHA256(h http.Header) []byte {
	for _, name := range []string{"Repr-Digest", "Content-Digest", "Digest"} {
		for field := range strings.SplitSeq(strings.Join(h.Values(name), ","), ",") {
			algorithm, value, _ := strings.Cut(strings.TrimSpace(field), "=")
			if !strings.EqualFold(algorithm, "sha-256") {
				continue
			}
			value, _, _ = strings.Cut(strings.TrimSpace(value), ";") // parameters of a structured field
			sum, err := base64.StdEncoding.DecodeString(strings.Trim(value, ":"))
			if err == nil && len(sum) == 32 {
				return sum
			}
		}
	}
	return nil
}
