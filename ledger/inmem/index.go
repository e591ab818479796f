package inmem

import (
	"cmp"
	"slices"
	"time"

	"github.com/weirhq/weir/ledger/internal/rule"
)

// index keeps ids in the order of an instant, ties by id.
type index struct{ entries []entry }

type entry struct {
	at int64 // Unix milliseconds, 0 for none
	id string
}

func byInstant(a, b entry) int {
	return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.id, b.id))
}

func (x *index) add(at time.Time, id string) {
	e := entry{rule.Millis(at), id}
	if i, found := slices.BinarySearchFunc(x.entries, e, byInstant); !found {
		x.entries = slices.Insert(x.entries, i, e)
	}
}

func (x *index) remove(at time.Time, id string) {
	if i, found := slices.BinarySearchFunc(x.entries, entry{rule.Millis(at), id}, byInstant); found {
		x.entries = slices.Delete(x.entries, i, i+1)
	}
}

// from are the entries at or after the instant.
func (x *index) from(at time.Time) []entry {
	i, _ := slices.BinarySearchFunc(x.entries, entry{at: rule.Millis(at)}, byInstant)
	return x.entries[i:]
}
