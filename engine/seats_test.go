package engine

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/weirhq/weir/ledger"
)

// Servers that come and go, each deciding for itself: in the end every account
// is held, no server has two more than another, and nothing moves any more.
func TestSeatsSpreadAndSettle(t *testing.T) {
	for _, test := range []struct{ accounts, servers int }{{1, 1}, {1, 3}, {7, 3}, {10, 4}, {1000, 3}, {3, 8}} {
		t.Run(fmt.Sprintf("%d accounts, %d servers", test.accounts, test.servers), func(t *testing.T) {
			f := newTown(test.accounts)
			for i := range test.servers {
				f.servers = append(f.servers, fmt.Sprint("server", i))
				f.beat()
			}
			f.settle(t)
			f.servers = f.servers[1:] // one dies
			if len(f.servers) > 0 {
				f.settle(t)
			}
		})
	}
}

// An account that only a server with its full share can take does not stay
// without one.
func TestOrphanIsTaken(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	found := ledger.Survey{Now: now, Vacant: []string{"orphan"}, Servers: map[string]int{"full": 5, "poor": 0}}
	able := map[string]bool{"orphan": true}
	young := seats("full", found, able, map[string]time.Time{"orphan": now})
	old := seats("full", found, able, map[string]time.Time{"orphan": now.Add(-orphanAfter)})
	unable := seats("full", found, nil, map[string]time.Time{"orphan": now.Add(-time.Hour)})
	if len(young.take) != 0 || !slices.Equal(old.take, []string{"orphan"}) || len(unable.take) != 0 {
		t.Errorf("taken at once %v, after a while %v, without its key %v", young.take, old.take, unable.take)
	}
}

// town is accounts with their holders, "" for none, and who asks for them.
type town struct {
	now     time.Time
	servers []string
	holder  map[string]string
	wanted  map[string]string
	moves   int
}

func newTown(accounts int) *town {
	f := &town{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), holder: map[string]string{}, wanted: map[string]string{}}
	for i := range accounts {
		f.holder[fmt.Sprintf("account%04d", i)] = ""
	}
	return f
}

func (f *town) survey(server string) ledger.Survey {
	s := ledger.Survey{Now: f.now, Servers: map[string]int{}}
	for _, name := range f.servers {
		s.Servers[name] = 0
	}
	for account, holder := range f.holder {
		lives := slices.Contains(f.servers, holder)
		by := f.wanted[account]
		asked := by != "" && by != server && slices.Contains(f.servers, by)
		switch {
		case !lives && !asked:
			s.Vacant = append(s.Vacant, account)
		case holder == server && asked:
			s.Wanted = append(s.Wanted, account)
		}
		if lives {
			s.Servers[holder]++
		}
	}
	slices.Sort(s.Vacant)
	slices.Sort(s.Wanted)
	return s
}

// beat is one second of every server.
func (f *town) beat() {
	f.now = f.now.Add(askEvery)
	able := map[string]bool{}
	for account := range f.holder {
		able[account] = true
	}
	for _, server := range f.servers {
		s := seats(server, f.survey(server), able, map[string]time.Time{})
		for _, account := range s.take {
			f.holder[account], f.wanted[account] = server, ""
			f.moves++
		}
		for _, account := range s.give {
			f.holder[account] = ""
			f.moves++
		}
		for richer, n := range s.ask {
			var held []string
			for account, holder := range f.holder {
				if holder == richer {
					held = append(held, account)
				}
			}
			for _, account := range inOrderOf(server, held)[:n] {
				f.wanted[account] = server
			}
		}
	}
}

func (f *town) settle(t *testing.T) {
	t.Helper()
	for range 60 {
		f.beat()
	}
	f.moves = 0
	for range 10 {
		f.beat()
	}
	held := map[string]int{}
	for _, holder := range f.holder {
		held[holder]++
	}
	least, most := len(f.holder), 0
	for _, server := range f.servers {
		least, most = min(least, held[server]), max(most, held[server])
	}
	if held[""] > 0 || f.moves > 0 || most-least > 1 {
		t.Errorf("%d servers: nobody holds %d, between %d and %d each, %d moves at rest", len(f.servers), held[""], least, most, f.moves)
	}
}
