package history

import (
	"container/heap"
	"math"
)

// Cell is one value that changed.
type Cell struct {
	Change
	// Column is an index of [Columns].
	Column int

	size  float64
	order int
}

// Largest keeps the largest of the values that changed, by the size of their
// delta; of equals the first. Hand its Add to [Compare].
type Largest struct {
	// Limit is how many are kept; 0 keeps all.
	Limit int
	// Seen is how many values changed.
	Seen int

	kept cells
}

// Add takes the values of a change that differ. It never fails.
func (l *Largest) Add(c *Change) error {
	for column := range len(c.From) {
		if !c.Differs(column) {
			continue
		}
		size := math.Abs(c.Delta(column).Double())
		if size != size { // beyond calculation: nothing is larger
			size = math.Inf(1)
		}
		l.Seen++
		heap.Push(&l.kept, Cell{*c, column, size, l.Seen})
		if l.Limit > 0 && len(l.kept) > l.Limit {
			heap.Pop(&l.kept)
		}
	}
	return nil
}

// Sorted empties it, the largest first.
func (l *Largest) Sorted() []Cell {
	all := make([]Cell, len(l.kept))
	for i := len(all) - 1; i >= 0; i-- {
		all[i] = heap.Pop(&l.kept).(Cell)
	}
	return all
}

// cells is a heap with the smallest at its root, so that it goes first; of
// equals the later.
type cells []Cell

func (s cells) Len() int      { return len(s) }
func (s cells) Swap(i, j int) { s[i], s[j] = s[j], s[i] }

// Less puts the smaller first, of equals the later.
func (s cells) Less(i, j int) bool {
	return s[i].size < s[j].size || s[i].size == s[j].size && s[i].order > s[j].order
}

// Push adds a cell.
func (s *cells) Push(v any) { *s = append(*s, v.(Cell)) }

// Pop takes the last one away.
func (s *cells) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}
