package pace

import "time"

// counterSeconds is how far back a Counter reaches: the 60 s window and some
// seconds for requests that are answered late.
const counterSeconds = 64

// Counter counts events by the second, over the last 64 seconds: a count of
// fixed size, however many requests there are.
type Counter struct {
	// Newest is the latest second with an event, in Unix seconds.
	Newest int64 `json:"newest"`
	// Counts holds the second t at index t mod 64.
	Counts [counterSeconds]uint32 `json:"counts"`
}

// add counts one event at the instant at, learned of at the instant now. An
// event too old for the counter is dropped. A now too old for it means that the
// clock was set back: the counter starts again.
func (c Counter) add(at, now time.Time) Counter {
	second := at.Unix()
	if now.Unix() <= c.Newest-counterSeconds || c == (Counter{}) {
		c = Counter{Newest: second}
	}
	if second <= c.Newest-counterSeconds {
		return c
	}
	if second-c.Newest >= counterSeconds {
		c = Counter{Newest: second}
	}
	for ; c.Newest < second; c.Newest++ {
		c.Counts[index(c.Newest+1)] = 0
	}
	c.Counts[index(second)]++
	return c
}

// before sums the seconds of the window that ends with the second of at: 60
// whole seconds that are never counted from before the window.
func (c Counter) before(at time.Time) int {
	sum := 0
	last := at.Unix()
	for second := last - int64(countWindow/time.Second) + 1; second <= last; second++ {
		if second > c.Newest-counterSeconds && second <= c.Newest {
			sum += int(c.Counts[index(second)])
		}
	}
	return sum
}

func index(second int64) int {
	return int(((second % counterSeconds) + counterSeconds) % counterSeconds)
}
