package land

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"
	"sync"
	"sync/atomic"

	"github.com/klauspost/compress/zstd"
)

const (
	intakeBlock  = 256 << 10
	intakeBlocks = 8
	// rawWindow is how far back the raw file's compression looks. On rows a wider
	// one is slower and no better.
	rawWindow = 64 << 10
	// longValue is where an unfinished value counts as long: the parser then
	// gets as much as it has room for, because it may begin anew on each read.
	longValue = 64 << 10
)

// errTooLong is what the reader meets when one value does not end.
var errTooLong = errors.New("value too long")

// intake hands the body to the parser, and beside it keeps every byte: one
// goroutine takes the body in blocks and hashes them, another one compresses
// them into the raw file. What ends the stream, other than its end, stays in
// err, because the parser wraps and delays it.
type intake struct {
	ctx  context.Context
	body io.Reader
	// parsed is how far the parser has come; what it holds beyond that is one
	// unfinished value.
	parsed func() int64

	head   []byte   // the first bytes, to name what is no JSON
	rest   []byte   // of the block at hand, or of what was put back
	back   [][]byte // put back, the next one last
	block  *arrival
	given  int64
	bytes  int64 // taken from the body so far
	last   byte  // of those
	ended  bool
	err    error
	failed error // why the body ended, set before came is closed

	taken    int64 // by the goroutine that takes it
	sum      hash.Hash
	file     *os.File
	raw      *zstd.Encoder
	came     chan *arrival
	packing  chan *arrival
	free     chan *arrival
	stop     chan struct{}
	unpacked atomic.Pointer[error] // why the raw file could not be written
	running  sync.WaitGroup
}

// arrival is a block of the body on its way to the parser and to the raw file;
// it is free again when both are done with it.
type arrival struct {
	data []byte
	uses atomic.Int32
}

// newIntake starts taking the body. finish must be called.
func newIntake(ctx context.Context, body io.Reader, file *os.File) (*intake, error) {
	// One goroutine and a fixed level: the same bytes in give the same file. The
	// manifest has better than a checksum of 32 bits.
	raw, err := zstd.NewWriter(file, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithWindowSize(rawWindow), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, writeError("spool", file.Name(), err)
	}
	in := &intake{
		ctx: ctx, body: body, parsed: func() int64 { return 0 }, sum: sha256.New(), file: file, raw: raw,
		came: make(chan *arrival, intakeBlocks), packing: make(chan *arrival, intakeBlocks),
		free: make(chan *arrival, intakeBlocks), stop: make(chan struct{}),
	}
	for range intakeBlocks {
		in.free <- &arrival{data: make([]byte, 0, intakeBlock)}
	}
	in.running.Go(in.take)
	in.running.Go(in.pack)
	return in, nil
}

// take reads the body to its end.
func (in *intake) take() {
	defer close(in.came)
	defer close(in.packing)
	for {
		select {
		case <-in.stop:
			return
		case b := <-in.free:
			err := in.takeBlock(b)
			in.taken += int64(len(b.data))
			in.sum.Write(b.data)
			b.uses.Store(2)
			in.packing <- b // has room for every block there is
			in.came <- b
			if err != nil {
				if !errors.Is(err, io.EOF) {
					in.failed = err
				}
				return
			}
		}
	}
}

// takeBlock fills a block. It returns io.EOF at the end of the body.
func (in *intake) takeBlock(b *arrival) error {
	b.data = b.data[:0]
	for len(b.data) < cap(b.data) {
		if in.ctx.Err() != nil {
			return context.Cause(in.ctx)
		}
		if failed := in.unpacked.Load(); failed != nil {
			return *failed
		}
		n, err := in.body.Read(b.data[len(b.data):cap(b.data)])
		b.data = b.data[:len(b.data)+n]
		switch {
		case err == io.EOF:
			return io.EOF
		case err != nil && in.ctx.Err() != nil:
			return context.Cause(in.ctx)
		case err != nil:
			return transferError("the connection ended after "+count(in.taken+int64(len(b.data)), "byte"), err)
		}
		select {
		case <-in.stop:
			return errStopped
		default:
		}
	}
	return nil
}

// pack compresses what was taken.
func (in *intake) pack() {
	for b := range in.packing {
		if in.unpacked.Load() == nil {
			if _, err := in.raw.Write(b.data); err != nil {
				err = writeError("spool", in.file.Name(), err)
				in.unpacked.Store(&err)
			}
		}
		in.release(b)
	}
}

func (in *intake) release(b *arrival) {
	if b != nil && b.uses.Add(-1) == 0 {
		in.free <- b
	}
}

// Read serves the parser. It refuses to feed a single value beyond maxValue.
func (in *intake) Read(p []byte) (int, error) {
	n := 0
	for {
		if len(in.rest) == 0 {
			if in.given-in.parsed() > maxValue && in.err == nil {
				return n, errTooLong
			}
			if err := in.fill(); err != nil {
				if n > 0 {
					return n, nil
				}
				return 0, err
			}
		}
		taken := copy(p[n:], in.rest)
		in.rest = in.rest[taken:]
		in.given += int64(taken)
		if n += taken; n == len(p) || in.given-in.parsed() < longValue {
			return n, nil
		}
	}
}

// unread puts bytes back in front of what is still to be read. They must not
// change afterwards.
func (in *intake) unread(p []byte) {
	if len(p) == 0 {
		return
	}
	if len(in.rest) > 0 {
		in.back = append(in.back, in.rest)
	}
	in.rest = p
	in.given -= int64(len(p))
}

// fill makes the next bytes the rest. It returns io.EOF at the end.
func (in *intake) fill() error {
	if n := len(in.back); n > 0 {
		in.rest, in.back = in.back[n-1], in.back[:n-1]
		return nil
	}
	for in.err == nil && !in.ended {
		in.release(in.block)
		b, more := <-in.came
		in.block = b
		if !more {
			in.err, in.ended = in.failed, in.failed == nil
			break
		}
		if len(b.data) > 0 {
			in.rest = b.data
			in.bytes += int64(len(b.data))
			in.last = b.data[len(b.data)-1]
			in.head = append(in.head, b.data[:min(len(b.data), headBytes-len(in.head))]...)
			return nil
		}
	}
	if in.err != nil {
		return in.err
	}
	return io.EOF
}

// drain takes what the parser left, so that the raw file is whole.
func (in *intake) drain() error {
	for {
		in.rest, in.back = nil, nil
		if err := in.fill(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// finish ends the taking, at the end of the body or before, and completes the
// raw file; it stays open for nobody.
func (in *intake) finish() error {
	close(in.stop)
	in.running.Wait()
	err := in.raw.Close()
	if failed := in.unpacked.Load(); failed != nil {
		err = *failed
	}
	return writeError("spool", in.file.Name(), errors.Join(err, in.file.Close()))
}

// sha256 is the hash of everything that came; it is known after drain.
func (in *intake) sha256() string { return hex.EncodeToString(in.sum.Sum(nil)) }
