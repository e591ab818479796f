package history

import (
	"cmp"
	"context"
	"errors"
	"sync"
)

// Options are for [Compare].
type Options struct {
	// Dir holds what does not fit in memory: about 100 bytes a row, gone at the
	// end. It is made with mode 0700.
	Dir string
	// Rows is about how many rows the larger snapshot has. It only decides into
	// how many parts the work is cut.
	Rows int64

	partBytes int64 // in tests
}

// Bounds of what is held in memory.
const (
	rowsPerPart = 40_000
	maxParts    = 512
	// partBytes is how much of a part is compared at once.
	partBytes = 24 << 20
	// comparers is how many parts are compared at once.
	comparers = 2
)

func (o Options) parts() int {
	return int(min(max(o.Rows/rowsPerPart, 1), maxParts))
}

// Compare gives every row that differs to each, ordered by user, field, time
// frame and period, and sums up. Snapshots need no order: both are dealt out to
// parts by a hash of the user, and part by part is compared in memory. Memory
// does not grow with the snapshots.
//
// The caller makes sure that both answer the same question
// ([land.Manifest.Likeness]).
func Compare(ctx context.Context, from, to Rows, o Options, each func(*Change) error) (s Summary, err error) {
	d := &diff{ctx: ctx, n: o.parts(), dir: o.Dir, partBytes: cmp.Or(o.partBytes, partBytes)}
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.deal(from, to); err != nil {
		return Summary{}, err
	}
	if d.found, err = newParted(o.Dir, d.n); err != nil {
		return Summary{}, err
	}
	if err := d.compareAll(); err != nil {
		return Summary{}, err
	}
	s = d.summary()
	if err := d.found.done(); err != nil {
		return Summary{}, err
	}
	return s, merge(ctx, d.found, each)
}

// diff is one comparison under way.
type diff struct {
	ctx context.Context
	n   int
	dir string
	// partBytes is how much of a part is compared at once.
	partBytes int64
	sides     [2]side
	found     *parted // changes, in order within each part

	mu     sync.Mutex // guards found and all below while parts are compared
	counts Counts
	people []Person
	beyond bool
}

// side is one snapshot as it was dealt out.
type side struct {
	spool  *parted
	rows   int64
	totals totals
}

// deal reads both snapshots at once.
func (d *diff) deal(from, to Rows) error {
	var wait sync.WaitGroup
	var faults [2]error
	for i, rows := range []Rows{from, to} {
		spool, err := newParted(d.dir, d.n)
		if err != nil {
			faults[i] = err
			break
		}
		d.sides[i] = side{spool: spool, totals: totals{}}
		wait.Go(func() { faults[i] = d.dealOne(&d.sides[i], rows) })
	}
	wait.Wait()
	return cmp.Or(faults[0], faults[1])
}

func (d *diff) dealOne(s *side, rows Rows) error {
	var line, scratch []byte
	err := rows(func(r *Row) error {
		if s.rows++; s.rows%1024 == 0 && d.ctx.Err() != nil {
			return context.Cause(d.ctx)
		}
		s.totals.add(r)
		line, scratch = appendRecord(line[:0], scratch, r)
		return s.spool.add(int(hashOf(r.IDs[0])%uint64(d.n)), line)
	})
	if err != nil {
		return err
	}
	return s.spool.done()
}

// compareAll compares the parts, some at a time.
func (d *diff) compareAll() error {
	next := make(chan int)
	ctx, cancel := context.WithCancelCause(d.ctx)
	defer cancel(nil)
	var wait sync.WaitGroup
	for range comparers {
		wait.Go(func() {
			c := comparer{diff: d}
			for part := range next {
				if err := c.compare(part); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	for part := 0; part < d.n && ctx.Err() == nil; part++ {
		select {
		case next <- part:
		case <-ctx.Done():
		}
	}
	close(next)
	wait.Wait()
	return context.Cause(ctx)
}

// maxPeople bounds how many people a [Summary] names.
const maxPeople = 10_000

// tell notes who came, left or went to zero.
func (d *diff) tell(all people) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for id, p := range all {
		what := p.presence()
		if what == Stayed {
			continue
		}
		d.counts.People[what]++
		if len(d.people) >= maxPeople {
			d.beyond = true
			continue
		}
		d.people = append(d.people, Person{ID: id, Name: p.name, Presence: what, Rows: max(p.from, p.to)})
	}
}

func (d *diff) close() error {
	var faults []error
	for _, p := range []*parted{d.sides[0].spool, d.sides[1].spool, d.found} {
		if p != nil {
			faults = append(faults, p.close())
		}
	}
	return errors.Join(faults...)
}
