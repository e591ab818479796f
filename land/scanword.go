package land

import (
	"encoding/binary"
	"math/bits"
)

// stringEnd gives the place of the quote that closes the string opened at the
// place, or -1. plain says that what stands between is the text: ASCII without
// escapes. What is not plain may be wrong all the same.
func stringEnd(text []byte, at int) (end int, plain bool) {
	i := at + 1
	for ; i+8 <= len(text); i += 8 {
		if marks := marked(binary.LittleEndian.Uint64(text[i:])); marks != 0 {
			i += bits.TrailingZeros64(marks) / 8
			break
		}
	}
	for ; i < len(text); i++ {
		switch c := text[i]; {
		case c == '"':
			return i, true
		case c < 0x20:
			return -1, false
		case c == '\\' || c >= 0x80:
			return escapedEnd(text, i), false
		}
	}
	return -1, false
}

func escapedEnd(text []byte, i int) int {
	for ; i < len(text); i++ {
		switch text[i] {
		case '"':
			return i
		case '\\':
			i++
		}
	}
	return -1
}

// marked has the high bit of a byte set where the word has a quote, a
// backslash, a control character or anything beyond ASCII. Of several marks
// only the lowest is certain.
func marked(word uint64) uint64 {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	quote, slash := word^(ones*'"'), word^(ones*'\\')
	return ((quote-ones)&^quote | (slash-ones)&^slash | (word-ones*0x20)&^word | word) & high
}

// numberEnd gives the place after the JSON number that begins at the place, or
// -1 where there is none or the text ends with it, as more may follow.
func numberEnd(text []byte, i int) int {
	if text[i] == '-' {
		i++
	}
	begin := i
	if i = digits(text, i); i == begin || i-begin > 1 && text[begin] == '0' {
		return -1
	}
	if i < len(text) && text[i] == '.' {
		begin = i + 1
		if i = digits(text, begin); i == begin {
			return -1
		}
	}
	if i < len(text) && text[i]|0x20 == 'e' {
		i++
		if i < len(text) && (text[i] == '+' || text[i] == '-') {
			i++
		}
		begin = i
		if i = digits(text, i); i == begin {
			return -1
		}
	}
	if i == len(text) {
		return -1
	}
	return i
}

func digits(text []byte, i int) int {
	for i < len(text) && text[i]-'0' <= 9 {
		i++
	}
	return i
}

// valueEnd gives the place after the object or array that begins at the place,
// or -1. What is inside may be wrong.
func valueEnd(text []byte, i int) int {
	depth := 0
	for ; i < len(text); i++ {
		switch text[i] {
		case '{', '[':
			if depth++; depth > maxScanDepth {
				return -1
			}
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		case '"':
			if i, _ = stringEnd(text, i); i < 0 {
				return -1
			}
		default:
			if depth == 0 {
				return -1
			}
		}
	}
	return -1
}

// shortNumber reads a JSON number of at most 18 digits without an exponent, as
// [numberEnd] and [parseNumber] do. The end is 0 for any other one, and where the
// text ends with it.
func shortNumber(text []byte, i int) (end int, whole int64, tag uint8) {
	negative := text[i] == '-'
	if negative {
		i++
	}
	begin, point := i, -1
	for ; i < len(text); i++ {
		c := text[i]
		if c == '.' && point < 0 && i > begin {
			point = i - begin
			continue
		}
		if c-'0' > 9 {
			break
		}
		whole = whole*10 + int64(c-'0')
	}
	length := i - begin
	switch {
	case i == len(text) || text[i]|0x20 == 'e' || length == 0 || length > maxDigits:
		return 0, 0, 0
	case point == length-1 || text[begin] == '0' && length > 1 && point != 1:
		return 0, 0, 0
	}
	whole, tag, ok := signed(whole, negative, length, point)
	if !ok {
		return 0, 0, 0
	}
	return i, whole, tag
}

// textGuess finds the codes of texts without hashing them where rows follow a
// pattern: the text of the row before, or the one that came after it last time.
type textGuess struct {
	last []uint32
	seen [][]seenText // by code
}

// seenText is what is known of a text.
type seenText struct {
	after uint32 // the code that followed it
	plain bool   // it stands in the input as it is
}

func newTextGuess(columns int) textGuess {
	return textGuess{last: make([]uint32, columns), seen: make([][]seenText, columns)}
}

func (g *textGuess) reset() {
	for i := range g.last {
		g.last[i], g.seen[i] = 0, append(g.seen[i][:0], seenText{})
	}
}

// begins sets the last row of a column where the input, behind a quote, goes on
// with a text that was guessed and a quote, and says how long the text is; else
// it is -1.
func (g *textGuess) begins(column int, v *vector, input []byte) int {
	last, seen := g.last[column], g.seen[column]
	for _, code := range [2]uint32{last, seen[last].after} {
		if !seen[code].plain {
			continue
		}
		if text := v.texts.at(code); len(text) < len(input) && input[len(text)] == '"' && string(input[:len(text)]) == string(text) {
			g.last[column] = code
			v.codes[len(v.codes)-1] = code
			return len(text)
		}
	}
	return -1
}

// put sets the last row of a column.
func (g *textGuess) put(column int, v *vector, text []byte, plain bool) {
	code := v.texts.put(text)
	seen := g.seen[column]
	for len(seen) <= int(code) {
		seen = append(seen, seenText{})
	}
	seen[code].plain = plain
	seen[g.last[column]].after = code
	g.last[column], g.seen[column] = code, seen
	v.codes[len(v.codes)-1] = code
}
