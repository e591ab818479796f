package notify

import (
	"fmt"
	"strings"
	"time"

	"github.com/weirhq/weir/ledger"
)

// Subject is a message in one line: "weir acme: exports failed (3)".
func Subject(m ledger.Message) string {
	line := "weir " + clean(m.Account) + ": " + Title(m.Kind)
	if m.Count > 1 {
		line += fmt.Sprintf(" (%d)", m.Count)
	}
	return line
}

// Lines are what a message quotes, and how much it does not.
func Lines(m ledger.Message) []string {
	var lines []string
	for _, s := range m.Samples {
		lines = append(lines, s.At.UTC().Format("2006-01-02 15:04:05")+"  "+clean(s.Text))
	}
	if more := m.Count - int64(len(m.Samples)); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", more))
	}
	return lines
}

// Text is a message for a person, without its subject.
func Text(m ledger.Message) string {
	text := strings.Join(Lines(m), "\n") + "\n"
	if advice := Advice(m.Kind); advice != "" {
		text += "\n" + advice + "\n"
	}
	return text + "\nAll times are UTC. Message " + m.Token + ", of " + m.OpenedAt.UTC().Format(time.RFC3339) + ".\n"
}
