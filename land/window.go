package land

import (
	"hash/maphash"
	"maps"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// The rows of one entry may stand apart in a CSV by so many batches of entries:
// 131,072 entries. Beyond that, or beyond so much text that no column takes,
// the oldest batch is closed; an entry that comes up again then is found by its
// key and refused.
const (
	windowBatches = 16
	windowOthers  = 32 << 20
	maxOthers     = 1000 // texts of one entry that no column takes
)

// cell is what identifies an entry in a CSV; empty is null.
type cell struct{ user, field, frame, period string }

// window holds the entries of a CSV that may still get values.
type window struct {
	f     *forecast
	seeds [2]maphash.Seed
	open  []*openBatch
	spare *openBatch
	found map[[2]uint64]place
	last  place
	key   [2]uint64 // of last
	plain []byte
	held  int // bytes of others
}

type openBatch struct {
	batch  *batch
	keys   [][2]uint64
	loose  []bool
	given  []uint32 // by row, a bit for each vector that had a value, null or not
	others map[int][]other
	held   int
}

// other is a value that no column takes.
type other struct{ name, text string }

type place struct {
	in  *openBatch
	row int
}

func newWindow(f *forecast) *window {
	return &window{
		f: f, seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()},
		found: map[[2]uint64]place{}, spare: &openBatch{batch: f.entries.batch},
	}
}

// entry is where the values of a cell go. A cell without a user or a field
// identifies nothing, so that each of its rows stays an entry of its own.
func (w *window) entry(c cell) (place, error) {
	loose := c.user == "" || c.field == ""
	key := w.hash(c)
	if !loose {
		if w.last.in != nil && key == w.key {
			return w.last, nil
		}
		if at, known := w.found[key]; known {
			w.last, w.key = at, key
			return at, nil
		}
	}
	to, err := w.room()
	if err != nil {
		return place{}, err
	}
	at := place{to, to.batch.rows}
	to.batch.addRow()
	to.keys, to.loose, to.given = append(to.keys, key), append(to.loose, loose), append(to.given, 0)
	for i, id := range []string{c.user, c.field, c.frame, c.period} {
		if id != "" {
			to.batch.cols[w.f.keyCols[i]].setText([]byte(id))
		}
	}
	if loose {
		w.f.loose++
		w.last = place{}
		return at, nil
	}
	w.found[key], w.last, w.key = at, at, key
	return at, nil
}

func (w *window) hash(c cell) (key [2]uint64) {
	w.plain = w.plain[:0]
	for _, id := range []string{c.user, c.field, c.frame, c.period} {
		w.plain = append(append(w.plain, id...), 0)
	}
	for i, seed := range w.seeds {
		key[i] = maphash.Bytes(seed, w.plain)
	}
	return key
}

// room is the batch for one more entry.
func (w *window) room() (*openBatch, error) {
	if n := len(w.open); n > 0 && !w.open[n-1].batch.full() {
		return w.open[n-1], nil
	}
	for len(w.open) >= windowBatches {
		if err := w.shut(); err != nil {
			return nil, err
		}
	}
	next := w.spare
	w.spare = nil
	if next == nil {
		next = &openBatch{batch: newBatch(kinds(w.f.columns))}
	}
	next.others = map[int][]other{}
	w.open = append(w.open, next)
	return next, nil
}

// shut gives the oldest batch away.
func (w *window) shut() error {
	oldest := w.open[0]
	w.open = w.open[1:]
	for i, key := range oldest.keys {
		if !oldest.loose[i] {
			delete(w.found, key)
		}
	}
	if w.last.in == oldest {
		w.last = place{}
	}
	for _, row := range slices.Sorted(maps.Keys(oldest.others)) {
		text, err := objectOf(oldest.others[row])
		if err != nil {
			return err
		}
		oldest.batch.cols[w.f.entries.rest].setTextAt(row, text)
	}
	if err := w.f.flush(oldest.batch, oldest.loose); err != nil {
		return err
	}
	w.held -= oldest.held
	w.spare = &openBatch{batch: oldest.batch, keys: oldest.keys[:0], loose: oldest.loose[:0], given: oldest.given[:0]}
	return nil
}

func (w *window) close() error {
	for len(w.open) > 0 {
		if err := w.shut(); err != nil {
			return err
		}
	}
	return nil
}

// keep holds a value that no column takes. It is false when the entry has one
// of that name.
func (w *window) keep(at place, name, text string) (bool, error) {
	there := at.in.others[at.row]
	for _, o := range there {
		if o.name == name {
			return false, nil
		}
	}
	if len(there) >= maxOthers {
		return false, refuse(CheckSize, "an entry has more than %d values that no column takes", maxOthers)
	}
	at.in.others[at.row] = append(there, other{name, text})
	at.in.held += len(name) + len(text)
	w.held += len(name) + len(text)
	for w.held > windowOthers && len(w.open) > 1 && w.open[0] != at.in {
		if err := w.shut(); err != nil {
			return false, err
		}
	}
	if at.in.held > 2*windowOthers {
		return false, refuse(CheckSize, "values that no column takes hold more than %d MiB", 2*windowOthers>>20)
	}
	return true, nil
}

func objectOf(others []other) ([]byte, error) {
	var object []byte
	for _, o := range others {
		var err error
		if object, err = keepText(object, o.name, o.text); err != nil {
			return nil, err
		}
	}
	return append(object, '}'), nil
}

// keepText appends a text to an object without its closing brace.
func keepText(object []byte, name, text string) ([]byte, error) {
	value, err := jsontext.AppendQuote(nil, text)
	if err != nil {
		return nil, err
	}
	return keep(object, []byte(name), value)
}
