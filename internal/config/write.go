package config

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Text is the configuration as YAML with every default written out: what weir
// understood. [Parse] of it gives the same configuration.
func (c Config) Text() []byte {
	var b strings.Builder
	top, _ := configShape().write(c).(record)
	writeRecord(&b, top, 0)
	return []byte(b.String())
}

func writeRecord(b *strings.Builder, r record, depth int) {
	for _, e := range r {
		b.WriteString(strings.Repeat("  ", depth) + quote(e.key) + ":")
		writeBelow(b, e.value, depth+1)
	}
}

// writeBelow writes what follows "key:" or "-".
func writeBelow(b *strings.Builder, value any, depth int) {
	switch v := value.(type) {
	case record:
		if len(v) == 0 {
			b.WriteString(" {}\n")
			return
		}
		b.WriteString("\n")
		writeRecord(b, v, depth)
	case []any:
		b.WriteString("\n")
		for _, item := range v {
			b.WriteString(strings.Repeat("  ", depth) + "-")
			writeBelow(b, item, depth+1)
		}
	case string:
		b.WriteString(" " + quote(v) + "\n")
	case float64:
		b.WriteString(" " + strconv.FormatFloat(v, 'f', -1, 64) + "\n")
	default: // bool, int
		fmt.Fprintf(b, " %v\n", v)
	}
}

// quote writes a text so that no reader takes it for anything else.
func quote(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range text {
		switch {
		case c == '"' || c == '\\':
			b.WriteRune('\\')
			b.WriteRune(c)
		case unicode.IsPrint(c):
			b.WriteRune(c)
		case c > 0xffff:
			fmt.Fprintf(&b, `\U%08X`, c)
		default:
			fmt.Fprintf(&b, `\u%04X`, c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
