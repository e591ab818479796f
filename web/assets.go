package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed assets pages
var files embed.FS

// openAPI describes the API.
//
//go:embed openapi.json
var openAPI []byte

// assets are the style sheet, the script and the icon, each under a path that
// changes with its content and may be kept for ever.
type assets map[string]asset // by path

type asset struct {
	name    string
	content []byte
}

func loadAssets() (assets, error) {
	all := assets{}
	names, err := fs.Glob(files, "assets/*")
	if err != nil {
		return nil, fmt.Errorf("read assets: %w", err)
	}
	for _, name := range names {
		content, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read asset %s: %w", name, err)
		}
		sum := sha256.Sum256(content)
		extension := path.Ext(name)
		at := "/" + strings.TrimSuffix(name, extension) + "." + hex.EncodeToString(sum[:6]) + extension
		all[at] = asset{path.Base(name), content}
	}
	return all, nil
}

// path is where an asset is served: path "app.css".
func (a assets) path(name string) (string, error) {
	for at, asset := range a {
		if asset.name == name {
			return at, nil
		}
	}
	return "", fmt.Errorf("find asset %q: %w", name, fs.ErrNotExist)
}

func (a assets) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	asset, ok := a[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, r, asset.name, time.Time{}, bytes.NewReader(asset.content))
}
