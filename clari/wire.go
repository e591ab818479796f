package clari

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The wire types below never fail to decode on their own: a field of an
// unexpected form is a field that was not said. Only what an answer cannot do
// without (an id, a list) makes it undecodable, and that is decided by name.

// text is a string, or a number or truth value in its literal form.
type text string

// UnmarshalJSON never fails.
func (t *text) UnmarshalJSON(raw []byte) error {
	*t = ""
	switch {
	case len(raw) == 0 || raw[0] == '{' || raw[0] == '[' || string(raw) == "null":
	case raw[0] == '"':
		var s string
		if json.Unmarshal(raw, &s) == nil {
			*t = text(s)
		}
	default:
		*t = text(raw)
	}
	return nil
}

// flag is true for anything but false, 0, "", "false", "no", "0" and null:
// a file of which it is unclear whether it was truncated is taken as truncated.
type flag struct{ said, on bool }

// UnmarshalJSON never fails.
func (f *flag) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		*f = flag{}
		return nil
	}
	switch strings.ToLower(strings.Trim(string(raw), `" `)) {
	case "false", "0", "", "no", "null":
		*f = flag{said: true}
	default:
		*f = flag{said: true, on: true}
	}
	return nil
}

// instant is epoch milliseconds as number or string, or an RFC 3339 string;
// anything else, and what lies outside the years 1970 to 9999, is the zero time.
type instant struct{ time.Time }

const lastMilli = 253402300799999 // 9999-12-31T23:59:59.999Z

// UnmarshalJSON never fails.
func (i *instant) UnmarshalJSON(raw []byte) error {
	i.Time = time.Time{}
	word := strings.TrimSpace(strings.Trim(string(raw), `"`))
	if n, err := strconv.ParseFloat(word, 64); err == nil {
		if n > 0 && n <= lastMilli {
			i.Time = time.UnixMilli(int64(n)).UTC()
		}
		return nil
	}
	if at, err := time.Parse(time.RFC3339Nano, word); err == nil && at.Year() >= 1970 {
		i.Time = at.UTC()
	}
	return nil
}

// count is a whole number, as number or string.
type count struct {
	n    int
	said bool
}

// UnmarshalJSON never fails.
func (c *count) UnmarshalJSON(raw []byte) error {
	*c = count{}
	word := strings.TrimSpace(strings.Trim(string(raw), `"`))
	n, err := strconv.ParseFloat(word, 64)
	if err == nil && n == math.Trunc(n) && math.Abs(n) < 1<<31 {
		*c = count{n: int(n), said: true}
	}
	return nil
}

// isObject reports whether a JSON value is an object.
func isObject(raw []byte) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) > 0 && raw[0] == '{'
}

// isNull reports whether a JSON value is absent or null.
func isNull(raw []byte) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) == 0 || string(raw) == "null"
}

func trimBOM(body []byte) []byte { return bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")) }

func first(words ...text) string {
	for _, word := range words {
		if word != "" {
			return string(word)
		}
	}
	return ""
}

// maxIDBytes bounds a job id; real ones have 24 bytes.
const maxIDBytes = 200

// isID reports whether a text can stand for a job: it is not blank, has at most
// 200 bytes and no control characters.
func isID(id string) bool {
	return strings.TrimSpace(id) != "" && len(id) <= maxIDBytes && utf8.ValidString(id) && !hasControl(id)
}
