package land

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
)

// contend keeps a manifest that another publisher wrote, unless its files are
// not those that it names because this publication overwrote them.
//
// A publisher overwrites a file only where it sees no manifest; between the look
// and the overwriting the manifest may appear. Two publishers of one version
// write the same bytes, so that it does not matter. Of two versions the bytes may
// differ, and the later one then has torn a snapshot. Only it knows, and it alone
// can mend: the one that wrote the manifest has gone on. So it lands the snapshot
// once more, over all of it, the manifest last. What lands is of the same result,
// which find has compared.
func (p *publication) contend(ctx context.Context, there *Manifest) (*Manifest, error) {
	if there == nil || !p.replaced {
		return there, nil
	}
	whole, err := p.whole(ctx, *there)
	if err != nil || whole {
		return there, err
	}
	p.mend = true
	return nil, nil
}

// whole reports whether every file of a snapshot is the one that its manifest
// names.
func (p *publication) whole(ctx context.Context, m Manifest) (bool, error) {
	files := []File{m.Raw}
	for _, t := range m.Tables {
		files = append(files, t.Files...)
	}
	for _, file := range files {
		sum, err := hashAt(ctx, p.store, file.Path)
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		if err != nil || sum != file.SHA256 {
			return false, err
		}
	}
	return true, nil
}

// hashAt is the SHA-256 of a file that stands at a place, in hex.
func hashAt(ctx context.Context, store Store, path string) (string, error) {
	file, err := store.Open(ctx, path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
