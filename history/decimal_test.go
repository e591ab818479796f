package history

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

func parse(t *testing.T, literal string) Number {
	t.Helper()
	n, ok := Parse([]byte(literal))
	if !ok {
		t.Fatalf("%q is no number", literal)
	}
	return n
}

func TestParse(t *testing.T) {
	for literal, want := range map[string]string{
		"0": "0", "-0": "0", "0.00": "0", "0e5": "0", "1.50": "1.5", "15e-1": "1.5", "1.5E+0": "1.5", "1e3": "1000", "-12.340": "-12.34",
		"0.1": "0.1", "1e-3": "0.001", "9007199254740993": "9007199254740993", "123456789012345678901234567890.10": "123456789012345678901234567890.1",
		"1e20": "100000000000000000000", "-1e-20": "-0.00000000000000000001", "1e401": "1e401", "1e-99999999999": "1e-99999999999",
	} {
		if got := parse(t, literal).String(); got != want {
			t.Errorf("%s is %s, want %s", literal, got, want)
		}
	}
	for _, text := range []string{"", "-", "abc", "1x", "--1", "e5"} {
		if n, ok := Parse([]byte(text)); ok {
			t.Errorf("%q is %s", text, n)
		}
	}
}

func TestMinus(t *testing.T) {
	for _, row := range [][3]string{
		{"0.3", "0.1", "0.2"}, {"1.50", "1.5", "0"}, {"", "2.5", "-2.5"}, {"2.5", "", "2.5"}, {"", "", ""}, {"1", "0.001", "0.999"},
		{"9223372036854775807", "-1", "9223372036854775808"}, {"-9223372036854775808", "1", "-9223372036854775809"},
		{"1e30", "1", "999999999999999999999999999999"}, {"1e401", "1", ""}, {"1", "1e401", ""},
	} {
		var n [2]Number
		for i, literal := range row[:2] {
			if literal != "" {
				n[i] = parse(t, literal)
			}
		}
		if got := n[0].Minus(n[1]).String(); got != row[2] {
			t.Errorf("%s - %s is %s, want %s", row[0], row[1], got, row[2])
		}
	}
}

func TestFromDouble(t *testing.T) {
	for value, want := range map[float64]string{
		0.1: "0.1", 1234.56: "1234.56", -0.5: "-0.5", 1e21: "1000000000000000000000", 5e-324: fmt.Sprintf("0.%s5", strings.Repeat("0", 323)),
		123456789012345.67: "123456789012345.67", 9007199254740993: "9007199254740992", 0.123456789: "0.123456789",
	} {
		if got := FromDouble(value).String(); got != want {
			t.Errorf("%v is %s, want %s", value, got, want)
		}
	}
	if FromDouble(math.NaN()).There() || FromDouble(math.Inf(1)).There() || !FromDouble(math.Copysign(0, -1)).Equal(parse(t, "0")) {
		t.Error("NaN, infinity or -0")
	}
}

// Sums are those of rational numbers, also where words overflow.
func TestSum(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var s sum
	want := new(big.Rat)
	for range 2000 {
		literal := fmt.Sprintf("%d", random.Int64()-random.Int64())
		if at := random.IntN(25); at < len(literal)-1 && at > 1 {
			literal = literal[:at] + "." + literal[at:]
		}
		n := parse(t, literal)
		s.add(n)
		value, ok := new(big.Rat).SetString(literal)
		if !ok {
			t.Fatal(literal)
		}
		want.Add(want, value)
	}
	got, _ := new(big.Rat).SetString(s.total().String())
	if got.Cmp(want) != 0 {
		t.Errorf("sum %s, want %s", got.FloatString(20), want.FloatString(20))
	}
	s.add(parse(t, "1e999"))
	if s.skipped != 1 || (&sum{}).total().There() {
		t.Errorf("%d skipped", s.skipped)
	}
}

// Every JSON number keeps its value: as the literal says, and through its bytes.
func FuzzParse(f *testing.F) {
	for _, literal := range []string{"1.50", "-0", "1e400", "123456789012345678901234567890", "1e-5", ".", "-", "1e", "00012"} {
		f.Add(literal)
	}
	f.Fuzz(func(t *testing.T, literal string) {
		n, ok := Parse([]byte(literal))
		if !ok {
			return
		}
		s := scan{rest: appendNumber(nil, &n)}
		if back := s.number(); s.short || !back.Equal(n) {
			t.Errorf("%q comes back as %s", literal, back)
		}
		if n.state == opaque {
			return
		}
		want, valid := new(big.Rat).SetString(literal)
		got, _ := new(big.Rat).SetString(n.String())
		if valid && want.Cmp(got) != 0 {
			t.Errorf("%q is %s", literal, n)
		}
	})
}
