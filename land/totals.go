package land

import (
	"math"
	"math/big"
	"slices"
	"strings"
)

// maxTotals bounds for how many fields totals are kept apart.
const maxTotals = 2000

// Total is the exact decimal sum of one value column over the rows of one
// field, whatever their currency, frame and user: a fingerprint of the numbers
// rather than a figure to read.
type Total struct {
	FieldID string `json:"field_id"`
	Column  string `json:"column"`
	Rows    int64  `json:"rows"`
	Sum     string `json:"sum"`
	// NotSummed counts numbers with an exponent beyond ±400, which are left out.
	NotSummed int64 `json:"not_summed,omitempty"`
}

// totals sums the Number columns by the field of the row.
type totals struct {
	field   int // the vector of field_id
	columns []int
	names   []string
	sums    map[string][]*sum // by field id, then by column
	// beyond says that there were more fields than are kept apart.
	beyond bool
}

func newTotals(columns []Column) *totals {
	t := &totals{field: -1, sums: map[string][]*sum{}}
	for i, c := range columns {
		switch {
		case c.Name == "field_id":
			t.field = i
		case c.Kind == Number:
			t.columns = append(t.columns, i)
			t.names = append(t.names, c.Name)
		}
	}
	return t
}

func (t *totals) add(b *batch) {
	if t.field < 0 {
		return
	}
	field := &b.cols[t.field]
	byCode := make([][]*sum, field.texts.count()+1)
	if slices.Contains(field.codes, 0) {
		byCode[0] = t.of(nil)
	}
	for code := 1; code < len(byCode); code++ {
		byCode[code] = t.of(field.texts.at(uint32(code)))
	}
	for n, column := range t.columns {
		v := &b.cols[column]
		for row, tag := range v.tags {
			if sums := byCode[field.codes[row]]; tag != tagNull && sums != nil {
				sums[n].add(v, row)
			}
		}
	}
}

func (t *totals) of(id []byte) []*sum {
	sums := t.sums[string(id)]
	if sums != nil {
		return sums
	}
	if len(id) > maxName || len(id) > 0 && t.full() {
		t.beyond = true
		return nil
	}
	for range t.columns {
		sums = append(sums, &sum{})
	}
	t.sums[string(id)] = sums
	return sums
}

// full does not count the field "": see tally.
func (t *totals) full() bool {
	fields := len(t.sums)
	if _, ok := t.sums[""]; ok {
		fields--
	}
	return fields >= maxTotals
}

// list gives the totals by field id and then in the order of the columns;
// columns without a value are left out.
func (t *totals) list() []Total {
	all := []Total{}
	for id, sums := range t.sums {
		for n, s := range sums {
			if s.rows > 0 {
				all = append(all, Total{FieldID: id, Column: t.names[n], Rows: s.rows, Sum: s.text(), NotSummed: s.skipped})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Total) int {
		if a.FieldID != b.FieldID {
			return strings.Compare(a.FieldID, b.FieldID)
		}
		return slices.Index(t.names, a.Column) - slices.Index(t.names, b.Column)
	})
	return all
}

// sum adds decimals exactly: whole numbers for each count of decimals, in a
// machine word as long as they fit.
type sum struct {
	rows    int64
	small   [maxDigits + 1]int64
	large   map[int]*big.Int // by decimals, which may be negative
	skipped int64
}

// maxExponent bounds the powers of ten that are summed: doubles end at 308.
const maxExponent = 400

func (s *sum) add(v *vector, row int) {
	s.rows++
	if v.tags[row] == tagLiteral {
		s.addLiteral(v.texts.at(uint32(v.vals[row])))
		return
	}
	decimals, value := int(v.tags[row])-1, v.vals[row]
	before := s.small[decimals]
	after := before + value
	if (after > before) != (value > 0) && value != 0 {
		s.spread(decimals, big.NewInt(before))
		after = value
	}
	s.small[decimals] = after
}

func (s *sum) addLiteral(literal []byte) {
	digits, exponent := significant(literal)
	if len(digits) == 0 {
		return
	}
	if exponent > maxExponent || exponent < -maxExponent || len(digits) > 2*maxExponent {
		s.skipped++
		return
	}
	value, _ := new(big.Int).SetString(string(digits), 10)
	if literal[0] == '-' {
		value.Neg(value)
	}
	s.spread(int(-exponent), value)
}

func (s *sum) spread(decimals int, value *big.Int) {
	if s.large == nil {
		s.large = map[int]*big.Int{}
	}
	if s.large[decimals] == nil {
		s.large[decimals] = new(big.Int)
	}
	s.large[decimals].Add(s.large[decimals], value)
}

// text is the sum as a plain decimal without trailing zeros.
func (s *sum) text() string {
	decimals := maxDigits
	for d := range s.large {
		decimals = max(decimals, d)
	}
	total := new(big.Int)
	for d, value := range s.small {
		total.Add(total, scaled(big.NewInt(value), decimals-d))
	}
	for d, value := range s.large {
		total.Add(total, scaled(value, decimals-d))
	}
	return plainDecimal(total, decimals)
}

func scaled(value *big.Int, tens int) *big.Int {
	return new(big.Int).Mul(value, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(tens)), nil))
}

func plainDecimal(value *big.Int, decimals int) string {
	sign, digits := "", new(big.Int).Abs(value).String()
	if value.Sign() < 0 {
		sign = "-"
	}
	if missing := decimals + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) - decimals
	after := strings.TrimRight(digits[point:], "0")
	if after == "" {
		return sign + digits[:point]
	}
	return sign + digits[:point] + "." + after
}

// inexact counts the numbers of a batch that no double names exactly.
func inexact(b *batch) int64 {
	var n int64
	for i := range b.cols {
		v := &b.cols[i]
		if v.kind != Number {
			continue
		}
		for row, tag := range v.tags {
			if tag != tagNull && !v.survives(row) {
				n++
			}
		}
	}
	return n
}

// survives says the same as float, without working out the double where 15
// digits show it.
func (v *vector) survives(row int) bool {
	if v.tags[row] != tagLiteral && math.Abs(float64(v.vals[row])) < 1e15 {
		return true
	}
	_, ok := v.float(row)
	return ok
}
