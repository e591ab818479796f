package door

import (
	"sync"
	"time"
)

// triesOfOne is how many wrong tokens a minute are listened to from one address.
const triesOfOne = 5

// maxTriers bounds how many addresses are told apart; those beyond count as one.
const maxTriers = 4096

// tries counts wrong tokens by the minute.
type tries struct {
	mu     sync.Mutex
	minute int64
	by     map[string]int
}

func newTries() *tries { return &tries{by: map[string]int{}} }

// of names the count of an address, in this minute.
func (t *tries) of(from string, now time.Time) string {
	if minute := now.Unix() / 60; minute != t.minute {
		t.minute = minute
		clear(t.by)
	}
	if _, known := t.by[from]; !known && len(t.by) >= maxTriers {
		return ""
	}
	return from
}

// left reports whether another try is listened to.
func (t *tries) left(from string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.by[t.of(from, now)] < triesOfOne
}

func (t *tries) spend(from string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.by[t.of(from, now)]++
}
