package inmem

import (
	"testing"
	"time"
)

func TestIndex(t *testing.T) {
	var x index
	at := func(s int64) time.Time { return time.Unix(s, 0) }
	for _, e := range []struct {
		at int64
		id string
	}{{3, "c"}, {1, "a"}, {2, "b"}, {2, "a"}, {2, "b"}} {
		x.add(at(e.at), e.id)
	}
	ids := func(entries []entry) (all string) {
		for _, e := range entries {
			all += e.id
		}
		return all
	}
	for from, want := range map[int64]string{0: "aabc", 1: "aabc", 2: "abc", 3: "c", 4: ""} {
		if got := ids(x.from(at(from))); got != want {
			t.Errorf("from %d: %q, want %q", from, got, want)
		}
	}
	x.remove(at(2), "a")
	x.remove(at(9), "a")
	if got := ids(x.from(time.Time{})); got != "abc" {
		t.Errorf("after removal: %q", got)
	}
}
