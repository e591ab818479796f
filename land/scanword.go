package land

import (
	"bytes"
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

// textGuess finds the codes of texts without hashing them where rows follow a
// pattern: the text of the row before, or the one that came after it last time.
type textGuess struct {
	last  []uint32
	after [][]uint32 // by code: the code that followed
}

func newTextGuess(columns int) textGuess {
	return textGuess{last: make([]uint32, columns), after: make([][]uint32, columns)}
}

func (g *textGuess) reset() {
	for i := range g.last {
		g.last[i], g.after[i] = 0, g.after[i][:0]
	}
}

// put sets the last row of a column.
func (g *textGuess) put(column int, v *vector, text []byte) {
	last := g.last[column]
	if last != 0 && bytes.Equal(v.texts.at(last), text) {
		v.codes[len(v.codes)-1] = last
		return
	}
	after := g.after[column]
	if int(last) < len(after) && after[last] != 0 && bytes.Equal(v.texts.at(after[last]), text) {
		g.last[column] = after[last]
		v.codes[len(v.codes)-1] = after[last]
		return
	}
	code := v.texts.put(text)
	for len(after) <= int(max(code, last)) {
		after = append(after, 0)
	}
	after[last] = code
	g.last[column], g.after[column] = code, after
	v.codes[len(v.codes)-1] = code
}
