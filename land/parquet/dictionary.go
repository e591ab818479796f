package parquet

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

// textDictionary numbers distinct texts from 0 in the order in which they came.
type textDictionary struct {
	plain  []byte   // as the dictionary page has them: a length, then the text
	starts []uint32 // of the texts in plain
	slots  []uint32 // indices from 1, open-addressed, at most half full
	seed   maphash.Seed
}

func (d *textDictionary) reset() {
	d.plain, d.starts = d.plain[:0], d.starts[:0]
	clear(d.slots)
}

func (d *textDictionary) at(index uint32) []byte {
	start := d.starts[index]
	length := binary.LittleEndian.Uint32(d.plain[start-4:])
	return d.plain[start : start+length]
}

func (d *textDictionary) put(text []byte) uint32 {
	if 2*(len(d.starts)+1) > len(d.slots) {
		d.grow()
	}
	slot := d.slot(text)
	if d.slots[slot] == 0 {
		d.plain = binary.LittleEndian.AppendUint32(d.plain, uint32(len(text)))
		d.starts = append(d.starts, uint32(len(d.plain)))
		d.plain = append(d.plain, text...)
		d.slots[slot] = uint32(len(d.starts))
	}
	return d.slots[slot] - 1
}

func (d *textDictionary) slot(text []byte) uint64 {
	mask := uint64(len(d.slots) - 1)
	at := maphash.Bytes(d.seed, text) & mask
	for d.slots[at] != 0 && !bytes.Equal(d.at(d.slots[at]-1), text) {
		at = (at + 1) & mask
	}
	return at
}

func (d *textDictionary) grow() {
	d.slots = make([]uint32, max(64, 2*len(d.slots)))
	for index := range d.starts {
		d.slots[d.slot(d.at(uint32(index)))] = uint32(index + 1)
	}
}

// wordDictionary does the same for values of fixed size, as bits, as long as
// there are few.
type wordDictionary struct {
	words []uint64
	slots [4 * maxWords]uint16 // indices from 1
	last  uint32
}

// maxWords is how many distinct values of fixed size a dictionary may have.
const maxWords = 2048

func (d *wordDictionary) reset() {
	d.words, d.last = d.words[:0], 0
	clear(d.slots[:])
}

// put says no when there is no room.
func (d *wordDictionary) put(word uint64) (uint32, bool) {
	if int(d.last) < len(d.words) && d.words[d.last] == word {
		return d.last, true
	}
	hash, _ := bits.Mul64(word^word<<32^0x9e3779b97f4a7c15, 0xd1b54a32d192ed03)
	at := (hash ^ word*0x9e3779b97f4a7c15>>40) % uint64(len(d.slots))
	for d.slots[at] != 0 && d.words[d.slots[at]-1] != word {
		at = (at + 1) % uint64(len(d.slots))
	}
	if d.slots[at] == 0 {
		if len(d.words) == maxWords {
			return 0, false
		}
		d.words = append(d.words, word)
		d.slots[at] = uint16(len(d.words))
	}
	d.last = uint32(d.slots[at] - 1)
	return d.last, true
}
