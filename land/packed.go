package land

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Plain is the format below the compression: JSONL for [JSONLGzip].
func (f Format) Plain() Format {
	plain, _, _ := strings.Cut(string(f), ".")
	return Format(plain)
}

// Packing is the compression of the files: "gz", "zst", or "" for none.
func (f Format) Packing() string {
	_, packing, _ := strings.Cut(string(f), ".")
	return packing
}

// pack compresses what is written. One goroutine, a fixed level and no instant:
// the same rows give the same bytes. Closing it ends the stream, not the writer
// below.
func pack(w io.Writer, packing string) (io.WriteCloser, error) {
	switch packing {
	case "":
		return nopCloser{w}, nil
	case "gz":
		packed, err := gzip.NewWriterLevel(w, gzip.DefaultCompression)
		if err == nil {
			packed.ModTime = time.Unix(0, 0) // none
		}
		return packed, err
	case "zst":
		return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	}
	return nil, fmt.Errorf("compress: unknown compression %q", packing)
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// unpack reads what pack wrote. Closing it does not close the reader below.
func unpack(r io.Reader, packing string) (io.ReadCloser, error) {
	switch packing {
	case "":
		return io.NopCloser(r), nil
	case "gz":
		return gzip.NewReader(r)
	case "zst":
		plain, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, err
		}
		return plain.IOReadCloser(), nil
	}
	return nil, fmt.Errorf("decompress: unknown compression %q", packing)
}

// packedEncoder is an encoder that writes through a compression.
type packedEncoder struct {
	encoder
	packed io.Closer
}

func (e packedEncoder) close() error {
	if err := e.encoder.close(); err != nil {
		return err
	}
	return e.packed.Close()
}

// packedLook looks at a file through its compression.
type packedLook struct {
	*fed
	inner look
}

func newPackedLook(inner look, packing string) *packedLook {
	return &packedLook{inner: inner, fed: feed(func(r io.Reader) error { return copyUnpacked(inner, r, packing) })}
}

func copyUnpacked(to io.Writer, from io.Reader, packing string) error {
	plain, err := unpack(from, packing)
	if err != nil {
		return err
	}
	defer plain.Close()
	_, err = io.Copy(to, plain)
	return err
}

func (l *packedLook) finish() (int64, []string, error) {
	unpacked := l.end()
	rows, columns, err := l.inner.finish()
	if unpacked != nil {
		err = unpacked
	}
	return rows, columns, err
}

func (l *packedLook) close() {
	_ = l.end()
	l.inner.close()
}
