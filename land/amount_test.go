package land

import (
	"encoding/json"
	"testing"
)

func TestAmounts(t *testing.T) {
	for text, want := range map[string][2]string{
		"$3,000,190.00": {"3000190.00", "$"}, "-$5.00": {"-5.00", "$"}, "$-5": {"-5", "$"}, "(€1,234.5)": {"-1234.5", "€"},
		"CHF 12.00": {"12.00", "CHF"}, "CA$0.10": {"0.10", "CA$"}, "0": {"0", ""}, "1234567": {"1234567", ""}, "kr7": {"7", "kr"},
	} {
		if literal, symbol, ok := parseAmount(text); !ok || literal != want[0] || symbol != want[1] {
			t.Errorf("%q is %q %q %v", text, literal, symbol, ok)
		}
	}
	for _, text := range []string{"", "5%", "1.234,50", "12,34", "1,2345", "007", "$", "--5", "(-5)", "1e3", "$5 ca.", ",500", "5.", ".5", "1,000,00.0", "NaN", "#5", "-$-5"} {
		if literal, symbol, ok := parseAmount(text); ok {
			t.Errorf("%q is %q %q", text, literal, symbol)
		}
	}
}

func TestQuarters(t *testing.T) {
	for label, want := range map[string]string{
		"Q1 FY 2026": "2026_Q1", "2026_Q3": "2026_Q3", "FY26 Q4": "2026_Q4", "Q2 '25": "2025_Q2", "FQ1 FY2026": "2026_Q1", "2026 Q2": "2026_Q2",
		"": "", "this quarter": "", "Q5 2026": "", "Q1 Q2 2026": "", "Q1 2025/2026": "", "2026": "", "Q12 2026": "",
	} {
		if got, _ := quarterOf(label); got != want {
			t.Errorf("%q is %q, want %q", label, got, want)
		}
	}
}

// What is read as an amount is a number of JSON, and is read again as itself.
func FuzzAmount(f *testing.F) {
	for _, text := range []string{"$3,000,190.00", "(€1,234.5)", "CHF 12", "-$5", "1e3", "5%"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		literal, symbol, ok := parseAmount(text)
		if !ok {
			return
		}
		if !json.Valid([]byte(literal)) || len(symbol) > maxSymbol {
			t.Fatalf("%q is %q %q", text, literal, symbol)
		}
		if again, _, ok := parseAmount(literal); !ok || again != literal {
			t.Fatalf("%q is %q, and that is %q", text, literal, again)
		}
	})
}
