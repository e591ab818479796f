package postgres

import (
	"bytes"
	"encoding/binary"
	"io"
	"iter"
	"math"
	"sync"

	"github.com/weirhq/weir/land"
)

// copyStream writes rows in the binary form of COPY, batch by batch, as it is
// read: https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format".
//
// The driver may still be reading when it has given up, hence the lock.
type copyStream struct {
	mu       sync.Mutex
	table    land.Table
	constant [][]byte // the values of the columns before the table's own
	next     func() (*land.Rows, error, bool)
	stop     func()

	buffer   []byte
	read     int // of buffer
	ended    bool
	err      error // of the rows
	replaced int64 // NUL characters
}

func newCopyStream(t land.Table, constant []string, rows iter.Seq2[*land.Rows, error]) *copyStream {
	s := &copyStream{table: t}
	for _, text := range constant {
		s.constant = append(s.constant, s.clean([]byte(text)))
	}
	s.next, s.stop = iter.Pull2(rows)
	s.buffer = append(s.buffer, "PGCOPY\n\xff\r\n\x00"...)
	s.buffer = append(s.buffer, make([]byte, 8)...) // no flags, no extension
	return s
}

// close ends the rows and says how the reading went. It may be called twice.
func (s *copyStream) close() (replaced int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop()
	s.ended, s.read = true, len(s.buffer)
	return s.replaced, s.err
}

// Read gives the stream's bytes.
func (s *copyStream) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.read == len(s.buffer) {
		if s.ended {
			return 0, io.EOF
		}
		s.buffer, s.read = s.buffer[:0], 0
		if err := s.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, s.buffer[s.read:])
	s.read += n
	return n, nil
}

func (s *copyStream) fill() error {
	rows, err, more := s.next()
	switch {
	case !more:
		s.ended = true
		s.buffer = binary.BigEndian.AppendUint16(s.buffer, 0xffff) // the trailer
	case err != nil:
		s.err = err
		return err
	default:
		for row := range rows.Len() {
			s.row(rows, row)
		}
	}
	return nil
}

func (s *copyStream) row(rows *land.Rows, row int) {
	s.buffer = binary.BigEndian.AppendUint16(s.buffer, uint16(len(s.constant)+len(s.table.Columns)))
	for _, text := range s.constant {
		s.bytes(text)
	}
	for i, c := range s.table.Columns {
		s.value(rows, c.Kind, i, row)
	}
}

func (s *copyStream) value(rows *land.Rows, kind land.Kind, column, row int) {
	switch kind {
	case land.Text, land.JSON:
		if text, ok := rows.Text(column, row); ok {
			s.bytes(s.clean(text))
			return
		}
	case land.Number:
		if value, ok := rows.Double(column, row); ok {
			s.buffer = binary.BigEndian.AppendUint32(s.buffer, 8)
			s.buffer = binary.BigEndian.AppendUint64(s.buffer, math.Float64bits(value))
			return
		}
	default:
		if value, ok := rows.Int(column, row); ok {
			s.whole(kind, value)
			return
		}
	}
	s.buffer = binary.BigEndian.AppendUint32(s.buffer, math.MaxUint32) // null
}

func (s *copyStream) bytes(text []byte) {
	s.buffer = binary.BigEndian.AppendUint32(s.buffer, uint32(len(text)))
	s.buffer = append(s.buffer, text...)
}

// PostgreSQL counts from 2000-01-01.
const (
	epochDays   = 10957
	epochMillis = epochDays * 24 * 60 * 60 * 1000
)

func (s *copyStream) whole(kind land.Kind, value int64) {
	switch kind {
	case land.Bool:
		s.bytes([]byte{byte(value)})
	case land.Instant:
		s.buffer = binary.BigEndian.AppendUint32(s.buffer, 8)
		s.buffer = binary.BigEndian.AppendUint64(s.buffer, uint64((value-epochMillis)*1000))
	case land.Date:
		s.buffer = binary.BigEndian.AppendUint32(s.buffer, 4)
		s.buffer = binary.BigEndian.AppendUint32(s.buffer, uint32(int32(value-epochDays)))
	default: // Integer
		s.buffer = binary.BigEndian.AppendUint32(s.buffer, 4)
		s.buffer = binary.BigEndian.AppendUint32(s.buffer, uint32(int32(value)))
	}
}

// clean replaces what PostgreSQL cannot hold in text.
func (s *copyStream) clean(text []byte) []byte {
	n := bytes.Count(text, []byte{0})
	if n == 0 {
		return text
	}
	s.replaced += int64(n)
	return bytes.ReplaceAll(text, []byte{0}, []byte("\uFFFD"))
}
