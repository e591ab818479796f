package history

import (
	"bytes"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Number is a value of a cell: nothing, or a decimal number kept exactly. The
// zero Number is nothing. Equal numbers are equal however they were written:
// 1.50 is 1.5 is 15e-1, and -0 is 0.
type Number struct {
	state state
	// scale is how many decimals whole or large has, as few as possible.
	scale int32
	whole int64
	// large stands in for whole where that is too narrow.
	large *big.Int
	// text is a literal with an exponent that nobody calculates with.
	text string
}

type state uint8

const (
	nothing state = iota
	narrow
	wide
	opaque
)

// maxExponent bounds the powers of ten that are calculated with: doubles end at
// 308. Beyond it a number is only its literal: it can differ, but by no amount.
const maxExponent = 400

// Parse reads a JSON number.
func Parse(literal []byte) (Number, bool) {
	if n, ok := parseShort(literal); ok {
		return n, true
	}
	mantissa, power, ok := split(literal)
	if !ok {
		return Number{}, false
	}
	before, after, _ := bytes.Cut(bytes.TrimPrefix(mantissa, []byte("-")), []byte("."))
	digits := strings.TrimLeft(string(before)+string(after), "0")
	scale := int64(len(after)) - power
	if digits == "" {
		return Number{state: narrow}, true
	}
	if scale > maxExponent || scale < -maxExponent || len(digits) > 2*maxExponent {
		return Number{state: opaque, text: string(literal)}, true
	}
	whole, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		return Number{}, false
	}
	if literal[0] == '-' {
		whole.Neg(whole)
	}
	return fromBig(whole, int(scale)), true
}

// parseShort reads what most numbers are: at most 18 digits and no exponent.
func parseShort(literal []byte) (Number, bool) {
	const most = 18
	digits := bytes.TrimPrefix(literal, []byte("-"))
	if len(digits) == 0 || len(digits) > most {
		return Number{}, false
	}
	var whole int64
	scale, point := int32(0), false
	for _, c := range digits {
		switch {
		case c >= '0' && c <= '9':
			whole = whole*10 + int64(c-'0')
			if point {
				scale++
			}
		case c == '.' && !point:
			point = true
		default:
			return Number{}, false
		}
	}
	if len(digits) < len(literal) {
		whole = -whole
	}
	return fromWhole(whole, scale), true
}

// split takes a literal's exponent off.
func split(literal []byte) (mantissa []byte, power int64, ok bool) {
	mantissa = literal
	if at := bytes.IndexAny(literal, "eE"); at >= 0 {
		mantissa = literal[:at]
		text := strings.TrimPrefix(string(literal[at+1:]), "+")
		power, _ = strconv.ParseInt(text, 10, 32) // out of range it is clamped, and opaque
	}
	digits := bytes.TrimPrefix(mantissa, []byte("-"))
	for _, c := range digits {
		if c != '.' && (c < '0' || c > '9') {
			return nil, 0, false
		}
	}
	return mantissa, power, len(digits) > 0
}

// FromDouble is the shortest decimal that names the double, which is what the
// server wrote wherever the landing kept no literal beside it. NaN and the
// infinities are nothing.
func FromDouble(value float64) Number {
	const exact = 1e15 // so many digits name one double only
	cents := math.Round(value * 100)
	if cents > -exact && cents < exact && cents/100 == value {
		return fromWhole(int64(cents), 2)
	}
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return Number{}
	}
	n, _ := Parse(strconv.AppendFloat(nil, value, 'e', -1, 64))
	return n
}

func fromWhole(whole int64, scale int32) Number {
	for scale > 0 && whole%10 == 0 {
		whole /= 10
		scale--
	}
	return Number{state: narrow, whole: whole, scale: scale}
}

func fromBig(whole *big.Int, scale int) Number {
	ten, rest, quotient := big.NewInt(10), new(big.Int), new(big.Int)
	for scale < 0 {
		whole, scale = new(big.Int).Mul(whole, ten), scale+1
	}
	for scale > 0 {
		if quotient.QuoRem(whole, ten, rest); rest.Sign() != 0 {
			break
		}
		whole, scale = new(big.Int).Set(quotient), scale-1
	}
	if whole.IsInt64() {
		return Number{state: narrow, whole: whole.Int64(), scale: int32(scale)}
	}
	return Number{state: wide, large: whole, scale: int32(scale)}
}

