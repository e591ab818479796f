package clari

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// rawBody reads an answer's body as it comes, watched and counted.
type rawBody struct{ x *exchange }

func (b rawBody) Read(p []byte) (int, error) {
	x := b.x
	if x.broken != nil {
		return 0, x.broken
	}
	x.watch.reading()
	n, err := x.resp.Body.Read(p)
	x.watch.pause()
	x.read += int64(n)
	if errors.Is(err, io.EOF) {
		err = lengthFault(x.read, x.resp.ContentLength)
	}
	if err != nil && err != io.EOF {
		x.broken = x.brokenBy(err)
		return n, x.broken
	}
	return n, err
}

// lengthFault is io.EOF where the body has the length that was announced, or
// none was.
func lengthFault(read, announced int64) error {
	if announced < 0 || read == announced {
		return io.EOF
	}
	return fmt.Errorf("%d of %d bytes came: %w", read, announced, io.ErrUnexpectedEOF)
}

// brokenBy is why a body ended early: the context that ended it, else an
// unexpected end with its cause.
func (x *exchange) brokenBy(err error) error {
	if x.ctx.Err() != nil || errors.Is(err, io.ErrUnexpectedEOF) {
		return x.ended(err)
	}
	return fmt.Errorf("%w: %w", io.ErrUnexpectedEOF, err)
}

// reader decodes what a server compressed although it was not asked to.
func (x *exchange) reader(resp *http.Response) io.Reader {
	switch encoding := contentEncoding(resp); encoding {
	case "", "identity":
		return rawBody{x}
	case "gzip", "x-gzip":
		return &unzipped{src: rawBody{x}}
	default:
		return &unzipped{err: fmt.Errorf("content encoding %q is not known", show(encoding, maxWordBytes))}
	}
}

func contentEncoding(resp *http.Response) string {
	return strings.ToLower(strings.TrimSpace(resp.Header.Get("Content-Encoding")))
}

// unzipped reads gzip; its header is read with the first byte.
type unzipped struct {
	src io.Reader
	zip *gzip.Reader
	err error
}

func (u *unzipped) Read(p []byte) (int, error) {
	if u.err != nil {
		return 0, u.err
	}
	if u.zip == nil {
		if u.zip, u.err = gzip.NewReader(u.src); u.err != nil {
			u.err = noEOF(u.err)
			return 0, u.err
		}
	}
	n, err := u.zip.Read(p)
	u.err = err
	return n, err
}
