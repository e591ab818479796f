package history

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// parted is a spool file whose records are dealt out to parts. Each part fills
// a buffer, and full buffers follow one another in the file; which piece
// belongs to which part is all that memory holds.
type parted struct {
	file    *os.File
	end     int64
	buffers [][]byte
	pieces  [][]piece
}

type piece struct {
	at   int64
	size int32
}

const pieceBytes = 32 << 10

// newParted makes a file of mode 0600 in dir that is gone when its process is,
// however that ends, where the system can.
func newParted(dir string, parts int) (*parted, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make directory for comparing: %w", err)
	}
	file, err := os.CreateTemp(dir, "diff-*")
	if err != nil {
		return nil, fmt.Errorf("make spool for comparing: %w", err)
	}
	_ = os.Remove(file.Name()) // not on Windows: close does it there
	return &parted{file: file, buffers: make([][]byte, parts), pieces: make([][]piece, parts)}, nil
}

// add gives bytes to a part, in one piece.
func (p *parted) add(part int, text []byte) error {
	buffer := p.buffers[part]
	if len(buffer) > 0 && len(buffer)+len(text) > pieceBytes {
		if err := p.flush(part); err != nil {
			return err
		}
		buffer = p.buffers[part]
	}
	p.buffers[part] = append(buffer, text...)
	return nil
}

func (p *parted) flush(part int) error {
	buffer := p.buffers[part]
	if _, err := p.file.WriteAt(buffer, p.end); err != nil {
		return fmt.Errorf("write spool for comparing: %w", err)
	}
	p.pieces[part] = append(p.pieces[part], piece{p.end, int32(len(buffer))})
	p.end += int64(len(buffer))
	p.buffers[part] = buffer[:0]
	return nil
}

// done writes what is left and frees the buffers.
func (p *parted) done() error {
	for part, buffer := range p.buffers {
		if len(buffer) > 0 {
			if err := p.flush(part); err != nil {
				return err
			}
		}
	}
	p.buffers = nil
	return nil
}

// size is how many bytes a part has.
func (p *parted) size(part int) (total int64) {
	for _, at := range p.pieces[part] {
		total += int64(at.size)
	}
	return total
}

// visit gives a part's pieces to each; what it gets stays as it is only until
// it returns.
func (p *parted) visit(part int, each func(text []byte) error) error {
	var buffer []byte
	for _, at := range p.pieces[part] {
		buffer = slices.Grow(buffer[:0], int(at.size))[:at.size]
		if _, err := p.file.ReadAt(buffer, at.at); err != nil {
			return fmt.Errorf("read spool for comparing: %w", err)
		}
		if err := each(buffer); err != nil {
			return err
		}
	}
	return nil
}

// reader reads a part from its beginning to its end.
func (p *parted) reader(part int) io.Reader {
	var all []io.Reader
	for _, at := range p.pieces[part] {
		all = append(all, io.NewSectionReader(p.file, at.at, int64(at.size)))
	}
	return io.MultiReader(all...)
}

func (p *parted) close() error {
	err := p.file.Close()
	if removed := os.Remove(p.file.Name()); !errors.Is(removed, os.ErrNotExist) {
		err = errors.Join(err, removed)
	}
	return err
}

// hashOf is FNV-1a: the same in every process, so that the same snapshots are
// compared in the same order.
func hashOf(text []byte) uint64 {
	hash := uint64(14695981039346656037)
	for _, c := range text {
		hash = (hash ^ uint64(c)) * 1099511628211
	}
	return hash ^ hash>>29
}
