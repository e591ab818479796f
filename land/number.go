package land

import (
	"bytes"
	"math"
	"strconv"
)

// A number is kept as a whole number and a count of decimals wherever that
// gives its literal back to the letter; its tag is then the decimals plus one.
// Any other literal (an exponent, more than 18 digits, a negative zero) is kept
// as text.
const (
	tagNull    = 0
	tagLiteral = 255
	maxDigits  = 18
)

// parseNumber reads a JSON number into whole number and tag. It says no when
// only the literal itself can hold it.
func parseNumber(literal []byte) (whole int64, tag uint8, ok bool) {
	digits := literal
	negative := len(digits) > 0 && digits[0] == '-'
	if negative {
		digits = digits[1:]
	}
	if len(digits) == 0 || len(digits) > maxDigits+1 {
		return 0, 0, false
	}
	point := -1
	for i, c := range digits {
		switch {
		case c >= '0' && c <= '9':
			whole = whole*10 + int64(c-'0')
		case c == '.' && point < 0:
			point = i
		default:
			return 0, 0, false
		}
	}
	return signed(whole, negative, len(digits), point)
}

func signed(whole int64, negative bool, length, point int) (int64, uint8, bool) {
	if point < 0 {
		point = length
		length++
	}
	if length-1 > maxDigits || negative && whole == 0 {
		return 0, 0, false
	}
	if negative {
		whole = -whole
	}
	return whole, uint8(length - 1 - point + 1), true
}

// appendNumber gives back the literal that parseNumber read.
func appendNumber(dst []byte, whole int64, tag uint8) []byte {
	decimals := int(tag) - 1
	if decimals == 0 {
		return strconv.AppendInt(dst, whole, 10)
	}
	if whole < 0 {
		dst = append(dst, '-')
		whole = -whole
	}
	var buffer [24]byte
	digits := strconv.AppendInt(buffer[:0], whole, 10)
	if missing := decimals - len(digits); missing >= 0 {
		dst = append(dst, "0."...)
		dst = append(dst, "000000000000000000"[:missing]...)
		return append(dst, digits...)
	}
	dst = append(dst, digits[:len(digits)-decimals]...)
	dst = append(dst, '.')
	return append(dst, digits[len(digits)-decimals:]...)
}

// exactWhole bounds the whole numbers that a double holds exactly.
const exactWhole = 1 << 53

// float gives the double nearest to the number and whether it survives: whether
// the shortest decimal that names the double is the same decimal number.
func float(whole int64, tag uint8) (value float64, survives bool) {
	decimals := int(tag) - 1
	if whole > -exactWhole && whole < exactWhole {
		// Both operands are exact, so the quotient is the nearest double; and 15
		// significant digits always survive.
		value = float64(whole) / powersOfTen(decimals)
		if whole > -1e15 && whole < 1e15 {
			return value, true
		}
	}
	return floatLiteral(appendNumber(nil, whole, tag))
}

func powersOfTen(n int) float64 {
	powers := [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18}
	return powers[n]
}

// floatLiteral is float for a literal kept as text. A number beyond the range
// of a double is NaN, which stands for none.
func floatLiteral(literal []byte) (value float64, survives bool) {
	value, err := strconv.ParseFloat(string(literal), 64)
	if err != nil || math.IsInf(value, 0) {
		return math.NaN(), false
	}
	digits, exponent := significant(literal)
	if value == 0 && len(digits) > 0 {
		return math.NaN(), false
	}
	shortest, shortestExponent := significant(strconv.AppendFloat(nil, value, 'e', -1, 64))
	return value, bytes.Equal(digits, shortest) && exponent == shortestExponent
}

// significant reduces a decimal literal to its significant digits and the power
// of ten of the last of them, so that equal numbers give equal answers.
func significant(literal []byte) (digits []byte, exponent int64) {
	mantissa, power := literal, int64(0)
	if at := bytes.IndexAny(literal, "eE"); at >= 0 {
		mantissa = literal[:at]
		// Out of range it is clamped, which no double's exponent equals.
		power, _ = strconv.ParseInt(string(literal[at+1:]), 10, 32)
	}
	mantissa = bytes.TrimPrefix(mantissa, []byte("-"))
	before, after, _ := bytes.Cut(mantissa, []byte("."))
	digits = append(append([]byte(nil), before...), after...)
	power -= int64(len(after))
	digits = bytes.TrimLeft(digits, "0")
	trimmed := bytes.TrimRight(digits, "0")
	if len(trimmed) == 0 {
		return nil, 0
	}
	return trimmed, power + int64(len(digits)-len(trimmed))
}
