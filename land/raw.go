package land

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"

	"github.com/weirhq/weir"
)

// rawThere reads the raw file that stands at the destination: its facts as a
// file, and the SHA-256 of the result in it.
func (p *publication) rawThere(ctx context.Context) (File, string, error) {
	path := p.paths.raw()
	file, err := p.store.Open(ctx, path)
	if err != nil {
		return File{}, "", err
	}
	defer file.Close()
	outer := &tee{from: file, sum: sha256.New()}
	content := contentHash(outer)
	if _, err := io.Copy(io.Discard, outer); err != nil {
		return File{}, "", err
	}
	return File{Path: path, Bytes: outer.bytes, SHA256: hex.EncodeToString(outer.sum.Sum(nil))}, content, nil
}

// contentHash is the SHA-256 of what a zstd stream holds, or "" for a damaged
// stream, which equals nothing.
func contentHash(r io.Reader) string {
	plain, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1))
	if err != nil {
		return ""
	}
	defer plain.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, plain); err != nil {
		return ""
	}
	return hex.EncodeToString(sum.Sum(nil))
}

type tee struct {
	from  io.Reader
	sum   hash.Hash
	bytes int64
}

func (t *tee) Read(p []byte) (int, error) {
	n, err := t.from.Read(p)
	t.sum.Write(p[:n])
	t.bytes += int64(n)
	return n, err
}

// keepRejected puts the bytes of a refused result where a person finds them:
// in "rejected" beside the spool directory.
func keepRejected(refusal *Refusal, src Source, job, sum string, work *workdir) {
	dir := filepath.Join(filepath.Dir(filepath.Clean(src.SpoolDir)), "rejected")
	name := fmt.Sprintf("%s-%.8s%s", segment(rejectedName(src.Request)+"-"+job), sum, extensionOf(src.Request))
	path := filepath.Join(dir, name)
	if err := keepFile(filepath.Join(work.path, rawName), path); err != nil {
		refusal.KeepErr = writeError("keep rejected result", path, err)
		return
	}
	refusal.Kept = path
}

// rejectedName is what the kept file of a request is called by.
func rejectedName(r weir.Request) string {
	if r.Kind == weir.Forecast {
		return r.ForecastID + "-" + string(r.Period)
	}
	return string(r.Kind) + "-" + edgeName(r.Since) + "-" + edgeName(r.Until)
}

// keepFile gives a file a second name, or copies it where that cannot be done.
// A file that is there already is the same one: its name holds its hash.
func keepFile(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	err := os.Link(from, to)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	return copyFile(from, to)
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to+".part", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err = errors.Join(err, out.Close()); err != nil {
		return errors.Join(err, os.Remove(to+".part"))
	}
	return os.Rename(to+".part", to)
}
