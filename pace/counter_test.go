package pace

import (
	"testing"
	"time"
)

// TestCounter counts events given as (second of the event, second of learning).
func TestCounter(t *testing.T) {
	type event struct{ at, now int64 }
	tests := map[string]struct {
		events []event
		asked  int64
		want   int
	}{
		"none":                            {nil, 1000, 0},
		"in the window":                   {[]event{{941, 941}, {970, 970}, {1000, 1000}}, 1000, 3},
		"out of the window":               {[]event{{940, 940}, {1000, 1000}}, 1000, 1},
		"many in a second":                {[]event{{1000, 1000}, {1000, 1000}, {1000, 1001}}, 1001, 3},
		"learned of late":                 {[]event{{1000, 1000}, {995, 1001}}, 1001, 2},
		"learned of far too late":         {[]event{{1000, 1000}, {900, 1001}}, 930, 0},
		"a slot is used again":            {[]event{{1000, 1000}, {1064, 1064}}, 1064, 1},
		"a long pause":                    {[]event{{1000, 1000}, {1030, 1030}, {9000, 9000}}, 9000, 1},
		"the clock set back starts again": {[]event{{9000, 9000}, {1000, 1000}, {1001, 1001}}, 1001, 2},
		"before 1970":                     {[]event{{-1000, -1000}, {-990, -990}}, -980, 2},
		"asked of the future":             {[]event{{1000, 1000}}, 5000, 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := Counter{}
			for _, e := range test.events {
				c = c.add(time.Unix(e.at, 0), time.Unix(e.now, 5e8))
			}
			if got := c.before(time.Unix(test.asked, 0)); got != test.want {
				t.Errorf("%d, want %d", got, test.want)
			}
		})
	}
}
