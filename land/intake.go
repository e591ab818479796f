package land

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

const intakeBlock = 256 << 10

// errTooLong is what the reader meets when one value does not end.
var errTooLong = errors.New("value too long")

// intake hands the body to the parser and on the way keeps every byte: hashed,
// counted, and compressed in the raw file. What ends the stream, other than
// its end, stays in err, because the parser wraps and delays it.
type intake struct {
	ctx  context.Context
	body io.Reader
	// parsed is how far the parser has come; what it holds beyond that is one
	// unfinished value.
	parsed func() int64

	head  []byte // the first bytes, to name what is no JSON
	block []byte
	rest  []byte
	given int64

	last  byte // of what came
	sum   hash.Hash
	bytes int64
	file  *os.File
	raw   *zstd.Encoder

	ended bool
	err   error
}

func newIntake(ctx context.Context, body io.Reader, file *os.File) (*intake, error) {
	// One goroutine and a fixed level: the same bytes in give the same file.
	raw, err := zstd.NewWriter(file, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		return nil, writeError("spool", file.Name(), err)
	}
	return &intake{
		ctx: ctx, body: body, parsed: func() int64 { return 0 },
		block: make([]byte, intakeBlock), sum: sha256.New(), file: file, raw: raw,
	}, nil
}

// Read serves the parser. It refuses to feed a single value beyond maxValue.
func (in *intake) Read(p []byte) (int, error) {
	if len(in.rest) == 0 {
		if in.given-in.parsed() > maxValue && in.err == nil {
			return 0, errTooLong
		}
		if err := in.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, in.rest)
	in.rest = in.rest[n:]
	in.given += int64(n)
	return n, nil
}

// fill takes the next block from the body. It returns io.EOF at the end.
func (in *intake) fill() error {
	for in.err == nil && !in.ended {
		if in.ctx.Err() != nil {
			in.err = context.Cause(in.ctx)
			break
		}
		n, err := in.body.Read(in.block)
		in.keep(in.block[:n])
		switch {
		case in.err != nil:
		case err == io.EOF:
			in.ended = true
		case err != nil && in.ctx.Err() != nil:
			in.err = context.Cause(in.ctx)
		case err != nil:
			in.err = transferError("the connection ended after "+count(in.bytes, "byte"), err)
		}
		if n > 0 {
			in.rest = in.block[:n]
			return nil
		}
	}
	if in.err != nil {
		return in.err
	}
	return io.EOF
}

func (in *intake) keep(block []byte) {
	in.bytes += int64(len(block))
	if len(block) > 0 {
		in.last = block[len(block)-1]
	}
	in.head = append(in.head, block[:min(len(block), headBytes-len(in.head))]...)
	in.sum.Write(block)
	if _, err := in.raw.Write(block); err != nil {
		in.err = writeError("spool", in.file.Name(), err)
	}
}

// drain takes what the parser left, so that the raw file is whole.
func (in *intake) drain() error {
	in.rest = nil
	for {
		if err := in.fill(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// finish completes the raw file; it stays open for nobody.
func (in *intake) finish() error {
	err := in.raw.Close()
	return writeError("spool", in.file.Name(), errors.Join(err, in.file.Close()))
}

func (in *intake) sha256() string { return hex.EncodeToString(in.sum.Sum(nil)) }
