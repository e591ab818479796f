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
	// slots is an open-addressed table of codes, each behind 32 bits of its text's
	// hash, at most half full; its length is a power of two. A batch read back
	// from the spool has none.
	slots []uint64
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
	return uint32(t.slots[t.slot(text, t.hash(text))])
}

// put is the code of the text, which is added when it is new.
func (t *texts) put(text []byte) uint32 {
	if 2*(len(t.ends)+1) > len(t.slots) {
		t.grow()
	}
	hash := t.hash(text)
	slot := t.slot(text, hash)
	if t.slots[slot] == 0 {
		t.bytes = append(t.bytes, text...)
		t.ends = append(t.ends, uint32(len(t.bytes)))
		t.slots[slot] = hash<<32 | uint64(len(t.ends))
	}
	return uint32(t.slots[slot])
}

// merge puts the texts of another one and gives their codes here by their codes
// there.
func (t *texts) merge(from *texts) []uint32 {
	codes := make([]uint32, from.count()+1)
	for code := 1; code < len(codes); code++ {
		codes[code] = t.put(from.at(uint32(code)))
	}
	return codes
}

// hash is 32 bits, which tell texts apart without a look at them.
func (t *texts) hash(text []byte) uint64 { return maphash.Bytes(t.seed, text) >> 32 }

func (t *texts) slot(text []byte, hash uint64) uint64 {
	mask := uint64(len(t.slots) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		slot := t.slots[at]
		if slot == 0 || slot>>32 == hash && bytes.Equal(t.at(uint32(slot)), text) {
			return at
		}
	}
}

func (t *texts) grow() {
	before := t.slots
	t.slots = make([]uint64, max(64, 2*len(before)))
	mask := uint64(len(t.slots) - 1)
	for _, slot := range before {
		if slot == 0 {
			continue
		}
		at := slot >> 32 & mask
		for t.slots[at] != 0 {
			at = (at + 1) & mask
		}
		t.slots[at] = slot
	}
}

func (t *texts) reset() {
	t.bytes, t.ends = t.bytes[:0], t.ends[:0]
	clear(t.slots)
}
