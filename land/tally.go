package land

// maxTally bounds how many names a tally keeps apart, and maxName how much of
// a name it keeps: names come from outside.
const (
	maxTally = 200
	maxName  = 200
)

// tally counts names, most of them forgotten when there are too many.
type tally struct {
	counts map[string]int64
	order  []string // of the names, as they first came
	others int64
}

func newTally() *tally { return &tally{counts: map[string]int64{}} }

func (t *tally) add(name []byte) { t.addN(name, 1) }

func (t *tally) addN(name []byte, n int64) {
	if before, ok := t.counts[string(name)]; ok {
		t.counts[string(name)] = before + n
		return
	}
	if len(name) > maxName || len(name) > 0 && t.full() {
		t.others += n
		return
	}
	t.counts[string(name)] = n
	t.order = append(t.order, string(name))
}

// full does not count the empty name: when it comes must not matter, because a
// batch counts its nulls first.
func (t *tally) full() bool {
	names := len(t.counts)
	if _, ok := t.counts[""]; ok {
		names--
	}
	return names >= maxTally
}

// merge adds what another tally counted after this one.
func (t *tally) merge(later *tally) {
	for _, name := range later.order {
		t.addN([]byte(name), later.counts[name])
	}
	t.others += later.others
}

func (t *tally) reset() {
	if len(t.order) > 0 {
		clear(t.counts)
		t.order = t.order[:0]
	}
	t.others = 0
}

// total is how often anything was added.
func (t *tally) total() int64 {
	sum := t.others
	for _, n := range t.counts {
		sum += n
	}
	return sum
}

// names gives the counts for a manifest; what had no room is under "...".
func (t *tally) names() map[string]int64 {
	if t.total() == 0 {
		return nil
	}
	all := map[string]int64{}
	for name, n := range t.counts {
		all[name] = n
	}
	if t.others > 0 {
		all["..."] += t.others
	}
	return all
}
