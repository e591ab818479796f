package land

import (
	"context"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/s2"

	"github.com/weirhq/weir/land/parquet"
)

// bytesPerGroup ends a row group early, by its size in the spool before
// compression.
const bytesPerGroup = 32 << 20

// groupTask is what one row group is made of: batches as they stand in the
// spool, of which the first ones' rows may belong to the group before.
type groupTask struct {
	packed []byte
	ends   []int // of the batches in packed
	skip   int   // rows of the first batch
	rows   int
	// turn is closed when the groups before are written, next when this one is.
	turn, next chan struct{}
}

// groupWriter makes row groups of the spool on several goroutines and writes
// them in their order. What is in a group depends on the spool alone.
type groupWriter struct {
	ctx    context.Context
	shared constants
	table  Table
	path   string // of the spool
	joined map[string]*lookup
	file   *parquet.Writer
	tasks  chan *groupTask
	free   chan *groupTask
	failed atomic.Bool

	// Of these each belongs to whose turn it is.
	err      error
	rows     int64
	dangling Dangling
}

// spooled is content of which some tables stand in a spool.
type spooled interface {
	// spool is where a table's rows stand, and the lookup tables that are joined
	// to them; the path is empty for a table in memory.
	spool(t Table) (path string, joined map[string]*lookup)
}

// encodeGroups writes a table that stands in a spool as Parquet.
func (p *publication) encodeGroups(ctx context.Context, file *stagedFile, t Table, path string, joined map[string]*lookup) (Dangling, error) {
	workers := workers()
	g := &groupWriter{
		ctx: ctx, shared: p.r.constants(), table: t, path: path, joined: joined, file: parquet.NewWriter(file, t.Name, parquetColumns(t)),
		tasks: make(chan *groupTask), free: make(chan *groupTask, workers),
	}
	for range workers {
		g.free <- &groupTask{}
	}
	var running sync.WaitGroup
	for range workers {
		running.Go(g.work)
	}
	err := g.share()
	running.Wait()
	switch {
	case g.err != nil:
		return Dangling{}, g.err
	case err != nil:
		return Dangling{}, err
	}
	file.rows += g.rows
	return g.dangling, g.file.Close()
}

// share reads the spool and gives the groups out.
func (g *groupWriter) share() error {
	defer close(g.tasks)
	file, err := os.Open(g.path)
	if err != nil {
		return writeError("read back", g.path, err)
	}
	defer file.Close()
	spool := newSpoolReader(file, nil)
	turn := make(chan struct{})
	close(turn)
	var over []byte // the batch that the group before did not take whole
	used := 0
	for !g.failed.Load() {
		task := <-g.free
		var more bool
		if over, used, more, err = task.fill(spool, over, used); err != nil {
			return writeError("read back", g.path, err)
		}
		if task.rows > 0 {
			task.turn, task.next = turn, make(chan struct{})
			turn = task.next
			g.tasks <- task
		}
		if !more {
			return nil
		}
	}
	return nil
}

// fill takes batches for one group, first the rows of one that are left over.
// It gives the batch whose rows were not all taken and how many of them were.
func (t *groupTask) fill(spool *spoolReader, over []byte, used int) (rest []byte, taken int, more bool, err error) {
	t.packed, t.ends, t.skip, t.rows = t.packed[:0], t.ends[:0], 0, 0
	size := 0
	if len(over) > 0 {
		t.packed, t.skip, t.rows = append(t.packed, over...), used, packedRows(over)-used
		t.ends = append(t.ends, len(t.packed))
	}
	for t.rows < parquet.RowsPerGroup && size < bytesPerGroup {
		start := len(t.packed)
		packed, err := spool.packed(t.packed)
		if err == io.EOF {
			return nil, 0, false, nil
		}
		if err != nil {
			return nil, 0, false, err
		}
		t.packed = packed
		plain, err := s2.DecodedLen(t.packed[start+spoolHead:])
		if err != nil {
			return nil, 0, false, errSpool
		}
		size += plain
		t.rows += packedRows(t.packed[start:])
		t.ends = append(t.ends, len(t.packed))
	}
	beyond := t.rows - parquet.RowsPerGroup
	if beyond <= 0 {
		return nil, 0, true, nil
	}
	t.rows = parquet.RowsPerGroup
	last := 0
	if n := len(t.ends); n > 1 {
		last = t.ends[n-2]
	}
	rest = append(over[:0], t.packed[last:]...)
	return rest, packedRows(rest) - beyond, true, nil
}

// work makes groups and writes each in its turn.
func (g *groupWriter) work() {
	w := newWidener(g.table, g.joined, g.shared)
	spool := newSpoolReader(nil, kinds(layout(g.table)))
	values := newParquetValues(g.table)
	group := parquet.NewGroup(parquetColumns(g.table))
	for task := range g.tasks {
		err := g.encode(task, spool, w, values, group)
		<-task.turn
		if err == nil && g.err == nil {
			err = g.file.Commit(group)
		}
		if err != nil && g.err == nil {
			g.err = err
			g.failed.Store(true)
		}
		g.rows += int64(task.rows)
		g.dangling.add(w.dangling)
		w.dangling = Dangling{}
		close(task.next)
		g.free <- task
	}
}

func (g *groupWriter) encode(task *groupTask, spool *spoolReader, w *widener, values *parquetValues, group *parquet.Group) error {
	start, skip, left := 0, task.skip, task.rows
	for _, end := range task.ends {
		if g.ctx.Err() != nil {
			return context.Cause(g.ctx)
		}
		b, err := spool.unpack(task.packed[start:end])
		if err != nil {
			return writeError("read back", g.path, err)
		}
		b.cut(skip, min(b.rows, skip+left))
		left -= b.rows
		columns, err := values.of(w.widen(b))
		if err != nil {
			return err
		}
		if err := group.Write(b.rows, columns); err != nil {
			return err
		}
		start, skip = end, 0
	}
	group.Seal()
	return nil
}

// cut leaves the rows from one to before another.
func (b *batch) cut(from, until int) {
	if from == 0 && until == b.rows {
		return
	}
	b.rows = until - from
	for i := range b.cols {
		v := &b.cols[i]
		if v.kind.coded() {
			v.codes = v.codes[from:until]
		} else {
			v.tags, v.vals = v.tags[from:until], v.vals[from:until]
		}
	}
}
