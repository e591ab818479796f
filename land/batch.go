package land

// A batch holds up to batchRows rows column by column: what the reader fills,
// the spool keeps, the join widens and the encoders write. A lookup table is
// one batch without that bound.
const (
	batchRows = 8192
	// batchText ends a batch early when its texts grow beyond it.
	batchText = 4 << 20
)

// vector is one column of a batch.
type vector struct {
	kind Kind
	// codes number the texts of Text and JSON columns, 0 being null.
	codes []uint32
	// tags and vals hold every other kind; tag 0 is null. Number: see
	// parseNumber, a literal kept as text has its code in vals. Bool: 1 is
	// true. Instant: Unix milliseconds. Date: days since 1970-01-01.
	tags []uint8
	vals []int64
	// texts are those of the codes and literals; nil when the kind has none.
	texts *texts
	// lasting says that the texts are the same for all batches of a file.
	lasting bool
}

type batch struct {
	rows int
	cols []vector
}

// coded reports whether the kind is held as codes of texts.
func (k Kind) coded() bool { return k == Text || k == JSON }

func newBatch(kinds []Kind) *batch {
	b := &batch{cols: make([]vector, len(kinds))}
	for i, kind := range kinds {
		b.cols[i].kind = kind
		if kind.coded() || kind == Number {
			b.cols[i].texts = newTexts()
		}
	}
	return b
}

// addRow appends a row of nulls.
func (b *batch) addRow() {
	b.rows++
	for i := range b.cols {
		v := &b.cols[i]
		if v.kind.coded() {
			v.codes = append(v.codes, 0)
			continue
		}
		v.tags = append(v.tags, tagNull)
		v.vals = append(v.vals, 0)
	}
}

// setText sets the last row.
func (v *vector) setText(text []byte) { v.codes[len(v.codes)-1] = v.texts.put(text) }

// setTextAt sets any row of a column of texts.
func (v *vector) setTextAt(row int, text []byte) { v.codes[row] = v.texts.put(text) }

// setValue sets the last row.
func (v *vector) setValue(tag uint8, value int64) {
	last := len(v.tags) - 1
	v.tags[last], v.vals[last] = tag, value
}

// setNumber sets the last row to a JSON number.
func (v *vector) setNumber(literal []byte) { v.setNumberAt(len(v.tags)-1, literal) }

// setNumberAt sets any row to a JSON number.
func (v *vector) setNumberAt(row int, literal []byte) {
	whole, tag, ok := parseNumber(literal)
	if !ok {
		whole, tag = int64(v.texts.put(literal)), tagLiteral
	}
	v.tags[row], v.vals[row] = tag, whole
}

// appendLiteral gives the number of a row as it came. The row must not be null.
func (v *vector) appendLiteral(dst []byte, row int) []byte {
	if v.tags[row] == tagLiteral {
		return append(dst, v.texts.at(uint32(v.vals[row]))...)
	}
	return appendNumber(dst, v.vals[row], v.tags[row])
}

// float gives the double of a row and whether it survives; the row must not be
// null. NaN stands for a number that no double comes near.
func (v *vector) float(row int) (float64, bool) {
	if v.tags[row] == tagLiteral {
		return floatLiteral(v.texts.at(uint32(v.vals[row])))
	}
	return float(v.vals[row], v.tags[row])
}

// null reports whether the row holds nothing.
func (v *vector) null(row int) bool {
	if v.kind.coded() {
		return v.codes[row] == 0
	}
	return v.tags[row] == tagNull
}

// textBytes is how much memory the batch's texts take.
func (b *batch) textBytes() int {
	total := 0
	for i := range b.cols {
		if t := b.cols[i].texts; t != nil {
			total += len(t.bytes)
		}
	}
	return total
}

func (b *batch) full() bool { return b.rows >= batchRows || b.textBytes() >= batchText }

func (b *batch) reset() {
	b.rows = 0
	for i := range b.cols {
		v := &b.cols[i]
		v.codes, v.tags, v.vals = v.codes[:0], v.tags[:0], v.vals[:0]
		if v.texts != nil {
			v.texts.reset()
		}
	}
}

// append adds the rows of another batch, whose texts get codes of their own here.
func (b *batch) append(from *batch) {
	b.rows += from.rows
	for i := range b.cols {
		b.cols[i].append(&from.cols[i])
	}
}

func (v *vector) append(from *vector) {
	var codes []uint32
	if v.texts != nil {
		codes = v.texts.merge(from.texts)
	}
	for _, code := range from.codes {
		v.codes = append(v.codes, codes[code])
	}
	first := len(v.tags)
	v.tags, v.vals = append(v.tags, from.tags...), append(v.vals, from.vals...)
	for i, tag := range from.tags {
		if tag == tagLiteral && v.texts != nil {
			v.vals[first+i] = int64(codes[from.vals[i]])
		}
	}
}

// window is the part of a lookup table from one row to before another. It shares
// the table's memory.
func (b *batch) window(from, until int) *batch {
	part := &batch{rows: until - from, cols: make([]vector, len(b.cols))}
	for i, v := range b.cols {
		if v.kind.coded() {
			v.codes = v.codes[from:until]
		} else {
			v.tags, v.vals = v.tags[from:until], v.vals[from:until]
		}
		v.lasting = true
		part.cols[i] = v
	}
	return part
}
