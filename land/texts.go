package land

import (
	"bytes"
	"hash/maphash"
)

// texts holds distinct texts in one piece of memory and numbers them from 1 in
// the order in which they first came. Code 0 is no text.
type texts struct {
	bytes []byte
	ends  []uint32
	// slots is an open-addressed table of codes, at most half full; its length
	// is a power of two. A batch read back from the spool has none.
	slots []uint32
	seed  maphash.Seed
}

func newTexts() *texts { return &texts{seed: maphash.MakeSeed()} }

// count is the largest code in use.
func (t *texts) count() int { return len(t.ends) }

// at is the text with the code, which must be between 1 and count. It must not
// be changed.
func (t *texts) at(code uint32) []byte {
	start := uint32(0)
	if code > 1 {
		start = t.ends[code-2]
	}
	end := t.ends[code-1]
	return t.bytes[start:end:end]
}

// find is the code of the text, or 0.
func (t *texts) find(text []byte) uint32 {
	if len(t.slots) == 0 {
		return 0
	}
	return t.slots[t.slot(text)]
}

// put is the code of the text, which is added when it is new.
func (t *texts) put(text []byte) uint32 {
	if 2*(len(t.ends)+1) > len(t.slots) {
		t.grow()
	}
	slot := t.slot(text)
	if t.slots[slot] == 0 {
		t.bytes = append(t.bytes, text...)
		t.ends = append(t.ends, uint32(len(t.bytes)))
		t.slots[slot] = uint32(len(t.ends))
	}
	return t.slots[slot]
}

func (t *texts) slot(text []byte) uint64 {
	mask := uint64(len(t.slots) - 1)
	at := maphash.Bytes(t.seed, text) & mask
	for {
		code := t.slots[at]
		if code == 0 || bytes.Equal(t.at(code), text) {
			return at
		}
		at = (at + 1) & mask
	}
}

func (t *texts) grow() {
	t.slots = make([]uint32, max(64, 2*len(t.slots)))
	for code := 1; code <= len(t.ends); code++ {
		t.slots[t.slot(t.at(uint32(code)))] = uint32(code)
	}
}

func (t *texts) reset() {
	t.bytes, t.ends = t.bytes[:0], t.ends[:0]
	clear(t.slots)
}
