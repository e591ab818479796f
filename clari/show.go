package clari

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxMessageBytes bounds a text from outside that is kept for a person.
	maxMessageBytes = 300
	// maxWordBytes bounds a code, an id or a header that is kept for a person.
	maxWordBytes = 120
)

// show makes a text from outside fit for a terminal and a log line: runes that
// do not print, and bytes that are no UTF-8, become \xNN; what is longer than
// limit bytes ends in an ellipsis.
func show(text string, limit int) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRuneInString(text[i:])
		piece := showRune(text[i:i+size], r)
		if b.Len()+len(piece) > limit {
			b.WriteString("…")
			break
		}
		b.WriteString(piece)
		i += size
	}
	return b.String()
}

func showRune(text string, r rune) string {
	if unicode.IsPrint(r) && (r != utf8.RuneError || len(text) > 1) {
		return text
	}
	var b strings.Builder
	for _, c := range []byte(text) {
		fmt.Fprintf(&b, `\x%02x`, c)
	}
	return b.String()
}
