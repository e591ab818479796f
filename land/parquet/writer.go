package parquet

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Kind is the type of a column.
type Kind uint8

// The types of columns.
const (
	String   Kind = iota // UTF-8, dictionary-encoded
	Document             // UTF-8 that seldom repeats
	Double
	Bool
	Millis  // TIMESTAMP(MILLIS, UTC)
	Date    // days since 1970-01-01
	Integer // INT32
)

// Column is one column of a file.
type Column struct {
	Name string
	Kind Kind
}

// Values are one column of a batch.
type Values struct {
	// Codes number the texts of a String or Document column from 1; 0 is null.
	Codes []uint32
	// Count is the largest code there can be.
	Count int
	// Lasting says that a code means the same text in every batch of the file.
	Lasting bool
	// Text gives the text of a code, valid until the next batch.
	Text func(code uint32) []byte
	// Present says for every other kind which rows are not null (0 is null).
	Present []uint8
	// Ints hold Bool (1 is true), Millis, Date and Integer.
	Ints []int64
	// Doubles hold Double.
	Doubles []float64
}

// from leaves the first rows out.
func (v Values) from(row int) Values {
	if v.Codes != nil {
		v.Codes = v.Codes[row:]
	}
	if v.Present != nil {
		v.Present = v.Present[row:]
	}
	if v.Ints != nil {
		v.Ints = v.Ints[row:]
	}
	if v.Doubles != nil {
		v.Doubles = v.Doubles[row:]
	}
	return v
}

const (
	// RowsPerGroup is how many rows a row group has, unless it is the last or its
	// texts are large.
	RowsPerGroup = 16 * 8192
	// bytesPerGroup ends a row group early, by its size in the file.
	bytesPerGroup = 16 << 20
)

// Writer writes one file. It is not safe for concurrent use, but the groups
// that it is given may be made on goroutines of their own.
type Writer struct {
	out     io.Writer
	table   string
	columns []Column
	offset  int64
	groups  []groupFacts
	group   *Group
	failed  error
}

// NewWriter starts a file with the columns in the order given.
func NewWriter(w io.Writer, table string, columns []Column) *Writer {
	f := &Writer{out: w, table: table, columns: columns}
	f.write([]byte(magic))
	return f
}

func (w *Writer) write(p []byte) {
	if w.failed == nil {
		_, w.failed = w.out.Write(p)
		w.offset += int64(len(p))
	}
}

// Write adds a batch of rows, one Values for each column, to the row group at
// hand. Nothing of it is kept.
func (w *Writer) Write(rows int, batch []Values) error {
	if len(batch) != len(w.columns) {
		return fmt.Errorf("write parquet batch: %d columns, want %d", len(batch), len(w.columns))
	}
	for done := 0; done < rows; {
		if w.group == nil {
			w.group = NewGroup(w.columns)
		}
		part := min(rows-done, RowsPerGroup-w.group.rows)
		for i := range batch {
			v := batch[i].from(done)
			w.group.chunks[i].add(part, &v)
		}
		w.group.rows += part
		done += part
		if w.group.rows == RowsPerGroup || w.group.size() >= bytesPerGroup {
			if err := w.commit(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *Writer) commit() error {
	w.group.Seal()
	return w.Commit(w.group)
}

// Close ends the file. The file is not readable before.
func (w *Writer) Close() error {
	if w.group != nil && w.group.rows > 0 {
		if err := w.commit(); err != nil {
			return err
		}
	}
	end := footer(w.table, w.columns, w.groups)
	end = binary.LittleEndian.AppendUint32(end, uint32(len(end)))
	w.write(append(end, magic...))
	if w.failed != nil {
		return fmt.Errorf("close parquet file: %w", w.failed)
	}
	return nil
}

// Commit writes a sealed group behind those before it, and empties it.
func (w *Writer) Commit(g *Group) error {
	facts := groupFacts{rows: int64(g.rows), start: w.offset}
	for _, c := range g.chunks {
		facts.chunks = append(facts.chunks, c.facts(w.offset))
		w.write(c.dictPage)
		w.write(c.pages)
		c.reset()
	}
	w.groups = append(w.groups, facts)
	g.rows = 0
	if w.failed != nil {
		return fmt.Errorf("write parquet row group: %w", w.failed)
	}
	return nil
}

// Group is a row group in the making. It is not safe for concurrent use;
// several may be made at once.
type Group struct {
	rows   int
	chunks []*chunk
}

// NewGroup begins a row group of a file with the columns.
func NewGroup(columns []Column) *Group {
	g := &Group{}
	// Of the options none can be wrong, and pages need no checksum of zstd's.
	packer, _ := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false),
		zstd.WithWindowSize(bytesPerPage), zstd.WithLowerEncoderMem(true))
	shared := &scratch{packer: packer}
	for _, c := range columns {
		g.chunks = append(g.chunks, newChunk(c.Kind, shared))
	}
	return g
}

// Write adds a batch of rows, one Values for each column. Nothing of it is kept.
// What makes a group too large is the caller's to see.
func (g *Group) Write(rows int, batch []Values) error {
	if len(batch) != len(g.chunks) {
		return fmt.Errorf("write parquet batch: %d columns, want %d", len(batch), len(g.chunks))
	}
	for i := range batch {
		g.chunks[i].add(rows, &batch[i])
	}
	g.rows += rows
	return nil
}

// Seal ends the group's pages. It must precede Commit.
func (g *Group) Seal() {
	for _, c := range g.chunks {
		c.seal()
	}
}

// size is how much of the file the group takes so far.
func (g *Group) size() int {
	total := 0
	for _, c := range g.chunks {
		total += len(c.pages)
	}
	return total
}
