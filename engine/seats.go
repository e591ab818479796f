package engine

import (
	"cmp"
	"hash/fnv"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/weirhq/weir/ledger"
)

const (
	// orphanAfter is how long an account stays vacant before a server that has
	// its share takes it all the same: nobody else may have its key.
	orphanAfter = 3 * time.Second
	// askEvery and wantFor are how often a server with too few accounts asks for
	// more, and how long an account is left to it.
	askEvery = 2 * time.Second
	wantFor  = 5 * time.Second
	// askMost is how many accounts are asked for at once.
	askMost = 200
)

// seating is what a server does about who conducts what.
type seating struct {
	take []string       // vacant accounts to try for
	give []string       // accounts to hand to a server that asked
	ask  map[string]int // how many accounts to ask of which server
}

// seats spreads accounts over servers. The share of one is the number of
// accounts by the number of servers: up to it, rounded up, a server takes what
// is vacant; below it, rounded down, it asks those that have more; above it, it
// gives what others ask for. One that has more than its share rounded up is asked
// by whoever has less. Otherwise nothing moves, so that it ends.
func seats(owner string, found ledger.Survey, able map[string]bool, vacantSince map[string]time.Time) seating {
	held := maps.Clone(found.Servers)
	held[owner] += 0 // it lives, whatever the ledger has heard so far
	total := len(found.Vacant)
	for _, n := range held {
		total += n
	}
	least, most := total/len(held), (total+len(held)-1)/len(held)
	mine := held[owner]
	s := seating{ask: map[string]int{}}
	vacant := slices.DeleteFunc(slices.Clone(found.Vacant), func(name string) bool { return !able[name] })
	for i, name := range inOrderOf(owner, vacant) {
		if i < most-mine || found.Now.Sub(vacantSince[name]) >= orphanAfter {
			s.take = append(s.take, name)
		}
	}
	for _, name := range found.Wanted {
		if mine > least {
			s.give = append(s.give, name)
			mine--
		}
	}
	if len(vacant) == 0 && len(found.Wanted) == 0 {
		s.askRicher(held, owner, least, least)
		s.askRicher(held, owner, most, most)
	}
	return s
}

// askRicher asks servers with more than they keep, if this one has less than it
// is due.
func (s *seating) askRicher(held map[string]int, owner string, due, keep int) {
	if len(s.ask) > 0 {
		return
	}
	need := min(due-held[owner], askMost)
	richest := slices.SortedFunc(maps.Keys(held), func(a, b string) int {
		return cmp.Or(cmp.Compare(held[b], held[a]), cmp.Compare(a, b))
	})
	for _, other := range richest {
		if n := min(need, held[other]-keep); n > 0 && other != owner {
			s.ask[other] = n
			need -= n
		}
	}
}

// inOrderOf sorts accounts in an order of the owner's own, so that servers that
// choose at once choose differently.
func inOrderOf(owner string, accounts []string) []string {
	place := make(map[string]uint64, len(accounts))
	for _, name := range accounts {
		h := fnv.New64a()
		_, _ = io.WriteString(h, owner+"\x00"+name)
		place[name] = h.Sum64()
	}
	return slices.SortedFunc(slices.Values(accounts), func(a, b string) int {
		return cmp.Or(cmp.Compare(place[a], place[b]), cmp.Compare(a, b))
	})
}