// There reports whether there is a number at all.
func (n Number) There() bool { return n.state != nothing }

// Zero reports whether it is a number and zero.
func (n Number) Zero() bool { return n.state == narrow && n.whole == 0 }

// Counts reports whether it is a number other than zero.
func (n Number) Counts() bool { return n.There() && !n.Zero() }

// Equal reports whether both are nothing, or the same number.
func (n Number) Equal(m Number) bool {
	if n.state != m.state || n.scale != m.scale {
		return false
	}
	return n.whole == m.whole && n.text == m.text && (n.large == nil || n.large.Cmp(m.large) == 0)
}

// Minus is the difference, a missing number counting as none. It is nothing
// where both are missing, and where one of them is beyond calculation.
func (n Number) Minus(m Number) Number {
	if n.state == opaque || m.state == opaque || !n.There() && !m.There() {
		return Number{}
	}
	if n.scale == m.scale && n.state != wide && m.state != wide {
		if d := n.whole - m.whole; (d < n.whole) == (m.whole > 0) {
			return fromWhole(d, n.scale)
		}
	}
	scale := max(n.scale, m.scale)
	return fromBig(new(big.Int).Sub(n.at(scale), m.at(scale)), int(scale))
}

// at is the number times ten to the power of scale.
func (n Number) at(scale int32) *big.Int {
	whole := n.large
	if whole == nil {
		whole = big.NewInt(n.whole)
	}
	return new(big.Int).Mul(whole, tens(scale-n.scale))
}

func tens(power int32) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(power)), nil)
}

// Double is the nearest double: NaN for nothing, and for what is beyond a
// double's range.
func (n Number) Double() float64 {
	if !n.There() {
		return math.NaN()
	}
	value, err := strconv.ParseFloat(n.String(), 64)
	if err != nil {
		return math.NaN()
	}
	return value
}

// String is the number as a plain decimal, or "" for nothing. A number beyond
// calculation is its literal.
func (n Number) String() string {
	switch n.state {
	case nothing:
		return ""
	case opaque:
		return n.text
	case wide:
		return placed(n.large.String(), int(n.scale))
	}
	return placed(strconv.FormatInt(n.whole, 10), int(n.scale))
}

// placed puts the decimal point into digits.
func placed(digits string, scale int) string {
	if scale == 0 {
		return digits
	}
	digits, negative := strings.CutPrefix(digits, "-")
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) - scale
	text := digits[:point] + "." + digits[point:]
	if negative {
		return "-" + text
	}
	return text
}

// sum adds numbers exactly, in machine words as long as they fit.
type sum struct {
	rows  int64
	small [19]int64          // by decimals
	large map[int32]*big.Int // by decimals
	// skipped counts numbers beyond calculation.
	skipped int64
}

func (s *sum) add(n Number) {
	s.rows++
	switch {
	case n.state == opaque:
		s.skipped++
	case n.state == wide || int(n.scale) >= len(s.small):
		s.spill(n.scale, n.at(n.scale))
	default:
		before := s.small[n.scale]
		after := before + n.whole
		if (after > before) != (n.whole > 0) && n.whole != 0 {
			s.spill(n.scale, big.NewInt(before))
			after = n.whole
		}
		s.small[n.scale] = after
	}
}

func (s *sum) spill(scale int32, value *big.Int) {
	if s.large == nil {
		s.large = map[int32]*big.Int{}
	}
	if s.large[scale] == nil {
		s.large[scale] = new(big.Int)
	}
	s.large[scale].Add(s.large[scale], value)
}

// total is the sum; nothing where nothing was added.
func (s *sum) total() Number {
	if s == nil || s.rows == 0 {
		return Number{}
	}
	scale := int32(len(s.small))
	for at := range s.large {
		scale = max(scale, at)
	}
	all := new(big.Int)
	for at, value := range s.small {
		all.Add(all, new(big.Int).Mul(big.NewInt(value), tens(scale-int32(at))))
	}
	for at, value := range s.large {
		all.Add(all, new(big.Int).Mul(value, tens(scale-at)))
	}
	return fromBig(all, int(scale))
}
