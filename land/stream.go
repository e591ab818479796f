package land

import (
	"context"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
)

// rowStream takes the rows of one table into a spool of its own.
type rowStream struct {
	decoder *rowDecoder
	columns []Column // as read
	spool   *spoolWriter
	path    string
	rows    int64
}

func newRowStream(work *workdir, t Table) (*rowStream, error) {
	name := t.Name + ".s2"
	file, err := work.create(name)
	if err != nil {
		return nil, err
	}
	return &rowStream{
		decoder: newRowDecoder(t), columns: layout(t), spool: newSpoolWriter(file), path: filepath.Join(work.path, name),
	}, nil
}

// newRowStreams opens one for each table, or none.
func newRowStreams(work *workdir, tables ...Table) ([]*rowStream, error) {
	var streams []*rowStream
	for _, t := range tables {
		s, err := newRowStream(work, t)
		if err != nil {
			for _, opened := range streams {
				_ = opened.spool.close() // the file goes with the work directory
			}
			return nil, err
		}
		streams = append(streams, s)
	}
	return streams, nil
}

// vector is a column of the batch at hand.
func (s *rowStream) vector(name string) *vector {
	i := slices.IndexFunc(s.columns, func(c Column) bool { return c.Name == name })
	return &s.decoder.batch.cols[i]
}

// flush spools what is there, in pieces that the spool's reader takes.
func (s *rowStream) flush() error {
	b := s.decoder.batch
	for from := 0; from < b.rows; from += batchRows {
		if err := s.spool.write(b.window(from, min(from+batchRows, b.rows))); err != nil {
			return err
		}
	}
	s.rows += int64(b.rows)
	if s.rows > math.MaxInt32 {
		return refuse(CheckSize, "more than %d rows of %s", math.MaxInt32, s.decoder.table.Array)
	}
	b.reset()
	return nil
}

// end flushes the rest and closes the file.
func (s *rowStream) end(err error) error {
	if err == nil {
		err = s.flush()
	}
	if closed := s.spool.close(); err == nil {
		err = closed
	}
	return err
}

// visit gives the rows back in batches as written.
func (s *rowStream) visit(ctx context.Context, shared constants, each func(*batch) error) error {
	file, err := os.Open(s.path)
	if err != nil {
		return writeError("read back", s.path, err)
	}
	defer file.Close()
	t := s.decoder.table
	spool, w := newSpoolReader(file, kinds(layout(t))), newWidener(t, nil, shared)
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		b, err := spool.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return writeError("read back", s.path, err)
		}
		if err := each(w.widen(b)); err != nil {
			return err
		}
	}
}

// tell notes what the table's rows held that no column takes.
func (s *rowStream) tell(m *Manifest) {
	note(m.Unknown, s.decoder.table.Array, s.decoder.unknown)
	note(m.Misfits, s.decoder.table.Array, s.decoder.misfits)
}
