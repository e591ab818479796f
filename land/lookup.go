package land

import (
	"slices"
	"strings"
)

// maxLookups bounds the texts of all lookup tables together, which are held in
// memory: 256 MiB, a million users and more.
const maxLookups = 256 << 20

// none is the row of a lookup that found nothing.
const none = -1

// lookup is one lookup table in memory with the rows of each id.
type lookup struct {
	table   Table
	columns []Column
	batch   *batch
	id      int
	unknown *tally
	misfits *tally
	// first is the first row of each id code and next the row after a row with
	// the same id, none at the end.
	first []int32
	next  []int32
}

func newLookup(d *rowDecoder) *lookup {
	l := &lookup{table: d.table, columns: layout(d.table), batch: d.batch, unknown: d.unknown, misfits: d.misfits}
	l.id = slices.IndexFunc(l.columns, func(c Column) bool { return c.ID })
	return l
}

// index is called once, when all rows are there.
func (l *lookup) index() {
	ids := &l.batch.cols[l.id]
	l.first = slices.Repeat([]int32{none}, ids.texts.count()+1)
	l.next = slices.Repeat([]int32{none}, l.batch.rows)
	for row := l.batch.rows - 1; row >= 0; row-- {
		if code := ids.codes[row]; code != 0 {
			l.next[row] = l.first[code]
			l.first[code] = int32(row)
		}
	}
}

// find is the first row with the id, or none.
func (l *lookup) find(id []byte) int32 {
	code := l.batch.cols[l.id].texts.find(id)
	if code == 0 {
		return none
	}
	return l.first[code]
}

// repeated gives an id that stands in two rows that differ. Rows that are equal
// in everything are harmless.
func (l *lookup) repeated() (id string, found bool) {
	for code, row := range l.first {
		if row == none || l.next[row] == none {
			continue
		}
		want := l.rowHash(row)
		for other := l.next[row]; other != none; other = l.next[other] {
			if l.rowHash(other) != want {
				return string(l.batch.cols[l.id].texts.at(uint32(code))), true
			}
		}
	}
	return "", false
}

// rowHash tells rows apart: equal rows have equal codes.
func (l *lookup) rowHash(row int32) string {
	var key strings.Builder
	for i := range l.batch.cols {
		v := &l.batch.cols[i]
		if v.kind.coded() {
			writeWord(&key, uint64(v.codes[row]))
			continue
		}
		key.WriteByte(v.tags[row])
		writeWord(&key, uint64(v.vals[row]))
	}
	return key.String()
}

func writeWord(to *strings.Builder, word uint64) {
	for range 8 {
		to.WriteByte(byte(word))
		word >>= 8
	}
}

// day gives a Date column of a row.
func (l *lookup) day(row int32, column string) (int64, bool) {
	i := slices.IndexFunc(l.columns, func(c Column) bool { return c.Name == column })
	v := &l.batch.cols[i]
	return v.vals[row], v.tags[row] != tagNull
}

// span gives the first and last day of a time frame or period, if it has both.
func (l *lookup) span(row int32) (from, until int64, ok bool) {
	from, hasFrom := l.day(row, "start_date")
	until, hasUntil := l.day(row, "end_date")
	return from, until, hasFrom && hasUntil && from <= until
}

// match says how the time frame of an entry was found.
type match uint8

const (
	matched   match = iota
	dangling        // no frame has the id
	ambiguous       // several have it and none of them fits the period best
)

// frameOf finds the time frame of an entry. Where one id names several frames,
// because each period has its own, it is the frame that shares the most days
// with the entry's period; frames of equal span are one.
func frameOf(frames, periods *lookup, frameID, periodID []byte) (int32, match) {
	first := frames.find(frameID)
	if first == none {
		return none, dangling
	}
	if frames.sameSpans(first) {
		return first, matched
	}
	period := periods.find(periodID)
	if period == none {
		return none, ambiguous
	}
	from, until, ok := periods.span(period)
	if !ok {
		return none, ambiguous
	}
	return frames.bestFit(first, from, until)
}

func (l *lookup) sameSpans(first int32) bool {
	from, until, ok := l.span(first)
	for row := l.next[first]; row != none; row = l.next[row] {
		otherFrom, otherUntil, otherOK := l.span(row)
		if otherFrom != from || otherUntil != until || !ok || !otherOK {
			return false
		}
	}
	return true
}

func (l *lookup) bestFit(first int32, from, until int64) (int32, match) {
	best, most, tie := int32(none), int64(0), false
	var bestFrom, bestUntil int64
	for row := first; row != none; row = l.next[row] {
		start, end, ok := l.span(row)
		days := min(end, until) - max(start, from) + 1
		switch {
		case !ok || days <= 0 || days < most:
		case days > most:
			best, most, tie = row, days, false
			bestFrom, bestUntil = start, end
		case start != bestFrom || end != bestUntil:
			tie = true
		}
	}
	if best == none || tie {
		return none, ambiguous
	}
	return best, matched
}

// frameCache remembers the frame of each pair of codes of one batch.
type frameCache map[[2]uint32]frameMatch

type frameMatch struct {
	row int32
	how match
}
