package weir_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/weirhq/weir"
)

func TestParsePeriods(t *testing.T) {
	for _, tt := range []struct {
		text string
		want string // joined by spaces; "" for a refusal
	}{
		{"2026_Q1", "2026_Q1"},
		{"2025_Q3..2026_Q2", "2025_Q3 2025_Q4 2026_Q1 2026_Q2"},
		{"2025_Q4..2026_Q1,2024_Q4", "2025_Q4 2026_Q1 2024_Q4"},
		{"2026_Q1, 2026_Q1", "2026_Q1"},
		{"2026_Q1..2026_Q1", "2026_Q1"},
		{"2025_Q7", ""},
		{"2025_Q0", ""},
		{"2026_Q1..2025_Q1", ""},
		{"2026_Q1..", ""},
		{"..2026_Q1", ""},
		{"", ""},
		{",", ""},
		{"26_Q1", ""},
		{"2026-Q1", ""},
		{"2026_q1", ""},
		{"2026_Q11", ""},
		{"../../etc/passwd", ""},
		{"٢٠٢٦_Q1", ""},
	} {
		periods, err := weir.ParsePeriods(tt.text)
		var got []string
		for _, p := range periods {
			got = append(got, string(p))
		}
		if strings.Join(got, " ") != tt.want && tt.want != "" || (err != nil) != (tt.want == "") {
			t.Errorf("ParsePeriods(%q) = %v, %v; want %q", tt.text, got, err, tt.want)
		}
		if err != nil && !errors.Is(err, weir.ErrPeriod) {
			t.Errorf("ParsePeriods(%q): %v is no ErrPeriod", tt.text, err)
		}
	}
}

func TestParsePeriodsIsBounded(t *testing.T) {
	if _, err := weir.ParsePeriods("1900_Q1..2199_Q4"); err == nil {
		t.Error("three centuries were accepted")
	}
}

func FuzzParsePeriods(f *testing.F) {
	f.Add("2025_Q1..2026_Q4,2024_Q4")
	f.Add("2026_Q1..2025_Q1")
	f.Fuzz(func(t *testing.T, text string) {
		periods, err := weir.ParsePeriods(text)
		if err == nil && len(periods) == 0 {
			t.Fatal("neither periods nor an error")
		}
		for i, p := range periods {
			if _, err := weir.ParsePeriod(string(p)); err != nil {
				t.Fatalf("gave %q, which it refuses itself", p)
			}
			if slices.Contains(periods[:i], p) {
				t.Fatalf("%q twice", p)
			}
			if !p.Before(p.Next()) {
				t.Fatalf("%q is not before %q", p, p.Next())
			}
		}
	})
}
