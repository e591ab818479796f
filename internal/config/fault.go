package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Fault is one thing that is wrong in a file. Message and Hint never show a
// value that may be a secret.
type Fault struct {
	File string `json:"file"`
	// Line and Column count from 1, columns in characters.
	Line   int `json:"line"`
	Column int `json:"column"`
	// Path is where in the document: "exports[0].periods[2]"; empty for the
	// document itself.
	Path    string `json:"path"`
	Message string `json:"message"`
	// Hint says what to do; it may be empty.
	Hint string `json:"hint,omitempty"`
}

// String is "weir.yaml:12:5: accounts.acme.key: message".
func (f Fault) String() string {
	text := fmt.Sprintf("%s:%d:%d: ", f.File, f.Line, f.Column)
	if f.Path != "" {
		text += f.Path + ": "
	}
	return text + f.Message
}

// Faults are all that is wrong in a file, in the order of its lines.
type Faults []Fault

func (f Faults) Error() string {
	if len(f) == 0 {
		return "check configuration: nothing is wrong"
	}
	text := "check configuration: " + f[0].String()
	if more := len(f) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}

// sorted orders faults by place and drops repetitions.
func sorted(faults []Fault) Faults {
	slices.SortStableFunc(faults, func(a, b Fault) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), strings.Compare(a.Path, b.Path))
	})
	return slices.Compact(faults)
}
