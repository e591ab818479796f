package history

import (
	"bufio"
	"container/heap"
	"context"
	"encoding/binary"
	"errors"
	"io"
)

// merge gives the changes of all parts to each in one order.
func merge(ctx context.Context, found *parted, each func(*Change) error) error {
	var open streams
	for part := range found.pieces {
		s := &stream{in: bufio.NewReaderSize(found.reader(part), 4<<10)}
		if err := s.next(); errors.Is(err, io.EOF) {
			continue
		} else if err != nil {
			return err
		}
		open = append(open, s)
	}
	heap.Init(&open)
	for n := 0; len(open) > 0; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := each(&open[0].change); err != nil {
			return err
		}
		switch err := open[0].next(); {
		case errors.Is(err, io.EOF):
			heap.Pop(&open)
		case err != nil:
			return err
		default:
			heap.Fix(&open, 0)
		}
	}
	return nil
}

// stream is one part's changes, in order.
type stream struct {
	in     *bufio.Reader
	text   []byte
	change Change
}

// next reads a change; io.EOF after the last.
func (s *stream) next() error {
	size, err := binary.ReadUvarint(s.in)
	if err != nil {
		return err
	}
	if uint64(cap(s.text)) < size {
		s.text = make([]byte, size)
	}
	s.text = s.text[:size]
	if _, err := io.ReadFull(s.in, s.text); err != nil {
		return errDamaged
	}
	s.change, err = readChange(s.text)
	return err
}

// streams is a heap of them by their change.
type streams []*stream

func (s streams) Len() int           { return len(s) }
func (s streams) Less(i, j int) bool { return before(&s[i].change, &s[j].change) < 0 }
func (s streams) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }

// Push is never called: streams only end.
func (s *streams) Push(any) {}

// Pop takes the last one away.
func (s *streams) Pop() any {
	last := (*s)[len(*s)-1]
	*s = (*s)[:len(*s)-1]
	return last
}
